"""Time conditions of includes, GotoIfTime and IFTIME: ``times,weekdays,mdays,months[,timezone]``."""

from __future__ import annotations

import zoneinfo
from datetime import datetime

import msgspec

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MINUTES_OF_DAY = 24 * 60


class BadTime(ValueError):
    """A time condition that cannot be read."""


class TimeCondition(msgspec.Struct, frozen=True):
    """A compiled time condition; an empty set means "always"."""

    minutes: frozenset[int]
    """Minutes of the day, 0..1439."""
    weekdays: frozenset[int]
    """0 is Monday."""
    days: frozenset[int]
    months: frozenset[int]
    timezone: zoneinfo.ZoneInfo | None = None

    def holds(self, epoch_seconds: float) -> bool:
        """Whether the condition is true at that moment, in its zone or the machine's."""
        moment = datetime.fromtimestamp(epoch_seconds, self.timezone)
        return (
            (not self.minutes or moment.hour * 60 + moment.minute in self.minutes)
            and (not self.weekdays or moment.weekday() in self.weekdays)
            and (not self.days or moment.day in self.days)
            and (not self.months or moment.month - 1 in self.months)
        )


def parse_time_condition(text: str) -> TimeCondition:
    """Read a condition; raises BadTime naming the part that is wrong."""
    separator = "|" if "|" in text and "," not in text else ","
    parts = [part.strip().lower() for part in text.split(separator)]
    if len(parts) > 5:
        raise BadTime(f"time condition {text!r} has {len(parts)} parts, more than 5")
    parts += ["*"] * (5 - len(parts))
    return TimeCondition(
        _ranges(parts[0], _minute, MINUTES_OF_DAY, 0),
        _ranges(parts[1], _name_of(WEEKDAYS, "weekday"), 7, 0),
        _ranges(parts[2], _day, 31, 1),
        _ranges(parts[3], _name_of(MONTHS, "month"), 12, 0),
        _timezone(text.split(separator)[4].strip() if parts[4] not in ("*", "") else ""),
    )


def _ranges(text: str, read: object, size: int, first: int) -> frozenset[int]:
    """The numbers of ``a-b&c``; a range may run over the end and start again."""
    assert callable(read)
    if text in ("", "*"):
        return frozenset()
    found: set[int] = set()
    for part in text.split("&"):
        low_text, dash, high_text = part.partition("-")
        low = read(low_text.strip())
        high = read(high_text.strip()) if dash else low
        count = (high - low) % size + 1
        found.update((low - first + offset) % size + first for offset in range(count))
    return frozenset(found)


def _minute(text: str) -> int:
    hour, colon, minute = text.partition(":")
    if colon and _small(hour) and _small(minute) and int(hour) < 24 and int(minute) < 60:
        return int(hour) * 60 + int(minute)
    raise BadTime(f"time of day {text!r} is not HH:MM")


def _day(text: str) -> int:
    if _small(text) and 1 <= int(text) <= 31:
        return int(text)
    raise BadTime(f"day {text!r} is outside 1..31")


def _small(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2


def _name_of(names: tuple[str, ...], what: str) -> object:
    def read(text: str) -> int:
        if text[:3] in names and len(text) >= 3:
            return names.index(text[:3])
        raise BadTime(f"{what} {text!r} is none of {', '.join(names)}")

    return read


def _timezone(name: str) -> zoneinfo.ZoneInfo | None:
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise BadTime(f"unknown time zone {name!r}") from failure
