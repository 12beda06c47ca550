"""Contacts as they come and go: REGISTER, expiry, polls, and the events of all three."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.location import (
    REACHABLE,
    UNREACHABLE,
    Changes,
    ContactState,
    Location,
)
from arietta.drivers.sip.streams import Connection
from arietta.model import events
from arietta.model.times import wire_now
from arietta.sip.dialogs import literal_address
from arietta.sip.layer import new_token
from arietta.sip.message import Request
from arietta.sip.transactions import Address, RequestReceived, ResponseReceived
from arietta.sip.uri import NameAddr, parse_uri
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

MAX_SLEEP_S = 30.0


class Contacts:
    """The contacts of all endpoints."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self.location = Location()
        self._timer: asyncio.TimerHandle | None = None
        self._started = False
        self._poll_began: dict[int, float] = {}

    def configure(self, settings: PjsipSettings) -> None:
        """Take the addresses of record of a configuration."""
        self.location.configure(settings.aors)
        if self._started:
            self._arm()

    def start(self) -> None:
        """Begin to expire and poll."""
        self._started = True
        self._arm()

    def stop(self) -> None:
        """Expire and poll no more."""
        self._started = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def of(self, endpoint: Endpoint) -> list[ContactState]:
        """The contacts of an endpoint."""
        return self.location.contacts(endpoint.aors)

    # ------------------------------------------------------------------------------------------------- REGISTER

    def take_register(self, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
        """Answer a REGISTER of an authenticated endpoint."""
        driver, request, transaction = self._driver, received.request, received.transaction
        user = request.to.uri.user or ""
        aor = next(
            (name for name in endpoint.aors if name.lower() in (user.lower(), f"{user}@{request.to.uri.host}")), None
        )
        if aor is None or aor not in self.location.aors:
            log.warning("endpoint %s may not register %r", endpoint.name, user)
            driver.agent.respond(transaction, driver.now(), 404)
            return
        state = self.location.aors[aor]
        if not state.settings.max_contacts and request.values("Contact"):
            driver.agent.respond(transaction, driver.now(), 403)
            return
        if endpoint.rewrite_contact:
            request = _rewritten(request, source)
        changes = self.location.register(aor, request, driver.now(), source, transaction.transport)
        update = changes.update
        assert update is not None
        if changes.added or changes.refreshed:
            driver.transports.keep(transaction.transport, source, aor)
        driver.agent.respond(transaction, driver.now(), update.status, headers=update.headers)
        self._announce(changes)
        self._arm()

    def flow_lost(self, connection: Connection) -> None:
        """A connection is gone that contacts were reached by (RFC 5626 5.3): they are gone with it, but for those
        whose own address can be connected to."""
        for aor in connection.aors:
            self._announce(self.location.lose(aor, connection.transport, connection.peer))
        self._arm()

    def _announce(self, changes: Changes) -> None:
        for contact in changes.added:
            verbose(3, f"Added contact '{contact.uri}' to AOR '{contact.aor}'")
            for endpoint in self._endpoints_of(contact):
                self._driver.announce_endpoint(endpoint.name)
                self._peer(endpoint, "Reachable")
            self._contact_event(contact, contact.status)
        for contact in changes.removed:
            verbose(3, f"Removed contact '{contact.uri}' from AOR '{contact.aor}'")
            for endpoint in self._endpoints_of(contact):
                if not self.of(endpoint):
                    self._driver.announce_endpoint(endpoint.name)
                    self._peer(endpoint, "Unreachable")
            self._contact_event(contact, "Removed")

    def _endpoints_of(self, contact: ContactState) -> list[Endpoint]:
        return [e for e in self._driver.settings.endpoints.values() if contact.aor in e.aors]

    def _peer(self, endpoint: Endpoint, status: str) -> None:
        self._publish(
            endpoint,
            lambda shown: events.PeerStatusChange(
                timestamp=wire_now(), endpoint=shown, peer=events.Peer(peer_status=status)
            ),
        )

    def _contact_event(self, contact: ContactState, status: Any) -> None:
        roundtrip = str(contact.roundtrip_usec or 0)
        info = events.ContactInfo(uri=contact.uri, contact_status=status, aor=contact.aor, roundtrip_usec=roundtrip)
        for endpoint in self._endpoints_of(contact):
            self._publish(
                endpoint,
                lambda shown: events.ContactStatusChange(timestamp=wire_now(), endpoint=shown, contact_info=info),
            )

    def _publish(self, endpoint: Endpoint, build: Any) -> None:
        bus = self._driver.registry.bus
        topics = (f"endpoint:PJSIP/{endpoint.name}", "endpoint:PJSIP", "endpoint:")
        if bus.wanted(topics):
            bus.publish(build(self._driver.endpoint(endpoint.name)), topics)

    # ------------------------------------------------------------------------------------------ expiry and polls

    def _arm(self) -> None:
        now = self._driver.now()
        next_at = self.location.next_expiry()
        for contact in self._polled_contacts():
            if next_at is None or contact.next_poll_at < next_at:
                next_at = contact.next_poll_at
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if next_at is not None and self._started:
            self._timer = self._driver.loop.call_later(min(max(0.0, next_at - now), MAX_SLEEP_S), self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._driver.now()
        self._announce(self.location.expire(now))
        for contact in self._polled_contacts():
            if contact.next_poll_at <= now:
                self._poll(contact, now)
        self._driver.drain()
        self._arm()

    def _polled_contacts(self) -> list[ContactState]:
        return [
            contact
            for state in self.location.aors.values()
            if state.settings.qualify_frequency
            for contact in state.contacts.values()
        ]

    def _poll(self, contact: ContactState, now: float) -> None:
        """Send OPTIONS; what comes back, or that nothing does in time, is the contact's status."""
        driver = self._driver
        settings = self.location.aors[contact.aor].settings
        contact.next_poll_at = now + settings.qualify_frequency
        if contact.polling:
            return
        uri = parse_uri(contact.uri)
        transport = contact.transport or driver.transports.choose("", uri)
        destination = contact.source or literal_address(uri)
        if transport is None or destination is None:
            return
        transport = driver.transports.towards(transport, destination)
        contact.polling = True
        self._poll_began[id(contact)] = now
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
        driver.agent.send_request(request, destination, transport, now, contact)
        if settings.qualify_timeout > 0:
            driver.loop.call_later(settings.qualify_timeout, self._poll_missed, contact, now)

    def _poll_missed(self, contact: ContactState, began: float) -> None:
        if contact.polling and self._poll_began.get(id(contact)) == began:
            self._poll_ended(contact, UNREACHABLE, None)

    def polled(self, contact: ContactState, output: Any) -> None:
        """Take what came of a poll."""
        if not contact.polling:
            return
        if isinstance(output, ResponseReceived):
            if output.response.status < 200:
                return
            settings = self.location.aors[contact.aor].settings
            if settings.qualify_2xx_only and output.response.status >= 300:
                self._poll_ended(contact, UNREACHABLE, None)
                return
            began = self._poll_began.get(id(contact), self._driver.now())
            self._poll_ended(contact, REACHABLE, max(1, round((self._driver.now() - began) * 1e6)))
        else:
            self._poll_ended(contact, UNREACHABLE, None)

    def _poll_ended(self, contact: ContactState, status: str, roundtrip_usec: int | None) -> None:
        contact.polling = False
        self._poll_began.pop(id(contact), None)
        state = self.location.aors.get(contact.aor)
        if state is None or state.contacts.get(contact.uri) is not contact:
            return
        contact.roundtrip_usec = roundtrip_usec
        if contact.status == status:
            return
        contact.status = status
        verbose(2, f"Contact {contact.aor}/{contact.uri} is now {status}")
        for endpoint in self._endpoints_of(contact):
            self._driver.announce_endpoint(endpoint.name)
        self._contact_event(contact, status)


def _rewritten(request: Request, source: Address) -> Request:
    """The REGISTER with each Contact's host replaced by where it came from (for phones behind NAT)."""
    values = request.values("Contact")
    if not values or "*" in values:
        return request
    copy = request.copy()
    copy.remove("Contact")
    for contact in request.contacts:
        uri = msgspec.structs.replace(contact.uri, host=source[0], port=source[1])
        copy.add("Contact", str(NameAddr(contact.display, str(uri), contact.parameters)))
    return copy
