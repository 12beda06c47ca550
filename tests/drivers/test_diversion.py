"""Who redirected a call: Diversion in and out, 181, and the way through Local channels and phones that forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.channels.identities import Identity, Redirection
from arietta.drivers.sip.diversion import REASONS, diversions, reason_of, take_diversion
from arietta.server import Server
from arietta.sip.message import Request
from arietta.testing import Phone, VirtualLoop
from arietta.testing.call import Call
from arietta.testing.plugin import Switch

from .conftest import HOSTS
from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

MORE = """
exten => 1700,1,Set(REDIRECTING(from-num,i)=300)
 same => n,Set(REDIRECTING(from-name,i)=Reception)
 same => n,Set(REDIRECTING(reason,i)=cfb)
 same => n,Set(REDIRECTING(count)=2)
 same => n,Dial(PJSIP/bob)
exten => 1701,1,Set(SEEN=${REDIRECTING(from-all)}/${REDIRECTING(reason)}/${REDIRECTING(count)})
 same => n,Set(GLOBAL(SEEN)=${SEEN}/${REDIRECTING(orig-num)}/${REDIRECTING(orig-reason)}/${REDIRECTING(to-num)})
 same => n,Dial(PJSIP/bob)
exten => 1702,1,Set(REDIRECTING(from-num,i)=300)
 same => n,Dial(Local/1100@default)
"""


class Noted:
    """As much of a channel as is needed to note who redirected it."""

    def __init__(self) -> None:
        self.functions: dict[str, Redirection] = {}
        self.redirecting_number = ""

    def changed(self) -> None:
        pass


def invite(*values: str) -> Request:
    message = Request("INVITE", "sip:1000@h")
    for value in values:
        message.add("Diversion", value)
    return message


def taken(*values: str) -> Redirection | None:
    channel = Noted()
    take_diversion(channel, invite(*values), "1000")  # type: ignore[arg-type]
    return channel.functions.get("REDIRECTING")


def identity(number: str, **more: object) -> Identity:
    return Identity(num=number, num_valid=True, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_comes_back(reason: str) -> None:
    (field,) = diversions(Redirection(from_=identity("300"), reason=reason), "h")
    found = taken(field[1])
    assert found is not None
    assert (found.from_.num, found.reason, found.count, found.to.num) == ("300", reason, 1, "1000")
    assert reason_of(invite(field[1])) == reason


def test_the_first_and_the_last_are_told_apart() -> None:
    sent = Redirection(
        orig=identity("100", name="Ann", name_pres=32, num_pres=32),
        from_=identity("300"),
        reason="cfnr",
        orig_reason="on the moon",
        count=4,
    )
    fields = diversions(sent, "h")
    assert fields == (
        ("Diversion", "<sip:300@h>;reason=no-answer;counter=3"),
        ("Diversion", '"Ann" <sip:100@h>;reason="on the moon";privacy=full'),
    )
    found = taken(*(value for _, value in fields))
    assert found is not None
    assert (found.from_.num, found.orig.num, found.orig.name) == ("300", "100", "Ann")
    assert (found.reason, found.orig_reason, found.count, found.orig.pres) == ("cfnr", "on the moon", 4, 32)


def test_nobody_redirected_it() -> None:
    assert diversions(None, "h") == diversions(Redirection(), "h") == ()
    assert taken() is taken("nonsense <") is taken("<sip:h>") is None
    assert reason_of(invite()) == "unknown"


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=60), max_size=4))
def test_any_text_redirects_or_not(values: list[str]) -> None:
    found = taken(*values, "<sip:300@h>;counter=99999")
    if found is None:
        return  # one broken text may make the whole header field unreadable
    assert 0 <= found.count <= 65535
    for _, value in diversions(found, "h"):
        again = taken(value)
        assert again is not None and again.from_.num in (found.from_.num, found.orig.num)


# ------------------------------------------------------------------------------------------------------ whole calls


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    sections = "".join(phone_sections(*one) for one in (("alice", "6001"), ("bob", "6002"), ("carol", "6003")))
    udp = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"
    stack = AsyncExitStack()
    files = FILES | {"pjsip.conf": udp + sections, "extensions.conf": EXTENSIONS + MORE}
    running = loop.run(stack.enter_async_context(switch(files)))
    assert isinstance(running, Server)
    yield running
    loop.advance(70)
    left = len(running.channels), len(running.bridges)
    loop.run(stack.aclose())
    assert left == (0, 0)


async def opened(phone: Callable[..., Awaitable[Phone]], *names: str) -> list[Phone]:
    found = []
    for name in names:
        one = await phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER)
        await one.register()
        found.append(one)
    return found


async def over(call: Call, answer: Call) -> None:
    answer.answer()
    await call.answered()
    await call.hang_up()
    await answer.ended()


async def test_the_dialplan_says_who_redirected(server: Server, phone: Callable[..., Awaitable[Phone]]) -> None:
    alice, bob = await opened(phone, "alice", "bob")
    call = await alice.invite("1700")
    await call.expect(181)
    rings = await bob.ringing()
    assert rings.request.values("Diversion") == ['"Reception" <sip:300@10.0.0.1>;reason=user-busy;counter=2']
    assert [beat.what for beat in call.story].count(181) == 1  # three of the four were inhibited
    await over(call, rings)


async def test_the_dialplan_reads_who_redirected(server: Server, phone: Callable[..., Awaitable[Phone]]) -> None:
    alice, bob = await opened(phone, "alice", "bob")
    headers = (
        ("Diversion", '"Ann" <sip:300@h>;reason=deflection;counter=2'),
        ("Diversion", "<sip:100@h>;reason=unconditional"),
    )
    call = await alice.invite("1701", headers=headers)
    rings = await bob.ringing()
    assert server.dialplan.read(None, "SEEN") == '"Ann" <300>/deflection/3/100/cfu/1701'
    assert len(rings.request.values("Diversion")) == 2
    await over(call, rings)


async def test_a_local_channel_passes_it_on(server: Server, phone: Callable[..., Awaitable[Phone]]) -> None:
    alice, bob = await opened(phone, "alice", "bob")
    call = await alice.invite("1702")
    rings = await bob.ringing()
    assert rings.request.values("Diversion") == ["<sip:300@10.0.0.1>;reason=unknown"]
    await over(call, rings)


async def test_a_phone_that_forwards_redirects(server: Server, phone: Callable[..., Awaitable[Phone]]) -> None:
    alice, bob, carol = await opened(phone, "alice", "bob", "carol")
    call = await alice.invite("1100")
    first = await bob.ringing()
    first.reject(302, headers=(("Contact", "<sip:1101@h>"), ("Diversion", "<sip:6002@h>;reason=do-not-disturb")))
    await call.expect(181)
    rings = await carol.ringing()
    assert rings.request.values("Diversion") == ["<sip:1100@10.0.0.1>;reason=do-not-disturb"]
    await over(call, rings)


async def test_hold_is_intercepted(server: Server, phone: Callable[..., Awaitable[Phone]]) -> None:
    alice, bob = await opened(phone, "alice", "bob")
    call = await alice.invite("1100")
    answer = await bob.ringing()
    answer.answer()
    await call.answered()
    await asyncio.sleep(0.1)
    one, other = server.channels
    told: list[object] = []
    server.bus.subscribe(f"channel:{one.id}", lambda event: told.append(type(event).__name__))
    server.dialplan.write(one, "HOLD_INTERCEPT(set)", "")
    await call.hold()
    await asyncio.sleep(0.1)
    assert told == ["ChannelHold"] and other.music is None
    await call.resume()
    server.dialplan.write(one, "HOLD_INTERCEPT(remove)", "")
    await call.hold()
    await asyncio.sleep(0.1)
    assert told == ["ChannelHold", "ChannelUnhold", "ChannelHold"] and other.music == "default"
    await call.hang_up()
    await answer.ended()
