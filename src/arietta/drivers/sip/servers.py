"""The servers that a URI leads to, as DNS says (RFC 3263), those that did not answer lately behind the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.drivers.sip.hops import Hop, Shunned
from arietta.sip.dialogs import literal_address
from arietta.sip.transactions import Address, Transport
from arietta.sip.uri import SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.resolver import Resolver
    from arietta.drivers.sip.transports import SipTransports


class Servers:
    """Where requests can be sent."""

    def __init__(self, resolver: Resolver, transports: SipTransports) -> None:
        self._resolver, self._transports = resolver, transports
        self._shunned = Shunned()

    async def find(self, uri: SipUri, transport: Transport, now: float, *, is_fixed: bool = False) -> tuple[Hop, ...]:
        """The servers that a request to a URI may go to, the best first; () for none.

        `is_fixed`: no protocol but that of the transport, since the configuration names it.
        """
        family = 6 if ":" in self._transports.bound_host(transport) else 4
        able = (transport.protocol,) if is_fixed else self._transports.protocols(family)
        found: list[Hop] = []
        for target in await self._resolver.targets(uri, able, (family,)):
            address = (target.host, target.port)
            carrier: Transport | None = transport
            if target.protocol != transport.protocol:
                carrier = self._transports.find("", target.protocol, target.host)
            if carrier is not None:
                if literal_address(uri) is None:  # RFC 5922 4: the certificate is for the name that was asked for
                    self._transports.note_name(address, uri.host)
                found.append(Hop(address, self._transports.towards(carrier, address)))
        return self._shunned.order(found, now)

    def shun(self, address: Address, now: float) -> None:
        """A server did not answer: it is tried last for a while."""
        self._shunned.add(address, now)
