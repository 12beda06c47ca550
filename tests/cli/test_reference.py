"""The page of differences lists the commands that there are."""

from __future__ import annotations

from pathlib import Path

from arietta.cli.commands.reference import renew

PAGE = Path(__file__).parents[2] / "docs" / "asterisk.md"


def test_the_page_lists_the_commands_that_there_are() -> None:
    page = PAGE.read_text()
    assert renew(page) == page, "python -m arietta.cli.commands.reference makes the table of docs/asterisk.md"
