"""logger …: where log lines go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns
from arietta.config.system import LOG_LEVELS
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


def add_channel(console: Console, arguments: list[str]) -> str:
    name, levels = arguments[0], ",".join(arguments[1:])
    console.logs.add_file(name, levels)
    return f"Log channel '{name}' added with {levels}."


def remove_channel(console: Console, arguments: list[str]) -> str:
    console.logs.remove_file(arguments[0])
    return f"Log channel '{arguments[0]}' removed; the file stays."


def show_levels(_: Console, __: list[str]) -> str:
    return "\n".join(["Levels of log lines", "-------------------", *(f"    {level.upper()}" for level in LOG_LEVELS)])


def set_level(console: Console, arguments: list[str]) -> str:
    level, state = arguments[0].lower(), arguments[1].lower()
    if level not in LOG_LEVELS:
        raise CommandError(f"'{arguments[0]}' is none of {', '.join(LOG_LEVELS)}")
    if state not in ("on", "off"):
        raise CommandError(f"'{arguments[1]}' is neither on nor off")
    console.logs.show_on_consoles(level, state == "on")
    return f"Logger messages of the level {level.upper()} are {'shown on' if state == 'on' else 'kept from'} consoles."


def _added(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else [name for name, kind, _ in console.logs.open_channels() if kind == "File"]


def _levels(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return LOG_LEVELS if not arguments else ("on", "off") if len(arguments) == 1 else ()


COMMANDS = (
    Command(("logger", "add", "channel"), "Write a further log file.", add_channel, "NAME LEVEL[,LEVEL ...]", 2, 20),
    Command(("logger", "remove", "channel"), "Write a log file no longer.", remove_channel, "NAME", 1, 1, _added),
    Command(("logger", "show", "levels"), "List the levels of log lines.", show_levels),
    Command(
        ("logger", "set", "level"), "Show lines of a level on consoles, or do not.", set_level, "LEVEL on|off", 2, 2,
        _levels,
    ),
    Command(("logger", "show", "channels"), "List where log lines go.", show_channels),
    Command(("logger", "reload"), "Read logger.conf again and open the log files anew.", reload),
    Command(("logger", "rotate"), "Set log files aside and begin new ones.", rotate),
)  # fmt: skip
