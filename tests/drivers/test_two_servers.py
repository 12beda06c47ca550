"""Attended transfers between two servers: the call that is to be replaced is with the other one (RFC 5589 7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.model import events
from arietta.server import Server
from arietta.testing import Phone, VirtualLoop, tone
from arietta.testing.call import Call
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, phone_sections

NEAR, FAR = ("10.0.0.1", 5060), ("10.0.0.9", 5060)


def files(here: str, there: str, port: int, http: int, *phones: str) -> dict[str, str]:
    trunk = f"""
[udp]
type=transport
protocol=udp
bind={here}:5060
[trunk]
type=endpoint
context=default
aors=trunk
allow=ulaw
[trunk]
type=aor
contact=sip:{there}:5060
[trunk]
type=identify
endpoint=trunk
match={there}
"""
    numbers = {"alice": "6001", "bob": "6002", "carol": "6003"}
    return FILES | {
        "pjsip.conf": trunk + "".join(phone_sections(name, numbers[name]) for name in phones),
        "rtp.conf": f"[general]\nrtpstart={port}\nrtpend={port + 99}\n",
        "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={http}\n",
    }


@pytest.fixture
def servers(loop: VirtualLoop, switch: Switch, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[Server, Server]]:
    """Alice and bob are here, carol is there, and bob has an account on both; nothing may be left afterwards."""
    stack = AsyncExitStack()
    both = []
    for config in (
        files(NEAR[0], FAR[0], 10000, 8088, "alice", "bob"),
        files(FAR[0], NEAR[0], 10200, 8089, "bob", "carol"),
    ):
        server = loop.run(stack.enter_async_context(switch(config)))
        assert isinstance(server, Server)
        both.append(server)
    yield both[0], both[1]
    loop.advance(70)
    left = [[channel.name for channel in one.channels] + [len(one.bridges), len(one.sip.agent)] for one in both]
    loop.run(stack.aclose())
    assert left == [[0, 0], [0, 0]]
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def two_calls(phone: Callable[..., Awaitable[Phone]]) -> tuple[Call, Call, Call, Call]:
    """Alice talks to bob here; bob, who has another account there, talks to carol."""
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=NEAR)
    bob = await phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=NEAR)
    other = await phone("10.0.0.5", 5060, username="bob", password=PASSWORD, server=FAR)
    carol = await phone("10.0.0.4", 5060, username="carol", password=PASSWORD, server=FAR)
    for one in (bob, carol):
        await one.register()
    call = await alice.invite("1100")
    first = await bob.ringing()
    first.answer()
    await call.answered()
    second = await other.invite("1101")
    last = await carol.ringing()
    last.answer()
    await second.answered()
    await last.answered()
    await asyncio.sleep(0.1)
    return call, first, second, last


def refer_to(second: Call, host: str = FAR[0], tag: str = "") -> tuple[tuple[str, str], ...]:
    dialog = second.session.dialog
    assert dialog is not None
    replaces = f"{second.call_id};to-tag={tag or dialog.remote_tag};from-tag={dialog.local_tag}"
    escaped = replaces.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
    return (("Refer-To", f"<sip:1101@{host}?Replaces={escaped}>"), ("Referred-By", "<sip:bob@10.0.0.1>"))


async def test_alice_and_carol_talk_though_carol_is_elsewhere(
    servers: tuple[Server, Server], phone: Callable[..., Awaitable[Phone]]
) -> None:
    call, first, second, last = await two_calls(phone)
    told: list[object] = []
    servers[0].bus.subscribe("bridge:", told.append)
    await first.send_request("REFER", headers=refer_to(second), expect=202)
    fragments = []
    while not fragments or b"100" in fragments[-1]:
        message = (await first.expect("NOTIFY")).message
        assert message is not None
        fragments.append(message.body)
    assert fragments[-1] == b"SIP/2.0 200 OK\r\n"
    (fact,) = [one for one in told if isinstance(one, events.BridgeAttendedTransfer)]
    assert (fact.result, fact.destination_type, fact.is_external) == ("Success", "bridge", False)
    assert fact.transferer_first_leg.name.startswith("PJSIP/bob-")
    assert fact.transferee and fact.transferee.name.startswith("PJSIP/alice-")
    new = fact.transferer_second_leg
    assert new.name.startswith("PJSIP/trunk-") and new == fact.replace_channel == fact.transfer_target
    assert fact.transferer_first_leg_bridge and fact.destination_bridge == fact.transferer_first_leg_bridge.id
    assert (await second.ended()).reason == "BYE"
    await first.hang_up()
    words = tone(440, 400)
    call.send_audio(words)
    await last.hears(words)
    await call.hang_up()
    await last.ended()


@pytest.mark.parametrize(
    ("host", "tag", "outcome"), [(FAR[0], "nobody", b"SIP/2.0 481"), ("10.0.0.77", "", b"SIP/2.0 404")]
)
async def test_a_transfer_that_fails_leaves_the_calls_as_they_are(
    servers: tuple[Server, Server], phone: Callable[..., Awaitable[Phone]], host: str, tag: str, outcome: bytes
) -> None:
    call, first, second, last = await two_calls(phone)
    told: list[object] = []
    servers[0].bus.subscribe("bridge:", told.append)
    await first.send_request("REFER", headers=refer_to(second, host, tag), expect=202)
    await first.expect("NOTIFY")
    message = (await first.expect("NOTIFY")).message
    assert message is not None and message.body.startswith(outcome)
    failed = [one for one in told if isinstance(one, events.BridgeAttendedTransfer)]
    assert [(one.result, one.destination_type) for one in failed] == [("Fail", "fail")] * (outcome[-3:] == b"481")
    words = tone(440, 400)
    call.send_audio(words)
    await first.hears(words)
    for one in (call, second):
        await one.hang_up()
    await first.ended()
    await last.ended()


async def test_a_phone_that_hangs_up_meanwhile_ends_the_call_elsewhere(
    servers: tuple[Server, Server], phone: Callable[..., Awaitable[Phone]]
) -> None:
    call, first, second, last = await two_calls(phone)
    await first.send_request("REFER", headers=refer_to(second), expect=202)
    await first.hang_up()
    await call.ended()
    await asyncio.sleep(1)
    for one in (second, last):
        if one.end is None:
            await one.hang_up()
