"""While, EndWhile, ExitWhile, ContinueWhile, and the extension for what goes wrong."""

import logging

import pytest

from .stage import walk


def count(body: str) -> list[str]:
    """What NoOp was told in a loop that counts to three."""
    steps, _ = walk(
        "[default]\nexten => s,1,Set(i=0)\nsame => n,While($[${i} < 3])\nsame => n,Set(i=${INC(i)})\n"
        + "".join(f"same => n,{line}\n" for line in body.splitlines())
        + "same => n,EndWhile()\nsame => n,NoOp(end ${i})\n"
    )
    return [step.partition("NoOp")[2] for step in steps if "NoOp" in step]


def test_a_loop_ends_when_its_condition_does() -> None:
    assert count("NoOp(${i})") == ["(1)", "(2)", "(3)", "(end 3)"]


def test_a_loop_is_left_and_gone_on_with() -> None:
    assert count("ExecIf($[${i} = 2]?ExitWhile())\nNoOp(${i})") == ["(1)", "(end 2)"]
    assert count("ExecIf($[${i} = 2]?ContinueWhile())\nNoOp(${i})") == ["(1)", "(3)", "(end 3)"]


def test_loops_in_loops() -> None:
    inner = "Set(j=0)\nWhile($[${j} < 2])\nSet(j=${INC(j)})\nNoOp(${i}${j})\nEndWhile()"
    assert count(inner) == ["(11)", "(12)", "(21)", "(22)", "(31)", "(32)", "(end 3)"]
    assert count("While(0)\nNoOp(never)\nEndWhile()\nNoOp(${i})") == ["(1)", "(2)", "(3)", "(end 3)"]


@pytest.mark.parametrize("step", ["While(0)", "EndWhile()", "ExitWhile()", "ContinueWhile()"])
def test_half_a_loop_ends_the_call_and_is_named(step: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        steps, _ = walk(f"[default]\nexten => s,1,{step}\nsame => n,NoOp()\n")
    assert len(steps) == 1
    assert "While" in caplog.text and "s@default" in caplog.text


def test_exceptions_have_an_extension() -> None:
    steps, _ = walk(
        "[default]\nexten => s,1,RaiseException(no luck)\n"
        "exten => e,1,NoOp(${EXCEPTION(reason)} at ${EXCEPTION(exten)}@${EXCEPTION(context)}:${EXCEPTION(priority)})\n"
    )
    assert steps[-1] == "e:1 NoOp(no luck at s@default:1)"


def test_what_stands_in_for_i_and_t_tells_why() -> None:
    plan = "[default]\nexten => s,1,{}\nexten => e,1,NoOp(${{EXCEPTION(reason)}})\n"
    assert walk(plan.format("Goto(nowhere,1)"))[0][-1] == "e:1 NoOp(INVALID)"
    assert walk(plan.format("WaitExten(1)"))[0][-1] == "e:1 NoOp(RESPONSETIMEOUT)"
    absolute = plan.format("Set(TIMEOUT(absolute)=1)\nsame => n,Wait(5)")
    assert walk(absolute)[0][-1] == "e:1 NoOp(ABSOLUTETIMEOUT)"


def test_a_channel_is_dumped(capsys: pytest.CaptureFixture[str]) -> None:
    steps, _ = walk("[default]\nexten => s,1,DumpChan()\nsame => n,NoOp()\n")
    assert len(steps) == 2
