"""manager …: the manager interface, its users, sessions and actions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, fields, plural, yes_no
from arietta.manager.declared import ACTIONS
from arietta.manager.domain import CommandLine
from arietta.manager.events import KINDS


def show_commands(_: Console, __: list[str]) -> str:
    rows = [(one.name, one.summary) for _, one in sorted(ACTIONS.items())]
    return "\n".join([*columns((40, 40), ("Action", "Synopsis"), ("------", "--------")), *columns((40, 40), *rows)])


def show_command(_: Console, arguments: list[str]) -> str:
    found = ACTIONS.get(arguments[0].lower())
    if found is None:
        raise CommandError(f"There is no action {arguments[0]}")
    lines = [f"Action: {found.name}", "", "[Synopsis]", found.summary, "", "[Syntax]", found.syntax]
    if found.headers:
        lines += ["", "[Arguments]", *(f"{name}: {meaning}" for name, meaning in found.headers)]
    lines += ["", "[Privilege]", found.privilege]
    if found.lacks:
        lines += ["", "[Not here]", found.lacks]
    return "\n".join(lines)


def show_events(_: Console, __: list[str]) -> str:
    rows = [(kind.name, kind.told) for _, kind in sorted(KINDS.items(), key=lambda item: item[0].lower())]
    return "\n".join(columns((28, 80), ("Event", "When"), *rows))


def show_event(_: Console, arguments: list[str]) -> str:
    found = next((kind for name, kind in KINDS.items() if name.lower() == arguments[0].lower()), None)
    if found is None:
        raise CommandError(f"There is no event {arguments[0]}")
    lines = [f"Event: {found.name}", "", "[Synopsis]", found.told, "", "[Privilege]", found.privilege]
    return "\n".join([*lines, *(["", "[Not here]", found.lacks] if found.lacks else [])])


def show_connected(console: Console, _: list[str]) -> str:
    sessions = console.switch.manager_sessions()
    widths = (16, 40, 12, 10, 10)
    header = columns(widths, ("Username", "Address", "Connected", "Transport", "Events"))
    now = time.time()
    rows = [(one.user, one.address, int(now - one.since), one.transport, one.events_sent) for one in sessions]
    return "\n".join([*header, *columns(widths, *rows), f"{plural(len(sessions), 'user')} connected."])


def show_event_queue(console: Console, _: list[str]) -> str:
    sessions = console.switch.manager_sessions()
    rows = [(one.user, one.address, one.waiting_bytes) for one in sessions]
    return "\n".join(columns((16, 40, 12), ("Username", "Address", "Bytes"), *rows))


def show_settings(console: Console, _: list[str]) -> str:
    general = console.switch.config.manager.general
    pairs = (
        ("Manager (AMI)", yes_no(general.enabled)),
        ("Web Manager (AMI/HTTP)", yes_no(general.webenabled)),
        ("TCP Bindaddress", f"{general.bindaddr or '(all)'}:{general.port}"),
        ("HTTP Timeout (seconds)", general.httptimeout),
        ("TLS Enable", yes_no(general.tlsenable)),
        ("TLS Bindaddress", general.tlsbindaddr or "(none)"),
        ("TLS Certfile", general.tlscertfile or "(none)"),
        ("Allow multiple login", yes_no(general.allowmultiplelogin)),
        ("Display connects", yes_no(general.displayconnects)),
        ("Timestamp events", yes_no(general.timestampevents)),
        ("Channel vars", ",".join(general.channelvars) or "(none)"),
        ("Disabled events", ",".join(general.disabledevents) or "(none)"),
        ("Debug", yes_no(general.debug)),
    )
    return "\n".join(["Global Settings:", *fields(pairs)])


def show_users(console: Console, _: list[str]) -> str:
    users = console.switch.config.manager.users
    return "\n".join(["Username", "--------", *sorted(users), "-" * 19, f"{plural(len(users), 'user')} configured."])


def show_user(console: Console, arguments: list[str]) -> str:
    user = console.switch.config.manager.users.get(arguments[0])
    if user is None:
        raise CommandError(f"There is no manager user called {arguments[0]}")
    pairs = (
        ("Username", user.name),
        ("Secret", "<Set>" if user.secret else "<Not set>"),
        ("ACL", yes_no(bool(user.access or user.acl))),
        ("Read perm", ",".join(user.read)),
        ("Write perm", ",".join(user.write)),
        ("Event filters", len(user.filters)),
        ("Variables", ", ".join(f"{name}={value}" for name, value in user.setvar)),
    )
    return "\n".join(fields(pairs, indent=0))


async def reload(console: Console, _: list[str]) -> str:
    return "\n".join(await console.switch.reload(("manager",)))


def command_line(console: Console) -> CommandLine:
    """What carries out the commands of the action Command."""

    async def run(line: str) -> tuple[str, int]:
        reply = await console.commands.run(console, line)
        return reply.output, reply.status

    return run


def _actions(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return (one.name for one in ACTIONS.values()) if not arguments else ()


def _events(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else KINDS


def _users(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return console.switch.config.manager.users if not arguments else ()


COMMANDS = (
    Command(("manager", "show", "commands"), "List the actions of the manager interface.", show_commands),
    Command(
        ("manager", "show", "command"), "Explain an action.", show_command, "ACTION", least=1, most=1, complete=_actions
    ),
    Command(("manager", "show", "events"), "List the events of the manager interface.", show_events),
    Command(("manager", "show", "event"), "Explain an event.", show_event, "EVENT", 1, 1, _events),
    Command(("manager", "show", "connected"), "List the sessions of the manager interface.", show_connected),
    Command(("manager", "show", "eventq"), "Show what waits to be sent to each session.", show_event_queue),
    Command(("manager", "show", "settings"), "Show the settings of the manager interface.", show_settings),
    Command(("manager", "show", "users"), "List the users of the manager interface.", show_users),
    Command(
        ("manager", "show", "user"), "Show a user without the secret.", show_user, "USER", least=1, most=1,
        complete=_users,
    ),
    Command(("manager", "reload"), "Read manager.conf and acl.conf again.", reload),
)  # fmt: skip
