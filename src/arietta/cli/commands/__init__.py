"""The console's commands, one file per group; `all_commands` is the whole set."""

from __future__ import annotations

from collections.abc import Iterator

from arietta.cli.commands.registry import Command, CommandError, Commands, Console, Reply


def all_commands() -> Commands:
    """Every command of the console; their files are imported when the first one is wanted."""
    return Commands(_every_command())


def _every_command() -> Iterator[Command]:
    from arietta.cli.commands import (
        ari,
        bridge,
        cdr,
        channel,
        core,
        database,
        dialplan,
        ladder,
        logger,
        manager,
        media,
        pjsip,
        system,
    )

    first = (ari, bridge, cdr, channel, core, database, dialplan)
    for group in (*first, ladder, logger, manager, media, pjsip, system):
        yield from group.COMMANDS


__all__ = ["Command", "CommandError", "Commands", "Console", "Reply", "all_commands"]
