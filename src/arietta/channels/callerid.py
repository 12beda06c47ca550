"""Caller ids as people write them, and the names of their presentations."""

from __future__ import annotations

from arietta.channels.driver import Party

PRESENTATIONS = {
    "allowed_not_screened": 0,
    "allowed_passed_screen": 1,
    "allowed_failed_screen": 2,
    "allowed": 3,
    "prohib_not_screened": 32,
    "prohib_passed_screen": 33,
    "prohib_failed_screen": 34,
    "prohib": 35,
    "unavailable": 67,
}
"""What Q.951 and Q.931 say of showing a number and who has checked it, by the names that configurations have."""


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
