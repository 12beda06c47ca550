"""The lines of AGI: words of a command, replies, and the variables that a program is told first."""

from __future__ import annotations

from collections.abc import Iterable

MAX_LINE_BYTES = 8192
MAX_WORDS = 128


class BadLine(ValueError):
    """A line that is no command; says why."""


def words_of(line: str) -> list[str]:
    """The words of a command: quotes keep spaces together, a backslash takes the meaning of what follows it away.

    Raises BadLine for quotes that are not closed, and more than MAX_WORDS words.
    """
    words: list[str] = []
    current: list[str] = []
    begun = quoted = False
    position = 0
    while position < len(line):
        character = line[position]
        if character == "\\" and position + 1 < len(line):
            position += 1
            current.append(line[position])
            begun = True
        elif character == '"':
            quoted = not quoted
            begun = True
        elif character in " \t" and not quoted:
            if begun:
                words.append("".join(current))
                current.clear()
                begun = False
        else:
            current.append(character)
            begun = True
        position += 1
    if quoted:
        raise BadLine("the quotes are not closed")
    if begun:
        words.append("".join(current))
    if len(words) > MAX_WORDS:
        raise BadLine(f"it has {len(words)} words, {MAX_WORDS} at most")
    return words


def one_line(text: str) -> str:
    """A text that cannot end the line it stands in."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def result(value: int | str, data: str | None = None, end_position: int | None = None) -> str:
    """``200 result=1 (data) endpos=800``."""
    line = f"200 result={value}"
    if data is not None:
        line += f" ({data})"
    if end_position is not None:
        line += f" endpos={end_position}"
    return line + "\n"


UNKNOWN = "510 Invalid or unknown command\n"
DEAD = "511 Command Not Permitted on a dead channel or intercept routine\n"


def usage(syntax: str, summary: str) -> str:
    """What a command that was used wrongly is answered."""
    return f"520-Invalid command syntax.  Proper usage follows:\nUsage: {syntax}\n{summary}\n520 End of proper usage.\n"


def environment(variables: Iterable[tuple[str, str]]) -> str:
    """The variables that a program is told first, and the empty line after them."""
    return "".join(f"agi_{name}: {one_line(value)}\n" for name, value in variables) + "\n"
