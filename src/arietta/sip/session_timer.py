"""When a session is refreshed, and when it is given up: session timers, both roles (RFC 4028).

A session owns one `SessionTimer`, puts its header fields on INVITE, UPDATE and their 2xx, tells it what came of them,
and does what it says: refresh when `refresh_at` has come, BYE when `expires_at` has.
"""

from __future__ import annotations

from math import inf
from typing import Literal

import msgspec

from .errors import ProtocolError
from .headers import parse_delta_seconds
from .message import Message, Request, Response
from .uri import parse_parameters

__all__ = ["LEAST", "SessionExpires", "SessionTimer", "TimerRules", "parse_session_expires"]

LEAST = 90
"""Seconds: no Min-SE and no interval is shorter (RFC 4028 4, 5)."""
MAX_ROUNDS = 3
"""422 responses in a row that are obeyed."""
LOOK_EVERY = 60.0
"""Seconds after which a timer wakes at the latest, so that the queue does not keep ended sessions for half an hour."""

Role = Literal["uac", "uas"]
Fields = tuple[tuple[str, str], ...]


class TimerRules(msgspec.Struct, frozen=True):
    """What a session demands and offers."""

    mode: Literal["no", "yes", "required", "always"] = "no"
    """`yes`: asked for, and done when the peer does it. `required`: not without the peer. `always`: also alone."""
    min_se: int = LEAST
    """Seconds below which an interval is refused with 422."""
    session_expires: int = 1800
    """Seconds asked for; longer ones of the peer are shortened to it."""

    @property
    def longest(self) -> int:
        """The interval we ask for."""
        return max(self.session_expires, self.min_se, LEAST)


class SessionExpires(msgspec.Struct, frozen=True):
    """The Session-Expires header field (4)."""

    interval: int
    """Seconds."""
    refresher: Role | None = None
    """Who refreshes: the client or the server of the transaction it stands in."""

    def __str__(self) -> str:
        return f"{self.interval};refresher={self.refresher}" if self.refresher else str(self.interval)


def parse_session_expires(value: str) -> SessionExpires:
    """Read Session-Expires; ProtocolError 400 when it is malformed."""
    seconds, semicolon, tail = value.partition(";")
    interval = parse_delta_seconds(seconds)
    if interval is None:
        raise ProtocolError(400, f"Session-Expires {value[:32]!r} is no number of seconds")
    refresher = (dict(parse_parameters(tail)).get("refresher") or "").lower() if semicolon else ""
    if refresher not in ("", "uac", "uas"):
        raise ProtocolError(400, f"refresher {refresher[:32]!r} is neither uac nor uas")
    return SessionExpires(interval, refresher or None)  # type: ignore[arg-type]


class SessionTimer:
    """The timer of one session."""

    __slots__ = ("_asked", "_interval", "_min_se", "_rounds", "_we_refresh", "deadline", "expires_at", "refresh_at",
                 "rules")  # fmt: skip

    def __init__(self, rules: TimerRules) -> None:
        self.rules = rules
        self.refresh_at = self.expires_at = inf
        self.deadline = inf
        """When `wake` is wanted."""
        self._interval = 0
        self._we_refresh = False
        self._asked = rules.longest
        self._min_se = max(rules.min_se, LEAST)
        self._rounds = 0

    @property
    def is_running(self) -> bool:
        """True once both sides have agreed on an interval, or we keep one alone."""
        return self._interval > 0

    # -- requests of ours -------------------------------------------------------------------------------------

    def request_fields(self) -> Fields:
        """What our INVITE or UPDATE carries; in a running session also who refreshes (7.1, 7.4)."""
        if self.rules.mode == "no":
            return ()
        role: Role | None = None
        if self.is_running:
            role = "uac" if self._we_refresh else "uas"
        asked = max(self._interval or self._asked, self._min_se)
        return (("Session-Expires", str(SessionExpires(asked, role))), ("Min-SE", str(self._min_se)))

    def take_2xx(self, response: Response, now: float) -> None:
        """Our INVITE or UPDATE was accepted: the peer has said how it is to be (7.2)."""
        self._rounds = 0
        if self.rules.mode == "no":
            return
        found = _session_expires_of(response)
        if found is not None:
            self._start(max(found.interval, LEAST), found.refresher != "uas", now)
        elif self.rules.mode == "yes":
            self.stop()
        else:  # 7.2: the client may go on as if the response had named it the refresher
            self._start(max(self._interval or self._asked, self._min_se), True, now)

    def take_422(self, response: Response) -> bool:
        """Our interval is too small for somebody: True when to send the request again, with a larger one (7.3)."""
        least = _min_se_of(response)
        if self.rules.mode == "no" or least <= self._min_se or self._rounds >= MAX_ROUNDS:
            return False
        self._rounds += 1
        self._min_se = least
        self._interval = max(self._interval, least) if self.is_running else 0
        return True

    def put_off(self, now: float) -> None:
        """A refresh did not succeed: try again soon; what was agreed stays (10)."""
        if self._we_refresh and self.is_running and self.refresh_at == inf:
            self.refresh_at = now + self._interval / 16
            self._rearm(now)

    # -- requests of the peer ---------------------------------------------------------------------------------

    def check_support(self, request: Request) -> None:
        """ProtocolError 421 when the peer must know timers and does not."""
        if self.rules.mode == "required" and not _knows_timers(request):
            raise ProtocolError(421, "session timers are required", headers=(("Require", "timer"),))

    def check_interval(self, request: Request) -> None:
        """ProtocolError 422 when the interval is too small (9), and the peer knows what that means."""
        asked = request.get("Session-Expires")
        if self.rules.mode == "no" or asked is None or not _knows_timers(request):
            return
        interval, least = parse_session_expires(asked).interval, max(self.rules.min_se, LEAST)
        if interval < least:
            text = f"session interval {interval} is under {least}"
            raise ProtocolError(422, text, headers=(("Min-SE", str(least)),))

    def answer(self, request: Request, now: float) -> Fields:
        """What our 2xx to an INVITE or UPDATE carries; the timer runs from now on as it says (9, table 2)."""
        if self.rules.mode == "no":
            return ()
        knows, asked = _knows_timers(request), _session_expires_of(request)
        if asked is None and self.rules.mode == "yes":
            self.stop()
            return ()
        least = _min_se_of(request)
        self._min_se = max(self._min_se, least)
        interval = self._asked if asked is None else min(asked.interval, self.rules.longest)
        interval = max(interval, least, LEAST)
        role = self._role_for(asked, knows)
        self._start(interval, role == "uas", now)
        fields: Fields = (("Session-Expires", str(SessionExpires(interval, role))),)
        return (*fields, ("Require", "timer")) if knows else fields

    def _role_for(self, asked: SessionExpires | None, knows: bool) -> Role:
        if not knows:
            return "uas"
        if asked is not None and asked.refresher is not None:
            return asked.refresher  # 9: the server must not change it
        return "uas" if self.is_running and self._we_refresh else "uac"

    # -- time -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """No timer runs any more."""
        self._interval = 0
        self.refresh_at = self.expires_at = self.deadline = inf

    def wake(self, now: float) -> Literal["refresh", "expired", ""]:
        """What is due at `now`."""
        if self.deadline > now:
            return ""
        if self.expires_at <= now:
            self.stop()
            return "expired"
        is_due = self.refresh_at <= now
        if is_due:
            self.refresh_at = inf
        self._rearm(now)
        return "refresh" if is_due else ""

    def _start(self, interval: int, we_refresh: bool, now: float) -> None:
        self._interval, self._we_refresh = interval, we_refresh
        self.refresh_at = now + interval / 2 if we_refresh else inf
        self.expires_at = now + interval - min(32, interval / 3)  # 10: who gets no refresh ends it this much early
        self._rearm(now)

    def _rearm(self, now: float) -> None:
        self.deadline = min(self.refresh_at, self.expires_at, now + LOOK_EVERY)


def _knows_timers(request: Request) -> bool:
    tags = (*request.values("Supported"), *request.values("Require"))
    return any(tag.lower() == "timer" for tag in tags)


def _session_expires_of(message: Message) -> SessionExpires | None:
    """What a message says; None when it says nothing, or nothing that can be read."""
    value = message.get("Session-Expires")
    if value is None:
        return None
    try:
        return parse_session_expires(value)
    except ProtocolError:
        return None


def _min_se_of(message: Message) -> int:
    """The Min-SE of a message, 90 when it has none (5)."""
    value = message.get("Min-SE")
    seconds = parse_delta_seconds(value.partition(";")[0]) if value is not None else None
    return max(seconds or 0, LEAST)
