"""The page of the dialplan says what the registries say."""

from pathlib import Path

from arietta.dialplan.applications import standard_applications
from arietta.dialplan.functions import standard_functions
from arietta.dialplan.reference import dialplan_reference

PAGE = Path(__file__).parents[2] / "docs" / "dialplan.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == dialplan_reference()


def test_everything_has_a_syntax_that_begins_with_its_name() -> None:
    for entry in (*standard_applications(), *standard_functions()):
        assert entry.syntax.startswith(f"{entry.name}(")
        assert entry.summary.endswith(".")
