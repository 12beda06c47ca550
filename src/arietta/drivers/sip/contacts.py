"""Contacts as they come and go: REGISTER, expiry, polls, and the events of all three."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.flows import GRACE_S, flow_timer
from arietta.drivers.sip.keeping import ContactKeeper, KeptContact, Records
from arietta.drivers.sip.location import (
    NONQUALIFIED,
    Changes,
    ContactState,
    Location,
    without_connection,
)
from arietta.drivers.sip.polls import Polls
from arietta.drivers.sip.streams import Connection
from arietta.model import events, facts
from arietta.model.times import wire_now
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request
from arietta.sip.profile import check_require
from arietta.sip.registrar import Binding, Update
from arietta.sip.transactions import Address, RequestReceived, Transport
from arietta.sip.uri import NameAddr, SipUri, parse_uri
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

MAX_SPREAD_S = 60.0
"""Time over which the first polls of restored contacts are spread."""


class Contacts:
    """The contacts of all endpoints."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self.location = Location()
        self._keeper: ContactKeeper | None = None
        self._endpoints: dict[str, list[Endpoint]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._started = False
        self.polls = Polls(driver, self)

    def keep_in(self, records: Records) -> None:
        """Keep registered contacts there; those that are there are taken at the start."""
        self._keeper = ContactKeeper(self.location, records, self._driver.loop)

    def configure(self, settings: PjsipSettings) -> None:
        """Take the addresses of record of a configuration."""
        gone = self.location.configure(settings.aors)
        self._endpoints = {}
        for endpoint in settings.endpoints.values():
            for aor in endpoint.aors:
                self._endpoints.setdefault(aor, []).append(endpoint)
        if self._started:
            self._keep(gone)
            self._arm()

    def start(self) -> None:
        """Begin to expire and poll, with the contacts that were kept."""
        self._started = True
        if self._keeper is not None:
            self._restore(self._keeper)
        self.location.spread_polls(self._driver.now(), float(self._driver.settings.general.max_initial_qualify_time))
        self._arm()

    def stop(self) -> None:
        """Expire and poll no more; all contacts are kept when it returns."""
        if not self._started:
            return
        self._started = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._keeper is not None:
            self._keeper.stop()

    def of(self, endpoint: Endpoint) -> list[ContactState]:
        """The contacts of an endpoint."""
        return self.location.contacts(endpoint.aors)

    def uri_of(self, target: str) -> str | None:
        """A SIP URI, or the first contact of an endpoint, as a URI; None if it is neither."""
        if target.startswith(("sip:", "sips:")):
            try:
                return str(parse_uri(target))
            except ProtocolError:
                return None
        endpoint = self._driver.endpoints_table.get(target)
        contacts = self.of(endpoint) if endpoint is not None else []
        return contacts[0].uri if contacts else None

    def endpoint_at(self, uri: SipUri) -> Endpoint | None:
        """The endpoint that has a contact at the host of a URI, else the one of calls to bare URIs, if it exists."""
        settings, host = self._driver.settings, uri.host.lower()
        for endpoint in settings.endpoints.values():
            for contact in self.of(endpoint):
                if host in contact.uri.lower() and parse_uri(contact.uri).host.lower() == host:
                    return endpoint
        return self._driver.endpoints_table.get(settings.general.default_outbound_endpoint)

    # ------------------------------------------------------------------------------------------------- REGISTER

    def take_register(self, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
        """Answer a REGISTER of an authenticated endpoint."""
        driver, request, transaction = self._driver, received.request, received.transaction
        user = request.to.uri.user or ""
        domains = driver.endpoints_table.domains(request.to.uri.host, transaction.transport.name)
        names = {user.lower(), *(f"{user}@{domain}".lower() for domain in domains)}
        aor = next((name for name in endpoint.aors if name.lower() in names), None)
        if aor is None or aor not in self.location.aors:
            log.warning("endpoint %s may not register %r", endpoint.name, user)
            driver.agent.respond(transaction, driver.now(), 404)
            return
        state = self.location.aors[aor]
        with_path = state.settings.support_path
        tags = ("outbound", "path") if with_path else ("outbound",)
        known = driver.agent.profile
        check_require(msgspec.structs.replace(known, supported=(*known.supported, *tags)), request)
        if not state.settings.max_contacts and request.values("Contact"):
            driver.agent.respond(transaction, driver.now(), 403)
            return
        if endpoint.rewrite_contact and not (with_path and "Path" in request.headers):  # it came from the proxy
            request = _rewritten(request, source)
        changes = self.location.register(aor, request, driver.now(), source, transaction.transport)
        update = changes.update
        assert update is not None
        headers = (*update.headers, ("Supported", ", ".join(tags)))
        if changes.added or changes.refreshed:
            headers += self._hold_flow(aor, update, transaction.transport, source)
        driver.agent.respond(transaction, driver.now(), update.status, headers=headers)
        self._announce(changes)
        self._arm()

    def _hold_flow(
        self, aor: str, update: Update, transport: Transport, source: Address
    ) -> tuple[tuple[str, str], ...]:
        """Keep the connection that contacts came by; a flow is watched, with what tells its phone so (RFC 5626 4.4)."""
        driver = self._driver
        is_flow = any(new.flow and not new.path for new in update.added + update.refreshed)
        timer_s = flow_timer(transport) if is_flow else 0
        driver.transports.keep(transport, source, aor, silence_s=timer_s and timer_s + GRACE_S)
        if is_flow and not transport.reliable:
            driver.flows.watch(aor, transport, source)
        return (("Flow-Timer", str(timer_s)),) if timer_s else ()

    def flow_lost(self, connection: Connection) -> None:
        """A connection is gone that contacts were reached by (RFC 5626 5.3): they are gone with it, but for those
        whose own address can be connected to."""
        for aor in tuple(connection.aors):
            self.flow_ended(aor, connection.transport, connection.peer)

    def flow_ended(self, aor: str, transport: Transport, source: Address) -> None:
        """The contacts of an address of record are reached from this address no more."""
        self._announce(self.location.lose(aor, transport, source))
        self._keep((aor,))
        self._arm()

    # ------------------------------------------------------------------------------------------------ over restarts

    def _restore(self, keeper: ContactKeeper) -> None:
        """Take the contacts that were kept; those that have ended or cannot be reached any more are told as removed."""
        now, wall = self._driver.now(), keeper.wall()
        kept = keeper.read()
        count = sum(len(contacts) for _, contacts in kept)
        spread_s = MAX_SPREAD_S / max(1, count)
        restored = 0
        for aor, contacts in kept:
            lost = [one for one in contacts if not self._restore_one(aor, one, now, wall, now + restored * spread_s)]
            restored += len(contacts) - len(lost)
            if lost or not contacts:
                self._keep((aor,))
            self._announce(Changes(None, removed=tuple(ContactState(one.uri, aor, NONQUALIFIED) for one in lost)))
        if count:
            log.info("%d of %d contacts from before the restart are registered still", restored, count)

    def _restore_one(self, aor: str, kept: KeptContact, now: float, wall: float, poll_at: float) -> bool:
        state = self.location.aors.get(aor)
        binding: Binding | None = kept.binding(now, wall, state.settings.maximum_expiration if state else 0)
        assert binding is not None
        if binding.expires_at <= now:
            return False
        if kept.protocol not in ("UDP", ""):  # connections ended with the process that had them
            binding = without_connection(binding, kept.protocol)
            if binding is None:
                return False
        transport = self._driver.transports.find(kept.transport) if kept.transport else None
        if transport is not None and transport.protocol == kept.protocol:
            transport = self._driver.transports.towards(transport, kept.source) if kept.source else transport
        else:
            transport = None
        return self.location.restore(aor, binding, transport, poll_at) is not None

    def _keep(self, aors: Iterable[str]) -> None:
        if self._keeper is not None:
            self._keeper.change(aors)

    def _announce(self, changes: Changes) -> None:
        if self._keeper is not None and (changes.added or changes.refreshed or changes.removed):
            self._keep({contact.aor for contact in (*changes.added, *changes.refreshed, *changes.removed)})
        for contact in changes.added:
            verbose(3, f"Added contact '{contact.uri}' to AOR '{contact.aor}'")
            for endpoint in self._endpoints_of(contact):
                self._driver.devices.announce(endpoint.name)
                self._peer(endpoint, "Reachable")
                self._driver.message_lamps.registered(endpoint, contact)
            self._contact_event(contact, contact.status)
        if changes.refreshed and self._driver.settings.general.send_contact_status_on_update_registration:
            self._tell_refreshed(changes.refreshed)
        for contact in changes.removed:
            verbose(3, f"Removed contact '{contact.uri}' from AOR '{contact.aor}'")
            for endpoint in self._endpoints_of(contact):
                if not self.of(endpoint):
                    self._driver.devices.announce(endpoint.name)
                    self._peer(endpoint, "Unreachable")
            self._contact_event(contact, "Removed")

    def _tell_refreshed(self, contacts: Iterable[ContactState]) -> None:
        bus = self._driver.registry.bus
        if not bus.wanted(facts.ContactRefreshed.topics):
            return
        for contact in contacts:
            for endpoint in self._endpoints_of(contact):
                fact = facts.ContactRefreshed(contact.uri, contact.aor, endpoint.name, contact.roundtrip_usec or 0)
                bus.publish(fact, fact.topics)

    def _endpoints_of(self, contact: ContactState) -> list[Endpoint]:
        return self._endpoints.get(contact.aor, [])

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
        at = self.location.next_due()
        if at is None or not self._started:
            return
        if self._timer is not None:
            if self._timer_at <= at:  # too early costs nothing
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._driver.loop.call_at(max(at, self._driver.now()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._driver.now()
        changes, polled = self.location.advance(now)
        self._announce(changes)
        for contact in polled:
            self.polls.ask(contact)
        self._driver.drain()
        self._arm()

    def qualify(self, endpoint: Endpoint) -> None:
        """Ask every contact of an endpoint now whether it is there."""
        for contact in self.of(endpoint):
            self.polls.ask(contact)
        self._driver.drain()

    def polled(self, contact: ContactState, status: str, roundtrip_usec: int | None) -> None:
        """Take what a poll says of a contact."""
        state = self.location.aors.get(contact.aor)
        if state is None or state.contacts.get(contact.key) is not contact:
            return
        contact.roundtrip_usec = roundtrip_usec
        if contact.status == status:
            return
        contact.status = status
        verbose(2, f"Contact {contact.aor}/{contact.uri} is now {status}")
        for endpoint in self._endpoints_of(contact):
            self._driver.devices.announce(endpoint.name)
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
