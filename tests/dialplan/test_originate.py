"""Originate: calls that a step of the dialplan places, and how they end."""

from __future__ import annotations

import pytest

from arietta.channels import signals

from .stage import Stage, leg_of

Script = list[tuple[float, signals.Signal]]
ANSWERS: Script = [(0.5, signals.Ringing()), (2.0, signals.Answered())]


def originated(arguments: str, more: str = "", script: Script | None = None) -> Stage:
    """A stage after a call whose step originates; phone 1 does as the script says."""
    stage = Stage(
        f"[default]\nexten => s,1,Originate({arguments})\n same => n,Set(AT=${{EPOCH}})\n same => n,Hangup()\n{more}"
    )
    stage.phones.scripts["1"] = ANSWERS if script is None else script
    stage.run(stage.channel())
    return stage


def test_who_answers_goes_to_an_extension() -> None:
    stage = originated("Test/1,exten,out,77,1", "[out]\nexten => 77,1,Set(OUT=${CHANNEL})\n")
    assert stage.variables("ORIGINATE_STATUS") == ["", "SUCCESS"]
    assert stage.variables("AT") == ["1800000002"]
    assert stage.variables("OUT") == ["Test/1"]
    assert len(stage.registry) == 0


def test_who_answers_runs_an_application() -> None:
    stage = originated("Test/1,app,Playback,hello")
    assert leg_of(stage.phones.made[0]).said == ["call", "sound:hello", "hangup 0"]


def test_it_does_not_wait_with_a() -> None:
    stage = originated("Test/1,app,Wait,5,,30,a")
    assert stage.variables("AT") == ["1800000000"]
    assert stage.variables("ORIGINATE_STATUS") == ["", "SUCCESS"]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([(1.0, signals.HungUp(17))], "BUSY"),
        ([(1.0, signals.HungUp(34))], "CONGESTION"),
        ([(1.0, signals.HungUp(21))], "HANGUP"),
        ([(1.0, signals.Ringing())], "RINGING"),
    ],
)
def test_how_it_ends_without_an_answer(script: Script, status: str) -> None:
    stage = originated("Test/1,app,Wait,5,,3", script=script)
    assert stage.variables("ORIGINATE_STATUS") == ["", status]
    assert len(stage.registry) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "", "Test/1", "Test,app,Wait", "Nowhere/1,app,Wait", "Test/2,app,Wait", "Test/1,app,NoSuch", "Test/1,thing,x",
        "Test/1,exten,nowhere,1", "Test/1,app,Wait,,,never", "Test/1,app,Wait,,,30,x", "Test/1,exten,default,s,label",
    ],
)  # fmt: skip
def test_what_cannot_be_originated_fails_and_goes_on(arguments: str, caplog: pytest.LogCaptureFixture) -> None:
    stage = originated(arguments)
    assert stage.variables("ORIGINATE_STATUS") == ["", "FAILED"]
    assert "Originate(" in caplog.text
    assert stage.variables("AT") == ["1800000000"]
    assert len(stage.registry) == 0


def test_subroutines_run_on_both_channels_before_the_call() -> None:
    stage = originated(
        "Test/1,app,NoOp,,,30,b(sub^1^1(its))B(sub^1^1(mine))",
        "[sub]\nexten => 1,1,Set(RAN=${ARG1} ${CHANNEL})\n same => n,Return()\n",
    )
    assert stage.variables("RAN") == ["mine Test/caller", "its Test/1"]


def test_a_subroutine_that_fails_ends_the_called_channel() -> None:
    stage = originated("Test/1,app,NoOp,,,30,b(nowhere^1^1)")
    assert stage.variables("ORIGINATE_STATUS") == ["", "FAILED"]
    assert leg_of(stage.phones.made[0]).said == ["hangup 0"]


def test_who_calls_and_what_is_set() -> None:
    stage = originated("Test/1,app,NoOp,,,30,c(555)n(Bob)v(A=1^B=2)")
    wanted = stage.phones.wanted[0]
    assert wanted.caller is not None
    assert (wanted.caller.name, wanted.caller.number) == ("Bob", "555")
    assert (stage.variables("A"), stage.variables("B")) == (["1"], ["2"])


def test_the_call_goes_on_by_itself_when_the_caller_hangs_up() -> None:
    stage = Stage("[default]\nexten => s,1,Originate(Test/1,exten,out,77)\n[out]\nexten => 77,1,Set(OUT=yes)\n")
    stage.phones.scripts["1"] = ANSWERS
    channel = stage.channel()
    stage.later(1.0, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert stage.variables("OUT") == ["yes"]
    assert len(stage.registry) == 0
