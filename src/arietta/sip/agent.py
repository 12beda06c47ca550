"""The user agent core: a transaction layer and the sessions above it as one sans-IO object (RFC 3261 8, 12.2.2).

The skin does what `layer` says, with this object in the layer's place: `receive`, `handle_timeout` or
`transport_failed`, then drain `outputs()`, then re-arm at `next_timeout()`. Methods of sessions put outputs too.
Outputs are `Send`; events of sessions (`events`); and what belongs to no session: `RequestReceived` outside of any
dialog, `ResponseReceived`, `TimedOut`, `TransportFailed` of requests sent with `send_request`.

A `RequestReceived` must be answered: an INVITE with `accept_invite` (after authenticating it), a REGISTER with
`registrar`, a SUBSCRIBE with `accept_subscribe`, anything else with `respond`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from .auth import DigestClient
from .errors import ProtocolError
from .events import SessionEvent
from .invite import InviteSession
from .layer import TransactionLayer, new_token
from .message import Headers, Request
from .profile import Profile
from .subscription import Body, EventField, Subscription
from .timers import Timers
from .transactions import (
    AckReceived,
    Address,
    CancelReceived,
    ClientTransaction,
    Event,
    RequestReceived,
    ResponseReceived,
    Send,
    ServerTransaction,
    TimedOut,
    Transport,
    TransportFailed,
)

__all__ = ["AgentOutput", "UserAgent"]

AgentOutput = Send | SessionEvent | RequestReceived | ResponseReceived | TimedOut | TransportFailed


class UserAgent:
    """All sessions of one server over one transaction layer."""

    def __init__(
        self,
        profile: Profile | None = None,
        *,
        timers: Timers | None = None,
        max_transactions: int = 20000,
        token: Callable[[], str] = new_token,
    ) -> None:
        self.profile = profile or Profile()
        self.layer = TransactionLayer(timers=timers, max_transactions=max_transactions, token=token)
        self._token = token
        self._sessions: dict[tuple[str, str], InviteSession] = {}
        self._listeners: dict[tuple[str, str], Callable[[RequestReceived, float], None]] = {}
        self._outputs: list[AgentOutput] = []

    @property
    def counters(self) -> Counter[str]:
        """The layer's counters."""
        return self.layer.counters

    def __len__(self) -> int:
        return len(self._sessions)

    # -- the skin's five calls --------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address, transport: Transport, now: float) -> None:
        """Take one whole message from `source`."""
        self.layer.receive(data, source, transport, now)
        self._route(now)

    def handle_timeout(self, now: float) -> None:
        """Run every timer due at `now`."""
        self.layer.handle_timeout(now)
        self._route(now)

    def transport_failed(self, send: Send, now: float) -> None:
        """Take the news that a Send could not be sent."""
        self.layer.transport_failed(send, now)
        self._route(now)

    def outputs(self) -> list[AgentOutput]:
        """What there is to send and to tell, in order, since the last call."""
        drained = self._outputs
        self._outputs = []
        drained += self.layer.outputs()  # type: ignore[arg-type]
        return drained

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is wanted, None for never."""
        return self.layer.next_timeout()

    # -- what the driver asks ---------------------------------------------------------------------------------

    def accept_invite(
        self,
        received: RequestReceived,
        contact: str,
        now: float,
        *,
        source: Address | None = None,
        remember_source: bool = False,
        credentials: DigestClient | None = None,
        profile: Profile | None = None,
    ) -> InviteSession | None:
        """Make a session of an INVITE outside of any dialog; None when it had to be refused (and was).

        `profile` is what this session says and demands, the agent's own unless given; so too with `invite`.
        """
        transaction, request = received.transaction, received.request
        session = InviteSession(
            self.layer,
            self.layer.sink,
            self._sessions,
            profile or self.profile,
            transaction.transport,
            contact,
            local_tag=self._token(),
            peer=source or transaction.destination,
            remember_source=remember_source,
            credentials=credentials,
        )
        try:
            session.begin_incoming(transaction, request, now)
        except ProtocolError as error:
            self.refuse(transaction, error, now)
            return None
        return session

    def accept_subscribe(
        self,
        received: RequestReceived,
        contact: str,
        expires: int,
        now: float,
        *,
        event: EventField,
        body: Body,
        on_ended: Callable[[Subscription, str], None],
        source: Address | None = None,
        remember_source: bool = False,
        credentials: DigestClient | None = None,
    ) -> Subscription:
        """Make a subscription of a SUBSCRIBE outside of any dialog; its refreshes come to who `listen`s to the dialog.

        ProtocolError when the dialog cannot be made; then the SUBSCRIBE is still to be answered.
        """
        transaction = received.transaction
        subscription = Subscription(
            self.layer,
            self.profile,
            transaction.transport,
            contact,
            local_tag=self._token(),
            peer=source or transaction.destination,
            event=event,
            body=body,
            on_ended=on_ended,
            remember_source=remember_source,
            credentials=credentials,
        )
        subscription.begin(transaction, received.request, expires, now)
        return subscription

    def invite(
        self,
        target: str,
        destination: Address,
        transport: Transport,
        contact: str,
        now: float,
        *,
        from_: str,
        to: str = "",
        sdp: bytes = b"",
        headers: Headers = (),
        route_set: tuple[str, ...] = (),
        credentials: DigestClient | None = None,
        remember_source: bool = False,
        call_id: str = "",
        max_forwards: int = 70,
        profile: Profile | None = None,
    ) -> InviteSession:
        """Call `target` (a URI) at `destination`. `from_` and `to` are name-addrs without tag."""
        call_id, tag = call_id or self._token() + self._token(), self._token()
        fields: dict[str, list[str]] = {
            "Via": [],
            "From": [f"{from_};tag={tag}"],
            "To": [to or f"<{target}>"],
            "Call-ID": [call_id],
            "CSeq": ["1 INVITE"],
            "Max-Forwards": [str(max_forwards)],
        }
        if route_set:
            fields["Route"] = list(route_set)
        request = Request("INVITE", target, fields)
        for name, value in headers:
            request.add(name, value)
        session = InviteSession(
            self.layer,
            self.layer.sink,
            self._sessions,
            profile or self.profile,
            transport,
            contact,
            local_tag=tag,
            peer=destination,
            credentials=credentials,
            remember_source=remember_source,
        )
        session.begin_outgoing(request, sdp, now)
        return session

    def respond(
        self,
        transaction: ServerTransaction,
        now: float,
        status: int,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "",
    ) -> bool:
        """Answer a request outside of any dialog."""
        response = transaction.request.create_response(
            status,
            reason,
            to_tag=transaction.to_tag or self._token(),
            headers=headers,
            body=body,
            content_type=content_type,
        )
        return self.layer.respond(transaction, response, now)

    def respond_once(self, transaction: ServerTransaction, now: float, status: int, headers: Headers = ()) -> bool:
        """Answer a stranger: like `respond`, but nothing is kept of it and nothing sent again.

        RFC 3261 26.3.2.4 asks for it with 401: else a forged INVITE would have its victim sent eleven of them.
        """
        return self.layer.respond_once(transaction, status, headers, now)

    def refuse(self, transaction: ServerTransaction, error: ProtocolError, now: float) -> bool:
        """Answer with the status an error names."""
        self.counters[f"refused.{error.status}"] += 1
        return self.respond(transaction, now, error.status, headers=error.headers)

    def find_session(self, call_id: str, local_tag: str, remote_tag: str) -> InviteSession | None:
        """The session of a dialog by its identifier (RFC 3261 12), for Replaces (RFC 3891 3)."""
        session = self._sessions.get((call_id, local_tag))
        dialog = session.dialog if session is not None else None
        return session if dialog is not None and dialog.remote_tag == remote_tag else None

    def send_request(
        self, request: Request, destination: Address, transport: Transport, now: float, user: object = None
    ) -> ClientTransaction:
        """Send a request outside of any session: REGISTER, OPTIONS, MESSAGE ..."""
        return self.layer.send_request(request, destination, transport, now, user)

    def listen(self, call_id: str, tag: str, take: Callable[[RequestReceived, float], None]) -> None:
        """Have `take` answer the peer's requests in the dialog that our request with this From tag may make."""
        self._listeners[call_id, tag] = take

    def listen_no_more(self, call_id: str, tag: str) -> None:
        """Take `listen` back."""
        self._listeners.pop((call_id, tag), None)

    # -- routing ----------------------------------------------------------------------------------------------

    def _route(self, now: float) -> None:
        """Give events to their sessions until there are none left, keeping the order of everything else."""
        told = self._outputs
        while pending := self.layer.outputs():
            for output in pending:
                if type(output) not in _ROUTED or not self._dispatch(output, now):  # type: ignore[arg-type]
                    told.append(output)  # type: ignore[arg-type]

    def _dispatch(self, event: Event, now: float) -> bool:
        """Give an event to whoever it is for; False when that is the driver."""
        if isinstance(event, RequestReceived):
            tag = event.request.to_tag
            if not tag:
                return False
            session = self._sessions.get((event.request.call_id, tag))
            if session is None and (take := self._listeners.get((event.request.call_id, tag))) is not None:
                take(event, now)
            elif session is None:
                self.counters["refused.481"] += 1
                self.respond_once(event.transaction, now, 481)
            else:
                session.receive(event, now)
            return True
        if isinstance(event, AckReceived):
            session = self._sessions.get((event.request.call_id, event.request.to_tag))
            if session is None:
                self.counters["dropped.stray_ack"] += 1
            else:
                session.receive(event, now)
            return True
        user = event.transaction.user
        if isinstance(user, InviteSession | Subscription):
            user.receive(event, now)
            return True
        if isinstance(event, CancelReceived):  # nobody has made a session of it yet
            transaction = event.transaction
            self.respond(transaction, now, 487)
            return True
        return False


_ROUTED = frozenset((RequestReceived, ResponseReceived, AckReceived, CancelReceived, TimedOut, TransportFailed))
