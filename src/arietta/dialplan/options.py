"""Letters that say how an application works, as data and as they are written: ``sn``, ``bp(4)r(file)``."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError

HIDDEN = "\0"
"""What stands in place of a substitution while a text is checked that nobody has substituted yet."""


class Option(msgspec.Struct, frozen=True):
    """One letter."""

    letter: str
    meaning: str
    """What it does, in a few words."""
    argument: str = ""
    """What stands in its parentheses; in brackets if they may be left out, "" if there are none."""
    refused: str = ""
    """Why it is not supported; "" if it is."""

    @property
    def written(self) -> str:
        """How it is written: ``g``, ``S(seconds)``, ``m[(class)]``."""
        if self.argument.startswith("["):
            return f"{self.letter}[({self.argument[1:-1]})]"
        return f"{self.letter}({self.argument})" if self.argument else self.letter

    def problem(self, value: str | None) -> str:
        """What is wrong with it and the value it was given; "" if nothing is."""
        if self.refused:
            return f"option {self.letter} ({self.meaning}) is not supported: {self.refused}"
        if value is None and self.argument and not self.argument.startswith("["):
            return f"option {self.letter} needs a value in parentheses: {self.written}"
        if value is not None and not self.argument:
            return f"option {self.letter} takes no value, {value[:40]!r} was given"
        return ""


class Options(msgspec.Struct, frozen=True):
    """The letters of one application, and which of its arguments they are."""

    position: int
    """0 is the first argument."""
    letters: tuple[Option, ...]

    def get(self, letter: str) -> Option | None:
        """A letter that the application knows, supported or not."""
        return next((one for one in self.letters if one.letter == letter), None)

    def read(self, application: str, text: str) -> dict[str, str]:
        """Each letter with what stands in its parentheses; ApplicationError for one that cannot be taken.

        Of a letter that is written twice the last counts.
        """
        found: dict[str, str] = {}
        for letter, value in _scan(application, text):
            problem = self._problem(letter, value)
            if problem:
                raise ApplicationError(f"{application}: {problem}")
            found[letter] = value or ""
        return found

    def problems(self, application: str, arguments: str) -> Iterator[str]:
        """What is wrong in the arguments of a step, as they stand in the file."""
        parts = split_arguments(without_substitutions(arguments))
        if len(parts) <= self.position:
            return
        try:
            written = list(_scan(application, parts[self.position]))
        except ApplicationError as failure:
            yield str(failure)
            return
        for letter, value in written:
            problem = self._problem(letter, value)
            if problem:
                yield f"{application}: {problem}"

    def _problem(self, letter: str, value: str | None) -> str:
        option = self.get(letter)
        if option is not None:
            return option.problem(value)
        known = " ".join(one.written for one in self.letters if not one.refused) or "none"
        return f"option {letter} is not supported, supported are: {known}"

    def described(self) -> list[str]:
        """A line about each letter, for who looks the application up."""
        return [
            f"{one.written}: {one.meaning}{f'; refused: {one.refused}' if one.refused else ''}." for one in self.letters
        ]


def _scan(application: str, text: str) -> Iterator[tuple[str, str | None]]:
    """The letters as they are written, each with its value; ApplicationError for a parenthesis that stays open."""
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter in (" ", HIDDEN):
            continue
        value = None
        if text[position : position + 1] == "(":
            end = _closing(text, position)
            if end < 0:
                raise ApplicationError(f"{application}: option {letter}( is not closed")
            value = text[position + 1 : end]
            position = end + 1
        yield letter, value


def _closing(text: str, opening: int) -> int:
    """The place of the parenthesis that closes the one at `opening`; -1 if none does."""
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == "(":
            depth += 1
        elif text[position] == ")":
            depth -= 1
            if not depth:
                return position
    return -1


def without_substitutions(text: str) -> str:
    """The text with HIDDEN in place of each ``${…}`` and ``$[…]``."""
    found: list[str] = []
    closing: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if text[position : position + 2] in ("${", "$["):
            closing.append("}" if text[position + 1] == "{" else "]")
            position += 1
            if len(closing) == 1:
                found.append(HIDDEN)
        elif closing and character == closing[-1]:
            closing.pop()
        elif not closing:
            found.append(character)
        position += 1
    return "".join(found)
