"""What we are called on a socket: by peers in its own network, and by those that see it through a NAT."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import ip_address

import msgspec

from arietta.config.endpoint import Endpoint
from arietta.config.kinds import Network
from arietta.config.pjsip import Transport as TransportSettings
from arietta.sdp import SessionDescription
from arietta.sip.transactions import Address, Transport

REMEMBERED_HOSTS = 4096
NO_WAY_OUT_6 = "::1"


class Facing:
    """The two names of a transport; which one goes into Via, Contact and SDP depends on where the peer is."""

    def __init__(self, settings: TransportSettings, protocol: str, host: str, port: int) -> None:
        """`host` and `port` are where the socket is bound, or what stands for it."""
        self.inside = Transport(protocol, primary_address(host) if is_any(host) else host, port, settings.name)
        self.outside = msgspec.structs.replace(
            self.inside,
            host=settings.external_signaling_address or self.inside.host,
            port=settings.external_signaling_port or port,
            media_host=settings.external_media_address,
        )
        self._is_one = self.outside == self.inside
        self._is_local = lru_cache(REMEMBERED_HOSTS)(lambda host: _is_within(host, settings.local_net))

    def towards(self, address: Address) -> Transport:
        """The transport as a peer at this address sees it; without local_net everybody is outside."""
        if self._is_one or self._is_local(address[0]):
            return self.inside
        return self.outside


def contact_on(transport: Transport, user: str = "", *, is_secure: bool = False) -> str:
    """Our Contact on a transport; a sips URI where the request is for one (RFC 3261 8.1.1.8, 12.1.1)."""
    at = f"{user}@" if user else ""
    protocol = transport.protocol
    if protocol in ("WS", "WSS"):
        parameter = ";transport=ws"  # RFC 7118 5.2: the one name for both
    elif protocol == "UDP" or is_secure:
        parameter = ""  # sips says it all (RFC 5630 3.1.4)
    else:
        parameter = f";transport={protocol.lower()}"
    return f"<{'sips' if is_secure else 'sip'}:{at}{transport.sent_by}{parameter}>"


def host_towards(endpoint: Endpoint, transport: Transport) -> str:
    """The host of URIs that name people to an endpoint."""
    host = endpoint.from_domain or transport.host
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def media_address(endpoint: Endpoint, transport: Transport, offer: SessionDescription | None = None) -> str:
    """The address that SDP names to an endpoint: of the family of its offer, where rtp_ipv6 lets it be another."""
    names = [name for name in (endpoint.media_address, transport.media_host, transport.host) if name]
    if not endpoint.rtp_ipv6:
        return names[0]
    if offer is not None and not _is_reached_by_ipv6(offer):
        return next((name for name in names if ":" not in name), names[0])
    ours = next((name for name in names if ":" in name), None) or primary_address("::")
    return ours if ours != NO_WAY_OUT_6 else names[0]


def media_bind(address: str, bound: str) -> str:
    """Where sockets of media are bound, of which an address is named, and whose signalling is bound there."""
    return "::" if ":" in address and ":" not in bound else bound


def _is_reached_by_ipv6(description: SessionDescription) -> bool:
    return any(
        connection is not None and connection.address_type == "IP6"
        for connection in (description.connection, *(media.connection for media in description.media))
    )


def primary_address(family_of: str) -> str:
    """The address this host would use towards the outside; loopback if it has no way out."""
    family, outside = (socket.AF_INET6, "2001:db8::1") if ":" in family_of else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((outside, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return NO_WAY_OUT_6 if family == socket.AF_INET6 else "127.0.0.1"


def is_any(host: str) -> bool:
    """Whether an address means all of this machine's."""
    return host in ("0.0.0.0", "::", "")


def _is_within(host: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in networks)
