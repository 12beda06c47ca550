"""Substitution of ``${VARIABLE}``, ``${FUNCTION(arguments)}`` and ``$[expression]``, compiled once for each text.

``${NAME:offset:length}`` cuts: a negative offset counts from the end, a negative length leaves that many out at the
end.  A backslash before ``${`` or ``$[`` takes their meaning away; a ``$`` before anything else is a ``$``.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from typing import Protocol

from arietta.dialplan.arguments import whole_number
from arietta.dialplan.expressions import evaluate

log = logging.getLogger(__name__)

MAX_LENGTH = 65536
MAX_DEPTH = 30


class SubstitutionError(ValueError):
    """A text whose substitution goes too deep or grows too long."""


class Scope(Protocol):
    """Where names get their values."""

    def variable(self, name: str) -> str:
        """The value of a variable, "" if it is not set."""
        ...

    def function(self, name: str, arguments: str) -> str:
        """The value of a function; what goes wrong is logged and is ""."""
        ...


class WaitingScope(Scope, Protocol):
    """A Scope in which functions may take their time."""

    async def wait(self, name: str, arguments: str) -> str:
        """The value of a function; what goes wrong is logged and is ""."""
        ...


class _Reference:
    """``${…}``: its content is a text of its own, substituted first."""

    __slots__ = ("arguments", "content", "length", "name", "offset", "static")

    def __init__(self, content: str | Template) -> None:
        self.content = content
        self.static = isinstance(content, str)
        if isinstance(content, str):
            self.name, self.arguments, self.offset, self.length = split_reference(content)

    def render(self, scope: Scope) -> str:
        if self.static:
            name, arguments, offset, length = self.name, self.arguments, self.offset, self.length
        else:
            assert isinstance(self.content, Template)
            name, arguments, offset, length = split_reference(self.content.render(scope))
        value = scope.variable(name) if arguments is None else scope.function(name, arguments)
        return value if not offset and length is None else substring(value, offset, length)

    async def render_waiting(self, scope: WaitingScope) -> str:
        name, arguments, offset, length = split_reference(await render_waiting(self.content, scope))
        value = scope.variable(name) if arguments is None else await scope.wait(name, arguments)
        return substring(value, offset, length)


class _Expression:
    """``$[…]``: its content is substituted, then evaluated."""

    __slots__ = ("content",)

    def __init__(self, content: str | Template) -> None:
        self.content = content

    def render(self, scope: Scope) -> str:
        return evaluate(render(self.content, scope))

    async def render_waiting(self, scope: WaitingScope) -> str:
        return evaluate(await render_waiting(self.content, scope))


class Template:
    """A text with something to substitute in it."""

    __slots__ = ("functions", "parts", "problem", "text")

    def __init__(self, text: str, parts: tuple[str | _Reference | _Expression, ...], problem: str) -> None:
        self.text = text
        self.parts = parts
        self.problem = problem
        """What is wrong with the text, for a warning; "" if nothing is."""
        self.functions = frozenset(_functions_of(parts))
        """The names of the functions in it, as far as they are no variables themselves."""

    def render(self, scope: Scope) -> str:
        """The text with its values; raises SubstitutionError if it grows beyond MAX_LENGTH."""
        return self._bounded([part if isinstance(part, str) else part.render(scope) for part in self.parts])

    async def render_waiting(self, scope: WaitingScope) -> str:
        """The same, where functions may take their time."""
        return self._bounded(
            [part if isinstance(part, str) else await part.render_waiting(scope) for part in self.parts]
        )

    def _bounded(self, values: list[str]) -> str:
        rendered = "".join(values)
        if len(rendered) > MAX_LENGTH:
            raise SubstitutionError(
                f"substitution of {self.text[:80]!r} is {len(rendered)} characters, more than {MAX_LENGTH}"
            )
        return rendered

    def __repr__(self) -> str:
        return f"Template({self.text!r})"


def render(content: str | Template, scope: Scope) -> str:
    """The text, with its values if it has any; raises SubstitutionError."""
    return content if isinstance(content, str) else content.render(scope)


async def render_waiting(content: str | Template, scope: WaitingScope) -> str:
    """The same, where functions may take their time."""
    return content if isinstance(content, str) else await content.render_waiting(scope)


def _functions_of(parts: tuple[str | _Reference | _Expression, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            continue
        content = part.content
        if isinstance(part, _Reference):
            text = content if isinstance(content, str) else content.text
            name, opening, _ = text.partition("(")
            if opening and "$" not in name:
                yield name.strip().upper()
        if isinstance(content, Template):
            yield from content.functions


@functools.lru_cache(maxsize=2048)
def compile_template(text: str) -> str | Template:
    """The text itself if there is nothing to substitute, or else its Template.

    Raises SubstitutionError if it is nested deeper than MAX_DEPTH, or longer than MAX_LENGTH.
    """
    if "$" not in text:
        return text
    if len(text) > MAX_LENGTH:
        raise SubstitutionError(f"text of {len(text)} characters, more than {MAX_LENGTH}")
    return _compile(text, 0)


def substitute(text: str, scope: Scope) -> str:
    """Substitute a text that is used once; raises SubstitutionError."""
    return text if "$" not in text else render(compile_template(text), scope)


def _compile(text: str, depth: int) -> str | Template:
    if depth > MAX_DEPTH:
        raise SubstitutionError(f"substitution of {text[:80]!r} is nested deeper than {MAX_DEPTH}")
    parts: list[str | _Reference | _Expression] = []
    problem = ""
    start = position = 0
    while (position := text.find("$", position)) >= 0:
        opening = text[position + 1 : position + 2]
        if opening not in ("{", "["):
            position += 1
            continue
        if position and text[position - 1] == "\\":
            parts.append(text[start : position - 1])
            start = position
            position += 2
            continue
        end = _closing(text, position + 2, opening)
        if end < 0:
            problem = f"{text[position : position + 40]!r} has no closing {'}' if opening == '{' else ']'}"
            end = len(text)
        if position > start:
            parts.append(text[start:position])
        content = text[position + 2 : end]
        inner = _compile(content, depth + 1) if "$" in content else content
        if isinstance(inner, Template) and inner.problem:
            problem = problem or inner.problem
        parts.append(_Reference(inner) if opening == "{" else _Expression(inner))
        start = position = end + 1
    if start < len(text):
        parts.append(text[start:])
    if all(isinstance(part, str) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    return Template(text, tuple(parts), problem)


def _closing(text: str, start: int, opening: str) -> int:
    """Where the bracket opened before `start` closes; -1 if nowhere."""
    closing = "}" if opening == "{" else "]"
    depth = 1
    for position in range(start, len(text)):
        character = text[position]
        if character == closing:
            depth -= 1
            if not depth:
                return position
        elif character == opening:
            depth += 1
    return -1


def split_reference(content: str) -> tuple[str, str | None, int, int | None]:
    """Name, arguments (None for a variable), offset and length of what stands in ``${}``."""
    depth = 0
    opening = closing = colon = -1
    for position, character in enumerate(content):
        if character == "(":
            if not depth and opening < 0:
                opening = position
            depth += 1
        elif character == ")":
            depth -= 1
            if not depth:
                closing = position
        elif character == ":" and depth <= 0:
            colon = position
            break
    offset, length = 0, None
    name = content
    if colon >= 0:
        name = content[:colon]
        offset_text, _, length_text = content[colon + 1 :].partition(":")
        offset = whole_number(offset_text)
        if length_text.strip():
            length = whole_number(length_text)
    if opening < 0:
        return name.strip(), None, offset, length
    end = closing if closing > opening else len(name)
    return name[:opening].strip(), name[opening + 1 : end], offset, length


def substring(value: str, offset: int, length: int | None) -> str:
    """The part of `value` that ``:offset:length`` names."""
    if offset < 0:
        offset = max(0, len(value) + offset)
    if length is None:
        return value[offset:]
    if length < 0:
        return value[offset : max(offset, len(value) + length)]
    return value[offset : offset + length]
