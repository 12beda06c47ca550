"""Plain text tables of fixed columns, as a telephone console prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(widths: Sequence[int], *rows: Sequence[object]) -> list[str]:
    """Rows of left-aligned cells, one space apart, each cut to its width; the last column is not cut."""
    lines = []
    last = len(widths) - 1
    for row in rows:
        cells = [str(cell) if i == last else f"{str(cell)[: widths[i]]:<{widths[i]}}" for i, cell in enumerate(row)]
        lines.append(" ".join(cells).rstrip())
    return lines


def fields(pairs: Iterable[tuple[str, object]], width: int = 26, indent: int = 2) -> list[str]:
    """`name: value` lines with the values under each other."""
    return [f"{' ' * indent}{name + ':':<{width}} {value}".rstrip() for name, value in pairs]


def duration(seconds: float) -> str:
    """A time span as HH:MM:SS; hours go on counting beyond 99."""
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def span(seconds: float) -> str:
    """A time span in words: `1 day, 2 hours, 3 seconds`."""
    left = max(0, int(seconds))
    parts = []
    for name, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts) or "0 seconds"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 active call`, `2 active calls`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def yes_no(value: bool) -> str:
    """Yes or No."""
    return "Yes" if value else "No"
