"""BackgroundDetect: a prompt that speech or a key ends."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,BackgroundDetect(demo-instruct,500,200,1500)
 same => n,Set(GLOBAL(HOW)=end)
exten => 2,1,BackgroundDetect(beep&nosuchfile)
 same => n,Set(GLOBAL(HOW)=end)
exten => 3,1,BackgroundDetect(demo-instruct,500,200,1500,1000)
 same => n,Set(GLOBAL(HOW)=end)
exten => 4,1,TryExec(BackgroundDetect())
 same => n,TryExec(BackgroundDetect(beep,0))
 same => n,Set(GLOBAL(HOW)=${TRYSTATUS})
exten => 5,1,Set(GLOBAL(HOW)=five)
exten => talk,1,Set(GLOBAL(HOW)=${TALK_DETECTED})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def test_speech_ends_it(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("1")).answered()
    await asyncio.sleep(0.5)
    await call.send_audio(tone(500, 100))  # too short
    await asyncio.sleep(1)
    assert "HOW" not in server.dialplan.globals
    await call.send_audio(tone(500, 700))
    await call.ended(within=2)
    assert 500 <= int(server.dialplan.globals["HOW"]) <= 900


async def test_speech_after_the_analysis_is_not_heard(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("3")).answered()
    await asyncio.sleep(1.5)
    await call.send_audio(tone(500, 700))
    await asyncio.sleep(1)
    assert "HOW" not in server.dialplan.globals
    await call.hang_up()


async def test_a_key_that_begins_an_extension_goes_there(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("1")).answered()
    await asyncio.sleep(0.5)
    await call.send_digits("95")  # nothing begins with 9
    await call.ended(within=8)
    assert server.dialplan.globals["HOW"] == "five"


async def test_it_ends_with_its_files(server: Server, alice: Phone, caplog: pytest.LogCaptureFixture) -> None:
    await (await alice.invite("2")).ended(within=5)
    assert server.dialplan.globals["HOW"] == "end"
    assert "BackgroundDetect: " in caplog.text and "nosuchfile" in caplog.text


async def test_arguments_that_make_no_sense(server: Server, alice: Phone, caplog: pytest.LogCaptureFixture) -> None:
    await (await alice.invite("4")).ended(within=5)
    assert server.dialplan.globals["HOW"] == "FAILED"
    assert "names no file" in caplog.text and "is outside 1..3600000 ms" in caplog.text
