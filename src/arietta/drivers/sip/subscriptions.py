"""Subscriptions of phones: busy lamps and presence from hints, message lamps from mailboxes (RFC 6665).

What an extension shows and how many messages wait is asked of `Hints` and `MailboxCounts`; here is who may know, in
which form, how many at a time, and until when. Lists of resources (RFC 4662) are not served.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.facing import contact_on
from arietta.model import facts, shown
from arietta.sip.errors import ProtocolError
from arietta.sip.event_bodies import (
    DIALOG_INFO,
    MESSAGE_SUMMARY,
    PIDF,
    Waiting,
    write_dialog_info,
    write_message_summary,
    write_pidf,
)
from arietta.sip.message import Request
from arietta.sip.subscription import Subscription, choose_type, expiry_of, read_event
from arietta.sip.transactions import Address, RequestReceived
from arietta.sip.uri import SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

PRESENCE, DIALOG, MESSAGES = "presence", "dialog", "message-summary"
ALLOW_EVENTS = ", ".join((PRESENCE, DIALOG, MESSAGES, "refer"))
TYPES = {PRESENCE: (PIDF, DIALOG_INFO), DIALOG: (DIALOG_INFO,), MESSAGES: (MESSAGE_SUMMARY,)}
"""What each package can be told in, the usual form first."""
DEFAULT_EXPIRY_S = 3600
MAX_SUBSCRIPTIONS = 20_000
MAX_PER_ENDPOINT = 1000
RETRY_AFTER_S = 60


class HintState(Protocol):
    """What an extension shows."""

    @property
    def status(self) -> int:
        """The sum of `event_bodies`' states."""
        ...

    @property
    def presence(self) -> str:
        """What its user was set to, or not_set."""
        ...

    @property
    def presence_message(self) -> str:
        """What the user says about it."""
        ...


class Hints(Protocol):
    """The states of extensions."""

    def watch(self, context: str, exten: str, tell: Callable[[HintState | None], None]) -> HintState | None:
        """Have each new state told, None when there will be none any more; returns the present one, or None."""
        ...

    def unwatch(self, context: str, exten: str, tell: Callable[[HintState | None], None]) -> None:
        """Take `watch` back."""
        ...


class MailboxCounts(Protocol):
    """How many messages wait."""

    def waiting(self, name: str) -> tuple[int, int]:
        """New and old messages of a mailbox."""
        ...

    def update(self, name: str, old_messages: int, new_messages: int) -> None:
        """Set them."""
        ...


class _Subscriber:
    """One subscription with what it is told of."""

    def __init__(
        self, driver: SipDriver, endpoint: Endpoint, request: Request, package: str, content_type: str
    ) -> None:
        self.driver = driver
        self.endpoint = endpoint.name
        self.package = package
        self.content_type = content_type
        self.subscription: Subscription | None = None
        to = request.to.uri
        self.resource = request.uri.user or to.user or ""
        self.context = endpoint.subscribe_context or endpoint.context
        self.entity = str(SipUri("sip", self.resource, to.host, to.port))
        self.early_in_use = endpoint.notify_early_inuse_ringing
        self.state: HintState | None = None
        self.told: tuple[int, str, str] | None = None
        self.mailboxes: tuple[str, ...] = ()
        self.account = ""
        self._version = 0

    def body(self) -> tuple[bytes, str]:
        """What its next NOTIFY says."""
        if self.package == MESSAGES:
            counts = self.driver.subscriptions.count(self.mailboxes)
            return write_message_summary(counts, self.account), self.content_type
        state = self.state
        if state is None:
            return b"", ""
        self.told = (state.status, state.presence, state.presence_message)
        if self.content_type == PIDF:
            text = write_pidf(self.entity, self.resource, state.status, state.presence, state.presence_message)
            return text, PIDF
        version, self._version = self._version, self._version + 1
        text = write_dialog_info(self.entity, self.resource, state.status, version, early_in_use=self.early_in_use)
        return text, DIALOG_INFO

    def tell(self, state: HintState | None) -> None:
        """The extension shows something else; None: it has no hint any more."""
        self.state = state
        subscription, now = self.subscription, self.driver.now()
        if subscription is None:
            return
        if state is None:
            subscription.end(now, "noresource")
        elif (state.status, state.presence, state.presence_message) != self.told:
            subscription.changed(now)
        self.driver.drain()


class Subscriptions:
    """All subscriptions of one driver."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self.hints: Hints | None = None
        self.mailboxes: MailboxCounts | None = None
        self._all: dict[_Subscriber, None] = {}
        self._of_endpoint: dict[str, int] = {}
        self._of_mailbox: dict[str, dict[_Subscriber, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def shown(self) -> list[shown.Subscription]:
        """Every subscription, the oldest first."""
        now = self._driver.now()
        return [
            shown.Subscription(
                one.endpoint,
                one.resource,
                str(one.subscription.event),
                max(0, round(one.subscription.expires_at - now)),
                one.subscription.dialog.call_id,
                one.content_type,
            )
            for one in self._all
            if one.subscription is not None and one.subscription.dialog is not None
        ]

    def start(self) -> None:
        """Follow the mailboxes."""
        self._driver.registry.bus.subscribe(facts.MailboxChanged.topics[0], self._mailbox_changed)

    def stop(self) -> None:
        """Tell every subscriber that it is over; answers are not waited for."""
        self._driver.registry.bus.unsubscribe(facts.MailboxChanged.topics[0], self._mailbox_changed)
        for one in tuple(self._all):
            if one.subscription is not None:
                one.subscription.end_at_once(self._driver.now(), "deactivated")
        self._driver.drain()

    def configure(self, settings: PjsipSettings) -> None:
        """Take a new configuration: subscriptions of endpoints that may not have them any more end."""
        for one in tuple(self._all):
            endpoint = settings.endpoints.get(one.endpoint)
            if (endpoint is None or not endpoint.allow_subscribe) and one.subscription is not None:
                one.subscription.end(self._driver.now(), "rejected")
        self._driver.drain()

    def count(self, mailboxes: tuple[str, ...]) -> Waiting:
        """The messages of several mailboxes together."""
        if self.mailboxes is None:
            return Waiting()
        counts = [self.mailboxes.waiting(name) for name in mailboxes]
        return Waiting(sum(new for new, _ in counts), sum(old for _, old in counts))

    def has_subscribed(self, endpoint: str, mailbox: str) -> bool:
        """Whether an endpoint is told of a mailbox because it has asked for it."""
        return any(one.endpoint == endpoint for one in self._of_mailbox.get(mailbox, ()))

    # ------------------------------------------------------------------------------------------------ SUBSCRIBE

    def take_subscribe(self, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
        """Answer a SUBSCRIBE outside of any dialog; ProtocolError says why it is refused."""
        driver, request, now = self._driver, received.request, self._driver.now()
        event = read_event(request)
        if event.package not in TYPES:
            raise ProtocolError(
                489, f"Event {event.package[:64]!r} is not served", headers=(("Allow-Events", ALLOW_EVENTS),)
            )
        if not endpoint.allow_subscribe:
            raise ProtocolError(403, f"endpoint {endpoint.name} may not subscribe (allow_subscribe)")
        content_type = choose_type(request, TYPES[event.package])
        expires = expiry_of(request, DEFAULT_EXPIRY_S, endpoint.sub_min_expiry)
        self._check_room(endpoint)
        one = _Subscriber(driver, endpoint, request, event.package, content_type)
        self._find_what_it_wants(one, endpoint)
        try:
            one.subscription = subscription = driver.agent.accept_subscribe(
                received,
                contact_on(received.transaction.transport, is_secure=request.uri.scheme == "sips"),
                expires,
                now,
                event=event,
                body=one.body,
                on_ended=lambda _, why: self._ended(one, why),
                source=source,
                remember_source=endpoint.force_rport or endpoint.rewrite_contact,
                credentials=driver.endpoints_table.client_credentials(endpoint),
            )
        except ProtocolError:
            self._let_go(one)
            raise
        self._all[one] = None
        self._of_endpoint[one.endpoint] = self._of_endpoint.get(one.endpoint, 0) + 1
        for mailbox in one.mailboxes:
            self._of_mailbox.setdefault(mailbox, {})[one] = None
        driver.agent.listen(request.call_id, subscription.local_tag, partial(self._take_in_dialog, one))
        log.info("endpoint %s subscribes to %s/%s for %d s", one.endpoint, one.resource, event.package, expires)

    def _check_room(self, endpoint: Endpoint) -> None:
        held = self._of_endpoint.get(endpoint.name, 0)
        if held < MAX_PER_ENDPOINT and len(self._all) < MAX_SUBSCRIPTIONS:
            return
        what = f"endpoint {endpoint.name} has {held}" if held >= MAX_PER_ENDPOINT else f"there are {len(self._all)}"
        self._driver.agent.counters["refused.subscriptions"] += 1
        log.warning("SIP: %s subscriptions, which is the limit: one more is refused", what)
        raise ProtocolError(
            503, f"{what} subscriptions, which is the limit", headers=(("Retry-After", str(RETRY_AFTER_S)),)
        )

    def _find_what_it_wants(self, one: _Subscriber, endpoint: Endpoint) -> None:
        """The hint or the mailboxes; ProtocolError 404 where there are none."""
        if one.package == MESSAGES:
            self._find_mailboxes(one, endpoint)
            return
        one.state = self.hints.watch(one.context, one.resource, one.tell) if self.hints is not None else None
        if one.state is None:
            log.info("endpoint %s subscribes to %s@%s: no hint", endpoint.name, one.resource, one.context)
            raise ProtocolError(404, f"extension {one.resource[:64]!r} of {one.context} has no hint")

    def _find_mailboxes(self, one: _Subscriber, endpoint: Endpoint) -> None:
        """Those of the address of record that is named, of all of the endpoint's for its voicemail extension."""
        settings = self._driver.settings
        aors = [settings.aors[name] for name in endpoint.aors if name in settings.aors]
        named = [aor for aor in aors if aor.name.lower() == one.resource.lower()]
        chosen = named or [
            aor
            for aor in aors
            if one.resource in ("", endpoint.name, self.account_of(endpoint), aor.voicemail_extension)
        ]
        one.mailboxes = tuple(dict.fromkeys(mailbox for aor in chosen for mailbox in aor.mailboxes))
        if not one.mailboxes:
            log.info("endpoint %s subscribes to messages of %s: no mailbox", endpoint.name, one.resource)
            raise ProtocolError(404, f"{one.resource[:64]!r} has no mailboxes")
        if not endpoint.mwi_subscribe_replaces_unsolicited:
            both = [mailbox for mailbox in one.mailboxes if mailbox in endpoint.mailboxes]
            if both:
                log.warning(
                    "endpoint %s is told of mailbox %s unasked: its subscription is refused "
                    "(mwi_subscribe_replaces_unsolicited)",
                    *(endpoint.name, both[0]),
                )
                raise ProtocolError(403, f"mailbox {both[0][:64]!r} is told unasked")
        voicemail = next((aor.voicemail_extension for aor in chosen if aor.voicemail_extension), "")
        account = voicemail or self.account_of(endpoint)
        if account:
            one.account = f"sip:{account}@{one.entity.rpartition('@')[2].removeprefix('sip:')}"

    def account_of(self, endpoint: Endpoint) -> str:
        """The extension that an endpoint calls to hear its messages; "" for none."""
        return endpoint.voicemail_extension or self._driver.settings.general.default_voicemail_extension

    def _take_in_dialog(self, one: _Subscriber, received: RequestReceived, now: float) -> None:
        """A request in the dialog of a subscription: it is refreshed or taken back."""
        driver, request, transaction, subscription = (
            self._driver,
            received.request,
            received.transaction,
            one.subscription,
        )
        assert subscription is not None
        try:
            if request.method != "SUBSCRIBE":
                driver.agent.respond(transaction, now, 405, headers=(("Allow", "SUBSCRIBE"),))
                return
            endpoint, source = driver.reception.recognise(received)
            if endpoint is None:
                return
            if endpoint.name != one.endpoint:
                raise ProtocolError(403, "the subscription is another endpoint's")
            subscription.check(request)
            expires = expiry_of(request, DEFAULT_EXPIRY_S, endpoint.sub_min_expiry)
            subscription.transport, subscription.peer = transaction.transport, source
            subscription.refresh(transaction, request, expires, now)
        except ProtocolError as problem:
            driver.agent.refuse(transaction, problem, now)

    # --------------------------------------------------------------------------------------------------- the end

    def _ended(self, one: _Subscriber, why: str) -> None:
        subscription = one.subscription
        assert subscription is not None
        if self._all.pop(one, 0) is not None:
            return
        assert subscription.dialog is not None
        self._driver.agent.listen_no_more(subscription.dialog.call_id, subscription.local_tag)
        left = self._of_endpoint[one.endpoint] - 1
        if left:
            self._of_endpoint[one.endpoint] = left
        else:
            del self._of_endpoint[one.endpoint]
        for mailbox in one.mailboxes:
            others = self._of_mailbox[mailbox]
            del others[one]
            if not others:
                del self._of_mailbox[mailbox]
        self._let_go(one)
        log.info("subscription of endpoint %s to %s/%s has ended: %s", one.endpoint, one.resource, one.package, why)

    def _let_go(self, one: _Subscriber) -> None:
        if one.package != MESSAGES and self.hints is not None:
            self.hints.unwatch(one.context, one.resource, one.tell)

    def _mailbox_changed(self, fact: facts.MailboxChanged) -> None:
        now = self._driver.now()
        for one in tuple(self._of_mailbox.get(fact.mailbox, ())):
            if one.subscription is not None:
                one.subscription.changed(now)
        self._driver.message_lamps.changed(fact.mailbox)
        self._driver.drain()
