"""The page of compatibility: it is what the code declares, and every name on it is Asterisk's or said to be our own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arietta.asterisk.absent import REASONS
from arietta.asterisk.names import FORMER, names
from arietta.cli import compatibility
from arietta.cli.compatibility import COMPLETE, HERE, PARTIAL, REFUSED, Entry, entries, option_entries
from arietta.manager.answers import ANSWERS
from arietta.manager.declared import ACTIONS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "compatibility.md"


def entry(kind: str, name: str) -> Entry:
    return next(one for one in entries(kind) if one.name == name)


def test_the_page_is_up_to_date() -> None:
    made = compatibility.page()
    assert PAGE.read_text(encoding="utf-8") == made, "run: arietta reference compatibility > docs/compatibility.md"


def test_whatever_is_here_is_asterisks_or_our_own() -> None:
    assert compatibility.strangers() == []


@pytest.mark.parametrize("kind", HERE)
def test_every_name_has_a_state_and_a_reason_if_it_is_not_complete(kind: str) -> None:
    found = entries(kind)
    assert {one.state for one in found} <= {COMPLETE, PARTIAL, REFUSED}
    assert all(one.note for one in found if one.state != COMPLETE)
    assert {one.name for one in found} >= {name.text for name in names(kind).values() if name.module != FORMER}


def test_what_is_declared_is_what_is_said() -> None:
    assert entry("applications", "Stasis") == Entry("Stasis", COMPLETE)
    assert entry("applications", "Queue").state == REFUSED
    assert "examples/call_queue.py" in entry("applications", "Queue").note
    assert entry("functions", "PJSIP_HEADER").state == COMPLETE
    assert entry("actions", "Originate").state in (COMPLETE, PARTIAL)
    assert entry("events", "AorList").state == COMPLETE
    assert entry("commands", "core show channels").state == COMPLETE
    assert entry("files", "pjsip.conf").state == COMPLETE
    assert entry("files", "queues.conf").state == REFUSED


def test_options_have_the_state_that_support_gives_them() -> None:
    endpoint = {one.name: one for one in option_entries()["pjsip.conf type=endpoint"]}
    assert endpoint["rtp_symmetric"] == Entry("rtp_symmetric", COMPLETE)
    assert endpoint["direct_media"].state == PARTIAL
    assert endpoint["t38_udptl"] == Entry("t38_udptl", REFUSED, "but for its default `no`")


def test_no_reason_is_kept_for_what_is_here() -> None:
    for kind, reasons in REASONS.items():
        here = {one.name for one in entries(kind) if one.state != REFUSED}
        assert not here & set(reasons), kind


def test_events_that_answer_are_those_of_actions_that_are_here() -> None:
    assert {name.lower() for name in ANSWERS} <= set(ACTIONS)
    source = "".join(file.read_text() for file in (ROOT / "src" / "arietta" / "manager" / "actions").glob("*.py"))
    answers = {name for each in ANSWERS.values() for name in each.split()}
    assert not {name for name in answers if not re.search(f'"{name}"', source)}
