"""Our own registration with somebody else's registrar, kept alive (RFC 3261 10.2), sans-IO."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Any

import msgspec

from .auth import DigestClient
from .errors import ProtocolError
from .flows import without_flow
from .headers import parse_contacts, parse_delta_seconds
from .layer import TransactionLayer
from .message import Request, Response
from .transactions import Address, ClientTransaction, Event, ResponseReceived, TimedOut, Transport, TransportFailed
from .uri import parse_name_addr

__all__ = ["Registered", "Registration", "RegistrationEvent", "RegistrationFailed", "RegistrationState", "Unregistered"]

MAX_AUTHENTICATION_ROUNDS = 3
MAX_ROUTES = 10
REFRESH_EARLY = 0.9
"""The part of the granted time after which it is refreshed, unless the time left would be under 5 seconds."""


class RegistrationState(StrEnum):
    """Where our registration is."""

    UNREGISTERED = "Unregistered"
    REGISTERING = "Registering"
    REGISTERED = "Registered"
    WAITING = "Waiting"
    """It failed, and is tried again later."""
    REJECTED = "Rejected"
    """It failed for good."""
    STOPPING = "Stopping"


class Registered(msgspec.Struct, frozen=True):
    """The registrar knows our contact."""

    registration: Registration
    expires: int
    """Seconds granted."""


class RegistrationFailed(msgspec.Struct, frozen=True):
    """The registrar refused, or did not answer."""

    registration: Registration
    status: int
    """408 when nothing came, 503 when it could not be sent."""
    reason: str
    retry_in: float | None
    """Seconds until it is tried again, None when it is not."""


class Unregistered(msgspec.Struct, frozen=True):
    """Our contact is gone from the registrar, as we asked. Last event."""

    registration: Registration


RegistrationEvent = Registered | RegistrationFailed | Unregistered


class Registration:
    """One outbound registration.

    Give it the events whose `transaction.user` it is (`UserAgent.outputs()` hands them out, as they are of no session);
    its deadline is watched by the layer and what happens goes to the layer's outputs as a `RegistrationEvent`.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        *,
        registrar: str,
        aor: str,
        contact: str,
        destination: Address,
        transport: Transport,
        call_id: str,
        tag: str,
        credentials: DigestClient | None = None,
        expiration: int = 3600,
        retry_interval: float = 60.0,
        max_retries: int = 10,
        forbidden_retry_interval: float = 0.0,
        fatal_retry_interval: float = 0.0,
        user_agent: str = "Arietta",
        route_set: tuple[str, ...] = (),
        is_rejection_lasting: bool = True,
        supports_path: bool = False,
        supports_outbound: bool = False,
    ) -> None:
        """`registrar` is the Request-URI, `aor` the URI registered; intervals are seconds, 0 for no retry.

        `route_set` are the proxies on the way. `is_rejection_lasting`: refused credentials are not tried again after
        `retry_interval`. `supports_path` lets proxies add themselves (RFC 3327 5.1). `supports_outbound`:
        `contact` names a flow (RFC 5626), and is registered as an ordinary one where the first hop knows none (439).
        """
        self.state = RegistrationState.UNREGISTERED
        self.deadline = self.queued_at = inf
        self.registrar = registrar
        self.aor = aor
        self.contact = contact
        self.destination = destination
        self.transport = transport
        self.retries = 0
        """Failures in a row."""
        self.ways: list[tuple[Address, Transport, str]] = []
        """Where to register when `destination` does not answer: destination, transport, contact (RFC 3263 4.3)."""
        self.flow_timer: int | None = None
        """Flow-Timer in seconds, 0 for none, where the registrar keeps our flow (RFC 5626 4.4)."""
        self.service_route: tuple[str, ...] = ()
        """The proxies that requests of the address of record are to pass, as the registrar says (RFC 3608 6.1)."""
        self._layer = layer
        self._sink: list[Any] = layer.sink
        self._call_id, self._tag, self._cseq = call_id, tag, 0
        self._credentials = credentials
        self._expiration = expiration
        self._retry_interval, self._max_retries = retry_interval, max_retries
        self._forbidden_retry_interval = forbidden_retry_interval
        self._fatal_retry_interval = fatal_retry_interval
        self._user_agent, self._route_set = user_agent, route_set
        self._is_rejection_lasting, self._supports_path = is_rejection_lasting, supports_path
        self._supports_outbound = supports_outbound
        self._tried = 0  # of the ways, since one answered
        self._current: ClientTransaction | None = None
        self._rounds = 0

    def start(self, now: float) -> None:
        """Register now, whatever went before."""
        self.retries = 0
        self._send(self._create(self._expiration), now, RegistrationState.REGISTERING)

    def stop(self, now: float) -> None:
        """Take our contact away; Unregistered follows, also when the registrar does not answer."""
        self._send(self._create(0), now, RegistrationState.STOPPING)

    def flow_failed(self, now: float) -> None:
        """The connection or NAT that our flow goes through is another now: register again (RFC 5626 4.5)."""
        if self.state is RegistrationState.REGISTERED:
            self._send(self._create(self._expiration), now, RegistrationState.REGISTERING)

    def handle_timeout(self, now: float) -> None:
        """Refresh, or try again."""
        self.deadline = inf
        if self.state in (RegistrationState.REGISTERED, RegistrationState.WAITING, RegistrationState.REJECTED):
            self._send(self._create(self._expiration), now, RegistrationState.REGISTERING)

    def receive(self, event: Event, now: float) -> None:
        """Take an event of one of our transactions."""
        if isinstance(event, ResponseReceived):
            if event.transaction is self._current and event.response.status >= 200:
                self._receive_final(event.transaction.request, event.response, now)
        elif isinstance(event, TimedOut | TransportFailed) and event.transaction is self._current:
            timed_out = isinstance(event, TimedOut)
            self._fail(408 if timed_out else 503, "no answer" if timed_out else "transport failed", now, None)
        if self.deadline < inf:
            self._layer.schedule(self)

    def _receive_final(self, request: Request, response: Response, now: float) -> None:
        status = response.status
        if status in (401, 407) and self._credentials is not None and self._rounds < MAX_AUTHENTICATION_ROUNDS:
            answers = self._credentials.answer(request, response)
            if answers is not None:
                self._rounds += 1
                again = request.copy()
                for name, _ in answers:
                    again.remove(name)
                for name, value in answers:
                    again.add(name, value)
                self._cseq += 1
                again.set("CSeq", f"{self._cseq} REGISTER")
                self._current = self._layer.send_request(again, self.destination, self.transport, now, self)
                return
        self._rounds = 0
        if self.state is RegistrationState.STOPPING:
            self._finish()
        elif status == 423 and (minimum := parse_delta_seconds(response.get("Min-Expires") or "")) is not None:
            if minimum <= self._expiration:  # it would be refused again
                self._fail(status, response.reason, now, response)
            else:
                self._expiration = minimum
                self._send(self._create(minimum), now, RegistrationState.REGISTERING)
        elif status == 439 and self._supports_outbound:
            self._supports_outbound = False
            self.contact = without_flow(self.contact)
            self.ways = [(address, carrier, without_flow(contact)) for address, carrier, contact in self.ways]
            self._send(self._create(self._expiration), now, RegistrationState.REGISTERING)
        elif status < 300:
            self._succeed(response, now)
        else:
            self._fail(status, response.reason, now, response)

    def _succeed(self, response: Response, now: float) -> None:
        expires = self._granted(response)
        self.service_route = self._routes_of(response)
        self.state = RegistrationState.REGISTERED
        self.retries = self._tried = 0
        self.flow_timer = None
        if self._supports_outbound and any(tag.lower() == "outbound" for tag in response.values("Require")):
            self.flow_timer = parse_delta_seconds(response.get("Flow-Timer") or "") or 0
        self._current = None
        self.deadline = now + max(expires * REFRESH_EARLY if expires >= 50 else expires - 5.0, expires / 2, 1.0)
        self._sink.append(Registered(self, expires))

    def _granted(self, response: Response) -> int:
        """The seconds the 200 gives our contact (10.2.4)."""
        try:
            ours = parse_contacts([self.contact])[0].uri
            for contact in parse_contacts(response.headers.get("Contact", [])):
                if contact.uri == ours:
                    seconds = parse_delta_seconds(contact.parameter("expires") or "")
                    if seconds is not None:
                        return seconds
        except ProtocolError:
            self._layer.counters["dropped.bad_contact"] += 1
        expires = response.expires
        return self._expiration if expires is None else expires

    def _routes_of(self, response: Response) -> tuple[str, ...]:
        """Service-Route, which the newest 2xx replaces whole; one that nothing could be sent along is none."""
        routes: list[str] = []
        try:
            for value in response.values("Service-Route"):
                _ = parse_name_addr(value).uri
                routes.append(value)
        except ProtocolError:
            self._layer.counters["dropped.bad_service_route"] += 1
            return ()
        return tuple(routes[:MAX_ROUTES])

    def _fail(self, status: int, reason: str, now: float, response: Response | None) -> None:
        self._current = None
        self._rounds = 0
        if self.state is RegistrationState.STOPPING:
            self._finish()
            return
        if self._tried < len(self.ways) and (response is None or status == 503):
            self._tried += 1
            self.ways.append((self.destination, self.transport, self.contact))
            self.destination, self.transport, self.contact = self.ways.pop(0)
            self._send(self._create(self._expiration), now, RegistrationState.REGISTERING)
            return
        self._tried = 0
        self.retries += 1
        wait = self._wait_after(status, response)
        if wait is None or (self._max_retries and self.retries > self._max_retries):
            wait = None
            self.state = RegistrationState.REJECTED
        else:
            self.state = RegistrationState.WAITING
            self.deadline = now + wait
        self._sink.append(RegistrationFailed(self, status, reason, wait))

    def _wait_after(self, status: int, response: Response | None) -> float | None:
        """Seconds until the next attempt after `status`, None for no more."""
        if response is not None and "Retry-After" in response.headers:
            text = (response.get("Retry-After") or "").partition(";")[0].partition("(")[0]
            seconds = parse_delta_seconds(text)
            if seconds is not None and status in (404, 413, 480, 486, 500, 503, 600, 603):
                return float(min(max(seconds, 1), 3600))
        if status in (401, 407) and not self._is_rejection_lasting:
            return self._retry_interval or None
        if status == 403:
            return self._forbidden_retry_interval or None
        if status in (408, 500, 502, 503, 504) or 600 <= status < 700:
            return self._retry_interval or None
        return self._fatal_retry_interval or None

    def _finish(self) -> None:
        self.state = RegistrationState.UNREGISTERED
        self._current = None
        self.deadline = inf
        self.service_route = ()
        self._sink.append(Unregistered(self))

    def _create(self, expires: int) -> Request:
        self._cseq += 1
        request = Request(
            "REGISTER",
            self.registrar,
            [
                ("From", f"<{self.aor}>;tag={self._tag}"),
                ("To", f"<{self.aor}>"),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", self.contact),
                ("Expires", str(expires)),
                ("Max-Forwards", "70"),
            ],
        )
        if self._route_set:
            request.headers["Route"] = list(self._route_set)
        if self._supports_outbound:
            request.set("Supported", "path, outbound")
        elif self._supports_path:
            request.set("Supported", "path")
        if self._user_agent:
            request.set("User-Agent", self._user_agent)
        return request

    def _send(self, request: Request, now: float, state: RegistrationState) -> None:
        self.state = state
        self.deadline = inf
        self._rounds = 0
        self._current = self._layer.send_request(request, self.destination, self.transport, now, self)
