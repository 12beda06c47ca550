"""The comma-separated arguments of applications and functions."""

from __future__ import annotations


def split_arguments(text: str, limit: int = 0, separator: str = ",") -> list[str]:
    """The arguments of `text`: separators inside quotes, parentheses and brackets, or behind a backslash, stay.

    Quotes and backslashes are taken off.  With a `limit` the last of that many arguments keeps the rest.  No text
    is no argument.
    """
    if not text:
        return []
    if '"' not in text and "\\" not in text and "(" not in text and "[" not in text:
        parts = text.split(separator, limit - 1) if limit else text.split(separator)
        return [part.strip(" ") for part in parts]
    found: list[str] = []
    current: list[str] = []
    depth = 0
    quoted = False
    position, end = 0, len(text)
    while position < end:
        character = text[position]
        if character == "\\" and position + 1 < end:
            position += 1
            current.append(text[position])
        elif character == '"':
            quoted = not quoted
        elif quoted:
            current.append(character)
        elif character == separator and not depth and not (limit and len(found) == limit - 1):
            found.append("".join(current).strip(" "))
            current.clear()
        else:
            if character in "([":
                depth += 1
            elif character in ")]" and depth:
                depth -= 1
            current.append(character)
        position += 1
    found.append("".join(current).strip(" "))
    return found


def raw_arguments(text: str, separator: str = ",") -> list[str]:
    """The arguments of `text` as they are written: quotes and backslashes stay, one argument at least."""
    pieces: list[str] = []
    start = 0
    while (end := find_outside(text, separator, start)) >= 0:
        pieces.append(text[start:end])
        start = end + 1
    pieces.append(text[start:])
    return pieces


def find_outside(text: str, wanted: str, start: int = 0) -> int:
    """The place of `wanted` outside of quotes, parentheses and braces; -1 if it is not there."""
    depth = 0
    quoted = False
    position, end = start, len(text)
    while position < end:
        character = text[position]
        if character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif quoted:
            pass
        elif character == wanted and not depth:
            return position
        elif character in "([{":
            depth += 1
        elif character in ")]}" and depth:
            depth -= 1
        position += 1
    return -1


def whole_number(text: str, default: int = 0) -> int:
    """The number that `text` begins with, as C's atoi reads it; `default` if it begins with none."""
    text = text.strip()
    end = 1 if text[:1] in ("-", "+") else 0
    start = end
    while end < len(text) and end - start < 18 and text[end].isascii() and text[end].isdigit():
        end += 1
    return int(text[:end]) if end > start else default


def seconds(text: str, limit: float = 1e9) -> float | None:
    """A duration in seconds, fractions allowed; None for what is no number, or beyond the limit."""
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if -limit < value < limit else None


def is_true(text: str) -> bool:
    """A condition as GotoIf and IF read it: not empty and, if it begins with a number, not zero."""
    text = text.strip()
    if not text:
        return False
    if text[0].isdigit() or (text[0] in "+-" and text[1:2].isdigit()):
        return whole_number(text) != 0
    return True


def is_yes(text: str) -> bool:
    """A switch as the configuration writes it: yes, true, y, t, 1 or on."""
    return text.strip().lower() in ("yes", "true", "y", "t", "1", "on")
