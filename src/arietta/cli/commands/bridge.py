"""bridge …: channels that hear each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, fields


def show_all(console: Console, _: list[str]) -> str:
    widths = (36, 5, 15, 15, 40)
    lines = columns(widths, ("Bridge-ID", "Chans", "Type", "Technology", "Name"))
    rows = ((b.id, len(b.channels), b.bridge_class, b.technology, b.name) for b in console.switch.bridges())
    return "\n".join([*lines, *columns(widths, *rows)])


def show(console: Console, arguments: list[str]) -> str:
    found = next((bridge for bridge in console.switch.bridges() if bridge.id == arguments[0]), None)
    if found is None:
        raise CommandError(f"Bridge '{arguments[0]}' not found")
    lines = fields(
        (
            ("Id", found.id),
            ("Name", found.name),
            ("Type", found.bridge_class),
            ("Kind", found.bridge_type),
            ("Technology", found.technology),
            ("Creator", found.creator),
            ("Created", found.creationtime),
            ("Num-Channels", len(found.channels)),
        ),
        14,
        0,
    )
    for channel_id in found.channels:
        view = console.switch.channel(channel_id)
        lines.append(f"Channel: {view.snapshot.name if view is not None else channel_id}")
    return "\n".join(lines)


def kick(console: Console, arguments: list[str]) -> str:
    bridge_id, channel = arguments
    console.switch.kick(bridge_id, channel)
    return f"Kicking channel '{channel}' from bridge '{bridge_id}'"


def destroy(console: Console, arguments: list[str]) -> str:
    console.switch.destroy_bridge(arguments[0])
    return f"Destroying bridge '{arguments[0]}'"


def _ids_and_members(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if not arguments:
        return _ids(console, arguments)
    members = [ident for b in console.switch.bridges() if b.id == arguments[0] for ident in b.channels]
    views = [console.switch.channel(ident) for ident in members]
    return [view.snapshot.name for view in views if view is not None] if len(arguments) == 1 else ()


def _ids(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return (bridge.id for bridge in console.switch.bridges()) if not arguments else ()


COMMANDS = (
    Command(("bridge", "show", "all"), "List the bridges.", show_all),
    Command(("bridge", "show"), "Show one bridge with its channels.", show, "ID", 1, 1, _ids),
    Command(("bridge", "kick"), "Take a channel out of a bridge.", kick, "ID CHANNEL", 2, 2, _ids_and_members),
    Command(("bridge", "destroy"), "End a bridge; its channels leave it.", destroy, "ID", 1, 1, _ids),
)
