"""Signal and WaitForSignal: calls that wake each other."""

from __future__ import annotations

import pytest

from arietta.channels import signals

from .stage import Stage

PLAN = """
[default]
exten => waits,1,WaitForSignal(door,5)
exten => wakes,1,Signal(door,the key, it is)
exten => wrong,1,TryExec(WaitForSignal())
 same => n,TryExec(WaitForSignal(a,soon))
 same => n,TryExec(Signal())
"""


def stage_with(moment: float | None, hangup_after: float | None = None) -> Stage:
    """A stage where one call waits, and at a moment another one signals, or the waiting one is hung up."""
    stage = Stage(PLAN)
    waiting, waking = stage.channel("waits"), stage.channel("wakes")
    if moment is not None:
        stage.later(moment, lambda: waking.own(stage.plan.run(waking)))
    if hangup_after is not None:
        stage.later(hangup_after, waiting.receive, signals.HungUp(16))
    stage.run(waiting)
    assert not stage.plan.waiting_for_signals
    return stage


@pytest.mark.parametrize(
    ("moment", "hangup_after", "status", "payload", "sent"),
    [
        (1.0, None, "SIGNALED", ["the key, it is"], ["SUCCESS"]),
        (None, None, "TIMEOUT", [], []),
        (None, 2.0, "HANGUP", [], []),
        (7.0, None, "TIMEOUT", [], ["FAILURE"]),
    ],
)
def test_one_call_waits_for_another(
    moment: float | None, hangup_after: float | None, status: str, payload: list[str], sent: list[str]
) -> None:
    stage = stage_with(moment, hangup_after)
    assert stage.variables("WAITFORSIGNALSTATUS") == [status]
    assert stage.variables("WAITFORSIGNALPAYLOAD") == payload
    assert stage.variables("SIGNALSTATUS") == sent


def test_arguments_that_make_no_sense(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(PLAN)
    stage.run(stage.channel("wrong"))
    assert "WaitForSignal(a,soon) is no name and number of seconds" in caplog.text
    assert "Signal names no signal" in caplog.text
