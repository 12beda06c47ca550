"""Numbers, digits and characters as lists of sounds, in English."""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["LANGUAGES", "language_for", "say_characters", "say_digits", "say_moment", "say_number", "say_phonetic"]

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


def say_phonetic(text: str) -> list[str]:
    """Sounds of letters in the telephone alphabet (alpha, bravo …); the rest as `say_characters` has it."""
    return [
        f"phonetic/{name[-1]}_p" if name.startswith("letters/") and len(name) == 9 else name
        for name in say_characters(text)
    ]


def say_ordinal(number: int) -> list[str]:
    """Sounds of first, second … up to the ninety-ninth."""
    if not 1 <= number <= 99:
        raise ValueError(f"ordinal {number} is outside 1..99")
    if number > 20 and number % 10:
        return [f"digits/{number - number % 10}", f"digits/h-{number % 10}"]
    return [f"digits/h-{number}"]


def say_moment(moment: datetime, form: str, today: datetime | None = None) -> list[str]:
    """Sounds of a time in the form that voicemail.conf of Asterisk describes, a letter for each part.

    ``A`` day of the week, ``B`` month, ``d`` day of the month, ``Y`` year, ``I`` and ``H`` the hour of 12 and 24, ``M``
    minute, ``S`` second, ``p`` a.m. or p.m., ``Q`` today, yesterday or the date, ``q`` the same with nothing for today,
    ``R`` hour and minute, ``T`` with the second; ``'sound'`` is that sound. ValueError for another letter.
    """
    sounds: list[str] = []
    pieces = form.split("'")
    if not len(pieces) % 2:
        raise ValueError(f"form {form!r} has a quote that is not closed")
    for place, piece in enumerate(pieces):
        if place % 2:
            sounds.append(piece)
            continue
        for letter in piece:
            sounds += _part_of_moment(moment, letter, today or datetime.now(moment.tzinfo))
    return sounds


def _part_of_moment(moment: datetime, letter: str, today: datetime) -> list[str]:
    match letter:
        case " ":
            return []
        case "A" | "a":
            return [f"digits/day-{moment.isoweekday() % 7}"]
        case "B" | "b" | "h":
            return [f"digits/mon-{moment.month - 1}"]
        case "d" | "e":
            return say_ordinal(moment.day)
        case "m":
            return say_ordinal(moment.month)
        case "Y":
            return _year(moment.year)
        case "I" | "l":
            return say_number(moment.hour % 12 or 12)
        case "H" | "k":
            return (
                ["digits/oh", *say_number(moment.hour)]
                if letter == "H" and moment.hour < 10
                else say_number(moment.hour)
            )
        case "M":
            if moment.minute == 0:
                return ["digits/oclock"]
            return ["digits/oh"] * (moment.minute < 10) + say_number(moment.minute)
        case "S":
            return say_number(moment.second)
        case "P" | "p":
            return ["digits/a-m" if moment.hour < 12 else "digits/p-m"]
        case "R":
            return _part_of_moment(moment, "H", today) + _part_of_moment(moment, "M", today)
        case "T":
            return _part_of_moment(moment, "R", today) + _part_of_moment(moment, "S", today)
        case "Q" | "q":
            if moment.date() == today.date():
                return ["digits/today"] if letter == "Q" else []
            if moment.date() == (today - timedelta(days=1)).date():
                return ["digits/yesterday"]
            return [sound for part in "ABdY" for sound in _part_of_moment(moment, part, today)]
        case _:
            raise ValueError(f"{letter!r} is no part of a time")


def _year(year: int) -> list[str]:
    if 1100 <= year < 2000 and year % 100:
        low = year % 100
        return [*say_number(year // 100), *(["digits/oh"] if low < 10 else []), *say_number(low)]
    return say_number(year)


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
