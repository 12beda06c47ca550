"""logger …: where log lines go."""

from __future__ import annotations

from arietta.cli.commands.registry import Command, Console
from arietta.cli.tables import columns


def show_channels(console: Console, _: list[str]) -> str:
    widths = (50, 8, 40)
    lines = columns(widths, ("Channel", "Type", "Levels"), ("-------", "----", "------"))
    return "\n".join([*lines, *columns(widths, *console.logs.channels())])


def rotate(console: Console, _: list[str]) -> str:
    aside = console.logs.rotate()
    return "\n".join(["Log files begun anew.", *(f"  kept: {path}" for path in aside)])


COMMANDS = (
    Command(("logger", "show", "channels"), "List where log lines go.", show_channels),
    Command(("logger", "rotate"), "Set log files aside and begin new ones.", rotate),
)
