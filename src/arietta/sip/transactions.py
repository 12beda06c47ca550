"""The four transactions of RFC 3261 17 as tables, with RFC 6026 and RFC 4320.

A transaction is fed and drained like every protocol here; the layer gives all of its transactions one list to put
their outputs in, so that it need not collect them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from enum import StrEnum
from math import inf
from typing import ClassVar

import msgspec

from .message import Request, Response
from .timers import Timers

__all__ = [
    "AckReceived",
    "Address",
    "CancelReceived",
    "ClientTransaction",
    "Event",
    "InviteClientTransaction",
    "InviteServerTransaction",
    "NonInviteClientTransaction",
    "NonInviteServerTransaction",
    "Output",
    "RequestReceived",
    "ResponseReceived",
    "Send",
    "ServerTransaction",
    "State",
    "TimedOut",
    "Transport",
    "TransportFailed",
]

Address = tuple[str, int]
"""Where a peer is: (IP address without brackets, port)."""


class Transport(msgspec.Struct, frozen=True, gc=False):
    """One local socket or listener, as Via names it."""

    protocol: str
    """UDP, TCP, TLS, WS or WSS."""
    host: str
    """The sent-by host we put in Via; IPv6 without brackets."""
    port: int
    """The sent-by port."""
    name: str = ""
    """What the configuration calls it."""
    media_host: str = ""
    """The address that session descriptions name in place of `host`, where there is one."""

    @property
    def reliable(self) -> bool:
        """True when the transport itself repeats what is lost."""
        return self.protocol != "UDP"

    @property
    def sent_by(self) -> str:
        """`host:port` as Via has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class State(StrEnum):
    """States of RFC 3261 figures 5 to 8, and Accepted of RFC 6026."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Input(StrEnum):
    """What can happen to a transaction. A response comes from the network to a client, from the TU to a server."""

    REQUEST = "request"
    ACK = "ack"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    RETRANSMIT = "timer A/E/G"
    EXPIRE = "timer B/D/F/H/I/J/K/L/M"
    TRANSPORT_ERROR = "transport error"


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send these bytes."""

    data: bytes
    destination: Address
    """On a reliable transport also the key of the connection to use, when one is open."""
    transport: Transport
    transaction: Transaction | None = None
    """Whose message it is; what `TransactionLayer.transport_failed` looks at."""


class RequestReceived(msgspec.Struct, frozen=True):
    """A request began a transaction; the TU owes it a final response."""

    transaction: ServerTransaction
    request: Request


class ResponseReceived(msgspec.Struct, frozen=True):
    """A response came to one of our requests; a 2xx to INVITE may come again, also from other forks."""

    transaction: ClientTransaction
    response: Response


class AckReceived(msgspec.Struct, frozen=True):
    """The ACK to a 2xx came; the TU finds its dialog."""

    request: Request


class CancelReceived(msgspec.Struct, frozen=True):
    """The peer cancelled an INVITE that has no final response; its 200 is sent, the INVITE's 487 is the TU's."""

    transaction: ServerTransaction
    request: Request


class TimedOut(msgspec.Struct, frozen=True):
    """No answer in 64*T1: a client saw no final response, or an INVITE server saw no ACK to its non-2xx."""

    transaction: Transaction


class TransportFailed(msgspec.Struct, frozen=True):
    """The transport could not carry a message of this transaction."""

    transaction: Transaction


Event = RequestReceived | ResponseReceived | AckReceived | CancelReceived | TimedOut | TransportFailed
Output = Send | Event

_Action = Callable[..., None]
_Table = dict[tuple[State, Input], tuple[State, tuple[_Action, ...]]]


class Transaction:
    """What the four have in common: a state, a table, two timers."""

    __slots__ = (
        "data", "deadline", "destination", "expires_at", "interval", "key", "queued_at", "request", "retransmit_at",
        "sink", "state", "timers", "transport", "user",
    )  # fmt: skip
    table: ClassVar[_Table] = {}

    def __init__(
        self,
        key: Hashable,
        request: Request,
        destination: Address,
        transport: Transport,
        timers: Timers,
        sink: list[Output] | None = None,
    ) -> None:
        self.key = key
        self.request = request
        self.destination = destination
        self.transport = transport
        self.timers = timers
        self.sink: list[Output] = [] if sink is None else sink
        self.user: object = None
        """What the transaction user ties to it; the layer never looks at it."""
        self.data = b""
        """What a retransmission sends."""
        self.interval = timers.t1
        self.retransmit_at = inf
        self.expires_at = inf
        self.deadline = inf
        self.queued_at = inf

    def handle_timeout(self, now: float) -> None:
        """Act on the timers that are due at `now`."""
        if self.expires_at <= now:
            self.retransmit_at = self.expires_at = inf
            self._step(Input.EXPIRE, now, None)
        elif self.retransmit_at <= now:
            self._step(Input.RETRANSMIT, now, None)

    def transport_failed(self, now: float) -> None:
        """Take the news that a message could not be sent."""
        self._step(Input.TRANSPORT_ERROR, now, None)

    def outputs(self) -> list[Output]:
        """What there is to send and to tell, since the last call."""
        drained = self.sink[:]
        self.sink.clear()
        return drained

    def next_timeout(self) -> float | None:
        """The time `handle_timeout` is wanted, None for never."""
        return None if self.deadline == inf else self.deadline

    def _step(self, what: Input, now: float, message: Request | Response | None) -> bool:
        row = self.table.get((self.state, what))
        if row is None:
            return False
        self.state = row[0]
        for action in row[1]:
            action(self, now, message)
        retransmit_at, expires_at = self.retransmit_at, self.expires_at
        self.deadline = retransmit_at if retransmit_at < expires_at else expires_at
        return True

    state: State


class ClientTransaction(Transaction):
    """A request of ours and its responses."""

    __slots__ = ()

    def start(self, now: float) -> None:
        """Send the request, arm timers A and B, or E and F."""
        self.data = bytes(self.request)
        _resend(self, now, None)
        self.expires_at = now + (self.timers.timer_b if self.request.method == "INVITE" else self.timers.longest)
        if not self.transport.reliable:
            self.retransmit_at = now + self.interval
        self.deadline = min(self.expires_at, self.retransmit_at)

    def receive(self, response: Response, now: float) -> bool:
        """Take a response; False when this state has no use for it."""
        return self._step(_input_of(response.status), now, response)


class ServerTransaction(Transaction):
    """A request of the peer and our responses."""

    __slots__ = ("fallback", "to_tag")

    def __init__(
        self,
        key: Hashable,
        request: Request,
        destination: Address,
        transport: Transport,
        timers: Timers,
        sink: list[Output] | None = None,
    ) -> None:
        super().__init__(key, request, destination, transport, timers, sink)
        self.fallback: Address | None = None
        """Where to send when the connection the request came by is gone (RFC 3261 18.2.2)."""
        self.to_tag = ""
        """The tag of our responses, once one had it."""

    def receive(self, request: Request, now: float) -> bool:
        """Take a retransmission, or the ACK of an INVITE; False when this state has no use for it."""
        return self._step(Input.ACK if request.method == "ACK" else Input.REQUEST, now, request)

    def respond(self, response: Response, now: float) -> bool:
        """Send a response of the TU; False when this state does not allow it."""
        return self._step(_input_of(response.status), now, response)


def _input_of(status: int) -> Input:
    return Input.FAILURE if status >= 300 else Input.SUCCESS if status >= 200 else Input.PROVISIONAL


def _resend(tx: Transaction, now: float, message: object) -> None:
    if tx.data:
        tx.sink.append(Send(tx.data, tx.destination, tx.transport, tx))


def _double(tx: Transaction, now: float, message: object) -> None:
    tx.interval *= 2
    tx.retransmit_at = now + tx.interval


def _double_to_t2(tx: Transaction, now: float, message: object) -> None:
    tx.interval = min(tx.interval * 2, tx.timers.t2)
    tx.retransmit_at = now + tx.interval


def _wait_t2(tx: Transaction, now: float, message: object) -> None:
    tx.retransmit_at = now + tx.timers.t2


def _stop_timers(tx: Transaction, now: float, message: object) -> None:
    tx.retransmit_at = tx.expires_at = inf


def _linger(tx: Transaction, now: float, seconds: float) -> None:
    tx.retransmit_at = tx.expires_at = inf
    if seconds <= 0:
        tx.state = State.TERMINATED
    else:
        tx.expires_at = now + seconds


def _start_d(tx: Transaction, now: float, message: object) -> None:
    _linger(tx, now, 0 if tx.transport.reliable else max(32.0, tx.timers.longest))


def _start_i_or_k(tx: Transaction, now: float, message: object) -> None:
    _linger(tx, now, 0 if tx.transport.reliable else tx.timers.t4)


def _start_j(tx: Transaction, now: float, message: object) -> None:
    _linger(tx, now, 0 if tx.transport.reliable else tx.timers.longest)


def _start_l_or_m(tx: Transaction, now: float, message: object) -> None:
    _linger(tx, now, tx.timers.longest)


def _start_g_and_h(tx: Transaction, now: float, message: object) -> None:
    tx.interval = tx.timers.t1
    tx.expires_at = now + tx.timers.longest
    if not tx.transport.reliable:
        tx.retransmit_at = now + tx.interval


def _pass_response(tx: ClientTransaction, now: float, response: Response) -> None:
    tx.sink.append(ResponseReceived(tx, response))


def _pass_ack(tx: ServerTransaction, now: float, request: Request) -> None:
    tx.sink.append(AckReceived(request))


def _acknowledge(tx: ClientTransaction, now: float, response: Response) -> None:
    # RFC 3261 17.1.1.3
    invite = tx.request.headers
    headers = {
        "Via": invite["Via"][:1],
        "From": invite["From"],
        "To": response.headers["To"],
        "Call-ID": invite["Call-ID"],
        "CSeq": [f"{tx.request.cseq.number} ACK"],
        "Max-Forwards": ["70"],
    }
    if "Route" in invite:
        headers["Route"] = invite["Route"]
    tx.data = bytes(Request("ACK", tx.request.uri_text, headers))


def _respond(tx: ServerTransaction, now: float, response: Response) -> None:
    tx.data = bytes(response)
    if not tx.to_tag and response.status > 100:
        tx.to_tag = response.to_tag
    tx.sink.append(Send(tx.data, tx.destination, tx.transport, tx))


def _respond_100_only(tx: ServerTransaction, now: float, response: Response) -> None:
    if response.status == 100:  # RFC 4320 4.1: no other provisional response to a non-INVITE
        _respond(tx, now, response)


def _respond_unless_408(tx: ServerTransaction, now: float, response: Response) -> None:
    if response.status != 408:  # RFC 4320 4.2: the client has timed out by itself
        _respond(tx, now, response)


def _tell_timed_out(tx: Transaction, now: float, message: object) -> None:
    tx.sink.append(TimedOut(tx))


def _tell_transport_failed(tx: Transaction, now: float, message: object) -> None:
    tx.retransmit_at = tx.expires_at = inf
    tx.sink.append(TransportFailed(tx))


def _tell_transport_trouble(tx: Transaction, now: float, message: object) -> None:
    tx.sink.append(TransportFailed(tx))  # RFC 6026 7.1: the transaction stays


_S = State
_I = Input


class InviteClientTransaction(ClientTransaction):
    """RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2; it sends the ACK to a non-2xx itself."""

    __slots__ = ()
    table: ClassVar[_Table] = {
        (_S.CALLING, _I.RETRANSMIT): (_S.CALLING, (_resend, _double)),  # timer A
        (_S.CALLING, _I.EXPIRE): (_S.TERMINATED, (_tell_timed_out,)),  # timer B
        (_S.CALLING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.CALLING, _I.PROVISIONAL): (_S.PROCEEDING, (_stop_timers, _pass_response)),
        (_S.CALLING, _I.SUCCESS): (_S.ACCEPTED, (_start_l_or_m, _pass_response)),
        (_S.CALLING, _I.FAILURE): (_S.COMPLETED, (_acknowledge, _resend, _start_d, _pass_response)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_pass_response,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.ACCEPTED, (_start_l_or_m, _pass_response)),
        (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (_acknowledge, _resend, _start_d, _pass_response)),
        (_S.COMPLETED, _I.FAILURE): (_S.COMPLETED, (_resend,)),
        (_S.COMPLETED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer D
        (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.ACCEPTED, _I.SUCCESS): (_S.ACCEPTED, (_pass_response,)),
        (_S.ACCEPTED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer M
    }

    def start(self, now: float) -> None:
        """Send the INVITE, arm timers A and B."""
        self.state = State.CALLING
        super().start(now)


class NonInviteClientTransaction(ClientTransaction):
    """RFC 3261 17.1.2."""

    __slots__ = ()
    table: ClassVar[_Table] = {
        (_S.TRYING, _I.RETRANSMIT): (_S.TRYING, (_resend, _double_to_t2)),  # timer E
        (_S.TRYING, _I.EXPIRE): (_S.TERMINATED, (_tell_timed_out,)),  # timer F
        (_S.TRYING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.TRYING, _I.PROVISIONAL): (_S.PROCEEDING, (_pass_response,)),
        (_S.TRYING, _I.SUCCESS): (_S.COMPLETED, (_start_i_or_k, _pass_response)),
        (_S.TRYING, _I.FAILURE): (_S.COMPLETED, (_start_i_or_k, _pass_response)),
        (_S.PROCEEDING, _I.RETRANSMIT): (_S.PROCEEDING, (_resend, _wait_t2)),
        (_S.PROCEEDING, _I.EXPIRE): (_S.TERMINATED, (_tell_timed_out,)),
        (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_pass_response,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.COMPLETED, (_start_i_or_k, _pass_response)),
        (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (_start_i_or_k, _pass_response)),
        (_S.COMPLETED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer K
    }

    def start(self, now: float) -> None:
        """Send the request, arm timers E and F."""
        self.state = State.TRYING
        super().start(now)


class InviteServerTransaction(ServerTransaction):
    """RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1; the TU repeats its 2xx itself (13.3.1.4)."""

    __slots__ = ()
    table: ClassVar[_Table] = {
        (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_resend,)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_respond,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.ACCEPTED, (_start_l_or_m, _respond)),
        (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (_start_g_and_h, _respond)),
        (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.PROCEEDING, (_tell_transport_trouble,)),
        (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_resend,)),
        (_S.COMPLETED, _I.RETRANSMIT): (_S.COMPLETED, (_resend, _double_to_t2)),  # timer G
        (_S.COMPLETED, _I.ACK): (_S.CONFIRMED, (_start_i_or_k,)),
        (_S.COMPLETED, _I.EXPIRE): (_S.TERMINATED, (_tell_timed_out,)),  # timer H
        (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.CONFIRMED, _I.REQUEST): (_S.CONFIRMED, ()),
        (_S.CONFIRMED, _I.ACK): (_S.CONFIRMED, ()),
        (_S.CONFIRMED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer I
        (_S.ACCEPTED, _I.REQUEST): (_S.ACCEPTED, ()),
        (_S.ACCEPTED, _I.ACK): (_S.ACCEPTED, (_pass_ack,)),
        (_S.ACCEPTED, _I.SUCCESS): (_S.ACCEPTED, (_respond,)),
        (_S.ACCEPTED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer L
        (_S.ACCEPTED, _I.TRANSPORT_ERROR): (_S.ACCEPTED, (_tell_transport_trouble,)),
    }

    def start(self, now: float) -> None:
        """Begin in Proceeding; the TU sends 100 at once or answers within 200 ms."""
        self.state = State.PROCEEDING


class NonInviteServerTransaction(ServerTransaction):
    """RFC 3261 17.2.2 with RFC 4320."""

    __slots__ = ()
    table: ClassVar[_Table] = {
        (_S.TRYING, _I.REQUEST): (_S.TRYING, ()),
        (_S.TRYING, _I.PROVISIONAL): (_S.PROCEEDING, (_respond_100_only,)),
        (_S.TRYING, _I.SUCCESS): (_S.COMPLETED, (_start_j, _respond)),
        (_S.TRYING, _I.FAILURE): (_S.COMPLETED, (_start_j, _respond_unless_408)),
        (_S.TRYING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_resend,)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_respond_100_only,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.COMPLETED, (_start_j, _respond)),
        (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (_start_j, _respond_unless_408)),
        (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
        (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_resend,)),
        (_S.COMPLETED, _I.EXPIRE): (_S.TERMINATED, ()),  # timer J
        (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_tell_transport_failed,)),
    }

    def start(self, now: float) -> None:
        """Begin in Trying."""
        self.state = State.TRYING
