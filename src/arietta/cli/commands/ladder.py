"""pjsip show ladder …, pjsip set logger …: what SIP said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console

WORDS = ("with-peer", "json")


def show_ladder(console: Console, arguments: list[str]) -> str:
    from arietta.cli import ladders

    name, words = arguments[0], [word.lower() for word in arguments[1:]]
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise CommandError(f"'{unknown[0]}' is none of {', '.join(WORDS)}")
    calls = console.switch.sip.ladder(name, with_peer="with-peer" in words)
    return ladders.as_json(calls) if "json" in words else ladders.draw(calls)


def show_ladders(console: Console, arguments: list[str]) -> str:
    from arietta.cli import ladders

    calls = console.switch.sip.calls()
    if arguments and arguments[0].lower() != "json":
        raise CommandError(f"'{arguments[0]}' is not json")
    return ladders.as_json(calls) if arguments else ladders.table(calls)


def set_logger(console: Console, arguments: list[str]) -> str:
    return console.switch.sip.log(arguments)


def _recorded(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if arguments:
        return WORDS
    return [call.channel or call.call_id for call in console.switch.sip.calls()]


def _logger_words(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if not arguments:
        return ("on", "off", "host", "add", "verbose", "pcap")
    return ("on", "off") if arguments == ["verbose"] else ()


COMMANDS = (
    Command(
        ("pjsip", "show", "ladder"),
        "Draw the SIP of a call, by channel or Call-ID, also of one that has ended.",
        show_ladder,
        "CHANNEL [with-peer] [json]",
        1,
        3,
        _recorded,
    ),
    Command(("pjsip", "show", "ladders"), "List the calls whose SIP is kept.", show_ladders, "[json]", 0, 1),
    Command(
        ("pjsip", "set", "logger"),
        "Write SIP messages to the log, of all peers or some, and to a capture file in the log folder.",
        set_logger,
        "on|off|host ADDRESS|add ADDRESS|verbose on|off|pcap FILE",
        1,
        2,
        _logger_words,
    ),
)
