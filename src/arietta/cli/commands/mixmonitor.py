"""mixmonitor …: recordings of calls that go on."""

from __future__ import annotations

from arietta.channels.channel import Channel
from arietta.cli.commands.core import channel_names
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, plural
from arietta.dialplan.applications import mixmonitor


def _channel(console: Console, name: str) -> Channel:
    found = console.switch.plan.registry.find(name)
    if found is None:
        raise CommandError(f"{name} is not a known channel")
    return found


def start(console: Console, arguments: list[str]) -> str:
    channel = _channel(console, arguments[0])
    monitor, _ = mixmonitor.start(console.switch.plan, channel, " ".join(arguments[1:]), inside=True)
    return f"{channel.name} is recorded into {monitor.filename} by {monitor.id}."


def stop(console: Console, arguments: list[str]) -> str:
    channel = _channel(console, arguments[0])
    ended = mixmonitor.stop(channel, arguments[1] if len(arguments) > 1 else "")
    if not ended:
        raise CommandError(f"{channel.name} is not recorded" + (f" by {arguments[1]}" if len(arguments) > 1 else ""))
    return f"{plural(len(ended), 'recording')} of {channel.name} ended."


def show(console: Console, arguments: list[str]) -> str:
    monitors = mixmonitor.monitors_of(_channel(console, arguments[0])).values()
    rows = [(monitor.id, monitor.filename) for monitor in monitors]
    return "\n".join(columns((14, 80), ("MixMonitor ID", "File"), *rows))


COMMANDS = (
    Command(
        ("mixmonitor", "start"), "Record a call while it goes on.", start, "CHANNEL FILE[,OPTIONS[,COMMAND]]", 2, 100,
        channel_names,
    ),
    Command(
        ("mixmonitor", "stop"), "End the recordings of a call, or one.", stop, "CHANNEL [ID]", 1, 2, channel_names
    ),
    Command(("mixmonitor", "list"), "List the recordings of a call.", show, "CHANNEL", 1, 1, channel_names),
)  # fmt: skip
