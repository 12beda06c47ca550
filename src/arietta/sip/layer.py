"""Every transaction of one server: matching, routing of responses, absorption, bounds (RFC 3261 17.1.3, 17.2.3, 18).

What the I/O skin does, after whatever wakes it:

1. A datagram came, or a `StreamFramer` completed a message: `layer.receive(data, source, transport, now)`. A timer
   fired: `layer.handle_timeout(now)`. A `Send` could not be sent: `layer.transport_failed(send, now)`. The
   application wants something: `send_request`, `respond`, `cancel`.
2. Drain: `for output in layer.outputs()`. A `Send` goes out on the socket of its `transport` to its `destination`;
   on TCP and TLS over the open connection whose peer address is `destination`, else over a new one (never throw a
   Send away silently: report it with `transport_failed`). Everything else is an `Event` for the transaction user.
   What the transaction user does in answer puts more outputs in the layer: drain until `outputs()` is empty.
3. Re-arm one timer at `layer.next_timeout()` (None: no timer). It may be early; a call of `handle_timeout` with
   nothing due does nothing.

`now` is any clock that does not go back, in seconds, the same for all calls. Nothing here reads a clock, opens a
socket or raises for what a peer sent. `agent.UserAgent` does all of this one level higher and adds sessions.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Any

from .errors import ProtocolError
from .headers import parse_via, split_list
from .message import Headers, Message, Request, Response, parse
from .timers import Timed, TimerQueue, Timers
from .transactions import (
    AckReceived,
    Address,
    CancelReceived,
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    NonInviteClientTransaction,
    NonInviteServerTransaction,
    Output,
    RequestReceived,
    Send,
    ServerTransaction,
    State,
    Transaction,
    Transport,
)

__all__ = ["TransactionLayer", "new_token"]

MAGIC_COOKIE = "z9hG4bK"
MAX_DATAGRAM = 1300
"""Bytes of a request from which UDP is too small, while the path's MTU is not known (RFC 3261 18.1.1)."""
RETRY_AFTER_OVERLOAD = "5"
"""Seconds told to clients that are refused with 503."""


def new_token() -> str:
    """64 random bits as text: tags, branches, Call-IDs (RFC 3261 19.3)."""
    return os.urandom(8).hex()


class TransactionLayer:
    """All transactions of a server in bounded tables; see the module text for how to drive it.

    At most `max_transactions` server transactions live at once. When that many do, the one that has been finished
    longest is forgotten (its retransmissions would then count as new); when all are unfinished the request is
    refused with 503 and Retry-After. Client transactions are bounded by their own 64*T1.
    `counters` says by name what was received, dropped and refused.
    """

    def __init__(
        self,
        *,
        timers: Timers | None = None,
        max_transactions: int = 20000,
        token: Callable[[], str] = new_token,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.timers = timers or Timers()
        self.larger: Callable[[Request, Address, Transport], Transport | None] | None = None
        """What carries a request that is too large for UDP, None to leave it there."""
        self._max = max_transactions
        self._token = token
        self._salt = token()
        self._outputs: list[Any] = []
        self._queue = TimerQueue()
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[Hashable, ServerTransaction] = {}
        self._ongoing: dict[tuple[str, str, str], ServerTransaction] = {}
        self._finished: deque[ServerTransaction] = deque()
        self._switched: dict[Hashable, Transport] = {}

    # -- from the network -------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address, transport: Transport, now: float) -> None:
        """Take one whole message from `source`."""
        message: Request | Response | None = None
        try:
            message = parse(data)
            if isinstance(message, Request):
                self._receive_request(message, source, transport, now)
            else:
                self._receive_response(message, now)
        except ProtocolError as error:
            self._refuse(data, error, error.message or message, source, transport)

    def transport_failed(self, send: Send, now: float) -> None:
        """Take the news that a Send could not be sent."""
        transaction = send.transaction
        self.counters["transport_failed"] += 1
        if transaction is None or transaction.state is State.TERMINATED:
            return
        if isinstance(transaction, ClientTransaction) and transaction.key in self._switched:
            self._switch_back(transaction, now)
            return
        if isinstance(transaction, ServerTransaction) and transaction.fallback:
            transaction.destination = transaction.fallback
            transaction.fallback = None
            self._outputs.append(Send(send.data, transaction.destination, transaction.transport, transaction))
            return
        transaction.transport_failed(now)
        self._settle(transaction)

    # -- from the transaction user ----------------------------------------------------------------------------

    def send_request(
        self, request: Request, destination: Address, transport: Transport, now: float, user: object = None
    ) -> ClientTransaction:
        """Start a client transaction; puts the Via on `request`. `user` ends up in `transaction.user`."""
        branch = MAGIC_COOKIE + self._token()
        _sign(request, transport, branch)
        kind = InviteClientTransaction if request.method == "INVITE" else NonInviteClientTransaction
        if self.larger is not None and not transport.reliable and len(bytes(request)) > MAX_DATAGRAM:
            larger = self.larger(request, destination, transport)
            if larger is not None:
                _sign(request, larger, branch)
                self._switched[branch, request.method] = transport
                transport = larger
        return self._start_client(kind, branch, request, destination, transport, now, user)

    def send_ack(self, request: Request, destination: Address, transport: Transport) -> Send:
        """Send the ACK to a 2xx, which has no transaction; keep the result to send it `again`."""
        branch = MAGIC_COOKIE + self._token()
        _sign(request, transport, branch)
        send = Send(bytes(request), destination, transport)
        self._outputs.append(send)
        return send

    def send_again(self, send: Send) -> None:
        """Repeat an ACK to a 2xx that came again (RFC 3261 13.2.2.4)."""
        self._outputs.append(send)

    def cancel(
        self, invite: ClientTransaction, now: float, headers: Headers = (), user: object = None
    ) -> ClientTransaction:
        """Send the CANCEL of an INVITE that has had a provisional response (RFC 3261 9.1)."""
        mine = invite.request.headers
        fields = {name: mine[name] for name in ("From", "To", "Call-ID", "Route") if name in mine}
        fields["Via"] = mine["Via"][:1]
        fields["CSeq"] = [f"{invite.request.cseq.number} CANCEL"]
        fields["Max-Forwards"] = ["70"]
        request = Request("CANCEL", invite.request.uri_text, fields)
        for name, value in headers:
            request.add(name, value)
        branch = invite.request.via.branch
        return self._start_client(
            NonInviteClientTransaction, branch, request, invite.destination, invite.transport, now, user
        )

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> bool:
        """Send a response; False when the transaction's state does not allow it (any more)."""
        sent = transaction.respond(response, now)
        if sent:
            if response.status >= 200:
                self._forget_ongoing(transaction)
            self._settle(transaction)
            if response.status >= 200 and transaction.state is not State.TERMINATED:
                self._finished.append(transaction)
        return sent

    def respond_once(self, transaction: ServerTransaction, status: int, headers: Headers, now: float) -> bool:
        """Send a final response and forget the transaction at once: its retransmissions are new requests (8.2.7)."""
        request = transaction.request
        response = request.create_response(status, to_tag=self._stateless_tag(request), headers=headers)
        sent = transaction.respond(response, now)
        if sent:
            self._remove(transaction)
        return sent

    # -- time and outputs -------------------------------------------------------------------------------------

    def handle_timeout(self, now: float) -> None:
        """Run every timer due at `now`."""
        queue = self._queue
        while (owner := queue.pop_due(now)) is not None:
            owner.handle_timeout(now)
            if isinstance(owner, Transaction):
                self._settle(owner)
            else:
                queue.schedule(owner)

    def schedule(self, owner: Timed) -> None:
        """Watch the deadline of something that lives above the transactions, such as an InviteSession."""
        self._queue.schedule(owner)

    def forget(self, owner: Timed) -> None:
        """Watch it no more."""
        self._queue.forget(owner)

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is wanted, None for never."""
        return self._queue.next_timeout()

    def outputs(self) -> list[Output]:
        """What there is to send and to tell, in order, since the last call; empty when there is nothing."""
        outputs = self._outputs
        if not outputs:
            return outputs
        drained = outputs[:]
        outputs.clear()
        return drained

    @property
    def sink(self) -> list[Any]:
        """Where what lives above puts its own events, so that `outputs()` keeps one order for everything."""
        return self._outputs

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    # -- requests ---------------------------------------------------------------------------------------------

    def _receive_request(self, request: Request, source: Address, transport: Transport, now: float) -> None:
        method = request.method
        in_dialog, _ = request.to_tag != "", request.from_tag  # 400 now; whoever looks at them later need not care
        key = _server_key(request)
        transaction = self._servers.get(key)
        if transaction is not None and method != "CANCEL":
            self.counters["retransmissions" if method != "ACK" else "acks"] += 1
            if not transaction.receive(request, now):
                self.counters["dropped.unexpected"] += 1
            self._settle(transaction)
            return
        if method == "ACK":
            self._outputs.append(AckReceived(request))
            return
        destination, fallback = _response_destination(request, source, transport)
        if method == "CANCEL":
            self._receive_cancel(request, transaction, destination, transport)
            return
        if not in_dialog or not request.uri_text.startswith(("sip:", "sips:", "tel:")):
            _ = request.uri  # 416, 400
        merge_key = None
        if not in_dialog:
            merge_key = (request.call_id, request.headers["From"][0], request.headers["CSeq"][0])
            if merge_key in self._ongoing:
                raise ProtocolError(482, "the request came twice, by different ways", message=request)
        if len(self._servers) >= self._max and not self._make_room():
            self.counters["refused.overload"] += 1
            raise ProtocolError(
                503,
                f"{self._max} transactions are going on",
                headers=(("Retry-After", RETRY_AFTER_OVERLOAD),),
                message=request,
            )
        kind = InviteServerTransaction if method == "INVITE" else NonInviteServerTransaction
        transaction = kind(key, request, destination, transport, self.timers, self._outputs)
        transaction.fallback = fallback
        transaction.start(now)
        self._servers[key] = transaction
        if merge_key is not None:
            self._ongoing[merge_key] = transaction
        self.counters["requests"] += 1
        self._outputs.append(RequestReceived(transaction, request))

    def _receive_cancel(
        self, request: Request, invite: ServerTransaction | None, destination: Address, transport: Transport
    ) -> None:
        # RFC 3261 9.2. The answer is the same each time, so CANCEL needs no transaction of its own.
        if invite is None or invite.request.call_id != request.call_id:  # 9.1: another's branch does not cancel it
            response = request.create_response(481, to_tag=self._stateless_tag(request))
        else:
            if invite.state is State.PROCEEDING:
                self._outputs.append(CancelReceived(invite, request))
            response = request.create_response(200, to_tag=invite.to_tag or self._stateless_tag(request))
        self.counters["cancels"] += 1
        self._outputs.append(Send(bytes(response), destination, transport))

    def _refuse(
        self, data: bytes, error: ProtocolError, request: Message | None, source: Address, transport: Transport
    ) -> None:
        """Answer what is wrong when it is a request that can be answered, drop and count it when not."""
        if data.strip(b"\r\n\0") == b"":
            self.counters["keepalives"] += 1
            return
        self.counters[f"malformed.{error.status}" if error.status != 503 else "overload"] += 1
        if not isinstance(request, Request) or request.method == "ACK" or not {"Via", "CSeq"} <= request.headers.keys():
            self.counters["dropped.malformed"] += 1
            return
        try:
            destination, _ = _response_destination(request, source, transport)
        except ProtocolError:
            destination = source  # the Via is what is wrong
        try:
            response = request.create_response(error.status, to_tag=self._stateless_tag(request), headers=error.headers)
            if error.status == 400:
                response.reason = f"Bad Request ({_one_line(error.text)})"
            self._outputs.append(Send(bytes(response), destination, transport))
        except (ProtocolError, ValueError):
            self.counters["dropped.malformed"] += 1

    def _make_room(self) -> bool:
        finished = self._finished
        while finished:
            transaction = finished.popleft()
            if self._servers.get(transaction.key) is transaction:
                self._remove(transaction)
                self.counters["evicted"] += 1
                return True
        return False

    # -- responses --------------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, now: float) -> None:
        transaction = self._clients.get((response.via.branch, response.cseq.method))
        if transaction is None or len(response.headers["Via"]) != 1 or not transaction.receive(response, now):
            self.counters["dropped.stray_response"] += 1
            return
        self.counters["responses"] += 1
        self._settle(transaction)

    # -- bookkeeping ------------------------------------------------------------------------------------------

    def _start_client(
        self,
        kind: type[ClientTransaction],
        branch: str,
        request: Request,
        destination: Address,
        transport: Transport,
        now: float,
        user: object,
    ) -> ClientTransaction:
        key = (branch, request.method)
        transaction = kind(key, request, destination, transport, self.timers, self._outputs)
        transaction.user = user
        transaction.start(now)
        self._clients[key] = transaction
        self._queue.schedule(transaction)
        return transaction

    def _switch_back(self, transaction: ClientTransaction, now: float) -> None:
        """A large request finds no TCP at the peer: it takes its chance with UDP (18.1.1)."""
        transport = self._switched.pop(transaction.key)
        transaction.transport = transport
        _sign(transaction.request, transport, transaction.request.via.branch)
        transaction.start(now)
        self._queue.schedule(transaction)

    def _settle(self, transaction: Transaction) -> None:
        if transaction.state is State.TERMINATED:
            self._remove(transaction)
        else:
            self._queue.schedule(transaction)

    def _remove(self, transaction: Transaction) -> None:
        if isinstance(transaction, ServerTransaction):
            self._servers.pop(transaction.key, None)
            self._forget_ongoing(transaction)
            finished = self._finished
            while finished and finished[0].state is State.TERMINATED:
                finished.popleft()
        else:
            self._clients.pop(transaction.key, None)  # type: ignore[call-overload]
            self._switched.pop(transaction.key, None)
        transaction.state = State.TERMINATED
        transaction.deadline = float("inf")
        self._queue.forget(transaction)

    def _forget_ongoing(self, transaction: ServerTransaction) -> None:
        headers = transaction.request.headers
        key = (headers["Call-ID"][0], headers["From"][0], headers["CSeq"][0])
        if self._ongoing.get(key) is transaction:
            del self._ongoing[key]

    def _stateless_tag(self, request: Request) -> str:
        fields = request.headers
        seed = (self._salt, fields.get("Via", [""])[0], fields.get("Call-ID", [""])[0])
        return f"{hash(seed) & 0xFFFFFFFFFFFFFFFF:016x}"


def _sign(request: Request, transport: Transport, branch: str) -> None:
    """Put our Via on a request."""
    request.set("Via", f"SIP/2.0/{transport.protocol} {transport.sent_by};branch={branch};rport")


def _server_key(request: Request) -> Hashable:
    """What makes two requests one transaction (RFC 3261 17.2.3)."""
    via = request.via
    branch = via.branch
    method = request.method
    if method in ("ACK", "CANCEL"):
        method = "INVITE"
    if branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.host, via.port, method
    # RFC 2543: no branch to trust. The To tag is left out, as the ACK has one that the INVITE had not.
    return request.uri_text, request.from_tag, request.call_id, request.cseq.number, str(via), method


def _response_destination(request: Request, source: Address, transport: Transport) -> tuple[Address, Address | None]:
    """Where responses go (RFC 3261 18.2.1, 18.2.2, RFC 3581 4), noting `received` and `rport` in the Via.

    The second address is for when the connection of the first is gone.
    """
    via = request.via
    rport: str | None = None
    maddr = ""
    for name, value in via.parameters:
        if name == "rport":
            rport = value or ""
        elif name == "maddr":
            maddr = value or ""
    if rport is not None or via.host != source[0]:
        _note_source(request, source, rport is not None)
    port = via.port or (5061 if via.transport in ("TLS", "WSS") else 5060)
    if transport.reliable:
        return source, (source[0], port)
    if rport is not None:
        return source, None
    return (_literal(maddr) or source[0], port), None


def _note_source(request: Request, source: Address, with_rport: bool) -> None:
    values = request.headers["Via"]
    first, *rest = split_list(values[0])
    via = parse_via(first)
    kept = [(name, value) for name, value in via.parameters if name not in ("received", "rport")]
    if with_rport:
        kept.append(("rport", str(source[1])))
    kept.append(("received", source[0]))
    text = str(type(via)(via.transport, via.host, via.port, tuple(kept)))
    request.headers["Via"] = [text, *rest, *values[1:]]


def _literal(host: str) -> str:
    """`host` when it is an IPv4 address, else "": no response goes to names or groups."""
    pieces = host.split(".")
    if len(pieces) == 4 and all(piece.isascii() and piece.isdigit() and int(piece) < 256 for piece in pieces):
        return host if int(pieces[0]) < 224 else ""
    return ""


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() and character.isascii() else "?" for character in text)[:100]
