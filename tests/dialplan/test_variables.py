"""Substitution: the documented examples, nesting, and its limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.dialplan.variables import (
    MAX_LENGTH,
    SubstitutionError,
    Template,
    compile_template,
    substitute,
)

VALUES = {
    "N": "1234567890",
    "A": "B",
    "B": "two",
    "X1": "eleven",
    "ONE": "1",
    "EMPTY": "",
    "LONG": "x" * 60000,
}


class Names:
    """A few variables, and functions that show what they got."""

    def variable(self, name: str) -> str:
        return VALUES.get(name, "")

    def function(self, name: str, arguments: str) -> str:
        return f"{name}<{arguments}>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${N}", "1234567890"),
        ("${N:3}", "4567890"),
        ("${N:3:2}", "45"),
        ("${N:-4}", "7890"),
        ("${N:-4:2}", "78"),
        ("${N:0:-3}", "1234567"),
        ("${N:2:-2}", "345678"),
        ("${N:50}", ""),
        ("${N:-50:2}", "12"),
        ("${N:8:50}", "90"),
        ("${N:5:-9}", ""),
        ("${N:0:0}", ""),
        ("${NOTHING}", ""),
        ("a${EMPTY}b", "ab"),
        ("${${A}}", "two"),
        ("${X${ONE}}", "eleven"),
        ("${N:${ONE}:2}", "23"),
        ("${FUNC(a,b)}", "FUNC<a,b>"),
        ("${FUNC(${A})}", "FUNC<B>"),
        ("${FUNC(a:b(c))}", "FUNC<a:b(c)>"),
        ("${FUNC(abc):0:4}", "FUNC"),
        ("${FUNC(abc):-4}", "abc>"),
        ("$[1 + ${ONE}]", "2"),
        ("$[${N:0:1} = 1]", "1"),
        ("${FUNC($[2*3])}", "FUNC<6>"),
        ("$[${FUNC(x)} = FUNC<x>]", "0"),
        ("costs $5", "costs $5"),
        ("$$${ONE}", "$$1"),
        ("\\${ONE}", "${ONE}"),
        ("\\$[1+1] $[1+1]", "$[1+1] 2"),
        ("a\\,b${ONE}", "a\\,b1"),
        ("${N", "1234567890"),
        ("{N}", "{N}"),
        ("$", "$"),
    ],
)
def test_documented_examples(text: str, value: str) -> None:
    assert substitute(text, Names()) == value


def test_text_without_a_dollar_is_compiled_to_itself() -> None:
    assert compile_template("a,b") == "a,b"
    assert compile_template("5$") == "5$"
    assert isinstance(compile_template("${A}"), Template)


def test_what_is_not_closed_is_a_problem_of_the_template() -> None:
    template = compile_template("a ${FUNC($[1 + 2)}")
    assert isinstance(template, Template)
    assert "has no closing" in template.problem


def test_length_is_bounded() -> None:
    with pytest.raises(SubstitutionError, match=f"more than {MAX_LENGTH}"):
        substitute("${LONG}${LONG}", Names())
    with pytest.raises(SubstitutionError, match=f"more than {MAX_LENGTH}"):
        substitute("$" + "x" * MAX_LENGTH, Names())


def test_depth_is_bounded() -> None:
    assert substitute("${" * 25 + "A" + "}" * 25, Names()) == ""
    with pytest.raises(SubstitutionError, match="deeper than 30"):
        substitute("${" * 40 + "A" + "}" * 40, Names())


PIECES = st.sampled_from(["${", "}", "$[", "]", "(", ")", ":", "N", "A", "-1", "3", "\\", "$", "+", '"', "FUNC", " "])


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_substituted_or_refused(text: str) -> None:
    try:
        assert isinstance(substitute(text, Names()), str)
    except SubstitutionError:
        assert text.count("$") > 30
