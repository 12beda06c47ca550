"""The proxies that requests are sent through, as the routes they are (RFC 3261 8.1.2)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from arietta.sip.uri import parse_uri

if TYPE_CHECKING:
    from arietta.config.endpoint import Endpoint
    from arietta.drivers.sip.location import ContactState


@lru_cache(maxsize=1024)
def route_through(outbound_proxy: str) -> tuple[str, ...]:
    """The Route of an `outbound_proxy`, () without one; ProtocolError when it is no URI.

    It is a loose router, whether it says lr or not: strict ones are those of RFC 2543, which nobody speaks.
    """
    if not outbound_proxy:
        return ()
    uri = parse_uri(outbound_proxy)
    if uri.parameter("lr") is None:
        uri = replace(uri, parameters=(*uri.parameters, ("lr", None)))
    return (f"<{uri}>",)


def route_to(endpoint: Endpoint, contact: ContactState | None, service_route: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The way to a contact of an endpoint, or to any URI by it.

    Through its proxy, then what the registrar asks for (RFC 3608 6.1), then along the contact's Path (RFC 3327 5.3).
    """
    path = contact.route_set if contact is not None else ()
    if not endpoint.outbound_proxy and not service_route:
        return path
    return (*route_through(endpoint.outbound_proxy), *service_route, *path)
