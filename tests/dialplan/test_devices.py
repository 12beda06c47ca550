"""ChanIsAvail and SoftHangup: devices and their channels."""

from __future__ import annotations

import pytest

from .stage import Stage, leg_of


def looked(arguments: str) -> tuple[str, str, str]:
    """AVAILCHAN, AVAILSTATUS and AVAILCAUSECODE where phones 1 and 2 are there."""
    stage = Stage(f"[default]\nexten => s,1,ChanIsAvail({arguments})\n")
    stage.phones.scripts.update({"1": [], "2": []})
    stage.run(stage.channel())
    assert stage.variables("AVAILORIGCHAN") == stage.variables("AVAILCHAN")
    return stage.variables("AVAILCHAN")[0], stage.variables("AVAILSTATUS")[0], stage.variables("AVAILCAUSECODE")[0]


def test_the_first_that_could_be_called() -> None:
    assert looked("Test/9&Test/1&Test/2") == ("Test/1", "1", "0")
    assert looked("Test/1&Test/2,a") == ("Test/1&Test/2", "1", "0")
    assert looked("Test/1,s") == ("Test/1", "1", "0")
    assert looked("Test/9") == ("", "4", "44")


@pytest.mark.parametrize("step", ["ChanIsAvail()", "ChanIsAvail(Test/1,x)", "SoftHangup()", "SoftHangup(Test/1,x)"])
def test_arguments_that_make_no_sense_end_the_call_by_name(step: str, caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(f"[default]\nexten => s,1,{step}\n same => n,Set(AT=after)\n")
    stage.run(stage.channel())
    assert f"{step.partition('(')[0]}(): " in caplog.text
    assert stage.variables("AT") == []


@pytest.mark.parametrize(
    ("arguments", "ended"),
    [("test/7-0001", ["Test/7-0001"]), ("Test/7", ["Test/7-0001"]), ("Test/7,a", ["Test/7-0001", "Test/7-0002"])],
)
def test_another_call_is_ended(arguments: str, ended: list[str]) -> None:
    stage = Stage(f"[default]\nexten => s,1,SoftHangup({arguments})\n")
    others = [stage.channel() for _ in range(2)]
    for number, other in enumerate(others, 1):
        other.name = f"Test/7-000{number}"
    stage.run(stage.channel())
    assert [other.name for other in others if "hangup 16" in leg_of(other).said] == ended
