"""pjsip_wizard.conf: phones and trunks in one section each, written out as the sections of pjsip.conf they stand for.

Every option made here keeps the place of the wizard's line it comes from, so that whatever is wrong with an object is
reported where somebody can mend it. Not done: provisioning of phones.
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar

import msgspec

from arietta.config.ari import keep, unknown_type
from arietta.config.conf import ConfFile, Option, Section
from arietta.config.kinds import Bool, Choice, Text, TextList
from arietta.config.settings import Placed, Report, Settings

REMOTE_HOST, USERNAME = "${REMOTE_HOST}", "${USERNAME}"
OBJECTS = ("endpoint", "aor", "inbound_auth", "outbound_auth", "identify", "registration")
"""What may stand before the slash of `endpoint/context = default`."""


class Wizard(Settings, frozen=True, kw_only=True, eq=False):
    """A phone or a trunk; `endpoint/context = default` and the like are options of the objects it is made of."""

    TITLE: ClassVar[str] = "pjsip_wizard.conf type=wizard"

    type: Annotated[str, Choice("Kind of the section.", "wizard")] = "wizard"
    sends_auth: Annotated[bool, Bool("Whether challenges are answered: needs outbound_auth/username.")] = False
    accepts_auth: Annotated[bool, Bool("Whether its requests are challenged: needs inbound_auth/username.")] = False
    sends_registrations: Annotated[bool, Bool("Whether we register with each of the remote hosts.")] = False
    accepts_registrations: Annotated[
        bool, Bool("Whether it registers here: as often as aor/max_contacts says, which is 1 if it is not written.")
    ] = False
    remote_hosts: Annotated[
        tuple[str, ...], TextList("Hosts, a port may follow each: contacts, and addresses its requests come from.")
    ] = ()
    transport: Annotated[str, Text("Transport of the endpoint and of the registrations.")] = ""
    outbound_proxy: Annotated[str, Text("SIP URI of the proxy that everything is sent through.")] = ""
    server_uri_pattern: Annotated[str, Text("Registrar for a remote host.")] = f"sip:{REMOTE_HOST}"
    client_uri_pattern: Annotated[str, Text("What is registered with a remote host.")] = f"sip:{USERNAME}@{REMOTE_HOST}"
    contact_pattern: Annotated[str, Text("Contact for a remote host.")] = f"sip:{REMOTE_HOST}"
    sends_line_with_registrations: Annotated[
        bool, Bool("Whether calls of the registrar are recognised by a parameter instead of their address.")
    ] = False
    has_phoneprov: Annotated[bool, Bool("Whether the phone gets its configuration from here.")] = False
    has_hint: Annotated[bool, Bool("Whether the dialplan gets a hint, and a step where hint_application is set.")] = (
        False
    )
    hint_context: Annotated[str, Text("Context of the hint; that of the endpoint if empty.")] = ""
    hint_exten: Annotated[str, Text("Extension of the hint.")] = ""
    hint_application: Annotated[str, Text("First step of that extension, such as `Dial(${HINT})`.")] = ""


class Wizards(msgspec.Struct, frozen=True):
    """pjsip_wizard.conf written out."""

    wizards: dict[str, Wizard] = msgspec.field(default_factory=dict)
    objects: tuple[Section, ...] = ()
    """Sections as pjsip.conf has them."""
    contexts: tuple[Section, ...] = ()
    """Sections as extensions.conf has them."""


def read_wizards(file: ConfFile, report: Report) -> Wizards:
    """The objects and extensions that the wizards stand for; what is missing for one goes to the report."""
    wizards: dict[str, Wizard] = {}
    objects: list[Section] = []
    contexts: list[Section] = []
    for section in file.active():
        if section.get("type").lower() != "wizard":
            unknown_type(section, "wizard", report)
            continue
        known = len(wizards)
        own = tuple(option for option in section.options if "/" not in option.name)
        wizard = keep(Wizard, msgspec.structs.replace(section, options=own), wizards, report)
        if len(wizards) == known:
            continue
        parts = _parts(section, report)
        if _complete(wizard, parts, report):
            objects += _objects(wizard, parts, report)
            contexts += _extensions(wizard, parts)
    return Wizards(wizards, tuple(objects), tuple(contexts))


def with_sections(file: ConfFile, sections: tuple[Section, ...]) -> ConfFile:
    """A file with more sections than are written in it."""
    return msgspec.structs.replace(file, sections=(*file.sections, *sections)) if sections else file


Parts = dict[str, tuple[Option, ...]]


def _parts(section: Section, report: Report) -> Parts:
    """The options of each object, without the object's name."""
    parts: dict[str, list[Option]] = {name: [] for name in OBJECTS}
    for option in section.options:
        prefix, slash, name = option.name.partition("/")
        if not slash:
            continue
        prefix = prefix.strip().lower()
        if prefix == "phoneprov":
            report.error(option, f"{option.name} is not supported by this version: phones are not provisioned")
        elif prefix not in parts:
            report.warn(option, f"{option.name} is not an option of {', '.join(OBJECTS)}, it is ignored")
        else:
            parts[prefix].append(msgspec.structs.replace(option, name=name.strip()))
    return {name: tuple(options) for name, options in parts.items()}


def _complete(wizard: Wizard, parts: Parts, report: Report) -> bool:
    """Whether a wizard says everything that its objects need."""
    found = len(report.problems)
    for field, part in (("sends_auth", "outbound_auth"), ("accepts_auth", "inbound_auth")):
        if getattr(wizard, field) and not _value(parts[part], "username"):
            report.error(wizard.at(field), f"{field}=yes of wizard [{wizard.name}] needs {part}/username")
    if wizard.sends_registrations:
        at = wizard.at("sends_registrations")
        if not wizard.remote_hosts:
            report.error(at, f"sends_registrations=yes of wizard [{wizard.name}] needs remote_hosts")
        if USERNAME in wizard.client_uri_pattern and not _value(parts["outbound_auth"], "username"):
            report.error(at, f"sends_registrations=yes of wizard [{wizard.name}] needs outbound_auth/username")
    if wizard.has_hint and not wizard.hint_exten:
        report.error(wizard.at("has_hint"), f"has_hint=yes of wizard [{wizard.name}] needs hint_exten")
    return len(report.problems) == found


def _objects(wizard: Wizard, parts: Parts, report: Report) -> Iterable[Section]:
    """The sections of one wizard; what it says of an object itself comes last, so that it counts."""
    name = wizard.name
    sends, accepts = f"{name}-oauth", f"{name}-iauth"
    transport = _given(wizard, "transport", wizard.transport)
    proxy = _given(wizard, "outbound_proxy", wizard.outbound_proxy)
    line = _line(wizard) if wizard.sends_line_with_registrations else ()
    outbound_auth = _given(wizard, "outbound_auth", sends, "sends_auth") if wizard.sends_auth else ()
    inbound_auth = _given(wizard, "auth", accepts, "accepts_auth") if wizard.accepts_auth else ()
    contacts = [wizard.contact_pattern.replace(REMOTE_HOST, host) for host in wizard.remote_hosts]

    yield _section(
        wizard,
        name,
        "endpoint",
        *_given(wizard, "aors", name, "type"),
        *transport,
        *proxy,
        *inbound_auth,
        *outbound_auth,
        *parts["endpoint"],
    )
    yield _section(
        wizard,
        name,
        "aor",
        *(option for uri in contacts for option in _given(wizard, "contact", uri, "remote_hosts")),
        *(_given(wizard, "max_contacts", "1", "accepts_registrations") if wizard.accepts_registrations else ()),
        *proxy,
        *parts["aor"],
    )
    if wizard.accepts_auth:
        yield _section(wizard, accepts, "auth", *parts["inbound_auth"])
    else:
        _unused(parts, "inbound_auth", "accepts_auth=yes", report)
    if wizard.sends_auth:
        yield _section(wizard, sends, "auth", *parts["outbound_auth"])
    elif not wizard.sends_registrations:
        _unused(parts, "outbound_auth", "sends_auth=yes", report)
    if wizard.remote_hosts and not wizard.accepts_registrations and not wizard.sends_line_with_registrations:
        hosts = ",".join(_without_port(host) for host in wizard.remote_hosts)
        match = _given(wizard, "match", hosts, "remote_hosts")
        endpoint = _given(wizard, "endpoint", name, "remote_hosts")
        yield _section(wizard, f"{name}-identify", "identify", *endpoint, *match, *parts["identify"])
    else:
        _unused(parts, "identify", "remote_hosts, or with accepts_registrations=yes", report)
    if not wizard.sends_registrations:
        _unused(parts, "registration", "sends_registrations=yes", report)
        return
    username = _value(parts["outbound_auth"], "username")
    for number, host in enumerate(wizard.remote_hosts):
        server = wizard.server_uri_pattern.replace(REMOTE_HOST, host)
        client = wizard.client_uri_pattern.replace(REMOTE_HOST, host).replace(USERNAME, username)
        yield _section(
            wizard,
            f"{name}-reg-{number}",
            "registration",
            *_given(wizard, "server_uri", server, "server_uri_pattern"),
            *_given(wizard, "client_uri", client, "client_uri_pattern"),
            *transport,
            *proxy,
            *outbound_auth,
            *line,
            *parts["registration"],
        )


def _extensions(wizard: Wizard, parts: Parts) -> Iterable[Section]:
    """The hint of one wizard, with the step that calls it."""
    if not wizard.has_hint:
        return
    exten = wizard.hint_exten
    lines = list(_given(wizard, "exten", f"{exten},hint,PJSIP/{wizard.name}", "hint_exten", arrow=True))
    if wizard.hint_application:
        lines += _given(wizard, "exten", f"{exten},1,{wizard.hint_application}", "hint_application", arrow=True)
    context = wizard.hint_context or _value(parts["endpoint"], "context") or "default"
    yield Section(context, tuple(lines), wizard.file, wizard.line)


def _line(wizard: Wizard) -> tuple[Option, ...]:
    """What makes the registrar's calls those of the endpoint."""
    because = "sends_line_with_registrations"
    return (*_given(wizard, "line", "yes", because), *_given(wizard, "endpoint", wizard.name, because))


def _section(wizard: Wizard, name: str, kind: str, *options: Option) -> Section:
    return Section(name, (*_given(wizard, "type", kind), *options), wizard.file, wizard.line)


def _given(wizard: Wizard, name: str, value: str, because: str = "", *, arrow: bool = False) -> tuple[Option, ...]:
    """An option at the line of the wizard's option it comes from; none without a value."""
    at: Placed = wizard.at(because or name)
    return (Option(name, value, at.file, at.line, arrow),) if value else ()


def _value(options: tuple[Option, ...], name: str) -> str:
    return next((option.value for option in reversed(options) if option.name.lower() == name), "")


def _unused(parts: Parts, part: str, needed: str, report: Report) -> None:
    for option in parts[part][:1]:
        report.warn(option, f"{part}/{option.name} has no effect without {needed}")


def _without_port(host: str) -> str:
    """The host of `host`, `host:port` or `[IPv6]:port`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]
