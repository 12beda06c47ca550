"""HOLD_INTERCEPT: whether the other party hears that it is on hold."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Call, Phone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,Set(HOLD_INTERCEPT(${HOW})=)
 same => n,Dial(PJSIP/bob)
exten => 2,1,Set(HOLD_INTERCEPT(set)=)
 same => n,Set(HOLD_INTERCEPT(remove)=)
 same => n,Dial(PJSIP/bob)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def loudness_on_hold(alice: Phone, bob: Phone, number: str) -> int:
    """The loudest sample that bob hears while alice holds the call."""
    calling: Call = await alice.invite(number)
    called = await bob.ringing()
    called.answer()
    await calling.answered()
    await asyncio.sleep(0.5)
    begin = asyncio.get_running_loop().time()
    await calling.hold()
    await asyncio.sleep(2)
    heard = memoryview(called.heard.since(begin)).cast("h")
    await calling.hang_up()
    await called.ended()
    return max(map(abs, heard), default=0)


async def test_the_other_hears_no_music_and_the_event_goes_out(
    server: Server, app: AriClient, alice: Phone, bob: Phone
) -> None:
    await app.post("/applications/hello-world/subscription", eventSource="channel:")
    server.dialplan.globals["HOW"] = "set"
    assert await loudness_on_hold(alice, bob, "1") == 0
    await app.event("ChannelHold")


async def test_without_it_the_other_hears_music(
    server: Server, alice: Phone, bob: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    assert await loudness_on_hold(alice, bob, "2") > 100
    server.dialplan.globals["HOW"] = "sometimes"
    assert await loudness_on_hold(alice, bob, "1") > 100
    assert "'sometimes' is none of set, remove" in caplog.text
