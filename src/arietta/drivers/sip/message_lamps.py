"""Message lamps of phones that did not ask: NOTIFYs without subscription, and those that trunks send us (RFC 3842).

To each contact of an endpoint with mailboxes goes one NOTIFY at a time; what changes while it is under way is told
by the next, as it is then.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.errands import Errand, Way, go_on, start, way_to
from arietta.drivers.sip.facing import contact_on
from arietta.drivers.sip.location import ContactState
from arietta.drivers.sip.subscriptions import ALLOW_EVENTS, MESSAGES
from arietta.sip.errors import ProtocolError
from arietta.sip.event_bodies import MESSAGE_SUMMARY, read_message_summary, write_message_summary
from arietta.sip.layer import new_token
from arietta.sip.message import Request
from arietta.sip.subscription import read_event
from arietta.sip.transactions import Event, RequestReceived, ResponseReceived
from arietta.sip.uri import NameAddr, SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

PACE_S = 0.005
"""Time between the endpoints that are told at the start."""

LampKey = tuple[str, str, tuple[str, ...]]
"""Endpoint, URI of the contact, mailboxes."""


@dataclass(slots=True, eq=False)
class LampErrand(Errand):
    """One NOTIFY to one contact until its final response."""

    key: LampKey = field(default=("", "", ()), kw_only=True)


class MessageLamps:
    """The message lamps of one driver's phones."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self._of_mailbox: dict[str, list[Endpoint]] = {}
        self._under_way: dict[LampKey, bool] = {}  # True: there is something new to tell after it
        self._first: deque[str] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def configure(self, settings: PjsipSettings) -> None:
        """Take the mailboxes of a configuration."""
        self._of_mailbox = {}
        for endpoint in settings.endpoints.values():
            for mailbox in endpoint.mailboxes:
                self._of_mailbox.setdefault(mailbox, []).append(endpoint)

    def start(self) -> None:
        """Tell every phone that is known already, one after the other (`mwi_disable_initial_unsolicited`)."""
        if not self._driver.settings.general.mwi_disable_initial_unsolicited:
            self._first.extend(dict.fromkeys(e.name for endpoints in self._of_mailbox.values() for e in endpoints))
            self._tell_first()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._first.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def changed(self, mailbox: str) -> None:
        """Other numbers of messages wait in a mailbox."""
        for endpoint in self._of_mailbox.get(mailbox, ()):
            for contact in self._driver.contacts.of(endpoint):
                self._tell(endpoint, contact, mailbox)

    def registered(self, endpoint: Endpoint, contact: ContactState) -> None:
        """A phone has come: it is told how many messages wait."""
        if endpoint.mailboxes:
            self._tell(endpoint, contact)

    def _tell_first(self) -> None:
        self._timer = None
        endpoint = self._driver.settings.endpoints.get(self._first.popleft()) if self._first else None
        if endpoint is not None:
            for contact in self._driver.contacts.of(endpoint):
                self._tell(endpoint, contact)
            self._driver.drain()
        if self._first:
            self._timer = self._driver.loop.call_later(PACE_S, self._tell_first)

    # --------------------------------------------------------------------------------------------------- NOTIFY

    def _tell(self, endpoint: Endpoint, contact: ContactState, changed: str = "") -> None:
        """Tell a contact of all mailboxes together, or of each by itself; those it has subscribed to are left out."""
        mailboxes = tuple(
            mailbox
            for mailbox in endpoint.mailboxes
            if not self._driver.subscriptions.has_subscribed(endpoint.name, mailbox)
        )
        if not mailboxes or (changed and changed not in mailboxes):
            return
        if endpoint.aggregate_mwi:
            self._notify(endpoint, contact, mailboxes)
            return
        for mailbox in mailboxes:
            if changed in ("", mailbox):
                self._notify(endpoint, contact, (mailbox,))

    def _notify(self, endpoint: Endpoint, contact: ContactState, mailboxes: tuple[str, ...]) -> None:
        key = (endpoint.name, contact.uri, mailboxes)
        if key in self._under_way:
            self._under_way[key] = True
            return
        try:
            way = way_to(self._driver, endpoint, contact)
        except ProtocolError as problem:
            log.warning("endpoint %s is not told of its messages: %s", endpoint.name, problem)
            return
        if way is None:
            return
        self._under_way[key] = False
        self._send(way, key)

    def _send(self, way: Way, key: LampKey) -> None:
        driver, endpoint = self._driver, way.endpoint
        general = driver.settings.general
        host = endpoint.from_domain or way.transport.host
        user = endpoint.mwi_from_user or endpoint.from_user or general.default_from_user
        account = driver.subscriptions.account_of(endpoint)
        address = str(SipUri("sip", user, host))
        request = Request(
            "NOTIFY",
            way.to.uri_text,
            {
                "Via": [],
                "From": [f"<{address}>;tag={new_token()}"],
                "To": [str(NameAddr("", way.to.uri_text))],
                "Call-ID": [new_token() + new_token()],
                "CSeq": ["1 NOTIFY"],
                "Max-Forwards": [str(general.max_forwards)],
                "Contact": [contact_on(way.transport)],
                "Event": [MESSAGES],
                "Subscription-State": ["terminated"],
                "Allow-Events": [ALLOW_EVENTS],
                "User-Agent": [driver.agent.profile.product],
                "Content-Type": [MESSAGE_SUMMARY],
            },
            write_message_summary(
                driver.subscriptions.count(key[2]), str(SipUri("sip", account, host)) if account else ""
            ),
        )
        if way.route_set:
            request.headers["Route"] = list(way.route_set)
        credentials = driver.endpoints_table.client_credentials(endpoint)
        start(driver, LampErrand(request, way, credentials, lambda: self._lost(key), key=key))

    def _lost(self, key: LampKey) -> None:
        self._under_way.pop(key, None)

    def answered(self, errand: LampErrand, event: Event) -> None:
        """Take what became of a NOTIFY."""
        driver = self._driver
        if isinstance(event, ResponseReceived) and event.response.status < 200:
            return
        if go_on(driver, errand, event):
            return
        if not isinstance(event, ResponseReceived):
            log.info("%s: no answer", errand)
        elif event.response.status >= 300:
            log.info("%s: %d %s", errand, event.response.status, event.response.reason)
        again = self._under_way.pop(errand.key, False)
        name, uri, mailboxes = errand.key
        endpoint = driver.settings.endpoints.get(name)
        if again and endpoint is not None:
            contact = next((one for one in driver.contacts.of(endpoint) if one.uri == uri), None)
            if contact is not None:
                self._notify(endpoint, contact, mailboxes)

    # ---------------------------------------------------------------------------------------- what trunks tell us

    def take_notify(self, received: RequestReceived, endpoint: Endpoint) -> None:
        """Take the messages that another server counts (`incoming_mwi_mailbox`); ProtocolError refuses it."""
        driver, request = self._driver, received.request
        event = read_event(request)
        if event.package != MESSAGES:
            raise ProtocolError(
                489, f"Event {event.package[:64]!r} is not taken", headers=(("Allow-Events", ALLOW_EVENTS),)
            )
        mailbox, mailboxes = endpoint.incoming_mwi_mailbox, driver.subscriptions.mailboxes
        if not mailbox or mailboxes is None:
            raise ProtocolError(481, f"endpoint {endpoint.name} has no incoming_mwi_mailbox")
        if request.content_type != MESSAGE_SUMMARY:
            raise ProtocolError(
                415, f"content type {request.content_type[:64]!r}", headers=(("Accept", MESSAGE_SUMMARY),)
            )
        waiting = read_message_summary(request.body)
        driver.agent.respond(received.transaction, driver.now(), 200)
        mailboxes.update(mailbox, waiting.old, waiting.new)
