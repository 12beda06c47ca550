"""The page of the dialplan says what applications and functions say of themselves."""

from pathlib import Path

from arietta.cli.documents import dialplan_page
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.functions.standard import standard_functions
from arietta.server import added

PAGE = Path(__file__).parents[2] / "docs" / "dialplan.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == dialplan_page(), "run: arietta reference dialplan > docs/dialplan.md"


def test_everything_has_a_syntax_that_begins_with_its_name() -> None:
    for entry in (*standard_applications(), *added.APPLICATIONS, *standard_functions(), *added.FUNCTIONS):
        assert entry.syntax.startswith(f"{entry.name}(")
        assert entry.summary.endswith(".")
