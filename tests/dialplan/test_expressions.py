"""Expressions in $[ ]: the documented operators, their order, and what cannot be evaluated."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.dialplan.expressions import ExpressionError, evaluate, evaluate_strictly


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2", "3"),
        ("1+2*3", "7"),
        ("(1+2)*3", "9"),
        ("7 - 2 - 1", "4"),
        ("7 / 2", "3.5"),
        ("8 / 2", "4"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("1.5 + 1.5", "3"),
        ("-3 + 5", "2"),
        ("- - 3", "3"),
        ("!0", "1"),
        ("!foo", "0"),
        ("! 1 = 0", "1"),
        ('"" | foo', "foo"),
        ("0 | 0", "0"),
        ("a | b", "a"),
        ("1 & 2", "1"),
        ("1 & 0", "0"),
        ('"" & 1', "0"),
        ("1 = 1.0", "1"),
        ("1 == 1", "1"),
        ("a = a", "1"),
        ("a != b", "1"),
        ("10 > 9", "1"),
        ("a < b", "1"),
        ("10 >= 10", "1"),
        ("9 <= 10", "1"),
        ('"10" > "9"', "1"),
        ('"a b" = "a b"', "1"),
        ('"" = ""', "1"),
        ('"" = "0"', "0"),
        ("foo bar = foo bar", "1"),
        ('"12345" : "12"', "2"),
        ('"12345" : "12(.)"', "3"),
        ('"x12345" : "12"', "0"),
        ('"x12345" =~ "12"', "2"),
        ('"x12345" =~ "1(9)"', ""),
        ('"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" =~ "(a+)+$"', ""),  # in linear time
        ('"tel:100" : "tel:(.*)"', "100"),
        ("6001 =~ ^[0-9]+$", "4"),
        ('("6001" =~ ^6[[:digit:]]+$)', "4"),
        ('"a" ~~ "b" ~~ "c"', "abc"),
        ("1 ? yes :: no", "yes"),
        ('"" ? yes :: no', "no"),
        ("0 ? 1 :: 0 ? 2 :: 3", "3"),
        ("1 = 1 & 2 = 2 | 0", "1"),
        ("2 + 3 = 5", "1"),
        ('"${X}"', "${X}"),
        ("", ""),
        ("   ", ""),
        ("word", "word"),
        ("0012 = 12", "1"),
        ('"say \\"x\\""', 'say "x"'),
    ],
)
def test_documented_values(expression: str, value: str) -> None:
    assert evaluate_strictly(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("= 1", "missing before '='"),
        ("1 +", "missing at the end"),
        ("(1", "( without )"),
        ("1)", "unexpected ')'"),
        ("1 ? 2", "? without ::"),
        ("a + 1", "'a' is not a number"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ('"abc', "cannot be read from"),
        ('a =~ "("', "regular expression"),
        ("(" * 60 + "1" + ")" * 60, "nested deeper than 40"),
        ("1" * 500 + " + 1", "is not a number"),
    ],
)
def test_what_cannot_be_evaluated_is_0_and_logged(
    expression: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ExpressionError):
        evaluate_strictly(expression)
    with caplog.at_level(logging.WARNING):
        assert evaluate(expression) == "0"
    assert reason in caplog.text


TOKENS = st.sampled_from(
    [
        "1",
        "0",
        "2.5",
        "-",
        "+",
        "*",
        "/",
        "%",
        "(",
        ")",
        "=",
        "!=",
        "<",
        ">",
        "|",
        "&",
        "?",
        "::",
        ":",
        "=~",
        "~~",
        "!",
        '"',
        '"a b"',
        "foo",
        "[",
        "9" * 200,
    ]
)


@settings(max_examples=300)
@given(st.lists(TOKENS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_has_a_value(expression: str) -> None:
    assert isinstance(evaluate(expression), str)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_arithmetic_is_pythons(one: int, other: int) -> None:
    assert evaluate(f"{one} + {other}") == str(one + other)
    assert evaluate(f"{one} < {other}") == str(int(one < other))
