"""Steps that listen: for silence and noise, and into the calls of others."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,WaitForSilence(500,2,10)
 same => n,Set(GLOBAL(HOW)=${WAITSTATUS})
exten => 2,1,WaitForNoise(300,1,5)
 same => n,Set(GLOBAL(HOW)=${WAITSTATUS})
exten => 3,1,Answer()
 same => n,Wait(30)
exten => 4,1,ChanSpy(PJSIP/alice,qx(9)w)
 same => n,Set(GLOBAL(HOW)=left)
exten => 5,1,ChanSpy(PJSIP/alice,qES)
 same => n,Set(GLOBAL(HOW)=left)
exten => 8,1,WaitForTone(700,300,5,2)
 same => n,Set(GLOBAL(HOW)=${WAITFORTONESTATUS})
exten => 9,1,WaitForTone(0)
 same => n,Set(GLOBAL(HOW)=${WAITFORTONESTATUS})
exten => 7,1,AMD()
 same => n,Set(GLOBAL(HOW)=${AMDSTATUS} ${CUT(AMDCAUSE,-,1)})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def test_silence_is_waited_for_while_somebody_talks(server: Server, alice: Phone) -> None:
    calling = await alice.invite("1")
    await calling.answered()
    await calling.send_audio(tone(500, 2000))
    assert "HOW" not in server.dialplan.globals
    await asyncio.sleep(1.5)
    assert server.dialplan.globals["HOW"] == "SILENCE"
    await calling.ended()


async def test_noise_is_waited_for(server: Server, alice: Phone) -> None:
    calling = await alice.invite("2")
    await calling.answered()
    await asyncio.sleep(1)
    assert "HOW" not in server.dialplan.globals
    await calling.send_audio(tone(500, 1000))
    assert server.dialplan.globals["HOW"] == "NOISE"
    await calling.ended()


async def test_no_noise_comes(server: Server, alice: Phone) -> None:
    calling = await alice.invite("2")
    await calling.ended(within=8)
    assert server.dialplan.globals["HOW"] == "TIMEOUT"


@pytest.mark.parametrize(("frequency_hz", "how"), [(700, "SUCCESS"), (900, "TIMEOUT")])
async def test_a_tone_is_waited_for(server: Server, alice: Phone, frequency_hz: int, how: str) -> None:
    calling = await (await alice.invite("8")).answered()
    await calling.send_audio(tone(frequency_hz, 500))
    await asyncio.sleep(0.5)
    assert "HOW" not in server.dialplan.globals
    await calling.send_audio(tone(frequency_hz, 500))
    await calling.ended(within=8)
    assert server.dialplan.globals["HOW"] == how


async def test_a_tone_that_cannot_be(server: Server, alice: Phone) -> None:
    await (await alice.invite("9")).ended()
    assert server.dialplan.globals["HOW"] == "ERROR"


async def test_a_spy_hears_and_whispers(server: Server, alice: Phone, bob: Phone) -> None:
    calling = await alice.invite("3")
    await calling.answered()
    spying = await bob.invite("4")
    await spying.answered()
    await asyncio.sleep(0.3)
    await calling.send_audio(tone(500, 500))
    await spying.hears(tone(500, 300))
    await spying.send_audio(tone(900, 500))
    await calling.hears(tone(900, 300))
    spying.send_digits("9")
    await spying.ended()
    assert server.dialplan.globals["HOW"] == "left"
    await calling.hang_up()


async def test_a_spy_leaves_with_the_call(server: Server, alice: Phone, bob: Phone) -> None:
    calling = await alice.invite("3")
    await calling.answered()
    spying = await bob.invite("5")
    await spying.answered()
    await asyncio.sleep(0.3)
    await calling.hang_up()
    await spying.ended()
    assert server.dialplan.globals["HOW"] == "left"


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ((), "MACHINE INITIALSILENCE"),
        ((600,), "HUMAN HUMAN"),
        ((2000,), "MACHINE LONGGREETING"),
        ((200, 300), "MACHINE MAXWORDS"),
    ],
)
async def test_who_answered_is_told_by_the_greeting(
    server: Server, alice: Phone, words: tuple[int, ...], how: str
) -> None:
    calling = await alice.invite("7")
    await calling.answered()
    for length_ms in words:
        await calling.send_audio(tone(500, length_ms))
        await asyncio.sleep(0.2)
    await calling.ended(within=8)
    assert server.dialplan.globals["HOW"] == how
