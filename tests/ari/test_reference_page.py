"""The reference page in the documentation is the one the contract makes."""

from __future__ import annotations

from pathlib import Path

from arietta.ari.projections.markdown import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ari.md"


def test_the_page_is_the_generated_text() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: arietta reference, and copy ari.md"
