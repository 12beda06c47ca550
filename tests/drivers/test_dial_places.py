"""Dial's options that send who was called into the dialplan: F and G."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.testing import Phone, VirtualLoop, tone
from arietta.testing.plugin import Switch

from .conftest import HOSTS
from .running import EXTENSIONS, FILES, PASSWORD, SERVER

MORE = """
exten => 1600,1,Dial(PJSIP/bob,20,F(default^1200^1))
exten => 1601,1,Dial(PJSIP/bob,20,F)
 same => n,Echo()
exten => 1602,1,Dial(PJSIP/bob,20,G(default^1603^1))
exten => 1604,1,Dial(PJSIP/bob,20,F(nowhere))
 same => n,Set(GLOBAL(STATUS)=${DIALSTATUS})
 same => n,Hangup(17)
exten => 1603,1,Hangup(17)
 same => n,Echo()
"""


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    stack = AsyncExitStack()
    running = loop.run(stack.enter_async_context(switch(FILES | {"extensions.conf": EXTENSIONS + MORE})))
    assert isinstance(running, Server)
    yield running
    loop.advance(70)
    left = len(running.channels), len(running.bridges)
    loop.run(stack.aclose())
    assert left == (0, 0)


@pytest.mark.parametrize("exten", ["1600", "1601", "1602"])
async def test_who_was_called_goes_on(server: Server, phone: Callable[..., Awaitable[Phone]], exten: str) -> None:
    alice = await phone(HOSTS["alice"], 5060, username="alice", password=PASSWORD, server=SERVER)
    bob = await phone(HOSTS["bob"], 5060, username="bob", password=PASSWORD, server=SERVER)
    await bob.register()
    call = await alice.invite(exten)
    far = await bob.ringing()
    far.answer()
    await call.answered()
    if exten == "1602":
        await call.ended()
    else:
        await call.hang_up()
    words = tone(440, 400)
    far.send_audio(words)
    await far.hears(words)
    await far.hang_up()


async def test_a_place_that_cannot_be_is_told_before_anybody_is_called(
    server: Server, phone: Callable[..., Awaitable[Phone]], caplog: pytest.LogCaptureFixture
) -> None:
    alice = await phone(HOSTS["alice"], 5060, username="alice", password=PASSWORD, server=SERVER)
    call = await alice.invite("1604")
    await call.expect(486)
    assert server.dialplan.read(None, "STATUS") == "INVALIDARGS"
    assert "nowhere" in caplog.text
