"""Who calls, as SIP says it: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Remote-Party-ID.

What comes in is believed of endpoints with trust_id_inbound only. What may not be shown goes out to endpoints with
trust_id_outbound only, beside an anonymous From. What changes within a call is told by `connected`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from arietta.channels.callerid import PRESENTATIONS
from arietta.channels.driver import Party
from arietta.config.endpoint import Endpoint
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Message, Request
from arietta.sip.uri import NameAddr, SipUri, parse_name_addr, quote

RESTRICTED, UNAVAILABLE, SCREENING = 0x20, 0x40, 0x03
SCREENED = 1, 3
"""The lower bits of numbers that somebody has checked: passed, and the network's own."""
ANONYMOUS_HOST = "anonymous.invalid"
CALLING = (None, "", "calling")
ANYBODY = (*CALLING, "called")
"""Values of the parameter party of Remote-Party-ID."""
PRIVATE = frozenset(("id", "user", "full"))
"""Values of Privacy that ask for the identity to be kept (RFC 3323 4.2, RFC 3325 9.3, and what RFC 3325 replaced)."""


def callerid_of(endpoint: Endpoint) -> Party:
    """The caller id that the configuration gives an endpoint."""
    configured = endpoint.callerid
    return Party(
        configured.name, configured.number, PRESENTATIONS[endpoint.callerid_privacy], tag=endpoint.callerid_tag
    )


def caller_of(request: Request, endpoint: Endpoint) -> Party:
    """Who calls: the identity of an endpoint that is trusted with it, else the configured caller id, else From."""
    if endpoint.trust_id_inbound:
        asserted = _asserted(request) or _remote_party(request, CALLING)
        if asserted is not None:
            return replace(asserted, tag=endpoint.callerid_tag)
    configured = callerid_of(endpoint)
    if configured.name or configured.number:
        return configured
    try:
        address = request.from_
        uri = address.uri
    except ProtocolError:
        return Party(tag=endpoint.callerid_tag)
    hidden = uri.host.lower() == ANONYMOUS_HOST or _is_private(request)
    presentation = RESTRICTED if hidden else configured.presentation
    return replace(configured, name=address.display, number=uri.user or "", presentation=presentation)


def may_show(caller: Party) -> bool:
    """Whether the caller may be shown to whoever is called."""
    return not caller.presentation & (RESTRICTED | UNAVAILABLE)


def party_of(message: Message) -> Party | None:
    """Who the sender of a message within a call says it is; None if it does not say."""
    return _asserted(message) or _remote_party(message, ANYBODY)


def connected_headers(party: Party, endpoint: Endpoint, host: str, role: str) -> tuple[tuple[str, str], ...]:
    """What tells an endpoint who somebody is; `host` is ours, `role` what Remote-Party-ID calls it."""
    shown = may_show(party)
    headers: list[tuple[str, str]] = []
    if party.number and (shown or endpoint.trust_id_outbound):
        identity = NameAddr(party.name, str(SipUri("sip", party.number, host)))
        if endpoint.send_pai:
            headers.append(("P-Asserted-Identity", str(identity)))
            headers += [] if shown else [("Privacy", "id")]
        if endpoint.send_rpid:
            screen = "yes" if party.presentation & SCREENING in SCREENED else "no"
            parameters = (("party", role), ("privacy", "off" if shown else "full"), ("screen", screen))
            headers.append(("Remote-Party-ID", str(NameAddr(identity.display, identity.uri_text, parameters))))
    return tuple(headers)


def identity_headers(caller: Party, endpoint: Endpoint, host: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """From of a call to an endpoint, and what else says who calls; `host` is ours."""
    shown = may_show(caller)
    headers = list(connected_headers(caller, endpoint, host, "calling"))
    return _from(caller, endpoint, host, shown), tuple(headers)


def marked_as_phone(uri: SipUri) -> SipUri:
    """A URI whose user is a telephone number, with `user=phone` (RFC 3261 19.1.1); any other as it is."""
    number = (uri.user or "").removeprefix("+")
    if not (number.isascii() and number.isdigit()) or uri.parameter("user") is not None:
        return uri
    return msgspec.structs.replace(uri, parameters=(*uri.parameters, ("user", "phone")))


def name_addr(party: Party, user: str, host: str) -> str:
    """A From value for a caller: ``"Name" <sip:number@host>``, Anonymous if nothing is known."""
    if not party.number and not user:
        return '"Anonymous" <sip:anonymous@anonymous.invalid>'
    uri = SipUri("sip", user or party.number, host)
    return f"{quote(party.name)} <{uri}>" if party.name else f"<{uri}>"


def with_parameters(address: str, wanted: Mapping[tuple[bool, str], str]) -> str:
    """A From value with further parameters, by whether they belong to the URI, and by name."""
    if not wanted:
        return address
    known = parse_name_addr(address)
    uri = known.uri
    in_uri = tuple((name, value or None) for (inside, name), value in wanted.items() if inside)
    behind = tuple((name, value or None) for (inside, name), value in wanted.items() if not inside)
    uri = msgspec.structs.replace(uri, parameters=(*uri.parameters, *in_uri))
    return str(NameAddr(known.display, str(uri), (*known.parameters, *behind)))


def _from(caller: Party, endpoint: Endpoint, host: str, shown: bool) -> str:
    if shown:
        return name_addr(caller, endpoint.from_user, host)
    if endpoint.from_user:  # our account with a trunk, nothing of the caller's
        return name_addr(Party("Anonymous"), endpoint.from_user, host)
    return name_addr(Party(), "", host)


def _asserted(request: Message) -> Party | None:
    found = _first(request, "P-Asserted-Identity")
    if found is None:
        return None
    return Party(found.display, found.uri.user or "", RESTRICTED if _is_private(request) else 0)


def _remote_party(request: Message, roles: tuple[str | None, ...]) -> Party | None:
    """draft-ietf-sip-privacy-04, which became RFC 3325."""
    found = _first(request, "Remote-Party-ID", lambda address: address.parameter("party") in roles)
    if found is None:
        return None
    presentation = 1 if (found.parameter("screen") or "").lower() == "yes" else 0
    if (found.parameter("privacy") or "off").lower() != "off" or _is_private(request):
        presentation |= RESTRICTED
    return Party(found.display, found.uri.user or "", presentation)


def _is_private(request: Message) -> bool:
    """Whether the caller asks for privacy; the values of Privacy stand between semicolons (RFC 3323 4.2)."""
    values = request.headers.get("Privacy", ())
    return any(word.strip().lower() in PRIVATE for value in values for word in value.replace(",", ";").split(";"))


def _first(request: Message, name: str, wanted: Callable[[NameAddr], bool] = lambda address: True) -> NameAddr | None:
    """The first address of a header field that can be read and has a user; a broken one is as good as none."""
    try:
        values = request.values(name)
    except ProtocolError:
        return None
    for value in values:
        try:
            address = parse_name_addr(value)
            if address.uri.user and wanted(address):
                return address
        except ProtocolError:
            continue
    return None
