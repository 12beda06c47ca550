"""Calls that the dialplan records: MixMonitor while it goes on, Record while it waits."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,Answer()
 same => n,MixMonitor(call.wav,i(ID)r(in.wav)t(out.wav))
 same => n,Dial(PJSIP/bob,20)

exten => 2,1,MixMonitor(bridged.wav,b)
 same => n,Answer()
 same => n,Wait(2)
 same => n,Dial(PJSIP/bob,20)

exten => 3,1,Answer()
 same => n,MixMonitor(some/short.wav)
 same => n,Wait(1)
 same => n,StopMixMonitor()
 same => n,Wait(5)

exten => 4,1,Record(said-%d.wav,1,10)
 same => n,Set(GLOBAL(HOW)=${RECORD_STATUS} ${RECORDED_FILE})
 same => n,Wait(5)
exten => h,1,Set(GLOBAL(END)=${RECORD_STATUS})

exten => 6,1,Answer()
 same => n,MixMonitor(plain.wav)
 same => n,MixMonitor(quiet.wav,V(-4)r(quiet-in.wav))
 same => n,MixMonitor(loud.wav,W(4)i(ID))
 same => n,Set(GLOBAL(HOW)=${MIXMONITOR(${ID},filename)}${MIXMONITOR(x,filename)}${MIXMONITOR(${ID},size)})
 same => n,Wait(1)
 same => n,StopMixMonitor(${ID})
 same => n,Wait(5)

exten => 5,1,Answer()
 same => n,TryExec(MixMonitor(call.wav,${LETTER}))
 same => n,Set(GLOBAL(HOW)=${TRYSTATUS})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


def monitor(server: Server, name: str) -> Path:
    return server.dialplan.folders.monitor / name


def loudest(path: Path) -> tuple[int, int]:
    """How long a file is in milliseconds, and its loudest sample."""
    with wave.open(str(path)) as file:
        count = file.getnframes()
        return count // 8, max(memoryview(file.readframes(count)).cast("h"), default=0)


async def test_both_sides_are_recorded_through_a_bridge(server: Server, alice: Phone, bob: Phone) -> None:
    calling = await alice.invite("1")
    called = await bob.ringing()
    called.answer()
    await calling.answered()
    await asyncio.sleep(0.5)
    await called.send_audio(tone(900, 500))
    await calling.hang_up()
    await asyncio.sleep(1)
    length, peak = loudest(monitor(server, "call.wav"))
    assert length > 900
    assert peak > 5000
    assert loudest(monitor(server, "out.wav"))[1] > 5000
    assert loudest(monitor(server, "in.wav"))[1] < 100


async def test_what_is_outside_of_a_bridge_is_left_out(server: Server, alice: Phone, bob: Phone) -> None:
    calling = await alice.invite("2")
    await calling.answered()
    called = await bob.ringing()
    called.answer()
    await asyncio.sleep(1)
    await calling.hang_up()
    await asyncio.sleep(1)
    assert 800 <= loudest(monitor(server, "bridged.wav"))[0] <= 1200


async def test_a_recording_ends_before_the_call(server: Server, alice: Phone) -> None:
    calling = await alice.invite("3")
    await calling.answered()
    await asyncio.sleep(3)
    assert 900 <= loudest(monitor(server, "some/short.wav"))[0] <= 1100
    await calling.hang_up()


async def test_a_message_is_recorded_up_to_the_key_and_kept(server: Server, alice: Phone) -> None:
    calling = await alice.invite("4")
    await calling.answered()
    await asyncio.sleep(0.5)
    await calling.send_audio(tone(500, 500))
    calling.send_digits("#")
    await asyncio.sleep(1)
    assert server.dialplan.globals["HOW"] == "DTMF said-0"
    await calling.hang_up()
    length, peak = loudest(server.dialplan.folders.sounds / "said-0.wav")
    assert 500 < length < 1200
    assert peak > 5000


async def test_a_hangup_discards_the_message(server: Server, alice: Phone) -> None:
    calling = await alice.invite("4")
    await calling.answered()
    await asyncio.sleep(0.5)
    await calling.hang_up()
    await asyncio.sleep(0.5)
    assert server.dialplan.globals["END"] == "HANGUP"
    assert not list(server.dialplan.folders.sounds.glob("said-*"))


async def test_what_is_recorded_can_be_louder_or_quieter(
    server: Server, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    calling = await alice.invite("6")
    await calling.answered()
    await calling.send_audio(tone(500, 800))
    await asyncio.sleep(0.5)
    await calling.hang_up()
    await asyncio.sleep(1)
    plain = loudest(monitor(server, "plain.wav"))[1]
    for name, factor in (("quiet.wav", 0.25), ("quiet-in.wav", 0.25), ("loud.wav", 4)):
        length_ms, peak = loudest(monitor(server, name))
        assert peak == pytest.approx(factor * plain, rel=0.2), name
        assert 900 < length_ms < 1500, name
    assert server.dialplan.globals["HOW"] == str(monitor(server, "loud.wav"))
    assert "has no MixMonitor 'x'" in caplog.text and "'size' is no key" in caplog.text


@pytest.mark.parametrize("letter", ["v(5)", "W(-5)", "m(100)", "D", "n", "z", "b(", "i"])
async def test_options_that_cannot_be_are_refused(server: Server, alice: Phone, letter: str) -> None:
    server.dialplan.globals["LETTER"] = letter
    calling = await alice.invite("5")
    await calling.answered()
    await asyncio.sleep(0.5)
    assert server.dialplan.globals["HOW"] == "FAILED"
    assert not monitor(server, "call.wav").exists()
    await calling.ended()
