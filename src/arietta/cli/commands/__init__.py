"""The console's commands, one file per group; `all_commands` is the whole set."""

from __future__ import annotations

from arietta.cli.commands.registry import Command, CommandError, Commands, Console, Reply


def all_commands() -> Commands:
    """Every command of the console."""
    from arietta.cli.commands import ari, bridge, channel, core, dialplan, logger, pjsip, system

    groups = (ari, bridge, channel, core, dialplan, logger, pjsip, system)
    return Commands(command for group in groups for command in group.COMMANDS)


__all__ = ["Command", "CommandError", "Commands", "Console", "Reply", "all_commands"]
