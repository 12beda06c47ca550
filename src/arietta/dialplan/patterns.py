"""Extension patterns: ``_`` and then X (0-9), Z (1-9), N (2-9), ``[1-5a]``, ``.`` (one or more), ``!`` (any rest).

Anything else stands for itself; ``-`` is decoration, in patterns and in what is dialled.  Of several patterns that
match, the one is taken that is narrowest at the first place where they differ; ``.`` and ``!`` come last.
"""

from __future__ import annotations

import re

import msgspec

DIGITS = "0123456789"
LETTERS = {"X": DIGITS, "Z": DIGITS[1:], "N": DIGITS[2:]}
ONE_OR_MORE, ANY_REST = ".", "!"
MAX_PATTERN = 256


class BadPattern(ValueError):
    """A pattern that cannot be read."""


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern."""

    text: str
    elements: tuple[str, ...]
    """The characters allowed at each place."""
    tail: str
    """What follows them: "", "." or "!"."""
    rank: tuple[tuple[int, str], ...]
    """Sorts narrower patterns first."""
    regex: re.Pattern[str]

    def matches(self, dialled: str) -> bool:
        """Whether the pattern matches all of `dialled`."""
        return self.regex.fullmatch(dialled) is not None

    def begins_with(self, dialled: str) -> bool:
        """Whether `dialled` matches, or may match after more characters."""
        fixed = len(self.elements)
        if not self.tail and len(dialled) > fixed:
            return False
        return all(digit in allowed for digit, allowed in zip(dialled, self.elements, strict=False))

    def wants_more(self, dialled: str) -> bool:
        """Whether more characters could make another match; ``!`` is content with what there is."""
        if not self.begins_with(dialled):
            return False
        return self.tail == ONE_OR_MORE or len(dialled) < len(self.elements)


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern with its leading ``_``; raises BadPattern."""
    if len(text) > MAX_PATTERN:
        raise BadPattern(f"pattern of {len(text)} characters, more than {MAX_PATTERN}")
    elements: list[str] = []
    tail = ""
    position, end = 1, len(text)
    if end < 2:
        raise BadPattern("pattern _ is empty")
    while position < end:
        character = text[position]
        position += 1
        if character in " -":
            continue
        if tail:
            raise BadPattern(f"pattern {text}: {tail} is not at the end")
        if character in (ONE_OR_MORE, ANY_REST):
            tail = character
        elif character == "[":
            closing = text.find("]", position)
            if closing < 0:
                raise BadPattern(f"pattern {text}: [ without ]")
            elements.append(_set_of(text, text[position:closing]))
            position = closing + 1
        elif character == "]":
            raise BadPattern(f"pattern {text}: ] without [")
        else:
            elements.append(LETTERS.get(character.upper(), character))
    rank = [(len(allowed), allowed) for allowed in elements]
    if tail:
        rank.append((1000 if tail == ONE_OR_MORE else 1001, ""))
    body = "".join(f"[{re.escape(allowed)}]" for allowed in elements)
    regex = re.compile(body + {"": "", ONE_OR_MORE: ".+", ANY_REST: ".*"}[tail], re.DOTALL)
    return Pattern(text, tuple(elements), tail, tuple(rank), regex)


def _set_of(text: str, inside: str) -> str:
    """The characters of ``[a-c5]``, sorted."""
    found: set[str] = set()
    position = 0
    while position < len(inside):
        if inside[position + 1 : position + 2] == "-" and position + 2 < len(inside):
            low, high = inside[position], inside[position + 2]
            if low > high or ord(high) - ord(low) > 255:
                raise BadPattern(f"pattern {text}: range {low}-{high} is backwards or too wide")
            found.update(chr(code) for code in range(ord(low), ord(high) + 1))
            position += 3
        else:
            found.add(inside[position])
            position += 1
    found.discard("-")
    if not found:
        raise BadPattern(f"pattern {text}: [] is empty")
    return "".join(sorted(found))
