"""Caller ids as people write them."""

from __future__ import annotations

from arietta.channels.driver import Party


def parse_caller_id(text: str) -> Party:
    """``"Name" <number>``, ``Name <number>``, ``<number>``, a bare number, or a bare name.

    A text without brackets is a number if it looks like one (digits and ``*#+-.() ``), else a name.
    """
    text = text.strip()
    name, bracket, rest = text.partition("<")
    if bracket:
        return Party(_unquote(name), rest.partition(">")[0].strip())
    bare = _unquote(text)
    digits = bare.translate(_PUNCTUATION)
    if digits and all(c.isdigit() or c in "*#+" for c in digits):
        return Party("", digits)
    return Party(bare, "")


_PUNCTUATION = str.maketrans("", "", "-.() ")


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text
