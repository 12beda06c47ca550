"""Applications that wait, and what ends the wait."""

from __future__ import annotations

import pytest

from arietta.channels import signals

from .stage import Stage

NOW = 1_800_000_000
"""What the stage's clock shows when a call begins."""


def waits(step: str, digits: str = "", hangup_after: float | None = None) -> tuple[float, Stage]:
    """How long a step takes, and the stage, while the caller presses keys from 0.5 s on."""
    stage = Stage(f"[default]\nexten => s,1,{step}\n same => n,Hangup()\n")
    channel = stage.channel()
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(round(stage.loop.time(), 3)))
    stage.press(channel, digits, 0.5, 0.5)
    if hangup_after is not None:
        stage.later(hangup_after, channel.receive, signals.HungUp(16))
    stage.run(channel)
    return times[0], stage


@pytest.mark.parametrize(
    ("argument", "lasts", "status"),
    [(NOW + 3, 3.0, "OK"), (NOW - 1, 0.0, "PAST"), ("", 0.0, "FAILURE"), ("noon", 0.0, "FAILURE")],
)
def test_until_a_moment(argument: object, lasts: float, status: str) -> None:
    took, stage = waits(f"WaitUntil({argument})")
    assert (took, stage.variables("WAITUNTILSTATUS")) == (lasts, [status])


def test_a_hangup_ends_the_wait_for_a_moment() -> None:
    took, stage = waits(f"WaitUntil({NOW + 30})", hangup_after=2)
    assert (took, stage.variables("WAITUNTILSTATUS")) == (2.0, ["HANGUP"])


@pytest.mark.parametrize(
    ("step", "lasts", "status", "key"),
    [
        ("WaitDigit()", 0.5, "DTMF", ["1"]),
        ("WaitDigit(5,2*)", 1.0, "DTMF", ["2"]),
        ("WaitDigit(3,9)", 3.0, "TIMEOUT", []),
        ("WaitDigit(0.2)", 0.2, "TIMEOUT", []),
        ("WaitDigit(soon)", 0.0, "ERROR", []),
        ("WaitDigit(-1)", 0.0, "ERROR", []),
    ],
)
def test_for_a_digit(step: str, lasts: float, status: str, key: list[str]) -> None:
    took, stage = waits(step, "12")
    assert (took, stage.variables("WAITDIGITSTATUS")) == (lasts, [status])
    assert stage.variables("WAITDIGITRESULT") == key


def test_a_hangup_ends_the_wait_for_a_digit() -> None:
    assert waits("WaitDigit(9)", hangup_after=2)[1].variables("WAITDIGITSTATUS") == ["CANCEL"]


def test_for_a_condition_that_becomes_true() -> None:
    stage = Stage('[default]\nexten => s,1,WaitForCondition(#,#["#{DOOR}"="open"],40,0.5)\n same => n,Hangup()\n')
    channel = stage.channel()
    stage.later(3.2, channel.set_variable, "DOOR", "open")
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    stage.run(channel)
    assert times == [3.5]
    assert stage.variables("WAITFORCONDITIONSTATUS") == ["TRUE"]


@pytest.mark.parametrize(
    ("arguments", "lasts", "status"),
    [
        ("#,#[1=2],2", 2.0, "TIMEOUT"),
        ("#,#[1=1]", 0.0, "TRUE"),
        ("##,1", 0.0, "FAILURE"),
        ("#", 0.0, "FAILURE"),
        ("#,1,never", 0.0, "FAILURE"),
        ("#,1,2,0", 0.0, "FAILURE"),
    ],
)
def test_for_a_condition(arguments: str, lasts: float, status: str) -> None:
    took, stage = waits(f"WaitForCondition({arguments})")
    assert took == pytest.approx(lasts)
    assert stage.variables("WAITFORCONDITIONSTATUS") == [status]


def test_a_hangup_ends_the_wait_for_a_condition() -> None:
    took, stage = waits("WaitForCondition(#,0)", hangup_after=2)
    assert (took, stage.variables("WAITFORCONDITIONSTATUS")) == (2.0, ["HANGUP"])


def test_for_the_next_ring() -> None:
    stage = Stage("[default]\nexten => s,1,WaitForRing(2)\n same => n,Hangup()\n")
    channel = stage.channel()
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    for moment in (1, 4, 7):
        stage.later(moment, channel.receive, signals.Ringing())
    stage.run(channel)
    assert times == [4.0]
