"""What a spy's keys and options do: loudness, choosing a channel, an exit, a recording."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Call, Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 3,1,Answer()
 same => n,Wait(60)
exten => 1,1,ChanSpy(PJSIP/alice,qSv(-4))
exten => 2,1,ChanSpy(PJSIP,qr(kept))
exten => 4,1,Set(SPY_EXIT_CONTEXT=out)
 same => n,ChanSpy(all,qX)
exten => 5,1,TryExec(ChanSpy(all,v(5)))
 same => n,TryExec(ChanSpy(all,D))
 same => n,TryExec(ChanSpy(all,r(../../etc/x)))
 same => n,TryExec(ExtenSpy(77))
 same => n,Set(GLOBAL(HOW)=${TRYSTATUS})
[out]
exten => 7,1,Set(GLOBAL(HOW)=7 after ${SPY_CHANNEL})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def peak(spy: Call, talker: Call) -> int:
    """The loudest sample that the spy hears of a tone."""
    begin = asyncio.get_running_loop().time()
    await talker.send_audio(tone(500, 400))
    await asyncio.sleep(0.2)
    return max(abs(sample) for sample in memoryview(spy.heard.since(begin)).cast("h"))


async def test_loudness_begins_as_said_and_goes_round_with_a_key(server: Server, alice: Phone, bob: Phone) -> None:
    talker = await (await alice.invite("3")).answered()
    spy = await (await bob.invite("1")).answered()
    await asyncio.sleep(0.3)
    quiet = await peak(spy, talker)
    for _ in range(4):
        await spy.send_digits("#")
    plain = await peak(spy, talker)
    assert plain == pytest.approx(4 * quiet, rel=0.2)
    for _ in range(2):
        await spy.send_digits("#")
    assert await peak(spy, talker) == pytest.approx(2 * plain, rel=0.2)
    await talker.hang_up()
    await spy.ended()


async def test_a_typed_name_is_listened_to_and_all_of_it_is_recorded(server: Server, alice: Phone, bob: Phone) -> None:
    talker = await (await alice.invite("3")).answered()
    (channel,) = server.channels
    channel.name = "PJSIP/44-00000001"
    spy = await (await bob.invite("2")).answered()
    await asyncio.sleep(0.3)
    await spy.send_digits("44#")
    await talker.send_audio(tone(500, 500))
    await spy.hears(tone(500, 300))
    await spy.hang_up()
    await talker.hang_up()
    await asyncio.sleep(1)
    (kept,) = (server.config.directories.spool / "monitor").glob("kept.*.sln")
    assert kept.stat().st_size > 8000


async def test_a_key_that_is_an_extension_leaves(server: Server, alice: Phone, bob: Phone) -> None:
    talker = await (await alice.invite("3")).answered()
    spy = await (await bob.invite("4")).answered()
    await asyncio.sleep(0.3)
    await spy.send_digits("37")
    await spy.ended()
    assert server.dialplan.globals["HOW"] == "7 after PJSIP/alice-00000000"
    await talker.hang_up()


async def test_options_that_cannot_be_are_refused_by_name(
    server: Server, bob: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    await (await bob.invite("5")).ended()
    assert server.dialplan.globals["HOW"] == "FAILED"
    assert "option v(5) is outside -4..4" in caplog.text
    assert "a call has one channel of sound" in caplog.text
    assert "option r(../../etc/x) leads out of the folder" in caplog.text
    assert "77@default has no hint" in caplog.text
