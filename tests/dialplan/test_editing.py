"""A dialplan that is changed while it runs: steps, hints, includes, and what cannot be added."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import parse_conf
from arietta.dialplan import editing
from arietta.dialplan.editing import Line
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.reader import read_dialplan
from arietta.errors import Refused

PLAN = read_dialplan(
    parse_conf(
        """[default]
exten => 100,1,Answer()
exten => 100,n(say),Playback(hello)
exten => 100,hint,PJSIP/100
exten => _1XX,1,Busy()
include => extra
ignorepat => 9
[extra]
exten => 7,1,Wait(1)
"""
    )
)


def application(plan: Dialplan, exten: str, priority: int = 1, caller: str = "", context: str = "default") -> str:
    step = plan.find(context, exten, priority, caller)
    return f"{step.application}({step.written})" if step is not None else ""


def test_a_step_is_added_where_there_was_none() -> None:
    plan = editing.add_extension(PLAN, "default", Line("200", "1", "Dial", "PJSIP/200,20"))
    assert application(plan, "200") == "Dial(PJSIP/200,20)"
    plan = editing.add_extension(plan, "default", Line("100", "3", "Hangup"))
    assert [application(plan, "100", n) for n in (1, 2, 3)] == ["Answer()", "Playback(hello)", "Hangup()"]
    plan = editing.add_extension(plan, "new", Line("_X.", "1", "Echo"))
    assert application(plan, "12", context="new") == "Echo()"
    assert application(PLAN, "200") == ""  # the former one is as it was


def test_a_step_that_is_there_is_replaced_only_when_that_is_asked_for() -> None:
    line = Line("100", "2", "Echo")
    with pytest.raises(Refused, match="100@default has priority 2 already"):
        editing.add_extension(PLAN, "default", line)
    plan = editing.add_extension(PLAN, "default", line, replace=True)
    assert application(plan, "100", 2) == "Echo()"
    assert plan.priority_of_label("default", "100", "say") is None
    assert plan.hint("default", "100") == "PJSIP/100"


def test_an_extension_for_one_caller_comes_first() -> None:
    plan = editing.add_extension(PLAN, "default", Line("100/55", "1", "Congestion"))
    assert (application(plan, "100", caller="55"), application(plan, "100", caller="56")) == (
        "Congestion()",
        "Answer()",
    )
    plan = editing.remove_extension(plan, "default", "100/55")
    assert application(plan, "100", caller="55") == "Answer()"


def test_extensions_hints_and_priorities_are_removed() -> None:
    assert application(editing.remove_extension(PLAN, "default", "100"), "100") == "Busy()"
    plan = editing.remove_extension(PLAN, "default", "100", "2")
    assert (application(plan, "100"), application(plan, "100", 2)) == ("Answer()", "")
    plan = editing.remove_extension(plan, "default", "100", "hint")
    assert plan.hint("default", "100") is None
    plan = editing.add_extension(plan, "default", Line("100", "hint", "PJSIP/a&PJSIP/b"))
    assert plan.hint("default", "100") == "PJSIP/a&PJSIP/b"
    assert "extra" not in editing.remove_context(PLAN, "extra").contexts


def test_includes_and_ignored_digits_come_and_go() -> None:
    plan = editing.remove_include(PLAN, "default", "extra")
    assert application(plan, "7") == ""
    plan = editing.add_include(plan, "default", "extra,09:00-18:00,mon-fri,*,*")
    assert plan.contexts["default"].includes[0].condition is not None
    plan = editing.remove_ignored(plan, "default", "9")
    assert not plan.ignores("default", "9")
    assert editing.add_ignored(plan, "default", "_8X").ignores("default", "81")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: editing.add_extension(p, "general", Line("1", "1", "Answer")), "'general' cannot be the name"),
        (lambda p: editing.add_extension(p, "default", Line("1", "n", "Answer")), "priority 'n' is neither"),
        (lambda p: editing.add_extension(p, "default", Line("1", "0", "Answer")), "0"),
        (lambda p: editing.add_extension(p, "default", Line("1,2", "1", "Answer")), "cannot be one|priority"),
        (lambda p: editing.add_extension(p, "default", Line("1", "1", "No such")), "No such"),
        (lambda p: editing.add_extension(p, "default", Line("1", "1", "NoOp", "a\nb")), "control character"),
        (lambda p: editing.add_extension(p, "default", Line("1", "1", "NoOp(")), r"'NoOp\(' cannot be one"),
        (lambda p: editing.remove_extension(p, "none", "1"), "context 'none' does not exist"),
        (lambda p: editing.remove_extension(p, "default", "9"), "extension '9' does not exist"),
        (lambda p: editing.remove_extension(p, "default", "100", "9"), "has no priority '9'"),
        (lambda p: editing.add_include(p, "default", "extra"), "includes 'extra' already"),
        (lambda p: editing.add_include(p, "default", "none"), "context 'none' does not exist"),
        (lambda p: editing.remove_include(p, "default", "none"), "does not include 'none'"),
        (lambda p: editing.add_ignored(p, "default", "9"), "ignores '9' already"),
    ],
)
def test_what_cannot_be_is_told(change: Callable[[Dialplan], Dialplan], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        change(PLAN)


@given(exten=st.text(), application=st.text(), data=st.text())
def test_anything_is_added_as_it_is_or_refused(exten: str, application: str, data: str) -> None:
    try:
        plan = editing.add_extension(PLAN, "new", Line(exten, "1", application, data))
    except Refused:
        return
    (added,) = plan.contexts["new"].extensions()
    assert exten in (added.name, f"{added.name}/{added.caller}")
    assert added.steps[1].written == data
