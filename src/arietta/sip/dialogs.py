"""Dialogs: the values two user agents agree on, and the rules that change them (RFC 3261 12)."""

from __future__ import annotations

import random
from ipaddress import ip_address

import msgspec

from .errors import ProtocolError
from .headers import first_element, split_list, tag_of
from .message import Headers, Request, Response
from .transactions import Address
from .uri import SipUri, parse_name_addr, parse_uri

__all__ = ["Dialog", "create_uac_dialog", "create_uas_dialog", "literal_address"]

_WITH_TARGET = frozenset(("INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"))
_NAMED = frozenset(("From", "To"))
"""Headers of which one request may show another name than the dialog's."""


class Dialog(msgspec.Struct, eq=False):
    """One dialog, early or confirmed."""

    call_id: str
    local: str
    """Our From or To value, with our tag, as the peer has it."""
    remote: str
    """The peer's From or To value, with its tag."""
    local_tag: str
    remote_tag: str
    remote_target: str
    """The URI requests are for: the peer's Contact."""
    route_set: tuple[str, ...] = ()
    """Route values in the order we send them."""
    local_cseq: int = 0
    """The number of our last request."""
    remote_cseq: int = -1
    """The number of the peer's last request, -1 before the first."""
    confirmed: bool = False
    """False while it is early."""

    def create_request(self, method: str, headers: Headers = (), body: bytes = b"", content_type: str = "") -> Request:
        """The next request in the dialog, its Via still empty (12.2.1.1); for ACK see `create_ack`."""
        self.local_cseq += 1
        return self._create(method, self.local_cseq, headers, body, content_type)

    def create_ack(self, cseq: int, body: bytes = b"", content_type: str = "") -> Request:
        """The ACK to a 2xx of the INVITE numbered `cseq` (13.2.2.4)."""
        return self._create("ACK", cseq, (), body, content_type)

    def next_hop(self) -> SipUri:
        """The URI whose host the next request goes to: the first route, or the remote target."""
        return next_hop(self.route_set, parse_uri(self.remote_target))

    def take_request(self, request: Request) -> None:
        """Check a request of the peer (12.2.2).

        ProtocolError 481 for another dialog, 500 when out of order, 400 for a Contact that we could not send to.
        """
        if request.from_tag != self.remote_tag:
            raise ProtocolError(481, "the From tag is of another dialog", message=request)
        number = request.cseq.number
        if number < self.remote_cseq or (number == self.remote_cseq and request.method != "ACK"):
            raise ProtocolError(
                500,
                f"CSeq {number} after {self.remote_cseq}",
                headers=(("Retry-After", str(random.randint(0, 10))),),
                message=request,
            )
        self.remote_cseq = number
        if request.method in _WITH_TARGET:
            _target_of(request)

    def refresh_target(self, message: Request | Response) -> None:
        """Take the Contact of a target refresh request or its 2xx (12.2.1.2, 12.2.2)."""
        target = _target_of(message)
        if target:
            self.remote_target = target

    def _create(self, method: str, cseq: int, headers: Headers, body: bytes, content_type: str) -> Request:
        fields: dict[str, list[str]] = {
            "Via": [],
            "From": [self.local],
            "To": [self.remote],
            "Call-ID": [self.call_id],
            "CSeq": [f"{cseq} {method}"],
            "Max-Forwards": ["70"],
        }
        uri = self.remote_target
        if self.route_set:
            first = parse_name_addr(self.route_set[0])
            if first.uri.parameter("lr") is None:  # a strict router (RFC 2543)
                fields["Route"] = [*self.route_set[1:], f"<{uri}>"]
                uri = first.uri_text
            else:
                fields["Route"] = list(self.route_set)
        request = Request(method, uri, fields, body)
        if content_type:
            fields["Content-Type"] = [content_type]
        for name, value in headers:
            if name in _NAMED:
                fields[name] = [value]
            else:
                request.add(name, value)
        return request


def create_uas_dialog(request: Request, local_tag: str) -> Dialog:
    """The dialog that our response to `request` makes (12.1.1); ProtocolError 400 without a usable Contact."""
    contacts = request.headers.get("Contact") or (request.headers["From"][:1] if request.is_rfc2543 else ())
    if not contacts:
        raise ProtocolError(400, "Contact is missing", message=request)
    target = parse_name_addr(first_element(contacts[0])).uri_text
    parse_uri(target)
    routes = request.headers.get("Record-Route")
    to = request.headers["To"][0]
    return Dialog(
        request.call_id,
        f"{to};tag={local_tag}",
        request.headers["From"][0],
        local_tag,
        request.from_tag,
        target,
        _checked_routes(routes) if routes else (),
        remote_cseq=request.cseq.number,
    )


def create_uac_dialog(request: Request, response: Response) -> Dialog:
    """The dialog that the response to our `request` makes (12.1.2); without Contact the Request-URI is its target."""
    contacts = response.headers.get("Contact")
    target = parse_name_addr(first_element(contacts[0])).uri_text if contacts else request.uri_text
    parse_uri(target)
    routes = response.headers.get("Record-Route")
    remote = response.headers["To"][0]
    return Dialog(
        request.call_id,
        request.headers["From"][0],
        remote,
        request.from_tag,
        tag_of(remote),
        target,
        _checked_routes(routes)[::-1] if routes else (),
        local_cseq=request.cseq.number,
        confirmed=response.status >= 200,
    )


def next_hop(route_set: tuple[str, ...], target: SipUri) -> SipUri:
    """The URI whose host a request goes to: that of its first route, or its target (8.1.2)."""
    return parse_name_addr(route_set[0]).uri if route_set else target


def _target_of(message: Request | Response) -> str:
    """The URI of the first Contact, "" without one; ProtocolError 400 for what no request could be sent to."""
    values = message.headers.get("Contact")
    if not values:
        return ""
    target = parse_name_addr(first_element(values[0])).uri_text
    parse_uri(target)
    return target


def literal_address(uri: SipUri) -> Address | None:
    """Where a URI points when its host is an IP address; None when it has to be resolved (RFC 3263)."""
    host = uri.parameter("maddr") or uri.host
    try:
        host = str(ip_address(host))
    except ValueError:
        return None
    secure = uri.scheme == "sips" or (uri.parameter("transport") or "").lower() == "tls"
    return host, uri.port or (5061 if secure else 5060)


def _checked_routes(values: list[str]) -> tuple[str, ...]:
    routes = tuple(piece for value in values for piece in split_list(value))
    for route in routes:
        _ = parse_name_addr(route).uri
    return routes
