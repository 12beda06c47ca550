"""pjsip …: SIP phones and trunks, where they are reached, and what we listen on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.pjsip_objects import parameter_lines
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns
from arietta.config.endpoint import Endpoint
from arietta.model import shown

# What a device state is called where endpoints are listed.
_DEVICE_WORDS = {
    "NOT_INUSE": "Not in use",
    "INUSE": "In use",
    "BUSY": "Busy",
    "INVALID": "Invalid",
    "UNAVAILABLE": "Unavailable",
    "RINGING": "Ringing",
    "RINGINUSE": "Ring+Inuse",
    "ONHOLD": "On Hold",
}
# What a contact's state is called where contacts are listed.
_CONTACT_WORDS = {"Reachable": "Avail", "Unreachable": "Unavail", "NonQualified": "NonQual"}
_NOTHING = "No objects found."


def _device(console: Console, name: str) -> str:
    return _DEVICE_WORDS.get(console.switch.device_state(f"PJSIP/{name}"), "Unknown")


def _summary(console: Console, name: str, settings: Endpoint) -> list[str]:
    """One endpoint with what belongs to it, a line each."""
    pjsip = console.switch.config.pjsip
    calls = sum(1 for view in console.switch.channels() if view.snapshot.name.rpartition("-")[0] == f"PJSIP/{name}")
    caller = f"/{settings.callerid.number}" if settings.callerid.number else ""
    limit = settings.device_state_busy_at or "inf"
    lines = [f" Endpoint:  {name + caller:<42} {_device(console, name):<12} {calls} of {limit}"]
    for auth in settings.auth:
        user = pjsip.auths[auth].username if auth in pjsip.auths else ""
        lines.append(f"     InAuth:  {auth}/{user}")
    for auth in settings.outbound_auth:
        user = pjsip.auths[auth].username if auth in pjsip.auths else ""
        lines.append(f"    OutAuth:  {auth}/{user}")
    for aor in settings.aors:
        most = pjsip.aors[aor].max_contacts if aor in pjsip.aors else 0
        lines.append(f"        Aor:  {aor:<42} {most}")
        lines += [f"      {line}" for line in _contact_lines(c for c in console.switch.sip.contacts() if c.aor == aor)]
    if settings.transport in pjsip.transports:
        lines.append(f"  Transport:  {_transport_cells(console, settings.transport)}")
    for identify in pjsip.identifies.values():
        if identify.endpoint == name:
            lines.append(f"   Identify:  {identify.name}/{name}")
            lines += [f"        Match: {match}" for match in identify.match]
    lines += [
        f"    Channel: {view.snapshot.name:<42} {view.snapshot.state:<8} {view.snapshot.dialplan.app_name}".rstrip()
        for view in console.switch.channels()
        if view.snapshot.name.rpartition("-")[0] == f"PJSIP/{name}"
    ]
    return lines


def show_endpoints(console: Console, _: list[str]) -> str:
    endpoints = console.switch.config.pjsip.endpoints
    if not endpoints:
        return _NOTHING
    lines = [f" Endpoint:  {'<Endpoint/CID>':<42} {'<State>':<12} <Channels>", "=" * 80]
    for name, settings in sorted(endpoints.items()):
        lines += [*_summary(console, name, settings), ""]
    return "\n".join([*lines, f"Objects found: {len(endpoints)}"])


def show_endpoint(console: Console, arguments: list[str]) -> str:
    name = arguments[0]
    settings = console.switch.config.pjsip.endpoints.get(name)
    if settings is None:
        raise CommandError(f"Unable to find object {name}.")
    return "\n".join([*_summary(console, name, settings), "", *parameter_lines(settings)])


def _contact_lines(contacts: Iterable[shown.Contact]) -> list[str]:
    return [
        f"Contact:  {f'{c.aor}/{c.uri}':<54} {_CONTACT_WORDS.get(c.status, c.status):<9} "
        f"{'nan' if c.roundtrip_usec is None else format(c.roundtrip_usec / 1000, '.3f'):>9}"
        for c in contacts
    ]


def show_contacts(console: Console, _: list[str]) -> str:
    contacts = console.switch.sip.contacts()
    if not contacts:
        return _NOTHING
    head = f"  Contact:  {'<Aor/ContactUri>':<54} {'<Status>':<9} {'<RTT(ms)>':>9} <Expires>"
    lines = [
        f"  {line} {'never' if c.expires_in_s is None else f'{c.expires_in_s} s'}"
        for c, line in zip(contacts, _contact_lines(contacts), strict=True)
    ]
    return "\n".join([head, "=" * 90, *lines, "", f"Objects found: {len(contacts)}"])


def show_aors(console: Console, _: list[str]) -> str:
    aors = console.switch.config.pjsip.aors
    if not aors:
        return _NOTHING
    lines = [f"      Aor:  {'<Aor>':<42} <MaxContact>", "=" * 80]
    for name, settings in sorted(aors.items()):
        lines.append(f"      Aor:  {name:<42} {settings.max_contacts}")
        lines += [f"    {line}" for line in _contact_lines(c for c in console.switch.sip.contacts() if c.aor == name)]
    return "\n".join([*lines, "", f"Objects found: {len(aors)}"])


def show_registrations(console: Console, _: list[str]) -> str:
    registrations = console.switch.sip.registrations()
    if not registrations:
        return _NOTHING
    widths = (48, 16, 30)
    lines = columns(widths, ("<Registration/ServerURI>", "<Auth>", "<Status>"))
    lines.append("=" * 80)
    for r in registrations:
        expiry = f" (exp. {r.next_in_s} s)" if r.next_in_s else ""
        lines += columns(widths, (f"{r.name}/{r.server_uri}", r.auth, r.status + expiry))
    return "\n".join([*lines, "", f"Objects found: {len(registrations)}"])


def show_inbound(console: Console, _: list[str]) -> str:
    found = console.switch.sip.subscriptions()
    if not found:
        return _NOTHING
    lines = ["Endpoint: <Endpoint>", "Resource: <Resource/Event>", "  Expiry: <Expires in> <Call-ID>", "=" * 80]
    for one in found:
        lines += ["", f"Endpoint: {one.endpoint}", f"Resource: {one.resource}/{one.event}"]
        lines.append(f"  Expiry: {f'{one.expires_in_s} s':<12} {one.call_id}")
    return "\n".join([*lines, "", f"Objects found: {len(found)}"])


def show_outbound(_: Console, __: list[str]) -> str:
    return f"{_NOTHING} We subscribe to nothing elsewhere."


def _transport_cells(console: Console, name: str) -> str:
    settings = console.switch.config.pjsip.transports[name]
    return f"{name:<26} {settings.protocol:<8} {settings.bind if settings.bind is not None else ''}".rstrip()


def show_transports(console: Console, _: list[str]) -> str:
    transports = console.switch.config.pjsip.transports
    if not transports:
        return _NOTHING
    lines = [f"Transport:  {'<TransportId>':<26} {'<Type>':<8} <BindAddress>", "=" * 80]
    lines += [f"Transport:  {_transport_cells(console, name)}" for name in sorted(transports)]
    return "\n".join([*lines, "", f"Objects found: {len(transports)}"])


def show_bans(console: Console, _: list[str]) -> str:
    bans = console.switch.sip.bans()
    if not bans:
        return _NOTHING
    widths = (44, 12, 10)
    lines = columns(widths, ("<Source>", "<Failures>", "<Ends in>"))
    lines.append("=" * 68)
    for ban in bans:
        lines += columns(widths, (ban.source, str(ban.failures), f"{ban.ends_in_s} s"))
    return "\n".join([*lines, "", f"Objects found: {len(bans)}"])


def unban(console: Console, arguments: list[str]) -> str:
    if not console.switch.sip.unban(arguments[0]):
        raise CommandError(f"{arguments[0]} is not banned")
    return f"{arguments[0]} is heard again."


def show_counters(console: Console, _: list[str]) -> str:
    counters = console.switch.sip.counters()
    return "\n".join(f"{name:<32} {counters[name]:>10}" for name in sorted(counters)) or _NOTHING


def _banned(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return [ban.source for ban in console.switch.sip.bans()] if not arguments else ()


def _endpoint_names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return console.switch.config.pjsip.endpoints if not arguments else ()


COMMANDS = (
    Command(("pjsip", "show", "endpoints"), "List SIP phones and trunks.", show_endpoints),
    Command(
        ("pjsip", "show", "endpoint"), "Show all about a phone or trunk.", show_endpoint, "NAME", 1, 1, _endpoint_names
    ),
    Command(("pjsip", "show", "contacts"), "List where phones are reached.", show_contacts),
    Command(("pjsip", "show", "aors"), "List the addresses of record.", show_aors),
    Command(("pjsip", "show", "registrations"), "List our registrations at other servers.", show_registrations),
    Command(("pjsip", "show", "transports"), "List what SIP listens on.", show_transports),
    Command(("pjsip", "show", "subscriptions", "inbound"), "List who subscribes to what with us.", show_inbound),
    Command(("pjsip", "show", "subscriptions", "outbound"), "List our subscriptions: there are none.", show_outbound),
    Command(("pjsip", "show", "bans"), "List who guessed passwords and is not heard for a while.", show_bans),
    Command(("pjsip", "show", "counters"), "Show what SIP took, dropped and refused.", show_counters),
    Command(("pjsip", "unban"), "Hear a banned source again.", unban, "ADDRESS", 1, 1, _banned),
)
