"""TONE_DETECT: tones that are counted, and that send a call elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,Answer()
 same => n,Set(TONE_DETECT(700,200,g(fax,1,1)n(2))=)
 same => n,Wait(30)
exten => 2,1,Answer()
 same => n,Set(TONE_DETECT(1004,200,h(sent,1,1)t)=)
 same => n,Milliwatt()
exten => 3,1,Answer()
 same => n,Set(TONE_DETECT(700,200)=)
 same => n,Wait(2)
 same => n,Set(TONE_DETECT(0,,x)=)
 same => n,Wait(2)
 same => n,Set(GLOBAL(HOW)=${TONE_DETECT(rx)}/${TONE_DETECT(tx)}/${TONE_DETECT(up)})
exten => 4,1,Set(TONE_DETECT(700,200,a)=)
 same => n,Set(TONE_DETECT(700,200,g(no,where,1))=)
 same => n,Set(TONE_DETECT(700,200,n(0))=)
[fax]
exten => 1,1,Set(GLOBAL(HOW)=fax after ${TONE_DETECT(rx)})
[sent]
exten => 1,1,Set(GLOBAL(HOW)=sent)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def test_a_tone_that_comes_sends_the_call_elsewhere(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("1")).answered()
    await call.send_audio(tone(700, 500))
    await asyncio.sleep(0.5)
    assert "HOW" not in server.dialplan.globals
    await call.send_audio(tone(700, 500))
    await call.ended(within=2)
    assert server.dialplan.globals["HOW"] == "fax after 2"


async def test_a_tone_that_is_sent_does_so_too(server: Server, alice: Phone) -> None:
    await (await alice.invite("2")).ended(within=3)
    assert server.dialplan.globals["HOW"] == "sent"


async def test_tones_are_counted_until_nobody_listens(
    server: Server, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    call = await (await alice.invite("3")).answered()
    for _ in range(2):
        await call.send_audio(tone(700, 400))
        await asyncio.sleep(0.3)
    await asyncio.sleep(1)
    await call.send_audio(tone(700, 400))
    await call.ended(within=5)
    assert server.dialplan.globals["HOW"] == "2/0/"
    assert "'up' is none of rx, tx" in caplog.text


async def test_what_cannot_be_listened_for(server: Server, alice: Phone, caplog: pytest.LogCaptureFixture) -> None:
    await (await alice.invite("4")).ended()
    assert "one frequency is listened for" in caplog.text
    assert "there is no where@no:1 to go to" in caplog.text
    assert "option n(0) is no number above 0" in caplog.text
