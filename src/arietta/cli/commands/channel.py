"""channel …: end calls and start them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.core import channel_names, need_channel
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.switch import Originate
from arietta.cli.tables import columns, plural


def request_hangup(console: Console, arguments: list[str]) -> str:
    if arguments[0].lower() == "all":
        views = console.switch.channels()
        for view in views:
            console.switch.hang_up(view.snapshot.id)
        return f"Requested hangup of {plural(len(views), 'channel')}."
    view = need_channel(console, arguments[0])
    console.switch.hang_up(view.snapshot.id)
    return f"Requested hangup of {view.snapshot.name}."


def redirect(console: Console, arguments: list[str]) -> str:
    view = need_channel(console, arguments[0])
    places = arguments[1].split(",")
    if len(places) > 3 or not all(places):
        raise CommandError(f"'{arguments[1]}' is not [[CONTEXT,]EXTEN,]PRIORITY")
    context, exten, priority = [""] * (3 - len(places)) + places
    console.switch.redirect(view.snapshot.id, context, exten, priority)
    return f"Channel '{view.snapshot.name}' successfully redirected to {arguments[1]}"


def show_groups(console: Console, arguments: list[str]) -> str:
    found = [row for row in console.switch.groups() if not arguments or arguments[0] in row[1]]
    lines = columns((25, 20, 20), ("Channel", "Group", "Category"), *((n, g, c or "(default)") for n, g, c in found))
    return "\n".join([*lines, plural(len(found), "active channel")])


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
        ("channel", "redirect"),
        "Send a channel to another place in the dialplan.",
        redirect,
        "NAME [[CONTEXT,]EXTEN,]PRIORITY",
        2,
        2,
        channel_names,
    ),
    Command(("group", "show", "channels"), "List the channels that are in groups.", show_groups, "[GROUP]", most=1),
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
