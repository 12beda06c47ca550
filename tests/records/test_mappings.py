"""Mappings filled in without the dialplan say what the dialplan would say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.dialplan.variables import substitute
from arietta.records.mappings import Value, fill, read_mapping

PIECES = (
    "${CDR(src)}", "${CDR(start,u)}", "${CDR( dst )}", "${eventtype}", "${CSV_QUOTE(${eventextra})}", "${other}",
    "${CSV_QUOTE(${CDR(clid)})}", "${CDR(src):1:2}", "$[1+1]", "\\", "$", "}", "(", "'", ",", "x", '"', " ", "é",
)  # fmt: skip
KNOWN = ("CDR(src)", "CDR(start,u)", "CDR( dst )", "CDR(clid)", "eventtype", "eventextra")


class Dialplan:
    """As much of the dialplan as mappings need: the record's values first, and CSV_QUOTE."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def variable(self, name: str) -> str:
        return self.value(name, None) or ""

    def function(self, name: str, arguments: str) -> str:
        if name == "CSV_QUOTE":
            doubled = arguments.replace('"', '""')
            return f'"{doubled}"'
        return self.value(name, arguments) or ""


def rendered(text: str, value: Value) -> str:
    return substitute(text, Dialplan(value))


@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.fixed_dictionaries(dict.fromkeys(KNOWN, st.text('ab"$\\{}[],;é ', max_size=6))),
)
def test_it_is_what_the_dialplan_makes_of_it(text: str, values: dict[str, str]) -> None:
    def value(name: str, arguments: str | None) -> str | None:
        return values.get(name if arguments is None else f"{name}({arguments})")

    assert fill(text, value, rendered) == rendered(text, value)


def test_what_is_made_of_fields_does_not_ask_the_dialplan() -> None:
    def refuses(text: str, value: Value) -> str:
        raise AssertionError(text)

    text = "${CSV_QUOTE(${CDR(src)})},${CDR(billsec)};${eventtype}!"
    assert (
        fill(text, lambda name, arguments: f'{name}"{arguments}', refuses) == '"CDR""src",CDR"billsec;eventtype"None!'
    )


@pytest.mark.parametrize(
    "text", ["${CDR(src):1}", "$[1+1]", "a\\,b", "${TOLOWER(${CDR(src)})}", "${CSV_QUOTE(a${CDR(src)})}", "5$"]
)
def test_what_has_more_to_it_is_left_to_the_dialplan(text: str) -> None:
    assert read_mapping(text) is None
