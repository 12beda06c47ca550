"""logger …: where log lines go."""

from __future__ import annotations

from arietta.cli.commands.registry import Command, Console
from arietta.cli.tables import columns
from arietta.config.tree import load


def show_channels(console: Console, _: list[str]) -> str:
    widths = (60, 8, 40)
    lines = columns(widths, ("Channel", "Type", "Levels"), ("-------", "----", "------"))
    return "\n".join([*lines, *columns(widths, *console.logs.channels())])


def rotate(console: Console, _: list[str]) -> str:
    aside = console.logs.rotate()
    return "\n".join(["Log files begun anew.", *(f"  kept: {path}" for path in aside)])


def reload(console: Console, _: list[str]) -> str:
    console.logs.configure(load(console.switch.config.directory).logger)
    return show_channels(console, [])


COMMANDS = (
    Command(("logger", "show", "channels"), "List where log lines go.", show_channels),
    Command(("logger", "reload"), "Read logger.conf again and open the log files anew.", reload),
    Command(("logger", "rotate"), "Set log files aside and begin new ones.", rotate),
)
