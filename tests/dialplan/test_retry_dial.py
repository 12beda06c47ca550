"""RetryDial: how often a phone is called, and what the caller can do between the attempts."""

from __future__ import annotations

import pytest

from arietta.channels import signals

from .stage import Stage

BUSY = [(1.0, signals.HungUp(17, 486))]
ANSWERS = [(1.0, signals.Answered()), (5.0, signals.HungUp(16))]


def stage_with(step: str, *more: str) -> Stage:
    lines = ["[default]", "exten => 700,1,NoOp()", f"same => n,{step}", "same => n,Set(AFTER=${DIALSTATUS})", *more]
    return Stage("\n".join(lines) + "\n")


def called_at(stage: Stage, digits: str = "", at: float = 0.0) -> list[float]:
    """When the phone was called; the caller presses keys from a moment on."""
    times: list[float] = []
    request = stage.phones.request

    def note(wanted):  # type: ignore[no-untyped-def]
        times.append(stage.loop.time())
        return request(wanted)

    stage.phones.request = note  # type: ignore[method-assign]
    channel = stage.channel("700")
    stage.press(channel, digits, at)
    stage.run(channel)
    return times


def test_a_busy_phone_is_called_so_many_times() -> None:
    stage = stage_with("RetryDial(sorry,5,3,Test/a,30)")
    stage.phones.scripts["a"] = list(BUSY)
    # a second until it is busy, a second of sorry, five of silence
    assert called_at(stage) == pytest.approx([0, 7, 14])
    assert stage.variables("AFTER") == ["BUSY"]


def test_a_phone_that_answers_is_called_once() -> None:
    stage = stage_with("RetryDial(,5,0,Test/a,30,g)")
    stage.phones.scripts["a"] = list(ANSWERS)
    assert called_at(stage) == [0]
    assert stage.variables("AFTER") == ["ANSWER"]


def test_without_an_end_there_is_a_pause_all_the_same() -> None:
    stage = stage_with("RetryDial(,0,0,Test/a)", "exten => 5,1,Set(LEFT=yes)")
    stage.phones.scripts["a"] = [(0.0, signals.HungUp(17, 486))]
    assert called_at(stage, "5", 3.5) == pytest.approx([0, 1, 2, 3])
    assert stage.variables("LEFT") == ["yes"]


def test_a_key_that_is_no_extension_changes_nothing() -> None:
    stage = stage_with("RetryDial(,5,2,Test/a)", "exten => 5,1,Set(LEFT=${CONTEXT})")
    stage.phones.scripts["a"] = list(BUSY)
    assert called_at(stage, "45", 2.0) == [0]
    assert stage.variables("LEFT") == ["default"]


def test_the_exits_may_be_another_context() -> None:
    stage = stage_with(
        "Set(EXITCONTEXT=out)", "same => n,RetryDial(,5,2,Test/a)", "[out]", "exten => 1,1,Set(LEFT=out)"
    )
    stage.phones.scripts["a"] = list(BUSY)
    assert called_at(stage, "1", 2.0) == [0]
    assert stage.variables("LEFT") == ["out"]


@pytest.mark.parametrize("arguments", ["sorry,5,3", "sorry,-1,3,Test/a", "sorry,5,-3,Test/a"])
def test_what_makes_no_sense_ends_the_call(arguments: str) -> None:
    stage = stage_with(f"RetryDial({arguments})")
    assert called_at(stage) == []
    assert stage.variables("AFTER") == []
