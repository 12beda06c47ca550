"""A subscription as its notifier has it: the dialog, its time, and one NOTIFY at a time (RFC 6665 4.2).

What is to be told is asked for when a NOTIFY is sent, so that changes that come while one is under way are told by
the next as they are then. Each subscription ends with exactly one call of `on_ended`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from .auth import DigestClient
from .dialogs import create_uas_dialog
from .errors import ProtocolError
from .headers import parse_delta_seconds
from .layer import TransactionLayer
from .message import Headers, Request
from .profile import Profile
from .transactions import (
    Address,
    Event,
    RequestReceived,
    ResponseReceived,
    ServerTransaction,
    TimedOut,
    Transport,
    TransportFailed,
)
from .uri import parse_parameters
from .usage import DialogUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Body", "EventField", "Subscription", "choose_type", "expiry_of", "read_event"]

LONGEST_S = 86_400
"""Seconds that no subscription is granted more than."""
LEAST_LEEWAY_S = 3600
"""RFC 6665 4.2.1.1: only a duration below an hour may be called too brief."""
ENDING = frozenset((404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604))
"""Responses to a NOTIFY that end the subscription (RFC 6665 4.2.2, RFC 5057 5.1)."""

Body = Callable[[], tuple[bytes, str]]
"""What a NOTIFY tells now, and its content type; b"" for nothing."""


class EventField(msgspec.Struct, frozen=True):
    """An Event header field: the package and the id that tells subscriptions of one dialog apart."""

    package: str
    """In lower case."""
    ident: str = ""

    def __str__(self) -> str:
        return f"{self.package};id={self.ident}" if self.ident else self.package


class Subscription(DialogUsage):
    """One subscriber to one state.

    `on_ended` is told why it ended: unsubscribed, timeout, refused, unreachable, or the reason that was given to `end`.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        profile: Profile,
        transport: Transport,
        contact: str,
        *,
        local_tag: str,
        peer: Address,
        event: EventField,
        body: Body,
        on_ended: Callable[[Subscription, str], None],
        credentials: DigestClient | None = None,
        remember_source: bool = False,
    ) -> None:
        super().__init__(
            layer,
            profile,
            transport,
            contact,
            local_tag=local_tag,
            peer=peer,
            credentials=credentials,
            remember_source=remember_source,
        )
        self.event = event
        self.body = body
        self.user: Any = None
        """Whatever the driver wants to find again."""
        self.expires_at = inf
        self.deadline = inf
        self.queued_at = inf
        self.ended = False
        self._on_ended = on_ended
        self._waiting = False  # a NOTIFY is under way
        self._changed = False
        self._reason = ""  # of the last NOTIFY, once it is wanted

    # -- what the driver says -------------------------------------------------------------------------------------

    def begin(self, transaction: ServerTransaction, request: Request, expires: int, now: float) -> None:
        """Accept the SUBSCRIBE that makes the dialog, and tell the state at once; with `expires` 0 once and no more.

        ProtocolError 400 when it names no Contact that could be notified; then nothing has begun.
        """
        self.dialog = create_uas_dialog(request, self.local_tag)
        self.dialog.confirmed = True
        self._accept(transaction, expires, now)

    def refresh(self, transaction: ServerTransaction, request: Request, expires: int, now: float) -> None:
        """Accept a SUBSCRIBE in the dialog: it goes on for `expires` seconds, or ends with 0."""
        assert self.dialog is not None
        self.dialog.refresh_target(request)
        self._accept(transaction, expires, now)

    def check(self, request: Request) -> None:
        """ProtocolError when a request of the peer does not fit into the dialog."""
        if self.dialog is None or self.ended or self._reason:
            raise ProtocolError(481, "the subscription has ended", message=request)
        self.dialog.take_request(request)
        if request.method == "SUBSCRIBE" and read_event(request) != self.event:
            raise ProtocolError(481, f"there is no subscription to {str(read_event(request))[:64]!r}", message=request)

    def changed(self, now: float) -> None:
        """What is to be told is different now."""
        if self.ended or self._reason:
            return
        self._changed = True
        self._notify(now)

    def end(self, now: float, reason: str) -> None:
        """Tell the subscriber that it is over: deactivated, probation, rejected, timeout, giveup or noresource."""
        if self.ended or self._reason:
            return
        self._finish(now, reason)

    def end_at_once(self, now: float, reason: str) -> None:
        """Tell the subscriber that it is over without waiting for any answer: the server stops."""
        if not self.ended:
            self._waiting = False
            self._finish(now, reason)
            self.forget(reason)

    def forget(self, why: str) -> None:
        """End it without a word to the subscriber."""
        if self.ended:
            return
        self.ended = True
        self.deadline = inf
        self._on_ended(self, why)

    # -- what the agent gives -------------------------------------------------------------------------------------

    def handle_timeout(self, now: float) -> None:
        """The time that was granted is over (RFC 6665 4.1.3)."""
        if now >= self.expires_at and not self.ended:
            self.end(now, "timeout")

    def receive(self, event: Event, now: float) -> None:
        """Take what became of a NOTIFY."""
        if isinstance(event, RequestReceived) or self.ended:
            return
        if isinstance(event, ResponseReceived):
            response = event.response
            if response.status < 200:
                return
            if response.status in (401, 407) and self._send_with_credentials(event.transaction, response, now):
                return
            self._waiting = False
            if response.status < 300:
                self._rounds = 0
            elif response.status in ENDING or "Retry-After" not in response.headers:
                self.forget("refused")
                return
        elif isinstance(event, TimedOut | TransportFailed):
            self.forget("unreachable")
            return
        if self._reason and not self._changed:
            self.forget(self._reason)
        elif self._changed:
            self._notify(now)

    # -- the NOTIFY -----------------------------------------------------------------------------------------------

    def _accept(self, transaction: ServerTransaction, expires: int, now: float) -> None:
        self.respond(transaction, now, 200, headers=(("Expires", str(expires)), *self._names("Server")))
        self.expires_at = self.deadline = now + expires
        if not expires:
            self._finish(now, "unsubscribed")
            return
        self.layer.schedule(self)
        self._changed = True
        self._notify(now)

    def _finish(self, now: float, reason: str) -> None:
        self._reason = reason
        self.deadline = inf
        self._changed = True
        self._notify(now)

    def _notify(self, now: float) -> None:
        """Send what there is to tell, unless a NOTIFY is under way: then it waits for that one's answer."""
        if self._waiting:
            return
        assert self.dialog is not None
        self._waiting, self._changed = True, False
        if self._reason:
            # RFC 6665 4.4.1: who takes the subscription back is told it like who let it run out
            reason = "timeout" if self._reason == "unsubscribed" else self._reason
            state = f"terminated;reason={reason}"
        else:
            state = f"active;expires={max(0, round(self.expires_at - now))}"
        body, content_type = self.body()
        request = self.dialog.create_request(
            "NOTIFY",
            (
                ("Contact", self.contact),
                ("Event", str(self.event)),
                ("Subscription-State", state),
                *self._names("User-Agent"),
            ),
            body,
            content_type,
        )
        self._attempts.clear()
        self._send(request, now)

    def _names(self, field: str) -> Headers:
        return ((field, self.profile.product),) if self.profile.product else ()


def read_event(request: Request) -> EventField:
    """The Event of a SUBSCRIBE or NOTIFY; ProtocolError 489 without one (RFC 6665 8.2.1)."""
    value = request.get("Event") or ""
    package, _, tail = value.partition(";")
    package = package.strip().lower()
    if not package:
        raise ProtocolError(489, "Event is missing", message=request)
    ident = next((text for name, text in parse_parameters(tail) if name.lower() == "id"), None)
    return EventField(package, ident or "")


def expiry_of(request: Request, default: int, least: int) -> int:
    """The seconds that a SUBSCRIBE is granted; ProtocolError 423 for what is too brief, 400 for no number."""
    value = request.get("Expires")
    asked = parse_delta_seconds(value) if value is not None else default
    if asked is None:
        raise ProtocolError(400, f"Expires {value[:32]!r} is no number of seconds" if value else "Expires is empty")
    if 0 < asked < min(least, LEAST_LEEWAY_S):
        raise ProtocolError(423, f"Expires {asked} is less than {least}", headers=(("Min-Expires", str(least)),))
    if 0 < asked < least:  # too long to be called too brief: what it lacks is given
        asked = least
    return min(asked, LONGEST_S)


def choose_type(request: Request, offered: Sequence[str]) -> str:
    """The first content type of `offered` that the Accept fields take, in their order; ProtocolError 406 for none."""
    accepted = [value.partition(";")[0].strip().lower() for value in request.values("Accept")]
    if not accepted:
        return offered[0]
    for wanted in accepted:
        if wanted in offered:
            return wanted
        kind, _, rest = wanted.partition("/")
        if rest == "*":
            found = next((name for name in offered if kind in ("*", name.partition("/")[0])), None)
            if found is not None:
                return found
    raise ProtocolError(
        406, f"Accept {', '.join(accepted)[:64]!r} has nothing we write", headers=(("Accept", ", ".join(offered)),)
    )
