"""Offers of ours within calls: by re-INVITE and by UPDATE, for hold and for refreshes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.channels.channel import Channel
from arietta.sdp import Direction, parse
from arietta.server import Server
from arietta.sip.message import Request
from arietta.sip.profile import Profile
from arietta.testing import Phone, VirtualLoop
from arietta.testing.call import Call
from arietta.testing.phone import ALLOW
from arietta.testing.plugin import Switch

from .conftest import HOSTS
from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

MORE = """
exten => 1600,1,Progress()
 same => n,Wait(1)
 same => n,Set(PJSIP_SEND_SESSION_REFRESH()=update)
 same => n,Wait(1)
 same => n,Answer()
 same => n,Wait(20)
"""
UDP = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"


@pytest.fixture
def phones(
    loop: VirtualLoop, switch: Switch, phone: Callable[..., Awaitable[Phone]], caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., tuple[Server, Phone, Phone]]]:
    """A function that gives a server with options of alice, and alice and bob."""
    stack = AsyncExitStack()
    servers: list[Server] = []

    def started(options: str = "", profile: Profile | None = None) -> tuple[Server, Phone, Phone]:
        sections = phone_sections("alice", "6001", options) + phone_sections("bob", "6002")
        files = FILES | {"pjsip.conf": UDP + sections, "extensions.conf": EXTENSIONS + MORE}
        server = loop.run(stack.enter_async_context(switch(files)))
        assert isinstance(server, Server)
        servers.append(server)
        found = []
        for name in ("alice", "bob"):
            one = loop.run(phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER, profile=profile))
            loop.run(one.register())
            found.append(one)
        return server, found[0], found[1]

    yield started
    loop.advance(70)
    left = [len(tuple(one.channels)) + len(one.bridges) + len(one.sip.agent) for one in servers]
    loop.run(stack.aclose())
    assert left == [0]
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def talking(caller: Phone, callee: Phone) -> tuple[Call, Call]:
    call = await caller.invite("1100")
    answer = await callee.ringing()
    answer.answer()
    await call.answered()
    await answer.answered()
    return call, answer


async def offered(call: Call, method: str = "INVITE") -> Direction:
    """The direction of the next offer."""
    request = (await call.expect(method)).message
    assert isinstance(request, Request)
    description = parse(request.sdp)
    return description.direction_of(description.media[0])


def channel_of(server: Server, name: str) -> Channel:
    return next(one for one in server.channels if one.name.startswith(f"PJSIP/{name}-"))


def test_hold_is_passed_on(loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]]) -> None:
    server, alice, bob = phones("moh_passthrough=yes")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await answer.hold()
        assert await offered(call) is Direction.RECVONLY
        await asyncio.sleep(1)
        channel = channel_of(server, "alice")
        assert channel.music is None
        assert channel.leg.read("rtp,hold") == "0"  # alice holds nobody
        await answer.resume()
        assert await offered(call) is Direction.SENDRECV
        await asyncio.sleep(0.2)
        await call.hang_up()
        await answer.ended()

    loop.run(story())


def test_hold_that_cannot_be_passed_on_yet_is_so_later(
    loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]]
) -> None:
    _, alice, bob = phones("moh_passthrough=yes")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        call.takes_reinvites = False
        await answer.hold()
        assert await offered(call) is Direction.RECVONLY
        await answer.resume()  # while the re-INVITE has no answer
        await asyncio.sleep(1)
        call.answer()
        assert await offered(call) is Direction.SENDRECV
        call.answer()
        await asyncio.sleep(0.2)
        await call.hang_up()
        await answer.ended()

    loop.run(story())


def test_a_refused_offer_leaves_what_was_agreed(
    loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]]
) -> None:
    server, alice, bob = phones("moh_passthrough=yes\nsend_pai=yes")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        call.takes_reinvites = False
        await answer.hold()
        assert await offered(call) is Direction.RECVONLY
        call.reject(488)
        await asyncio.sleep(0.1)
        media = server.sip.agent.find_session(*dialog_of(call)).user.media  # type: ignore[union-attr, attr-defined]
        refused = media.ours.origin.version
        assert media.ours.direction_of(media.ours.media[0]) is Direction.SENDRECV
        await answer.resume()
        assert await offered(call) is Direction.SENDRECV
        assert media.ours.origin.version >= refused
        call.answer()
        await asyncio.sleep(0.2)
        await call.hang_up()
        await answer.ended()

    loop.run(story())


def dialog_of(call: Call) -> tuple[str, str, str]:
    dialog = call.session.dialog
    assert dialog is not None
    return call.call_id, dialog.remote_tag, dialog.local_tag


def test_holds_that_cross_are_sorted_out(loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]]) -> None:
    server, alice, bob = phones("moh_passthrough=yes")

    async def story() -> None:
        call, answer = await talking(alice, bob)
        await asyncio.gather(answer.hold(), call.hold())
        await asyncio.sleep(6)
        assert alice.ladder().count("491 ") == 2
        assert channel_of(server, "bob").leg.read("rtp,hold") == "1"
        await call.resume()
        await answer.resume()
        await asyncio.sleep(6)
        for name in ("alice", "bob"):
            assert channel_of(server, name).leg.read("rtp,hold") == "0"
        await call.hang_up()
        await answer.ended()

    loop.run(story())


@pytest.mark.parametrize("method", ["invite", "update"])
def test_a_session_is_offered_again(
    loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]], method: str
) -> None:
    server, alice, _ = phones(profile=Profile(allow=(*ALLOW, "UPDATE")))

    async def story() -> None:
        call = await alice.invite("1200")
        await call.answered()
        await asyncio.sleep(0.1)
        channel = channel_of(server, "alice")
        server.dialplan.write(channel, "PJSIP_SEND_SESSION_REFRESH()", method)
        assert await offered(call, method.upper()) is Direction.SENDRECV
        await asyncio.sleep(0.1)
        await call.hang_up()

    loop.run(story())


def test_an_early_session_is_offered_again_by_update(
    loop: VirtualLoop, phones: Callable[..., tuple[Server, Phone, Phone]]
) -> None:
    _, alice, _ = phones("100rel=peer_supported", Profile(allow=(*ALLOW, "UPDATE", "PRACK"), reliable="yes"))

    async def story() -> None:
        call = await alice.invite("1600")
        await call.expect(183)
        assert await offered(call, "UPDATE") is Direction.SENDRECV
        await call.answered()
        assert (await call.expect(200)).message is not None
        await call.hang_up()

    loop.run(story())
