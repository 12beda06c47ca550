"""The page of differences says what is declared."""

from __future__ import annotations

from pathlib import Path

from arietta.manager.events import KINDS
from arietta.manager.events.reference import NOT_TOLD, renew

PAGE = Path(__file__).parents[3] / "docs" / "asterisk.md"


def test_the_table_of_events_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renew(page)


def test_what_is_told_is_not_said_to_be_missing() -> None:
    assert not set(KINDS) & {name for names in NOT_TOLD.values() for name in names.split()}


def test_every_declaration_says_when() -> None:
    assert all(kind.told.endswith(".") for kind in KINDS.values())
