"""Which registrations are of a flow, and what names it: the registrar's side of outbound (RFC 5626 6)."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from .errors import ProtocolError
from .headers import parse_contacts, parse_delta_seconds
from .message import Request
from .uri import NameAddr, parse_name_addr

__all__ = ["Flow", "flow_of", "is_outbound", "supports_outbound", "with_flow", "without_flow"]

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


def with_flow(contact: str, instance: str, reg_id: int = 1) -> str:
    """A Contact of ours as one of a flow; `instance` is a UUID (4.1, 4.2.1)."""
    address = parse_name_addr(contact)
    uri = replace(address.uri, parameters=(*address.uri.parameters, ("ob", None)))
    flow = (("reg-id", str(reg_id)), ("+sip.instance", f"<urn:uuid:{instance}>"))
    return str(NameAddr(address.display, str(uri), (*address.parameters, *flow)))


def without_flow(contact: str) -> str:
    """The same Contact as an ordinary one."""
    address = parse_name_addr(contact)
    uri = replace(address.uri, parameters=tuple(one for one in address.uri.parameters if one[0] != "ob"))
    kept = tuple(one for one in address.parameters if one[0] not in ("reg-id", "+sip.instance"))
    return str(NameAddr(address.display, str(uri), kept))


def _first_hop_knows(request: Request, path: tuple[str, ...]) -> bool:
    """Whether who got the REGISTER from the phone keeps its flow: we ourselves, or a proxy that says so with ob."""
    if len(request.values("Via")) == 1:
        return True
    nearest = parse_contacts(list(path[-1:]))
    return bool(nearest) and any(name == "ob" for name, _ in nearest[0].uri.parameters)
