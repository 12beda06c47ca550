"""Calls whose media is encrypted with keys in the description (RFC 4568), by the engine in C on virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from arietta.media.native import why_no_srtp
from arietta.sdp import Direction
from arietta.server import Server
from arietta.testing import AriClient, Call, Phone, tone
from arietta.testing.audio import encode
from arietta.testing.network import Network
from arietta.testing.phone import Encryption
from arietta.testing.plugin import StartServer, Switch
from arietta.testing.switch import start

from .conftest import FILES, PASSWORD, SERVER, phone_sections

pytestmark = pytest.mark.skipif(why_no_srtp() is not None, reason=str(why_no_srtp()))

Opened = Callable[[str, Encryption], Awaitable[Phone]]

ENCRYPTED = "media_encryption=sdes\n"
OPTIMISTIC = f"{ENCRYPTED}media_encryption_optimistic=yes\n"


def with_options(name: str, number: str, options: str) -> str:
    return phone_sections(name, number).replace("type=endpoint\n", f"type=endpoint\n{options}", 1)


@pytest.fixture
def files() -> dict[str, str]:
    """Alice and bob have plain media; sally demands encryption, otto takes it where there is some."""
    more = with_options("sally", "6003", f"{ENCRYPTED}rtp_timeout=5\nrtp_timeout_hold=30\n")
    more += with_options("otto", "6004", OPTIMISTIC)
    return {**FILES, "pjsip.conf": FILES["pjsip.conf"] + more}


@pytest.fixture
def start_server() -> StartServer:
    """Servers have the engine that can encrypt."""
    return partial(start, native=True)


@pytest.fixture
def opened(server: Server, phone: Callable[..., Awaitable[Phone]]) -> Opened:
    """A coroutine function that gives a registered phone."""

    async def registered(name: str, encryption: Encryption) -> Phone:
        host = {"alice": "10.0.0.2", "sally": "10.0.0.4", "otto": "10.0.0.5"}[name]
        one = await phone(host, 5060, username=name, password=PASSWORD, server=SERVER, encryption=encryption)
        await one.register()
        return one

    return registered


async def echoes(call: Call) -> None:
    """1200 sends back what it hears."""
    beep = tone(800, 500)
    await call.send_audio(beep)
    await call.hears(beep)


async def test_an_encrypted_call_hears_its_echo(opened: Opened) -> None:
    call = await (await opened("sally", "sdes")).invite("1200")
    await call.answered()
    assert call.remote_sdp is not None
    assert call.remote_sdp.media[0].protocol == "RTP/SAVP"
    await echoes(call)
    assert call.voice.counters["forged"] == 0
    await call.hang_up()


@pytest.mark.parametrize(
    ("name", "encryption", "encrypted"),
    [
        ("otto", "sdes", True),
        ("otto", "optimistic", True),
        ("sally", "optimistic", True),
        ("otto", "no", False),
        ("alice", "optimistic", False),
    ],
)
async def test_what_comes_of_wishes(opened: Opened, name: str, encryption: Encryption, encrypted: bool) -> None:
    call = await (await opened(name, encryption)).invite("1200")
    await call.answered()
    assert call.negotiated is not None
    assert (call.negotiated.keys is not None) == encrypted
    await echoes(call)
    await call.hang_up()


@pytest.mark.parametrize(("name", "encryption"), [("sally", "no"), ("alice", "sdes")])
async def test_what_cannot_be_agreed_is_refused(opened: Opened, name: str, encryption: Encryption) -> None:
    call = await (await opened(name, encryption)).invite("1200")
    refusal = await call.expect(488)
    assert refusal.message is not None
    assert "encr" in (refusal.message.get("Warning") or "")


@pytest.mark.parametrize(("name", "encryption"), [("sally", "sdes"), ("otto", "optimistic"), ("otto", "no")])
async def test_the_server_calls(opened: Opened, app: AriClient, name: str, encryption: Encryption) -> None:
    phone = await opened(name, encryption)
    await app.post("/channels", endpoint=f"PJSIP/{name}", context="default", extension="1200", priority=1)
    call = await phone.ringing()
    call.answer()
    await call.answered()
    await echoes(call)
    await call.hang_up()


async def test_a_plain_phone_that_must_encrypt_refuses_and_is_told_of_as_such(opened: Opened, app: AriClient) -> None:
    phone = await opened("sally", "no")
    made = (await app.post("/channels", endpoint="PJSIP/sally", app="hello-world")).json
    call = await phone.ringing()
    call.answer()  # which it does with 488
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["tech_cause"] == 488


async def test_encrypted_and_plain_meet_in_a_call(opened: Opened, bob: Phone) -> None:
    call = await (await opened("sally", "sdes")).invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await other.answered()
    high, low = tone(1500, 600), tone(500, 600)
    await call.send_audio(high)
    await other.hears(high)
    await other.send_audio(low)
    await call.hears(low)
    await call.hang_up()


async def test_keys_outlive_a_hold_and_its_silence_has_a_limit_of_its_own(
    opened: Opened,
) -> None:
    phone = await opened("sally", "sdes")
    call = await phone.invite("1200")
    await call.answered()
    await echoes(call)
    assert call.negotiated is not None
    before = call.negotiated.keys
    await call.reinvite(direction=Direction.INACTIVE)
    await asyncio.sleep(20)
    assert call.end is None
    await call.resume()
    assert call.negotiated.keys == before
    await echoes(call)
    assert call.voice.counters["forged"] == 0
    await call.reinvite(direction=Direction.INACTIVE)
    end = await call.ended(within=32)
    assert end.reason == "BYE"


async def test_no_key_is_written_to_the_log(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    call = await (await opened("sally", "sdes")).invite("1200")
    await call.answered()
    await call.hang_up()
    assert "inline:" not in caplog.text.replace("inline:***", "")


OTHER_SERVER = ("10.0.0.100", 5060)
TRUNK = """
[udp]
type=transport
protocol=udp
bind={here}:5060
[trunk]
type=endpoint
context=default
allow=ulaw
aors=trunk
media_encryption=sdes
[trunk]
type=aor
contact=sip:{there}:5060
[trunk]
type=identify
endpoint=trunk
match={there}
"""
OVER_THE_TRUNK = """
[default]
exten => 1500,1,Dial(PJSIP/1200@trunk,20)
 same => n,Hangup()
exten => 1200,1,Answer()
 same => n,Echo()
"""


@pytest.fixture
def files_of_two() -> tuple[dict[str, str], dict[str, str]]:
    """Two servers with an encrypted trunk between them; alice is a plain phone of the first."""
    one = TRUNK.format(here=SERVER[0], there=OTHER_SERVER[0]) + phone_sections("alice", "6001")
    other = TRUNK.format(here=OTHER_SERVER[0], there=SERVER[0])
    shared = {"extensions.conf": OVER_THE_TRUNK, "rtp.conf": FILES["rtp.conf"]}
    return {**shared, "pjsip.conf": one}, {**shared, "pjsip.conf": other}


@pytest.mark.parametrize(("name", "encryption", "secure"), [("sally", "sdes", "1"), ("alice", "no", "0")])
async def test_the_dialplan_can_see_it(
    opened: Opened, app: AriClient, name: str, encryption: Encryption, secure: str
) -> None:
    call = await (await opened(name, encryption)).invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()

    async def read(item: str) -> str:
        reply = await app.get(f"/channels/{channel}/variable", variable=f"CHANNEL(rtp,{item})")
        return str(reply.json["value"])

    assert [await read("secure"), await read("secure,audio"), await read("hold")] == [secure, secure, "0"]
    assert await read("dest") == ":".join(map(str, call.voice.address))
    assert call.negotiated is not None
    assert await read("src") == f"{call.negotiated.address}:{call.negotiated.port}"
    await call.hold()
    assert await read("hold") == "1"
    await call.hang_up()


async def test_two_servers_encrypt_what_is_between_them(
    files_of_two: tuple[dict[str, str], dict[str, str]],
    switch: Switch,
    phone: Callable[..., Awaitable[Phone]],
    network: Network,
) -> None:
    one, other = files_of_two
    carried: defaultdict[Any, list[bytes]] = defaultdict(list)
    network.watchers.append(lambda sent: carried[sent.destination[0]].append(sent.data))
    async with switch(one), switch(other):
        alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER)
        await alice.register()
        call = await alice.invite("1500")
        await call.answered()
        assert call.negotiated is not None
        assert call.negotiated.keys is None
        await echoes(call)
        words = encode("ulaw", tone(800, 20))
        assert any(words in data for data in carried[SERVER[0]])  # from alice
        assert not any(words in data for data in carried[OTHER_SERVER[0]])
        assert any(b"RTP/SAVP" in data for data in carried[OTHER_SERVER[0]])
        await call.hang_up()
