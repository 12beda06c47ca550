"""The page of differences says which actions are declared."""

from __future__ import annotations

from pathlib import Path

from arietta.manager.declared import ACTIONS
from arietta.manager.reference import renew

PAGE = Path(__file__).parents[2] / "docs" / "asterisk.md"


def test_the_table_of_actions_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renew(page)


def test_every_declaration_is_a_sentence() -> None:
    for one in ACTIONS.values():
        assert one.summary.endswith("."), one.name
        assert all(meaning.endswith(".") for _, meaning in one.headers), one.name
