"""Requests outside of any call: texts in and out (MESSAGE, RFC 3428), and references out (REFER, RFC 3515).

A text that comes in is an event, and runs the extension that it names, which has to be there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from arietta.channels.driver import Party
from arietta.channels.texts import IncomingText
from arietta.config.endpoint import Endpoint
from arietta.config.notifications import CONTENT
from arietta.drivers.sip.errands import Errand, Way, go_on, start, way_to
from arietta.drivers.sip.facing import contact_on
from arietta.drivers.sip.identity import caller_of, name_addr
from arietta.drivers.sip.location import ContactState
from arietta.drivers.sip.proxies import route_to
from arietta.errors import BadRequest, NotFound
from arietta.model import events, snapshots
from arietta.model.times import wire_now
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.errors import ProtocolError
from arietta.sip.headers import canonical_name
from arietta.sip.layer import new_token
from arietta.sip.message import Request
from arietta.sip.transactions import Address, Event, RequestReceived, ResponseReceived, Transport
from arietta.sip.uri import NameAddr, SipUri, parse_name_addr, quote

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

MAX_REFERENCES = 1000
REFERENCE_LASTS_S = 180.0
PREFIXES = ("pjsip:", "pjsip/")

# Headers that make the request what it is; variables of these names are left out, so that those of a text that
# came in can be given back as they are.
OWN_HEADERS = frozenset((
    "Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Contact", "Content-Length", "Route", "Record-Route",
    "Authorization", "Proxy-Authorization", "Refer-To", "Request-Uri",
))  # fmt: skip
FACTS = ("PJSIP_RECVADDR", "PJSIP_TRANSPORT")
DISPLAY_NAME = "display_name"


class Messages:
    """Texts and references of one driver."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self._references: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def stop(self) -> None:
        """Wait for the outcome of references no longer."""
        for key in tuple(self._references):
            self._forget(key)

    # -------------------------------------------------------------------------------------------------- texts in

    def take_message(self, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
        """Answer a MESSAGE of an authenticated endpoint, tell who listens to the endpoint, and run its extension."""
        driver, request, transaction = self._driver, received.request, received.transaction
        kind = request.content_type
        if kind and not kind.startswith("text/"):
            driver.agent.respond(transaction, driver.now(), 415, headers=(("Accept", "text/plain"),))
            return
        context, exten = endpoint.message_context or endpoint.context, request.uri.user or "s"
        caller, dialplan = caller_of(request, endpoint), driver.registry.dialplan
        if dialplan is None or not dialplan.exists(context, exten, 1, caller.number):
            log.info("text from %s to %s@%s: no such extension", endpoint.name, exten, context)
            driver.agent.respond(transaction, driver.now(), 404)
            return
        driver.agent.respond(transaction, driver.now(), 202)
        bus, name = driver.registry.bus, endpoint.name
        topics = (f"endpoint:PJSIP/{name}", "endpoint:PJSIP", "endpoint:")
        message = read_text(request, source, transaction.transport)
        shown = driver.endpoint(name)
        if shown is not None and bus.wanted(topics):
            bus.publish(events.TextMessageReceived(timestamp=wire_now(), message=message, endpoint=shown), topics)
        if driver.take_text is not None:
            data = message.variables if isinstance(message.variables, dict) else {}
            driver.take_text(IncomingText(context, exten, caller, message.from_, message.to, message.body, data))

    # ------------------------------------------------------------------------------------------- requests that go

    def send_message(
        self, to: str, sender: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        """Send a text; `addressed` is whom it names in place of `to`.

        NotFound where `to` leads nowhere, BadRequest for what cannot be written.
        """
        way, others = self._way(to)
        headers = _headers(variables)
        kind = headers.pop("Content-Type", "text/plain")
        request = self._request("MESSAGE", way, sender, headers)
        if addressed:
            request.set("To", _addressee(addressed))
        request.set("Content-Type", kind if kind.lower().startswith("text/") else "text/plain")
        request.body = body.encode("utf-8", "replace")
        self._send(request, way, others)

    def refer(self, to: str, sender: str, refer_to: str, to_self: bool, variables: Mapping[str, str]) -> None:
        """Ask an address to call `refer_to`: a URI or an endpoint, which is met here with `to_self`."""
        way, others = self._way(to)
        headers = _headers({name: value for name, value in variables.items() if name != DISPLAY_NAME})
        target = self._reference(refer_to, to_self, way.transport, variables.get(DISPLAY_NAME, ""))
        request = self._request("REFER", way, sender, headers)
        request.set("Refer-To", target)
        request.set("Contact", contact_on(way.transport))
        self._expect_news(request)
        self._send(request, way, others)

    def notify(self, to: str, lines: Iterable[tuple[str, str]]) -> int:
        """Send a NOTIFY that nobody subscribed to, to all contacts of an endpoint or to a URI; returns how many go out.

        `lines` are header fields, and with the name `Content` lines of the body. NotFound where `to` leads nowhere,
        BadRequest for what cannot be written.
        """
        headers, body = _notification(lines)
        ways = self._ways(to)
        for way in ways:
            request = self._request("NOTIFY", way, "", {})
            request.set("Contact", contact_on(way.transport))
            for name, value in headers:
                request.add(name, value)
            request.body = body
            self._send(request, way, [])
        return len(ways)

    def _ways(self, to: str) -> list[Way]:
        """To every contact of an endpoint that can be reached, or to a URI."""
        endpoint = self._driver.endpoints_table.get(to)
        if endpoint is None:
            return [self._way(to)[0]]
        contacts = [contact for contact in self._driver.contacts.of(endpoint) if contact.usable]
        try:
            ways = [way for way in (way_to(self._driver, endpoint, one) for one in contacts) if way is not None]
        except ProtocolError as problem:
            raise NotFound(f"{to!r} leads nowhere: {problem}") from problem
        if not ways:
            raise NotFound(f"PJSIP endpoint {endpoint.name!r} has no contact that can be reached")
        return ways

    def answered(self, errand: Errand, event: Event) -> None:
        """Take what became of a request: go on with it where that is possible, else write the outcome down."""
        if isinstance(event, ResponseReceived) and event.response.status < 200:
            return
        if go_on(self._driver, errand, event):
            return
        if not isinstance(event, ResponseReceived):
            log.warning("%s: %s", errand, "no answer" if type(event).__name__ == "TimedOut" else "cannot be sent")
            self._forget(_key(errand.request))
        elif event.response.status >= 300:
            log.warning("%s: %d %s", errand, event.response.status, event.response.reason)
            self._forget(_key(errand.request))

    def _request(self, method: str, way: Way, sender: str, headers: Mapping[str, str]) -> Request:
        driver = self._driver
        fields = {
            "Via": [],
            "From": [f"{self._from(sender, way)};tag={new_token()}"],
            "To": [str(way.to)],
            "Call-ID": [new_token() + new_token()],
            "CSeq": [f"1 {method}"],
            "Max-Forwards": [str(driver.settings.general.max_forwards)],
            "User-Agent": [driver.agent.profile.product],
        }
        request = Request(method, way.to.uri_text, fields)
        if way.route_set:
            request.headers["Route"] = list(way.route_set)
        for name, value in headers.items():
            request.set(name, value)
        return request

    def _send(self, request: Request, way: Way, others: list[ContactState]) -> None:
        credentials = self._driver.endpoints_table.client_credentials(way.endpoint)
        start(self._driver, Errand(request, way, credentials, lambda: self._forget(_key(request)), contacts=others))
        self._driver.drain()

    # --------------------------------------------------------------------------------------------------- addresses

    def _way(self, to: str) -> tuple[Way, list[ContactState]]:
        """ENDPOINT, ENDPOINT@anything, ENDPOINT/AOR or ENDPOINT/URI, a URI alone goes by the default endpoint; with the
        contacts to try when the first does not answer."""
        driver, table = self._driver, self._driver.endpoints_table
        name, slash, rest = to.partition("/")
        endpoint = table.get(name) or (table.get(name.partition("@")[0]) if not slash else None)
        if endpoint is None and ("@" in to or ":" in to):
            name, rest = driver.settings.general.default_outbound_endpoint, to
            endpoint = table.get(name)
        if endpoint is None:
            raise NotFound(f"{to!r} leads nowhere: PJSIP endpoint {name!r} does not exist")
        contacts: list[ContactState] = []
        if not rest or rest in endpoint.aors:
            contacts = [c for c in driver.contacts.of(endpoint) if c.usable and rest in ("", c.aor)]
            if not contacts:
                raise NotFound(f"PJSIP endpoint {endpoint.name!r} has no contact that can be reached")
        try:
            way = way_to(driver, endpoint, contacts[0]) if contacts else self._way_of(endpoint, _address(rest))
        except ProtocolError as problem:
            raise NotFound(f"{to!r} leads nowhere: {problem}") from problem
        if way is None:
            raise NotFound(f"{to!r} leads nowhere: there is no transport for it")
        return way, contacts[1:]

    def _way_of(self, endpoint: Endpoint, address: NameAddr) -> Way | None:
        """How any address is reached by an endpoint; None without a transport."""
        driver = self._driver
        route_set = route_to(endpoint, None, driver.registrations.service_route(endpoint.name))
        uri = next_hop(route_set, address.uri)
        transport = driver.transports.choose(endpoint.transport, uri)
        destination = literal_address(uri)
        if transport is not None and destination is not None:
            transport = driver.transports.towards(transport, destination)
        return Way(endpoint, address, transport, destination, route_set) if transport is not None else None

    def _from(self, sender: str, way: Way) -> str:
        """From as the client names it: an endpoint, a URI with or without a name, or a user."""
        driver, text = self._driver, _without_prefix(sender)
        host = way.endpoint.from_domain or way.transport.host
        endpoint = driver.endpoints_table.get(text)
        if endpoint is not None:
            known = endpoint.callerid
            return name_addr(Party(known.name, known.number), endpoint.from_user or known.number or endpoint.name, host)
        if not text:
            user = way.endpoint.from_user or driver.settings.general.default_from_user
            return f"<{SipUri('sip', user, host)}>"
        try:
            address = _address(text) if ":" in text or "@" in text else NameAddr("", str(SipUri("sip", text, host)))
            _ = address.uri
        except ProtocolError as problem:
            raise BadRequest(f"from {sender!r} is no address: {problem}") from problem
        return str(NameAddr(address.display, address.uri_text))

    def _reference(self, refer_to: str, to_self: bool, transport: Transport, display: str) -> str:
        """The Refer-To value."""
        driver, text = self._driver, _without_prefix(refer_to)
        endpoint = driver.endpoints_table.get(text)
        if endpoint is not None and to_self:
            address = NameAddr("", str(SipUri("sip", endpoint.name, transport.host, transport.port)))
        elif endpoint is not None:
            contact = next((c for c in driver.contacts.of(endpoint) if c.usable), None)
            if contact is None:
                raise NotFound(f"PJSIP endpoint {endpoint.name!r} has no contact to refer to")
            address = NameAddr("", contact.uri)
        else:
            try:
                address = _address(text)
                _ = address.uri
            except ProtocolError as problem:
                raise BadRequest(f"refer_to {refer_to!r} is neither an endpoint nor an address") from problem
        display = _one_line(DISPLAY_NAME, display) or address.display
        if not display and not any(sign in address.uri_text for sign in ",;?"):
            return address.uri_text
        return str(NameAddr(display, address.uri_text))

    # ------------------------------------------------------------------------------ what becomes of a reference

    def _expect_news(self, request: Request) -> None:
        """Take the NOTIFYs of the subscription that a REFER makes (RFC 3515 2.4.4), for a time."""
        if len(self._references) >= MAX_REFERENCES:
            self._forget(next(iter(self._references)))
        key = _key(request)
        self._references[key] = self._driver.loop.call_later(REFERENCE_LASTS_S, self._forget, key)
        self._driver.agent.listen(*key, self._notified)

    def _notified(self, received: RequestReceived, now: float) -> None:
        agent, request = self._driver.agent, received.request
        if request.method != "NOTIFY":
            agent.respond(received.transaction, now, 405, headers=(("Allow", "NOTIFY"),))
            return
        agent.respond(received.transaction, now, 200)
        outcome = request.body.decode("utf-8", "replace").partition("\r\n")[0]
        log.info("reference of %s: %s", request.from_.uri, outcome[:100])
        if (request.get("Subscription-State") or "").strip().lower().startswith("terminated"):
            self._forget((request.call_id, request.to_tag))

    def _forget(self, key: tuple[str, str]) -> None:
        timer = self._references.pop(key, None)
        if timer is not None:
            timer.cancel()
            self._driver.agent.listen_no_more(*key)


def read_text(request: Request, source: Address, transport: Transport) -> snapshots.TextMessage:
    """A MESSAGE as ARI shows it; ports and parameters of From and To are left out (RFC 3261 19.1.1)."""
    variables = {"PJSIP_RECVADDR": _shown(source), "PJSIP_TRANSPORT": transport.protocol}
    for name, values in request.headers.items():
        variables[name] = _clean(", ".join(values))
    variables["Content-Length"] = str(len(request.body))
    sender, recipient = request.from_, _bare(request.to.uri)
    sender_uri = f"<{_bare(sender.uri)}>"
    return snapshots.TextMessage(
        from_=_clean(f"{quote(sender.display)} {sender_uri}" if sender.display else sender_uri),
        to=_clean(f"pjsip:{recipient.partition(':')[2]}"),
        body=request.body.decode("utf-8", "replace"),
        variables=variables,
    )


def _addressee(text: str) -> str:
    """A To value; BadRequest for what is no address."""
    try:
        address = _address(_without_prefix(text))
        _ = address.uri
    except ProtocolError as problem:
        raise BadRequest(f"to {text!r} is no address: {problem}") from problem
    return str(NameAddr(address.display, address.uri_text))


def _headers(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables as header fields; BadRequest for a name or value that cannot be one."""
    headers = {}
    for name, value in variables.items():
        if name in FACTS:
            continue
        try:
            header = canonical_name(name)
        except ProtocolError as problem:
            raise BadRequest(f"Variable {name[:64]!r} cannot be a SIP header: {problem}") from problem
        if header not in OWN_HEADERS:
            headers[header] = _one_line(name, value)
    return headers


def _notification(lines: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], bytes]:
    """The header fields and the body of a NOTIFY; BadRequest for what cannot be one."""
    headers: list[tuple[str, str]] = []
    body: list[str] = []
    for name, value in lines:
        if name.lower() == CONTENT:
            body.append(_one_line(name, value))
        else:
            headers += _headers({name: value}).items()
    names = {name for name, _ in headers}
    if "Event" not in names:
        raise BadRequest("a NOTIFY needs an Event")
    if "Subscription-State" not in names:
        headers.append(("Subscription-State", "terminated"))
    if body and "Content-Type" not in names:
        raise BadRequest("a NOTIFY with Content needs a Content-Type")
    return headers, "\r\n".join(body).encode("utf-8", "replace")


def _one_line(name: str, value: str) -> str:
    if "\r" in value or "\n" in value or "\0" in value:
        raise BadRequest(f"Variable {name} holds a line break, which no SIP header can")
    return value


def _address(text: str) -> NameAddr:
    """``"Name" <sip:user@host>``, ``sip:user@host`` or ``user@host``; ProtocolError for anything else."""
    text = text.strip()
    if "\r" in text or "\n" in text:
        raise ProtocolError(400, "an address is one line")
    if "<" not in text and not text.lower().startswith(("sip:", "sips:", "tel:")):
        text = f"sip:{text}"
    if "<" not in text:
        text = f"<{text}>"
    address = parse_name_addr(text)
    _ = address.uri
    return NameAddr(address.display, address.uri_text)


def _without_prefix(text: str) -> str:
    text = text.strip()
    return text[6:] if text.lower().startswith(PREFIXES) else text


def _bare(uri: SipUri) -> str:
    return str(SipUri(uri.scheme, uri.user, uri.host))


def _shown(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _clean(text: str) -> str:
    """Text without the stray bytes that JSON cannot carry."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _key(request: Request) -> tuple[str, str]:
    return request.call_id, request.from_tag
