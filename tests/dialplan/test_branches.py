"""If, ElseIf, Else, EndIf, ExitIf: which steps are executed."""

from __future__ import annotations

import logging

import pytest

from .stage import Stage, walk

PLAN = """[default]
exten => s,1,If({one})
same => n,Set(WENT=${{WENT}}a)
same => n,If({inner})
same => n,Set(WENT=${{WENT}}b)
same => n,Else()
same => n,Set(WENT=${{WENT}}c)
same => n,ExitIf()
same => n,Set(WENT=${{WENT}}never)
same => n,EndIf()
same => n,Set(WENT=${{WENT}}d)
same => n,ElseIf($["{two}" = "1"])
same => n,Set(WENT=${{WENT}}e)
same => n,Else()
same => n,Set(WENT=${{WENT}}f)
same => n,EndIf()
same => n,Set(WENT=${{WENT}}.)
"""


def went(text: str) -> str:
    _, stage = walk(text)
    return stage.variables("WENT")[-1]


@pytest.mark.parametrize(
    ("one", "inner", "two", "steps"),
    [
        ("1", "1", "1", "abd."),
        ("1", "0", "0", "acd."),
        ("0", "1", "1", "e."),
        ("0", "1", "0", "f."),
    ],
)
def test_one_branch_is_executed(one: str, inner: str, two: str, steps: str) -> None:
    assert went(PLAN.format(one=one, inner=inner, two=two)) == steps


def test_an_if_that_does_not_end_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage("[default]\nexten => s,1,If(0)\nsame => n,NoOp()\n")
    with caplog.at_level(logging.ERROR):
        assert stage.run(stage.channel()) == ["hangup 0"]
    assert "there is no EndIf behind s@default:1" in caplog.text
