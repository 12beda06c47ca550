"""The letters of Dial and Bridge that allow features, and to which side."""

from __future__ import annotations

from collections.abc import Container

from arietta.config.features import ATTENDED_TRANSFER, AUTO_MIX_MONITOR, AUTO_MONITOR, BLIND_TRANSFER, DISCONNECT
from arietta.dialplan.options import Option

_NO_PARKING = "an application of the REST interface parks calls, see examples/park.py"

FEATURE_LETTERS = (
    Option("h", "lets who was called hang up with the keys of disconnect"),
    Option("H", "lets the caller hang up with them, also while it rings"),
    Option("k", "lets who was called park the call", refused=_NO_PARKING),
    Option("K", "lets the caller park the call", refused=_NO_PARKING),
    Option("t", "lets who was called transfer the caller with the keys of blindxfer and atxfer"),
    Option("T", "lets the caller transfer who was called"),
    Option("w", "lets who was called record with the keys of automon, as x does"),
    Option("W", "lets the caller record with them"),
    Option("x", "lets who was called record the call with the keys of automixmon"),
    Option("X", "lets the caller record it"),
)

_ALLOWED = {
    "t": (BLIND_TRANSFER, ATTENDED_TRANSFER),
    "h": (DISCONNECT,),
    "w": (AUTO_MONITOR,),
    "x": (AUTO_MIX_MONITOR,),
}


def called_may(letters: Container[str]) -> frozenset[str]:
    """The features that who was called may use."""
    return frozenset(name for letter, names in _ALLOWED.items() if letter in letters for name in names)


def caller_may(letters: Container[str]) -> frozenset[str]:
    """Those that the caller may use."""
    return frozenset(name for letter, names in _ALLOWED.items() if letter.upper() in letters for name in names)
