"""Lists of what there is: technologies, access lists, presence, commands of AGI, limits of the process."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Sequence

from arietta.cli.commands.pjsip_objects import parameter_lines
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.commands.system import show_modules
from arietta.cli.tables import columns, fields, plural
from arietta.config.kinds import AccessRule
from arietta.dialplan.agi.commands import COMMANDS as AGI_COMMANDS
from arietta.stasis.presence import PREFIX, Presence

LIMITS = {
    "core": resource.RLIMIT_CORE,
    "cpu": resource.RLIMIT_CPU,
    "data": resource.RLIMIT_DATA,
    "descriptors": resource.RLIMIT_NOFILE,
    "files": resource.RLIMIT_FSIZE,
    "locked": resource.RLIMIT_MEMLOCK,
    "processes": resource.RLIMIT_NPROC,
    "stack": resource.RLIMIT_STACK,
    "memory": resource.RLIMIT_AS,
}
"""By the words for them."""
TECHNOLOGIES = {
    "pjsip": "SIP phones and trunks",
    "local": "Calls into the dialplan",
    "unicastrtp": "RTP to a program",
    "audiosocket": "Audio over TCP to a program",
    "websocket": "Audio over a WebSocket to a program",
}
"""What each driver is for."""


def show_technologies(console: Console, _: list[str]) -> str:
    drivers = console.switch.plan.registry.drivers
    rows = [(driver.technology, TECHNOLOGIES.get(key, "")) for key, driver in sorted(drivers.items())]
    lines = columns((14, 50), ("Type", "Description"), *rows)
    return "\n".join([*lines, f"{plural(len(rows), 'channel driver')} registered."])


def show_technology(console: Console, arguments: list[str]) -> str:
    driver = console.switch.plan.registry.driver(arguments[0])
    if driver is None:
        raise CommandError(f"{arguments[0]} is not a registered channel driver.")
    calls = sum(channel.technology == driver.technology for channel in console.switch.plan.registry)
    return "\n".join([
        f"-- Info about channel driver: {driver.technology} --",
        f"  Description: {TECHNOLOGIES.get(arguments[0].lower(), '')}",
        f"     Channels: {calls}",
    ])  # fmt: skip


def show_switches(_: Console, __: list[str]) -> str:
    return "There are no alternative switches: `switch =>` in the dialplan is refused."


def show_access_lists(console: Console, arguments: list[str]) -> str:
    acls = console.switch.config.acls
    if not arguments:
        return "\n".join(["acl", "---", *sorted(acls)])
    if arguments[0] not in acls:
        raise CommandError(f"ACL '{arguments[0]}' does not exist")
    return "\n".join([f"ACL: {arguments[0]}", "-" * 45, *map(_rule, acls[arguments[0]].access)])


def _rule(rule: AccessRule) -> str:
    return f"  {'ALLOW' if rule.permit else 'DENY '} - {rule.network}"


def show_agi_commands(_: Console, arguments: list[str]) -> str:
    wanted = tuple(word.lower() for word in arguments)
    found = [one for words, one in sorted(AGI_COMMANDS.items()) if words[: len(wanted)] == wanted]
    if not found:
        raise CommandError(f"No AGI command begins with '{' '.join(arguments)}'")
    if len(found) == 1 and wanted:
        return f"{found[0].syntax}\n{found[0].summary}"
    rows = [(" ".join(one.words), one.summary) for one in found]
    return "\n".join(columns((34, 70), ("Command", "Description"), *rows))


def show_features(console: Console, _: list[str]) -> str:
    features = console.switch.config.features
    lines = []
    for title, settings in (("General", features.general), ("Keys", features.map)):
        lines += [f"{title}:", "", *parameter_lines(settings), ""]
    return "\n".join(lines[:-1])


def list_presences(console: Console, _: list[str]) -> str:
    rows = [
        (f"CustomPresence:{name.removeprefix(PREFIX)}", one.state, one.subtype, one.message)
        for name, one in console.switch.presences.items()
    ]
    return "\n".join(columns((40, 14, 20, 40), ("Name", "State", "Subtype", "Message"), *rows))


def change_presence(console: Console, arguments: list[str]) -> str:
    provider, value = arguments
    state, subtype, message, *_ = [*value.split(",", 2), "", ""]
    try:
        console.switch.presences.set(provider, Presence(state, subtype, message))
    except ValueError as problem:
        raise CommandError(str(problem)) from None
    return f"Changed {provider} to {value}"


def show_limits(_: Console, arguments: list[str]) -> str:
    if arguments and arguments[0] not in LIMITS:
        raise CommandError(f"'{arguments[0]}' is none of {', '.join(LIMITS)}")
    lines = []
    for name, number in LIMITS.items():
        if not arguments or arguments[0] == name:
            soft = resource.getrlimit(number)[0]
            lines.append(f"{name:<12} (soft) {'unlimited' if soft == resource.RLIM_INFINITY else soft}")
    return "\n".join(lines)


def show_metrics_status(console: Console, _: list[str]) -> str:
    settings = console.switch.config.prometheus
    pairs = (
        ("Prometheus", "enabled" if settings.enabled else "disabled"),
        ("URI", settings.path if settings.enabled else "(no page)"),
        ("Auth user", settings.auth_username or "(none)"),
    )
    return "\n".join(fields(pairs, indent=0))


def show_modules_like(console: Console, arguments: list[str]) -> str:
    return show_modules(console, ["like", arguments[0]])


def _acls(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else console.switch.config.acls


def _technologies(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else TECHNOLOGIES


def _limits(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else LIMITS


COMMANDS = (
    Command(("core", "show", "channeltypes"), "List what makes channels.", show_technologies),
    Command(
        ("core", "show", "channeltype"), "Show one of what makes channels.", show_technology, "NAME", 1, 1,
        _technologies,
    ),
    Command(("core", "show", "switches"), "Tell that there are no switches.", show_switches),
    Command(("acl", "show"), "List the access lists, or show one.", show_access_lists, "[NAME]", 0, 1, _acls),
    Command(("agi", "show", "commands"), "List the commands of AGI.", show_agi_commands, "[COMMAND]", 0, 4),
    Command(("features", "show"), "Show what those who talk can ask for with their keys.", show_features),
    Command(("presencestate", "list"), "List the presence that was set.", list_presences),
    Command(
        ("presencestate", "change"), "Set the presence of somebody.", change_presence,
        "CustomPresence:NAME STATE[,SUBTYPE[,MESSAGE]]", 2, 2,
    ),
    Command(("prometheus", "show", "status"), "Show where metrics are read.", show_metrics_status),
    Command(("ulimit",), "Show what the process may use.", show_limits, "[LIMIT]", 0, 1, _limits),
    Command(("module", "show", "like"), "List parts with a word in their names.", show_modules_like, "WORD", 1, 1),
)  # fmt: skip
