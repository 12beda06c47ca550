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
        ari_sockets,
        bridge,
        cdr,
        channel,
        core,
        database,
        dialplan,
        dialplan_changes,
        ladder,
        lists,
        logger,
        manager,
        media,
        mixmonitor,
        pjsip,
        pjsip_objects,
        sounds,
        system,
    )

    first = (ari, ari_sockets, bridge, cdr, channel, core, database, dialplan, dialplan_changes)
    for group in (*first, ladder, lists, logger, manager, media, mixmonitor, pjsip, pjsip_objects, sounds, system):
        yield from group.COMMANDS


__all__ = ["Command", "CommandError", "Commands", "Console", "Reply", "all_commands"]
