"""Whether contacts are there: each is asked with OPTIONS, at its servers until one of them answers (RFC 3261 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arietta.drivers.sip.hops import Hop
from arietta.drivers.sip.location import REACHABLE, UNREACHABLE, ContactState
from arietta.drivers.sip.proxies import route_through
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.layer import new_token
from arietta.sip.message import Request
from arietta.sip.transactions import ClientTransaction, ResponseReceived, Transport
from arietta.sip.uri import parse_uri

if TYPE_CHECKING:
    from arietta.config.pjsip import Aor
    from arietta.drivers.sip.contacts import Contacts
    from arietta.drivers.sip.driver import SipDriver

FLOW_FAILED = 430
"""What an edge proxy says when a phone is gone (RFC 5626 5.3.1)."""


@dataclass(slots=True, eq=False)
class Poll:
    """One question whether a contact is there."""

    settings: Aor
    began: float
    hops: list[Hop] = field(default_factory=list)
    """The servers that were not asked yet."""
    transaction: ClientTransaction | None = None


class Polls:
    """What asks the contacts of a driver; their statuses are told to its `Contacts`."""

    def __init__(self, driver: SipDriver, contacts: Contacts) -> None:
        self._driver, self._contacts = driver, contacts

    def ask(self, contact: ContactState) -> None:
        """Send OPTIONS; what comes back, or that nothing does in time, is the contact's status."""
        driver = self._driver
        settings = self._contacts.location.aors[contact.aor].settings
        if contact.poll is not None:
            return
        uri = next_hop(_route(contact, settings), parse_uri(contact.uri))
        transport = contact.transport or driver.transports.choose("", uri)
        if transport is None:
            return
        is_direct = not settings.outbound_proxy and (transport.reliable or not contact.route_set)
        destination = (contact.source if is_direct else None) or literal_address(uri)
        poll = contact.poll = Poll(settings, driver.now())
        if destination is not None:
            poll.hops = [Hop(destination, driver.transports.towards(transport, destination))]
            self._send(contact, poll)
        else:
            driver.own(self._look_up(contact, poll, transport), f"look up {uri.host}")

    def take(self, contact: ContactState, output: Any) -> None:
        """Take what came of a question."""
        poll = contact.poll
        if poll is None:
            return
        if isinstance(output, ResponseReceived):
            status = output.response.status
            if status < 200:
                return
            if status == FLOW_FAILED or (poll.settings.qualify_2xx_only and status >= 300):
                self._fail(contact, poll)
                return
            self._end(contact, REACHABLE, max(1, round((self._driver.now() - poll.began) * 1e6)))
        elif output.transaction is poll.transaction:  # not one that was given up for the next server
            self._fail(contact, poll)

    async def _look_up(self, contact: ContactState, poll: Poll, transport: Transport) -> None:
        uri = next_hop(_route(contact, poll.settings), parse_uri(contact.uri))
        poll.hops = list(await self._driver.hops(uri, transport))
        if contact.poll is poll:
            self._fail(contact, poll)
            self._driver.drain()

    def _send(self, contact: ContactState, poll: Poll) -> None:
        """Ask the next server."""
        driver = self._driver
        destination, transport = poll.hops.pop(0)
        poll.began = driver.now()
        if poll.settings.qualify_timeout > 0:
            driver.loop.call_later(poll.settings.qualify_timeout, self._miss, contact, poll, poll.began)
        request = Request(
            "OPTIONS",
            contact.uri,
            {
                "Via": [],
                "From": [f"<sip:{driver.settings.general.default_from_user}@{transport.host}>;tag={new_token()}"],
                "To": [f"<{contact.uri}>"],
                "Call-ID": [new_token()],
                "CSeq": ["1 OPTIONS"],
                "Max-Forwards": [str(driver.settings.general.max_forwards)],
                "User-Agent": [driver.agent.profile.product],
            },
        )
        if route_set := _route(contact, poll.settings):
            request.headers["Route"] = list(route_set)
        poll.transaction = driver.agent.send_request(request, destination, transport, driver.now(), contact)

    def _miss(self, contact: ContactState, poll: Poll, began: float) -> None:
        """The time of a server is over."""
        if contact.poll is poll and poll.began == began:
            self._fail(contact, poll)
            self._driver.drain()

    def _fail(self, contact: ContactState, poll: Poll) -> None:
        """No server has answered as it should until now: ask the next one."""
        if poll.hops:
            self._send(contact, poll)
        else:
            self._end(contact, UNREACHABLE, None)

    def _end(self, contact: ContactState, status: str, roundtrip_usec: int | None) -> None:
        contact.poll = None
        self._contacts.polled(contact, status, roundtrip_usec)


def _route(contact: ContactState, settings: Aor) -> tuple[str, ...]:
    """The way of polls: through the proxy of the address of record, then along the contact's Path."""
    return (*route_through(settings.outbound_proxy), *contact.route_set)
