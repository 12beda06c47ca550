"""The page of differences says what is declared."""

from __future__ import annotations

from pathlib import Path

from arietta.manager.events import KINDS
from arietta.manager.events.reference import renew

PAGE = Path(__file__).parents[3] / "docs" / "asterisk.md"


def test_the_table_of_events_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renew(page)


def test_every_declaration_says_when() -> None:
    assert all(kind.told.endswith(".") for kind in KINDS.values())
