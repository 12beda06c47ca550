"""Numbers, digits and characters as lists of sounds, in English."""

from __future__ import annotations

__all__ = ["LANGUAGES", "language_for", "say_characters", "say_digits", "say_number"]

LANGUAGES = ("en",)
"""Languages whose grammar is known here; the sounds of others may be there all the same."""

LARGEST = 999_999_999_999

_GROUPS = ((10**9, "digits/billion"), (10**6, "digits/million"), (1000, "digits/thousand"))

_SIGNS = {
    "*": "digits/star",
    "#": "digits/pound",
    "!": "letters/exclaimation-point",
    "@": "letters/at",
    "$": "letters/dollar",
    "-": "letters/dash",
    ".": "letters/dot",
    "=": "letters/equals",
    "+": "letters/plus",
    "/": "letters/slash",
    " ": "letters/space",
}


def language_for(language: str) -> tuple[str, str | None]:
    """The language whose grammar is used, and a sentence for the log when it is another than asked for."""
    base = language.split("_")[0].split("-")[0].lower()
    if base in LANGUAGES:
        return base, None
    return "en", f"no grammar of numbers for language {language!r}; saying them as in 'en'"


def say_number(number: int) -> list[str]:
    """Sounds of a whole number: 1215 is one thousand two hundred fifteen.

    ValueError from a million million on.
    """
    if abs(number) > LARGEST:
        raise ValueError(f"number {number} is outside -{LARGEST}..{LARGEST}")
    if number < 0:
        return ["digits/minus", *say_number(-number)]
    if number == 0:
        return ["digits/0"]
    sounds: list[str] = []
    for size, name in _GROUPS:
        if number >= size:
            sounds += [*_below_thousand(number // size), name]
            number %= size
    return sounds + _below_thousand(number)


def say_digits(text: str) -> list[str]:
    """Sounds of a number digit by digit; `-` is minus, other characters but * and # are skipped."""
    return [
        "digits/minus" if char == "-" else _SIGNS[char] if char in "*#" else f"digits/{char}"
        for char in text
        if char in "0123456789*#-"
    ]


def say_characters(text: str) -> list[str]:
    """Sounds of letters, digits and signs one by one; characters without a sound are skipped."""
    sounds = []
    for char in text.lower():
        if char in "0123456789":
            sounds.append(f"digits/{char}")
        elif "a" <= char <= "z":
            sounds.append(f"letters/{char}")
        elif char in _SIGNS:
            sounds.append(_SIGNS[char])
    return sounds


def _below_thousand(number: int) -> list[str]:
    sounds: list[str] = []
    if number >= 100:
        sounds += [f"digits/{number // 100}", "digits/hundred"]
        number %= 100
    if number > 20 and number % 10:
        sounds += [f"digits/{number - number % 10}", f"digits/{number % 10}"]
    elif number:
        sounds.append(f"digits/{number}")
    return sounds
