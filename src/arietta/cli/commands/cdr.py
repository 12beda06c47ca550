"""cdr … and cel …: the records of calls and the log of channels."""

from __future__ import annotations

import msgspec

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns
from arietta.config.cel import EVENTS
from arietta.server.records import Records


def _records(console: Console) -> Records:
    return console.switch.records


def _word(*, is_on: bool) -> str:
    return "Enabled" if is_on else "Disabled"


def show_status(console: Console, _: list[str]) -> str:
    records = _records(console)
    general = records.calls.settings
    lines = [
        "Call Detail Record (CDR) settings",
        "----------------------------------",
        f"  Logging:                    {_word(is_on=records.calls.running)}",
        f"  Mode:                       {'Batch' if general.batch else 'Simple'}",
        f"  Log calls by default:       {'Yes' if general.channeldefaultenabled else 'No'}",
        f"  Log unanswered calls:       {'Yes' if general.unanswered else 'No'}",
        f"  Log congestion:             {'Yes' if general.congestion else 'No'}",
    ]
    if general.batch:
        lines += [
            "",
            "* Batch Mode Settings",
            "  -------------------",
            f"  Safe shutdown:              {_word(is_on=general.safeshutdown)}",
            f"  Current batch size:         {records.waiting} record{'' if records.waiting == 1 else 's'}",
            f"  Maximum batch size:         {general.size} records",
            f"  Maximum batch time:         {general.time} seconds",
        ]
    names = records.call_backends.names() if records.calls.running else ()
    lines += ["", "* Registered Backends", "  -------------------", *(f"    {name}" for name in names or ("(none)",))]
    if records.writer.lost:
        lines += ["", f"  Lost, see the log:          {records.writer.lost}"]
    return "\n".join(lines)


def show_active(console: Console, arguments: list[str]) -> str:
    calls = _records(console).calls
    widths = (24, 24, 24, 8, 8, 12)
    lines = columns(widths, ("Channel", "Dst. Channel", "LastApp", "Duration", "Billsec", "Disposition"))
    parties = [one for one in calls.parties() if not arguments or arguments[0] in (one.channel.name, one.channel.id)]
    if arguments and not parties:
        raise CommandError(f"No channel {arguments[0]} has records")
    for party in parties:
        for one in party.open if not arguments else party.records:
            row = (one.channel, one.dstchannel, one.lastapp, one.duration, one.billsec, one.shown_disposition)
            lines += columns(widths, row)
    return "\n".join(lines)


def submit(console: Console, _: list[str]) -> str:
    records = _records(console)
    count = records.waiting
    records.submit()
    return f"Submitted {count} record{'' if count == 1 else 's'} to the backends."


def set_debug(console: Console, arguments: list[str]) -> str:
    if arguments[0].lower() not in ("on", "off"):
        raise CommandError(f"{arguments[0]} is neither on nor off")
    is_on = arguments[0].lower() == "on"
    calls = _records(console).calls
    calls.settings = msgspec.structs.replace(calls.settings, debug=is_on)
    return f"CDR debugging {'enabled' if is_on else 'disabled'}"


def show_log(console: Console, _: list[str]) -> str:
    records = _records(console)
    settings = records.channel_log.settings
    lines = [f"CEL Logging: {_word(is_on=records.channel_log.running)}"]
    if records.channel_log.running:
        lines += [f"CEL Tracking Event: {name}" for name in EVENTS if name in settings.wanted]
        lines += [f"CEL Tracking Application: {name}" for name in settings.apps]
        lines += [f"CEL Event Subscriber: {name}" for name in records.log_backends.names()]
    return "\n".join(lines)


COMMANDS = (
    Command(("cdr", "show", "status"), "Show how calls are recorded.", show_status),
    Command(("cdr", "show", "active"), "List the records that have not ended.", show_active, "[CHANNEL]", 0, 1),
    Command(("cdr", "submit"), "Write the records that wait for their batch.", submit),
    Command(("cdr", "set", "debug"), "Let the log tell every change of a record.", set_debug, "on|off", 1, 1),
    Command(("cel", "show", "status"), "Show what is logged of channels.", show_log),
)
