"""channel …: end calls and start them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.core import channel_names, need_channel
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.switch import Originate
from arietta.cli.tables import plural


def request_hangup(console: Console, arguments: list[str]) -> str:
    if arguments[0].lower() == "all":
        views = console.switch.channels()
        for view in views:
            console.switch.hang_up(view.snapshot.id)
        return f"Requested hangup of {plural(len(views), 'channel')}."
    view = need_channel(console, arguments[0])
    console.switch.hang_up(view.snapshot.id)
    return f"Requested hangup of {view.snapshot.name}."


async def originate(console: Console, arguments: list[str]) -> str:
    endpoint, kind, target = arguments[0], arguments[1].lower(), arguments[2]
    technology, slash, resource = endpoint.partition("/")
    if not (technology and slash and resource):
        raise CommandError(f"'{endpoint}' is not TECHNOLOGY/resource")
    if kind == "application":
        call = Originate(endpoint, application=target, data=" ".join(arguments[3:]))
    elif kind == "extension":
        if len(arguments) > 3:
            raise CommandError(f"'{' '.join(arguments[3:])}' is more than an extension needs")
        exten, _, context = target.partition("@")
        call = Originate(endpoint, extension=exten, context=context or "default")
    else:
        raise CommandError(f"'{arguments[1]}' is neither application nor extension")
    return f"Calling {endpoint} as {await console.switch.originate(call)}."


def _names_and_all(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return ("all", *channel_names(console, arguments)) if not arguments else ()


def _originate_words(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if not arguments:
        return [f"{endpoint.technology}/{endpoint.resource}" for endpoint in console.switch.endpoints()]
    if len(arguments) == 1:
        return ("application", "extension")
    if len(arguments) == 2 and arguments[1].lower() == "application":
        return [application.name for application in console.switch.dialplan_applications()]
    if len(arguments) == 2:
        return [f"{e.name}@{c.name}" for c in console.switch.contexts() for e in c.extensions]
    return ()


COMMANDS = (
    Command(
        ("channel", "request", "hangup"), "End a channel, or all.", request_hangup, "NAME|all", 1, 1, _names_and_all
    ),
    Command(
        ("channel", "originate"),
        "Call an endpoint and connect it with an application or an extension.",
        originate,
        "TECH/RESOURCE application NAME [DATA] | extension EXTEN@CONTEXT",
        3,
        100,
        _originate_words,
    ),
)
