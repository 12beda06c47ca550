"""Who a phone is connected to, told and believed while the call lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.sip.message import Request, Response
from arietta.sip.profile import Profile
from arietta.testing import Phone, VirtualLoop
from arietta.testing.phone import ALLOW
from arietta.testing.plugin import Switch

from .conftest import HOSTS
from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

MORE = """
exten => 1500,1,Answer()
 same => n,Wait(1)
 same => n,Set(CONNECTEDLINE(all)="Zoe" <777>)
 same => n,Wait(20)
exten => 1501,1,Set(CONNECTEDLINE(all)="Zoe" <777>)
 same => n,Wait(1)
 same => n,Set(CONNECTEDLINE(all)="Yan" <778>)
 same => n,Ringing()
 same => n,Wait(1)
 same => n,Answer()
 same => n,Wait(20)
exten => 1503,1,Dial(Local/1100@default/n)
exten => 1504,1,Answer()
 same => n,Wait(1)
 same => n,Set(CONNECTEDLINE(all,i)="Zoe" <777>)
 same => n,Wait(1)
 same => n,Set(CONNECTEDLINE(all)="Yan" <778>)
 same => n,Wait(20)
exten => 1502,1,Answer()
 same => n,Set(CONNECTEDLINE(pres)=prohib)
 same => n,Set(CONNECTEDLINE(all)="Zoe" <777>)
 same => n,Wait(20)
"""
ZOE, YAN, BOB = '"Zoe" <sip:777@10.0.0.1>', '"Yan" <sip:778@10.0.0.1>', "<sip:1100@10.0.0.1>"
RPID_OF_ZOE = f"{ZOE};party=called;privacy=off;screen=no"


def served(**options: str) -> dict[str, str]:
    """The files of a server with options of phones."""
    sections = "".join(
        phone_sections(name, number, options.get(name, ""))
        for name, number in (("alice", "6001"), ("bob", "6002"), ("carol", "6003"))
    )
    udp = "[udp]\ntype=transport\nprotocol=udp\nbind=10.0.0.1:5060\n"
    return FILES | {"pjsip.conf": udp + sections, "extensions.conf": EXTENSIONS + MORE}


@pytest.fixture
def start(
    loop: VirtualLoop, switch: Switch, phone: Callable[..., Awaitable[Phone]]
) -> Iterator[Callable[..., tuple[Server, list[Phone]]]]:
    """A function that starts a server with options of phones, and registers them all; `updates`: they take UPDATE."""
    stack = AsyncExitStack()

    def started(*, updates: bool = True, **options: str) -> tuple[Server, list[Phone]]:
        server = loop.run(stack.enter_async_context(switch(served(**options))))
        found, profile = [], Profile(allow=(*ALLOW, "UPDATE")) if updates else None
        for name in ("alice", "bob", "carol"):
            one = loop.run(phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER, profile=profile))
            loop.run(one.register())
            found.append(one)
        return server, found

    yield started
    loop.advance(70)
    loop.run(stack.aclose())


Start = Callable[..., tuple[Server, list[Phone]]]


def asserted(message: Request | Response | None) -> list[str]:
    assert message is not None
    return message.values("P-Asserted-Identity")


def test_a_change_in_a_call_is_an_update(start: Start, loop: VirtualLoop) -> None:
    _, (alice, *_) = start(alice="send_pai=yes\nsend_rpid=yes")

    async def story() -> None:
        call = await alice.invite("1500")
        assert asserted((await call.expect(200)).message) == []
        update = (await call.expect("UPDATE")).message
        assert asserted(update) == [ZOE]
        assert update is not None and update.values("Remote-Party-ID") == [RPID_OF_ZOE]
        assert not update.body
        await call.hang_up()

    loop.run(story())


def test_who_does_not_take_updates_gets_a_reinvite_or_nothing(start: Start, loop: VirtualLoop) -> None:
    options = {"alice": "send_pai=yes", "bob": "send_pai=yes\nconnected_line_method=update"}
    _, (alice, bob, _) = start(updates=False, **options)

    async def story() -> None:
        call, other = await alice.invite("1500"), await bob.invite("1500")
        again = (await call.expect("INVITE")).message
        assert asserted(again) == [ZOE]
        assert isinstance(again, Request) and b"m=audio" in again.body
        await other.expect(200)
        await asyncio.sleep(5)  # bob answers UPDATE with 405, and is told nothing more
        await call.hang_up()
        end = await other.hang_up()
        assert end.reason == "BYE"
        assert "INVITE" not in [beat.what for beat in other.story]
        assert "UPDATE" in bob.ladder()

    loop.run(story())


def test_before_the_answer_it_waits_for_a_response_unless_it_shall_not(start: Start, loop: VirtualLoop) -> None:
    _, (alice, bob, _) = start(alice="send_pai=yes", bob="send_pai=yes\nrpid_immediate=yes")

    async def story() -> None:
        call = await alice.invite("1501")
        assert asserted((await call.expect(180)).message) == [YAN]
        assert asserted((await call.expect(200)).message) == [YAN]
        await call.hang_up()
        call = await bob.invite("1501")
        assert asserted((await call.expect(180)).message) == [ZOE]
        assert asserted((await call.expect(180)).message) == [YAN]
        await call.expect(200)
        await call.hang_up()

    loop.run(story())


def test_who_is_called_is_named_in_the_responses(start: Start, loop: VirtualLoop) -> None:
    _, (alice, bob, carol) = start(alice="send_pai=yes", bob="trust_id_inbound=yes")

    async def story() -> None:
        call = await alice.invite("1100")
        rings = await bob.ringing()
        rings.ring()
        assert asserted((await call.expect(180)).message) == [BOB]
        rings.answer(headers=(("P-Asserted-Identity", '"Rob" <sip:99@pbx>'),))
        assert asserted((await call.expect(200)).message) == ['"Rob" <sip:99@10.0.0.1>']
        await call.hang_up()
        call = await carol.invite("1100")  # who is not to be told is told nothing
        (await bob.ringing()).answer()
        assert asserted((await call.expect(200)).message) == []
        await call.hang_up()

    loop.run(story())


@pytest.mark.parametrize("believed", [True, False])
def test_an_update_of_a_trusted_phone_reaches_the_other_one(start: Start, loop: VirtualLoop, believed: bool) -> None:
    trust = "trust_id_inbound=yes" + ("" if believed else "\ntrust_connected_line=no")
    server, (alice, bob, _) = start(alice="send_pai=yes", bob=trust)

    async def story() -> None:
        call = await alice.invite("1100")
        far = await bob.ringing()
        far.answer()
        await call.answered()
        await far.answered()
        for number in ("98", "97"):
            identity = (("P-Asserted-Identity", f'"Rob" <sip:{number}@pbx>'),)
            if number == "98":
                await far.send_request("UPDATE", headers=identity)
            else:
                await far.reinvite(headers=identity)
            if believed:
                assert asserted((await call.expect("UPDATE")).message) == [f'"Rob" <sip:{number}@10.0.0.1>']
        [channel] = [one for one in server.channels if one.name.startswith("PJSIP/alice")]
        assert channel.connected.number == ("97" if believed else "1100")
        await call.hang_up()

    loop.run(story())


def test_who_may_not_be_shown_is_not_told(start: Start, loop: VirtualLoop) -> None:
    _, (alice, bob, carol) = start(
        alice="send_pai=yes", bob="send_pai=yes\ntrust_id_outbound=yes", carol="send_pai=yes\nsend_connected_line=no"
    )

    async def story() -> None:
        call = await bob.invite("1502")
        update = (await call.expect("UPDATE")).message
        assert asserted(update) == [ZOE] and update is not None and update.values("Privacy") == ["id"]
        await call.hang_up()
        for one, exten in ((alice, "1502"), (carol, "1500")):
            call = await one.invite(exten)
            await call.answered()
            await asyncio.sleep(5)
            await call.hang_up()
            assert "UPDATE" not in [beat.what for beat in call.story]

    loop.run(story())


def test_a_transfer_names_the_new_one(start: Start, loop: VirtualLoop) -> None:
    _, (alice, bob, carol) = start(alice="send_pai=yes", carol="send_pai=yes")

    async def story() -> None:
        call = await alice.invite("1100")
        far = await bob.ringing()
        far.answer()
        await call.answered()
        await far.answered()
        refer = (("Refer-To", "<sip:1101@10.0.0.1>"),)
        await far.send_request("REFER", headers=refer, expect=202)
        last = await carol.ringing()
        last.answer()
        assert asserted((await call.expect("UPDATE")).message) == ["<sip:1101@10.0.0.1>"]
        await last.answered()
        await call.hang_up()

    loop.run(story())


def test_who_is_behind_a_local_channel_is_named_too(start: Start, loop: VirtualLoop) -> None:
    """Alice talks to bob through a Local channel; bob's phone says later who it is."""
    server, (alice, bob, _) = start(alice="send_pai=yes", bob="trust_id_inbound=yes")

    async def story() -> None:
        call = await alice.invite("1503")
        answer = await bob.ringing()
        answer.answer()
        await call.answered()
        await asyncio.sleep(0.5)
        await answer.send_request("UPDATE", headers=(("P-Asserted-Identity", '"Zoe" <sip:777@10.0.0.1>'),))
        update = (await call.expect("UPDATE")).message
        assert asserted(update) == [ZOE]
        await asyncio.sleep(0.1)
        assert len([one for one in server.channels if one.name.startswith("Local/")]) == 2
        await call.hang_up()
        await answer.ended()

    loop.run(story())


def test_with_i_nobody_is_told(start: Start, loop: VirtualLoop) -> None:
    _, (alice, *_) = start(alice="send_pai=yes")

    async def story() -> None:
        call = await alice.invite("1504")
        await call.expect(200)
        update = (await call.expect("UPDATE")).message
        assert asserted(update) == [YAN]
        await call.hang_up()

    loop.run(story())
