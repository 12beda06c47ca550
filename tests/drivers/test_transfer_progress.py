"""How a blind transfer goes, as the phone that asked for it is notified (RFC 3515 2.4.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.sip.message import Request
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.call import Call
from arietta.testing.plugin import Switch

from .running import EXTENSIONS, FILES, PASSWORD, PJSIP, SERVER, phone_sections

FIVE = FILES | {
    "pjsip.conf": PJSIP + phone_sections("frank", "6006", "refer_blind_progress=no"),
    "extensions.conf": EXTENSIONS + "exten => 1102,1,Dial(PJSIP/carol,5)\n same => n,Answer()\n same => n,Echo()\n"
    "exten => 1103,1,Dial(PJSIP/carol,90)\n",
}
HOSTS = {"alice": "10.0.0.2", "bob": "10.0.0.3", "carol": "10.0.0.4", "frank": "10.0.0.6"}


@pytest.fixture
def switchboard(loop: VirtualLoop, switch: Switch, caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    """A started server; nothing of the calls may be left after the story."""
    stack = AsyncExitStack()
    running = loop.run(stack.enter_async_context(switch(FIVE)))
    assert isinstance(running, Server)
    yield running
    loop.advance(130)
    left = [channel.name for channel in running.channels], len(running.bridges), len(running.sip.agent)
    loop.run(stack.aclose())
    assert left == ([], 0, 0) and not running.sip.parting
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.fixture
def phones(
    switchboard: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]
) -> Callable[..., list[Phone]]:
    """A function that gives registered phones of these names."""

    def opened(*names: str) -> list[Phone]:
        found = [loop.run(phone(HOSTS[n], 5060, username=n, password=PASSWORD, server=SERVER)) for n in names]
        for one in found:
            loop.run(one.register())
        return found

    return opened


async def talking(caller: Phone, callee: Phone, exten: str = "1100") -> tuple[Call, Call]:
    """Two phones that Dial connected."""
    call = await caller.invite(exten)
    answer = await callee.ringing()
    answer.answer()
    await call.answered()
    await answer.answered()
    return call, answer


REFERRED_BY = f"<sip:6001@{SERVER[0]}>"


async def refer(call: Call, exten: str) -> None:
    headers = (("Refer-To", f"<sip:{exten}@{SERVER[0]}>"), ("Referred-By", REFERRED_BY))
    await call.send_request("REFER", headers=headers, expect=202)


async def notified(call: Call, status: int, state: str = "active") -> None:
    request = (await call.expect("NOTIFY", within=70)).message
    assert isinstance(request, Request)
    assert request.body == f"SIP/2.0 {status} ".encode() + request.body[12:]
    assert (request.get("Subscription-State") or "").startswith(state)


def test_ringing_and_the_answer_are_notified(loop: VirtualLoop, phones: Callable[..., list[Phone]]) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1101")
        await notified(call, 100)
        target = await carol.ringing()
        assert target.request.values("Referred-By") == [REFERRED_BY]
        target.ring()
        await notified(call, 180)
        target.answer()
        await notified(call, 200, "terminated;reason=noresource")
        await call.hang_up()
        await answer.hang_up()
        await target.ended()

    loop.run(story())


def test_a_transfer_out_of_an_applications_bridge_is_notified_as_well(
    loop: VirtualLoop, phones: Callable[..., list[Phone]], switchboard: Server, ari: Callable[..., AriClient]
) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")
    app = ari("127.0.0.1", 8088)

    async def story() -> None:
        await app.connect("app")
        bridge = (await app.post("/bridges", type="mixing")).json["id"]
        calls = [await one.invite("1000") for one in (alice, bob)]
        for call in calls:
            await call.answered()
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/bridges/{bridge}/addChannel", channel=channel, expect=204)
        await refer(calls[0], "1101")
        await notified(calls[0], 100)
        target = await carol.ringing()
        assert target.request.values("Referred-By") == [REFERRED_BY]
        target.ring(183)
        await notified(calls[0], 183)
        target.answer()
        await notified(calls[0], 200, "terminated")
        await calls[0].hang_up()
        await target.hang_up()
        await calls[1].hang_up()
        await app.delete(f"/bridges/{bridge}", expect=204)

    loop.run(story())


@pytest.mark.parametrize("status", [486, 503])
def test_a_transfer_that_ends_at_a_refusal(loop: VirtualLoop, phones: Callable[..., list[Phone]], status: int) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1101")
        await notified(call, 100)
        (await carol.ringing()).reject(status)
        await notified(call, status, "terminated")
        await answer.ended()
        await call.hang_up()

    loop.run(story())


def test_a_refusal_is_not_the_end_where_the_dialplan_goes_on(
    loop: VirtualLoop, phones: Callable[..., list[Phone]]
) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1102")
        await notified(call, 100)
        (await carol.ringing()).reject(486)
        await notified(call, 200, "terminated")  # 1102 echoes then
        await call.hang_up()
        await answer.hang_up()

    loop.run(story())


def test_a_phone_without_refer_blind_progress_is_told_200_at_once(
    loop: VirtualLoop, phones: Callable[..., list[Phone]]
) -> None:
    frank, bob, carol = phones("frank", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(frank, bob)
        await refer(call, "1101")
        await notified(call, 200, "terminated")
        target = await carol.ringing()
        await call.hang_up()
        target.ring()
        await answer.hang_up()
        await target.ended()
        assert [beat.what for beat in call.story].count("NOTIFY") == 1

    loop.run(story())


def test_a_phone_that_hangs_up_early_is_notified_no_more(loop: VirtualLoop, phones: Callable[..., list[Phone]]) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1101")
        await notified(call, 100)
        await call.hang_up()
        target = await carol.ringing()
        target.ring()
        await asyncio.sleep(1)
        target.answer()
        await target.answered()
        assert [beat.what for beat in call.story].count("NOTIFY") == 1
        await answer.hang_up()
        await target.ended()

    loop.run(story())


def test_a_subscription_that_nothing_comes_of_ends_in_time(
    loop: VirtualLoop, phones: Callable[..., list[Phone]]
) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1103")
        await notified(call, 100)
        target = await carol.ringing()
        target.ring()
        await notified(call, 180)
        await notified(call, 180, "terminated;reason=timeout")
        assert (await call.ended()).by == "remote"
        target.answer()
        await target.answered()
        await answer.hang_up()
        await target.ended()

    loop.run(story())


def test_a_call_that_nobody_answers_is_notified_of(loop: VirtualLoop, phones: Callable[..., list[Phone]]) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await refer(call, "1101")
        await notified(call, 100)
        target = await carol.ringing()
        target.ring()
        await notified(call, 180)
        await notified(call, 480, "terminated")  # Dial gave up after 20 s, and there is nothing behind it
        await answer.ended()
        await call.hang_up()

    loop.run(story())


def test_a_phone_that_rings_sends_its_call_elsewhere(loop: VirtualLoop, phones: Callable[..., list[Phone]]) -> None:
    alice, bob, carol = phones("alice", "bob", "carol")

    async def story() -> None:
        call = await alice.invite("1100")
        first = await bob.ringing()
        first.ring()
        await call.expect(180)
        await refer(first, "1101")
        await notified(first, 100)
        await notified(first, 200, "terminated")
        target = await carol.ringing()
        await first.ended()
        target.answer()
        await call.answered()
        await call.hang_up()
        await target.ended()

    loop.run(story())


def test_who_calls_and_talks_to_nobody_yet_transfers_nobody(
    loop: VirtualLoop, phones: Callable[..., list[Phone]]
) -> None:
    alice, bob, _ = phones("alice", "bob", "carol")

    async def story() -> None:
        call = await alice.invite("1100")
        target = await bob.ringing()
        target.ring()
        await call.expect(180)
        await refer(call, "1101")
        await notified(call, 100)
        await notified(call, 400, "terminated")
        target.answer()  # the call goes on
        await call.answered()
        await call.hang_up()
        await target.ended()

    loop.run(story())
