"""Requests outside of any call on their way: challenged, to the next server, to the next contact of an endpoint."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.hops import Hop, is_no_answer, is_unreached
from arietta.drivers.sip.proxies import route_to
from arietta.sip.auth import DigestClient
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request, Response
from arietta.sip.transactions import Address, Event, ResponseReceived, Transport
from arietta.sip.uri import NameAddr, SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.location import ContactState

log = logging.getLogger(__name__)

MAX_AUTHENTICATION_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Way:
    """How an address is reached."""

    endpoint: Endpoint
    to: NameAddr
    transport: Transport
    destination: Address | None
    """None when a name has to be looked up."""
    route_set: tuple[str, ...] = ()

    @property
    def next_hop(self) -> SipUri:
        """The URI whose host the request goes to."""
        return next_hop(self.route_set, self.to.uri)


@dataclass(slots=True, eq=False)
class Errand:
    """One request of ours until its final response."""

    request: Request
    way: Way
    credentials: DigestClient | None
    lost: Callable[[], None]
    """Told when no server of it can be found."""
    contacts: list[ContactState] = field(default_factory=list)
    """Where it goes when it is answered nowhere on its way."""
    hop: Hop | None = None
    hops: list[Hop] = field(default_factory=list)
    """The servers after `hop`."""
    rounds: int = 0

    def authenticate(self, challenge: Response) -> bool:
        """Make the request that answers a challenge; False if it cannot be answered."""
        if self.credentials is None or self.rounds >= MAX_AUTHENTICATION_ROUNDS:
            return False
        answers = self.credentials.answer(self.request, challenge)
        if answers is None:
            return False
        again = self.request.copy()
        for name, _ in answers:
            again.remove(name)
        for name, value in answers:
            again.add(name, value)
        again.set("CSeq", f"{again.cseq.number + 1} {again.method}")
        self.request, self.rounds = again, self.rounds + 1
        return True

    def lead(self, way: Way) -> None:
        """Make the request one to another contact."""
        again = self.request.copy()
        again.uri_text = way.to.uri_text
        again.remove("Route")
        if way.route_set:
            again.headers["Route"] = list(way.route_set)
        self.request, self.way = again, way

    def __str__(self) -> str:
        return f"{self.request.method} to {self.request.uri_text}"


def start(driver: SipDriver, errand: Errand) -> None:
    """Send a request, after the host name was looked up that it goes to, if it is one."""
    way = errand.way
    if way.destination is not None:
        _begin(driver, errand, [Hop(way.destination, way.transport)])
        return
    driver.own(_look_up_and_begin(driver, errand), f"look up {way.next_hop.host}")


def go_on(driver: SipDriver, errand: Errand, event: Event) -> bool:
    """Send a request again: with credentials when it was challenged, elsewhere when it reached nobody; False for no."""
    response = event.response if isinstance(event, ResponseReceived) else None
    status = response.status if response is not None else 0
    if response is not None and status in (401, 407) and errand.authenticate(response):
        assert errand.hop is not None
        _begin(driver, errand, [errand.hop, *errand.hops])
        return True
    if is_no_answer(status, has_response=response is not None):
        assert errand.hop is not None
        driver.servers.shun(errand.hop.address, driver.now())
        if errand.hops:
            errand.request = errand.request.copy()
            _begin(driver, errand, errand.hops)
            return True
    return is_unreached(status, has_response=response is not None) and _go_to_next_contact(driver, errand)


def way_to(driver: SipDriver, endpoint: Endpoint, contact: ContactState) -> Way | None:
    """How one contact of an endpoint is reached; None without a transport, ProtocolError for a broken address."""
    address = NameAddr("", contact.uri)
    route_set = route_to(endpoint, contact, driver.registrations.service_route(endpoint.name))
    uri = next_hop(route_set, address.uri)
    transport = contact.transport or driver.transports.choose(endpoint.transport, uri)
    if transport is None:
        return None
    destination = (contact.flow if not endpoint.outbound_proxy else None) or literal_address(uri)
    if destination is not None:
        transport = driver.transports.towards(transport, destination)
    return Way(endpoint, address, transport, destination, route_set)


async def _look_up_and_begin(driver: SipDriver, errand: Errand) -> None:
    way = errand.way
    hops = await driver.hops(way.next_hop, way.transport, is_fixed=True)
    if hops:
        _begin(driver, errand, list(hops))
    elif not _go_to_next_contact(driver, errand):
        log.warning("%s: host %s cannot be found", errand, way.next_hop.host)
        errand.lost()
    driver.drain()


def _begin(driver: SipDriver, errand: Errand, hops: list[Hop]) -> None:
    errand.hop, errand.hops = hops[0], hops[1:]
    driver.agent.send_request(errand.request, *errand.hop, driver.now(), errand)


def _go_to_next_contact(driver: SipDriver, errand: Errand) -> bool:
    while errand.contacts:
        contact = errand.contacts.pop(0)
        try:
            way = way_to(driver, errand.way.endpoint, contact)
        except ProtocolError:
            continue
        if way is not None:
            errand.lead(way)
            start(driver, errand)
            return True
    return False
