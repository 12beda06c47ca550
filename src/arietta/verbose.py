"""What the console tells of calls: lines with a level, shown while `core set verbose` is at least that."""

from __future__ import annotations

import logging

log = logging.getLogger("arietta.verbose")

_level = 3


def verbose(level: int, text: str) -> None:
    """Tell one line, without the indentation that its level gets on the console."""
    if level <= _level:
        log.info("%s%s", INDENTATION[min(level, 4)], text)


def set_level(level: int) -> None:
    """Show lines up to `level`; 0 shows none."""
    global _level
    _level = level


def level() -> int:
    """The level up to which lines are shown."""
    return _level


# As Asterisk's console does it: what belongs to a deeper story stands further in.
INDENTATION = {0: "", 1: "", 2: "  == ", 3: "    -- ", 4: "       > "}
