"""What stands in ``$[ ]``: arithmetic, comparisons, logic and regular expressions on text.

From weakest to strongest: ``? ::``, ``|``, ``&``, ``= == != < <= > >=``, ``+ -``, ``* / %``, unary ``- !``,
``: =~``, ``~~``.  Numbers are decimal, with fractions.  Calls of functions without ``${}`` are not done.
"""

from __future__ import annotations

import functools
import logging
import math
import re
from collections.abc import Callable

from arietta.config.regexes import Regex

log = logging.getLogger(__name__)

MAX_DEPTH = 40
MAX_SUBJECT = 4096
MAX_DIGITS = 400

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<operator>::|==|!=|<=|>=|=~|~~|[|&=<>+\-*/%!:?()])"
    r"|(?P<word>[^\s\"|&=<>+\-*/%!:?()~]+))"
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\Z")
_COMPARISONS = frozenset(("=", "==", "!=", "<", "<=", ">", ">="))


class ExpressionError(ValueError):
    """An expression that cannot be evaluated: its text, and why."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression = expression
        self.reason = reason
        super().__init__(f"expression $[{expression[:200]}]: {reason}")


def evaluate(expression: str) -> str:
    """The value of an expression; one that cannot be evaluated is logged and is "0", an empty one is ""."""
    try:
        return evaluate_strictly(expression)
    except ExpressionError as failure:
        log.warning("%s", failure)
        return "0"


def evaluate_strictly(expression: str) -> str:
    """The value of an expression; raises ExpressionError."""
    if not expression or expression.isspace():
        return ""
    return _Parser(expression).parse()


def _tokens(expression: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position, end = 0, len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if match is None:
            raise ExpressionError(expression, f"cannot be read from {expression[position : position + 20]!r} on")
        kind = match.lastgroup
        assert kind is not None
        text = match.group(kind)
        if kind == "string":
            found.append(("value", text[1:-1].replace('\\"', '"')))
        elif kind == "word":
            found.append(("value", text))
        else:
            found.append((text, text))
        position = match.end()
        if kind == "operator" and text in (":", "=~"):
            position = _unquoted_regex(expression, position, found)
    found.append(("end", ""))
    return found


def _unquoted_regex(expression: str, position: int, found: list[tuple[str, str]]) -> int:
    """Take a regular expression without quotes whole, up to white space or the end of its group."""
    while position < len(expression) and expression[position].isspace():
        position += 1
    if expression[position : position + 1] in ("", '"', ")"):
        return position
    start = position
    depth = 0
    while position < len(expression) and not expression[position].isspace():
        if expression[position] == "(":
            depth += 1
        elif expression[position] == ")":
            if not depth:
                break
            depth -= 1
        position += 1
    found.append(("value", expression[start:position]))
    return position


class _Parser:
    """One evaluation: a place in the tokens, and how deep it is nested."""

    __slots__ = ("depth", "expression", "place", "tokens")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = _tokens(expression)
        self.place = 0
        self.depth = 0

    def parse(self) -> str:
        value = self.conditional()
        kind, text = self.tokens[self.place]
        if kind != "end":
            raise self.error(f"unexpected {text!r}")
        return value

    def error(self, reason: str) -> ExpressionError:
        return ExpressionError(self.expression, reason)

    def peek(self) -> str:
        return self.tokens[self.place][0]

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}")

    def conditional(self) -> str:
        self.deeper()
        value = self.either()
        if self.peek() == "?":
            self.place += 1
            if_true = self.conditional()
            if self.peek() != "::":
                raise self.error("? without ::")
            self.place += 1
            if_false = self.conditional()
            value = if_true if _true(value) else if_false
        self.depth -= 1
        return value

    def either(self) -> str:
        value = self.both()
        while self.peek() == "|":
            self.place += 1
            other = self.both()
            value = value if _true(value) else other
        return value

    def both(self) -> str:
        value = self.comparison()
        while self.peek() == "&":
            self.place += 1
            other = self.comparison()
            value = value if _true(value) and _true(other) else "0"
        return value

    def comparison(self) -> str:
        value = self.sum()
        while (operator := self.peek()) in _COMPARISONS:
            self.place += 1
            value = "1" if _compare(operator, value, self.sum()) else "0"
        return value

    def sum(self) -> str:
        value = self.product()
        while (operator := self.peek()) in ("+", "-"):
            self.place += 1
            value = self.arithmetic(operator, value, self.product())
        return value

    def product(self) -> str:
        value = self.unary()
        while (operator := self.peek()) in ("*", "/", "%"):
            self.place += 1
            value = self.arithmetic(operator, value, self.unary())
        return value

    def unary(self) -> str:
        operator = self.peek()
        if operator not in ("-", "!"):
            return self.match()
        self.place += 1
        self.deeper()
        value = self.unary()
        self.depth -= 1
        if operator == "!":
            return "0" if _true(value) else "1"
        return self.arithmetic("-", "0", value)

    def match(self) -> str:
        value = self.concatenation()
        while (operator := self.peek()) in (":", "=~"):
            self.place += 1
            value = self.search(value, self.concatenation(), anchored=operator == ":")
        return value

    def concatenation(self) -> str:
        value = self.operand()
        while self.peek() == "~~":
            self.place += 1
            value += self.operand()
        return value

    def operand(self) -> str:
        kind, text = self.tokens[self.place]
        if kind == "value":
            self.place += 1
            # Words side by side are one text: unquoted values may hold spaces.
            words = [text]
            while self.peek() == "value":
                words.append(self.tokens[self.place][1])
                self.place += 1
            return " ".join(words) if len(words) > 1 else text
        if kind == "(":
            self.place += 1
            value = self.conditional()
            if self.peek() != ")":
                raise self.error("( without )")
            self.place += 1
            return value
        if kind == "end":
            raise self.error("an operand is missing at the end")
        raise self.error(f"an operand is missing before {text!r}")

    def arithmetic(self, operator: str, left: str, right: str) -> str:
        one, other = self.number(left), self.number(right)
        if operator in "/%" and other == 0:
            raise self.error("division by zero")
        try:
            result = ARITHMETIC[operator](one, other)
        except OverflowError as failure:
            raise self.error("a number is too large") from failure
        return format_number(result)

    def number(self, text: str) -> int | float:
        value = number_of(text)
        if value is None:
            raise self.error(f"{text[:40]!r} is not a number")
        return value

    def search(self, subject: str, pattern: str, anchored: bool) -> str:
        try:
            compiled = compile_regex(pattern)
        except ValueError as failure:
            raise self.error(str(failure)) from failure
        found = compiled.find(subject[:MAX_SUBJECT], at_start=anchored)
        if found is None:
            return "" if compiled.groups else "0"
        if compiled.groups:
            return found.group(1) or ""
        return str(found.end() - found.start())


def _remainder(one: int | float, other: int | float) -> int | float:
    """The remainder of whole parts, with the sign of the dividend as in C."""
    if isinstance(one, int) and isinstance(other, int):
        return abs(one) % abs(other) * (1 if one >= 0 else -1)
    return math.fmod(one, other)


def _quotient(one: int | float, other: int | float) -> int | float:
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return one / other


ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _quotient,
    "%": _remainder,
}


def number_of(text: str) -> int | float | None:
    """The number a text is, empty text being 0; None if it is none, or is longer than MAX_DIGITS."""
    text = text.strip()
    if not text:
        return 0
    if len(text) > MAX_DIGITS or not text.isascii() or _NUMBER.match(text) is None:
        return None
    return float(text) if "." in text else int(text)


def format_number(value: int | float) -> str:
    """A number as expressions show it: whole numbers without a point."""
    if isinstance(value, int):
        if abs(value) < 10**MAX_DIGITS:
            return str(value)
        return format(float("inf") if value > 0 else float("-inf"), "g")
    if value == int(value) if math.isfinite(value) and abs(value) < 1e15 else False:
        return str(int(value))
    return format(value, ".15g")


def _true(value: str) -> bool:
    if value in ("", "0"):
        return False
    number = number_of(value)
    return number is None or number != 0


def _compare(operator: str, left: str, right: str) -> bool:
    one: int | float | str | None = number_of(left) if left else None
    other: int | float | str | None = number_of(right) if right else None
    if one is None or other is None:
        one, other = left, right
    if operator in ("=", "=="):
        return one == other
    if operator == "!=":
        return one != other
    if operator == "<":
        return one < other  # type: ignore[operator]
    if operator == "<=":
        return one <= other  # type: ignore[operator]
    if operator == ">":
        return one > other  # type: ignore[operator]
    return one >= other  # type: ignore[operator]


@functools.lru_cache(maxsize=512)
def compile_regex(pattern: str) -> Regex:
    """A POSIX extended regular expression; raises ValueError saying why it cannot be read."""
    return Regex(pattern)
