"""AMD with the limits of amd.conf, of its arguments, and a file that is played meanwhile."""

from __future__ import annotations

import pytest

from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,AMD()
 same => n,Set(GLOBAL(HOW)=${AMDSTATUS} ${AMDCAUSE})
exten => 2,1,AMD(,,,,,,1)
 same => n,Set(GLOBAL(HOW)=${AMDSTATUS} ${AMDCAUSE})
exten => 3,1,AMD(,,,,,,,,,beep)
 same => n,Set(GLOBAL(HOW)=${AMDSTATUS} ${AMDCAUSE})
exten => 4,1,TryExec(AMD(0))
 same => n,TryExec(AMD(,,,,,,,,,,more))
 same => n,Set(GLOBAL(HOW)=${TRYSTATUS})
exten => 5,1,AMD(,,,,,,,,,nosuchfile)
 same => n,Set(GLOBAL(HOW)=${AMDSTATUS})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN, "amd.conf": "[general]\ninitial_silence=1000\n"}


async def test_silence_at_first_is_limited_by_the_file_and_by_a_reload(server: Server, alice: Phone) -> None:
    await (await alice.invite("1")).ended(within=3)
    assert server.dialplan.globals["HOW"] == "MACHINE INITIALSILENCE-1000-1000"
    (server.config.directory / "amd.conf").write_text("[general]\ninitial_silence=400\n")
    server.reload()
    await (await alice.invite("1")).ended(within=3)
    assert server.dialplan.globals["HOW"].endswith("-400")


async def test_an_argument_comes_before_the_file(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("2")).answered()
    await call.send_audio(tone(500, 300))
    await call.ended(within=3)
    assert server.dialplan.globals["HOW"] == "MACHINE MAXWORDS-1-1"


async def test_a_file_is_played_meanwhile(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("3")).answered()
    await call.ended(within=3)
    assert any(abs(sample) > 100 for sample in memoryview(call.heard.samples).cast("h"))


async def test_a_file_that_is_not_there_is_logged(
    server: Server, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    await (await alice.invite("5")).ended(within=3)
    assert server.dialplan.globals["HOW"] == "MACHINE"
    assert "AMD: " in caplog.text and "nosuchfile" in caplog.text


async def test_limits_that_make_no_sense(server: Server, alice: Phone, caplog: pytest.LogCaptureFixture) -> None:
    await (await alice.invite("4")).ended(within=3)
    assert server.dialplan.globals["HOW"] == "FAILED"
    assert "initial_silence 0 is outside 1..60000" in caplog.text
    assert "AMD has 11 arguments, 10 at most" in caplog.text
