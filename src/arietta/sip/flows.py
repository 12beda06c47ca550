"""Which registrations are of a flow, and what names it: the registrar's side of outbound (RFC 5626 6)."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ProtocolError
from .headers import parse_contacts, parse_delta_seconds
from .message import Request
from .uri import NameAddr

__all__ = ["Flow", "flow_of", "is_outbound"]

MAX_REG_ID = 2**31 - 1
MAX_INSTANCE = 256


class Flow(NamedTuple):
    """One of the ways that a phone keeps open to us: it is the phone and its number, whatever its address is now."""

    instance: str
    reg_id: int


def flow_of(contact: NameAddr) -> Flow | None:
    """The flow that a contact names; None without +sip.instance and reg-id, or when they are none (4.1, 4.2)."""
    instance = (contact.parameter("+sip.instance") or "").strip('"').lower()
    number = contact.parameter("reg-id") or ""
    if not instance or len(instance) > MAX_INSTANCE or not number.isascii() or not number.isdigit():
        return None
    reg_id = int(number[:11])
    return Flow(instance, reg_id) if 0 < reg_id <= MAX_REG_ID else None


def is_outbound(request: Request, contacts: list[NameAddr], path: tuple[str, ...]) -> bool:
    """Whether a REGISTER binds flows. ProtocolError 439 where its first proxy cannot keep one, 400 for two at once."""
    if not any(flow_of(contact) for contact in contacts):
        return False
    if not _first_hop_knows(request, path):
        if supports_outbound(request):
            raise ProtocolError(439, "the first proxy of the registration has no ob in its Path")
        return False
    alive = sum(parse_delta_seconds(c.parameter("expires") or "") != 0 for c in contacts)
    if len(contacts) > 1 and alive > 1 and request.expires != 0:
        raise ProtocolError(400, f"{alive} contacts with a reg-id among them: one flow is registered at a time")
    return True


def supports_outbound(request: Request) -> bool:
    """Whether the phone says that it knows of flows."""
    return any(tag.lower() == "outbound" for tag in request.values("Supported"))


def _first_hop_knows(request: Request, path: tuple[str, ...]) -> bool:
    """Whether who got the REGISTER from the phone keeps its flow: we ourselves, or a proxy that says so with ob."""
    if len(request.values("Via")) == 1:
        return True
    nearest = parse_contacts(list(path[-1:]))
    return bool(nearest) and any(name == "ob" for name, _ in nearest[0].uri.parameters)
