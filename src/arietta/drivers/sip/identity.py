"""Who calls, as SIP says it: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Remote-Party-ID, Diversion.

What comes in is believed of endpoints with trust_id_inbound only. What may not be shown goes out to endpoints with
trust_id_outbound only, beside an anonymous From. Not done: identities in responses, and updates within a call.
"""

from __future__ import annotations

from collections.abc import Callable

from arietta.channels.driver import Party
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.leg import name_addr
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Headers, Request
from arietta.sip.uri import NameAddr, SipUri, parse_name_addr

PRESENTATIONS = {
    "allowed_not_screened": 0,
    "allowed_passed_screen": 1,
    "allowed_failed_screen": 2,
    "allowed": 3,
    "prohib_not_screened": 32,
    "prohib_passed_screen": 33,
    "prohib_failed_screen": 34,
    "prohib": 35,
    "unavailable": 67,
}
"""The values of callerid_privacy as numbers of Q.951."""
RESTRICTED, UNAVAILABLE, SCREENING = 0x20, 0x40, 0x03
SCREENED = 1, 3
"""The lower bits of numbers that somebody has checked: passed, and the network's own."""
ANONYMOUS_HOST = "anonymous.invalid"
PRIVATE = frozenset(("id", "user", "full"))
"""Values of Privacy that ask for the identity to be kept (RFC 3323 4.2, RFC 3325 9.3, and what RFC 3325 replaced)."""


def callerid_of(endpoint: Endpoint) -> Party:
    """The caller id that the configuration gives an endpoint."""
    configured = endpoint.callerid
    return Party(configured.name, configured.number, PRESENTATIONS[endpoint.callerid_privacy])


def caller_of(request: Request, endpoint: Endpoint) -> Party:
    """Who calls: the identity of an endpoint that is trusted with it, else the configured caller id, else From."""
    if endpoint.trust_id_inbound:
        asserted = _asserted(request) or _remote_party(request)
        if asserted is not None:
            return asserted
    configured = callerid_of(endpoint)
    if configured.name or configured.number:
        return configured
    try:
        address = request.from_
        uri = address.uri
    except ProtocolError:
        return Party()
    hidden = uri.host.lower() == ANONYMOUS_HOST or _is_private(request)
    return Party(address.display, uri.user or "", RESTRICTED if hidden else configured.presentation)


def diverted_from(request: Request) -> str:
    """The number that the call was for before it was diverted the last time (RFC 5806: the first Diversion)."""
    found = _first(request, "Diversion")
    return found.uri.user or "" if found is not None else ""


def may_show(caller: Party) -> bool:
    """Whether the caller may be shown to whoever is called."""
    return not caller.presentation & (RESTRICTED | UNAVAILABLE)


def identity_headers(caller: Party, endpoint: Endpoint, host: str, diverted: str = "") -> tuple[str, Headers]:
    """From of a call to an endpoint, and what else says who calls; `host` is ours, `diverted` who was called before."""
    shown = may_show(caller)
    headers: list[tuple[str, str]] = []
    if caller.number and (shown or endpoint.trust_id_outbound):
        identity = NameAddr(caller.name, str(SipUri("sip", caller.number, host)))
        if endpoint.send_pai:
            headers.append(("P-Asserted-Identity", str(identity)))
            headers += [] if shown else [("Privacy", "id")]
        if endpoint.send_rpid:
            screen = "yes" if caller.presentation & SCREENING in SCREENED else "no"
            party = (("party", "calling"), ("privacy", "off" if shown else "full"), ("screen", screen))
            headers.append(("Remote-Party-ID", str(NameAddr(identity.display, identity.uri_text, party))))
    if diverted and endpoint.send_diversion:
        by = NameAddr("", str(SipUri("sip", diverted, host)), (("reason", "unknown"),))
        headers.append(("Diversion", str(by)))
    return _from(caller, endpoint, host, shown), tuple(headers)


def _from(caller: Party, endpoint: Endpoint, host: str, shown: bool) -> str:
    if shown:
        return name_addr(caller, endpoint.from_user, host)
    if endpoint.from_user:  # our account with a trunk, nothing of the caller's
        return name_addr(Party("Anonymous"), endpoint.from_user, host)
    return name_addr(Party(), "", host)


def _asserted(request: Request) -> Party | None:
    found = _first(request, "P-Asserted-Identity")
    if found is None:
        return None
    return Party(found.display, found.uri.user or "", RESTRICTED if _is_private(request) else 0)


def _remote_party(request: Request) -> Party | None:
    """draft-ietf-sip-privacy-04, which became RFC 3325."""
    found = _first(request, "Remote-Party-ID", lambda address: address.parameter("party") in (None, "", "calling"))
    if found is None:
        return None
    presentation = 1 if (found.parameter("screen") or "").lower() == "yes" else 0
    if (found.parameter("privacy") or "off").lower() != "off" or _is_private(request):
        presentation |= RESTRICTED
    return Party(found.display, found.uri.user or "", presentation)


def _is_private(request: Request) -> bool:
    """Whether the caller asks for privacy; the values of Privacy stand between semicolons (RFC 3323 4.2)."""
    values = request.headers.get("Privacy", ())
    return any(word.strip().lower() in PRIVATE for value in values for word in value.replace(",", ";").split(";"))


def _first(request: Request, name: str, wanted: Callable[[NameAddr], bool] = lambda address: True) -> NameAddr | None:
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
