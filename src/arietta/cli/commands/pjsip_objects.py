"""pjsip list, show, send, qualify …: the objects of pjsip.conf, without secrets, and what is asked of SIP."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from arietta.cli.commands.registry import Command, CommandError, Completer, Console, Handler
from arietta.cli.commands.system import reload_report
from arietta.cli.tables import columns, plural
from arietta.config.pjsip import PjsipSettings
from arietta.config.settings import Settings, declared

NOTHING = "No objects found."
ALL = "*all"
Objects = Callable[[PjsipSettings], Mapping[str, Settings]]

KINDS: dict[str, tuple[str, Objects]] = {
    "aor": ("aors", lambda pjsip: pjsip.aors),
    "auth": ("auths", lambda pjsip: pjsip.auths),
    "endpoint": ("endpoints", lambda pjsip: pjsip.endpoints),
    "identify": ("identifies", lambda pjsip: pjsip.identifies),
    "registration": ("registrations", lambda pjsip: pjsip.registrations),
    "transport": ("transports", lambda pjsip: pjsip.transports),
}
"""The kinds of objects with names: their plural, and where they are."""
SECRET_FIELDS = frozenset(("password_digest", "md5_cred", "oauth_secret", "refresh_token"))
CELLS = {
    "aor": ("max_contacts",),
    "auth": ("username",),
    "endpoint": ("context", "aors"),
    "identify": ("endpoint", "match"),
    "registration": ("server_uri", "outbound_auth"),
    "transport": ("protocol", "bind"),
}
"""What a list shows of each, behind its name."""


def parameter_lines(settings: Settings) -> list[str]:
    """Every option of an object with its value, but for what is secret."""
    lines = [f" {'ParameterName':<34} : ParameterValue", " " + "=" * 60]
    for entry in sorted(declared(type(settings)), key=lambda entry: entry.names[0]):
        value = getattr(settings, entry.field)
        is_secret = entry.kind.secret or entry.field in SECRET_FIELDS
        lines.append(f" {entry.names[0]:<34} : {'***' if is_secret and value else _shown(value)}".rstrip())
    return lines


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(_shown(item) for item in value)
    return "" if value is None else str(value)


def _lister(kind: str) -> Handler:
    """`pjsip list KINDS`: a line each."""

    def show(console: Console, _: list[str]) -> str:
        found = KINDS[kind][1](console.switch.config.pjsip)
        if not found:
            return NOTHING
        rows = [(name, *(_shown(getattr(one, field)) for field in CELLS[kind])) for name, one in sorted(found.items())]
        head = (f"<{kind.title()}>", *(f"<{field}>" for field in CELLS[kind]))
        return "\n".join([*columns((40, 30, 30)[: len(head)], head, *rows), "", f"Objects found: {len(found)}"])

    return show


def _shower(kind: str) -> Handler:
    """`pjsip show KIND NAME`: every option."""

    def show(console: Console, arguments: list[str]) -> str:
        found = KINDS[kind][1](console.switch.config.pjsip).get(arguments[0])
        if found is None:
            raise CommandError(f"Unable to find object {arguments[0]}.")
        return "\n".join([f" {kind.title()}:  {found.name}", "", *parameter_lines(found)])

    return show


def _names(kind: str) -> Completer:
    return lambda console, arguments: () if arguments else KINDS[kind][1](console.switch.config.pjsip)


def show_settings(console: Console, _: list[str]) -> str:
    pjsip = console.switch.config.pjsip
    lines = []
    for title, settings in (("Global", pjsip.general), ("System", pjsip.system), ("Guard", pjsip.guard)):
        lines += [f"{title} Settings:", "", *parameter_lines(settings), ""]
    return "\n".join(lines[:-1])


def show_contact(console: Console, arguments: list[str]) -> str:
    found = [one for one in console.switch.sip.contacts() if arguments[0] in (one.uri, f"{one.aor}/{one.uri}")]
    if not found:
        raise CommandError(f"Unable to find object {arguments[0]}.")
    one = found[0]
    trip = "nan" if one.roundtrip_usec is None else f"{one.roundtrip_usec / 1000:.3f} ms"
    expires = "never" if one.expires_in_s is None else f"in {one.expires_in_s} s"
    pairs = {
        "aor": one.aor, "endpoint": one.endpoint, "uri": one.uri, "status": one.status, "round trip": trip,
        "expires": expires, "user agent": one.user_agent, "via": one.via_address, "path": one.path,
        "call id": one.call_id,
    }  # fmt: skip
    return "\n".join(f" {name:<12} : {value}".rstrip() for name, value in pairs.items())


def list_contacts(console: Console, _: list[str]) -> str:
    found = console.switch.sip.contacts()
    rows = [(f"{one.aor}/{one.uri}", one.status) for one in found]
    if not rows:
        return NOTHING
    return "\n".join([*columns((60, 14), ("<Aor/ContactUri>", "<Status>"), *rows), "", f"Objects found: {len(found)}"])


def list_subscriptions(console: Console, _: list[str]) -> str:
    found = console.switch.sip.subscriptions()
    rows = [(one.endpoint, f"{one.resource}/{one.event}", one.expires_in_s) for one in found]
    if not rows:
        return NOTHING
    head = ("<Endpoint>", "<Resource/Event>", "<Expiry>")
    return "\n".join([*columns((24, 40, 10), head, *rows), "", f"Objects found: {len(found)}"])


def list_nothing(_: Console, __: list[str]) -> str:
    return NOTHING


def show_channels(console: Console, arguments: list[str]) -> str:
    views = [view for view in console.switch.channels() if view.snapshot.name.startswith("PJSIP/")]
    views = [view for view in views if not arguments or arguments[0] in view.snapshot.name]
    if not views:
        return NOTHING
    rows = [(v.snapshot.name, v.snapshot.state, v.codec, v.snapshot.dialplan.exten, v.peer) for v in views]
    head = ("<Channel>", "<State>", "<Codec>", "<Exten>", "<Bridged to>")
    return "\n".join([*columns((36, 8, 8, 16, 36), head, *rows), "", f"Objects found: {len(views)}"])


def list_ciphers(_: Console, __: list[str]) -> str:
    names = [cipher["name"] for cipher in ssl.create_default_context().get_ciphers()]
    return "\n".join(["Ciphers that can be used:", *names])


def show_version(_: Console, __: list[str]) -> str:
    return "There is no PJPROJECT here: SIP is Arietta's own. `core show version` tells which."


def qualify(console: Console, arguments: list[str]) -> str:
    console.switch.sip.qualify(arguments[0])
    return f"The contacts of endpoint {arguments[0]} are asked whether they are there."


def send_register(console: Console, arguments: list[str]) -> str:
    console.switch.sip.register(arguments[0])
    return "Re-registration sent"


def send_unregister(console: Console, arguments: list[str]) -> str:
    console.switch.sip.unregister(arguments[0])
    return "Unregistration sent"


def send_notify(console: Console, arguments: list[str]) -> str:
    option, kind, *targets = arguments
    if kind.lower() not in ("endpoint", "uri"):
        raise CommandError(f"'{kind}' is neither endpoint nor uri")
    sent = [console.switch.sip.notify(target, option) for target in targets]
    return f"Sending NOTIFY of type '{option}' to {plural(sum(sent), 'contact')}."


def _notify_words(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if not arguments:
        return console.switch.sip.notifications()
    if len(arguments) == 1:
        return ("endpoint", "uri")
    return console.switch.config.pjsip.endpoints if arguments[1] == "endpoint" else ()


async def reload(console: Console, _: list[str]) -> str:
    return await reload_report(console, ("res_pjsip.so",))


def _registrations(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else (ALL, *console.switch.config.pjsip.registrations)


def _contacts(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else [f"{one.aor}/{one.uri}" for one in console.switch.sip.contacts()]


def _of_kinds() -> Iterator[Command]:
    for kind, (several, _) in KINDS.items():
        yield Command(("pjsip", "list", several), f"List the {several}, a line each.", _lister(kind))
        if kind != "endpoint":
            summary = f"Show all options of the {kind} of a name."
            yield Command(("pjsip", "show", kind), summary, _shower(kind), "NAME", 1, 1, _names(kind))


COMMANDS = (
    *_of_kinds(),
    Command(("pjsip", "show", "auths"), "List the auth sections, without their secrets.", _lister("auth")),
    Command(("pjsip", "show", "identifies"), "List who is known by address or header.", _lister("identify")),
    Command(("pjsip", "show", "settings"), "Show what holds for all of SIP.", show_settings),
    Command(("pjsip", "list", "contacts"), "List where phones are reached, a line each.", list_contacts),
    Command(("pjsip", "show", "contact"), "Show all about a contact.", show_contact, "[AOR/]URI", 1, 1, _contacts),
    Command(("pjsip", "list", "channels"), "List the calls of SIP.", show_channels),
    Command(("pjsip", "show", "channels"), "List the calls of SIP, all or some.", show_channels, "[WORD]", 0, 1),
    Command(("pjsip", "list", "subscriptions", "inbound"), "List who subscribes to what with us.", list_subscriptions),
    Command(("pjsip", "list", "subscriptions", "outbound"), "List our subscriptions: there are none.", list_nothing),
    Command(("pjsip", "show", "resource_lists"), "List the lists of resources: there are none.", list_nothing),
    Command(("pjsip", "list", "ciphers"), "List the ciphers of TLS.", list_ciphers),
    Command(("pjsip", "show", "version"), "Tell that there is no PJPROJECT.", show_version),
    Command(
        ("pjsip", "qualify"), "Ask the contacts of an endpoint whether they are there.", qualify, "ENDPOINT", 1, 1,
        _names("endpoint"),
    ),
    Command(("pjsip", "send", "register"), "Register elsewhere now.", send_register, "NAME|*all", 1, 1, _registrations),
    Command(
        ("pjsip", "send", "unregister"), "End a registration elsewhere.", send_unregister, "NAME|*all", 1, 1,
        _registrations,
    ),
    Command(
        ("pjsip", "send", "notify"), "Send what a section of pjsip_notify.conf says.", send_notify,
        "SECTION endpoint NAME ... | uri URI ...", 3, 100, _notify_words,
    ),
    Command(("pjsip", "reload"), "Read pjsip.conf again; calls go on.", reload),
)  # fmt: skip
