"""The INVITE usage of a dialog: what it keeps, and the messages it sends by itself (RFC 3261 13, 14, 15).

`invite.InviteSession` is this with what its owner asks, what the peer says, and what is told of both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from .auth import DigestClient
from .dialogs import Dialog, create_uac_dialog
from .layer import TransactionLayer
from .message import Headers, Message, Request, Response
from .profile import SDP, Profile, dress_request
from .reliable import RAck, ReliableReceiver, ReliableSender
from .session_timer import SessionTimer
from .transactions import Address, ClientTransaction, Output, Send, ServerTransaction, Transport
from .usage import DialogUsage

if TYPE_CHECKING:
    from .events import SessionEvent
    from .invite import InviteSession

__all__ = ["InviteUsage", "SessionState"]

MAX_FORKS = 32
"""Forks remembered so that their repeated 2xx gets an ACK and no second BYE."""


class SessionState(StrEnum):
    """Where a session is."""

    CALLING = "calling"
    """Our INVITE has no final response."""
    INCOMING = "incoming"
    """The peer's INVITE has no final response."""
    ANSWERED = "answered"
    """Our 2xx has no ACK."""
    CONFIRMED = "confirmed"
    TERMINATING = "terminating"
    """Our BYE has no response."""
    TERMINATED = "terminated"


class InviteUsage(DialogUsage, ABC):
    """The state of one call leg, its requests and responses."""

    def __init__(
        self,
        layer: TransactionLayer,
        sink: list[Output | SessionEvent],
        table: dict[tuple[str, str], InviteSession],
        profile: Profile,
        transport: Transport,
        contact: str,
        *,
        local_tag: str,
        peer: Address,
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
        self.user: object = None
        """Whatever the driver ties to the session."""
        self.cancel_headers: tuple[tuple[str, str], ...] = ()
        """Header fields of the 487 that answers a cancelled INVITE."""
        self.expiry_headers: tuple[tuple[str, str], ...] = ()
        """Header fields of the BYE that ends a session which nobody refreshes."""
        self.refused_update = False
        """Whether the peer has answered an UPDATE with 405 or 501."""
        self.invite: Request | None = None
        """The INVITE that began it."""
        self.state = SessionState.CALLING
        self.deadline = self.queued_at = inf
        self._sink = sink
        self._table = table
        self._ended = False
        self._incoming: ServerTransaction | None = None
        self._outgoing: ClientTransaction | None = None
        self._offer: tuple[bytes, tuple[tuple[str, str], ...]] = (b"", ())
        self._answer: tuple[ServerTransaction, Response] | None = None
        self._answer_cseq = -1
        self._answer_interval = 0.0
        self._answer_at = self._answer_until = self._ringing_at = self._retry_at = self._cancel_until = inf
        self._ringing: Response | None = None
        self._ack: Send | None = None
        self._ack_cseq = -1
        self._bye: tuple[tuple[str, str], ...] | None = None
        self._cancel: tuple[tuple[str, str], ...] | None = None
        self._cancel_sent = self._had_provisional = False
        self._away: dict[str, Send] = {}
        self._timer = SessionTimer(profile.timers)
        self._description = b""  # what we said last of the session: what a refresh repeats
        self._peer_allow: list[str] = []
        self._sender: ReliableSender | None = None
        self._receiver = ReliableReceiver()
        self._described = False  # a reliable provisional response, or its PRACK, had our description
        self._rack: RAck | None = None
        self._answered_by = ""  # the tag of whose reliable provisional response answered our offer
        self._updating: ClientTransaction | None = None  # our UPDATE with an offer
        self._has_moved_on = False  # an UPDATE changed what the INVITE offered
        self._retries = 0
        self._accepting: tuple[bytes, tuple[tuple[str, str], ...]] | None = None

    # -- what was agreed --------------------------------------------------------------------------------------

    @property
    def lacks_offer(self) -> bool:
        """True when the next provisional response must make the offer, since it is reliable (RFC 3262 5)."""
        return (
            self._sender is not None
            and self._incoming is not None
            and not self._incoming.request.sdp
            and not self._described
        )

    @property
    def may_reinvite(self) -> bool:
        """True in a session that is up, while no INVITE goes on in it in either direction."""
        return not (
            self.state is not SessionState.CONFIRMED or self._incoming or self._outgoing or self._retry_at < inf
        )

    @property
    def may_update(self) -> bool:
        """True where the peer takes UPDATE and no offer is open in either direction (RFC 3311 5.1)."""
        if self.dialog is None or self._ended or not self.takes_update or self._retry_at < inf:
            return False
        if self._cancel is not None or self._bye is not None:
            return False
        if self.state is SessionState.INCOMING and (not self._described or not self._is_acknowledged):
            return False
        return not self.awaits_answer and not self.owes_answer

    @property
    def awaits_answer(self) -> bool:
        """Whether an offer of ours is open."""
        if self._updating is not None:
            return True
        if self.state is SessionState.CALLING:
            tag = self.dialog.remote_tag if self.dialog is not None else ""
            return self._invite_offered and not (tag and tag == self._answered_by)
        if self.state is SessionState.INCOMING:
            return not self._invite_offered and not self._is_acknowledged
        in_2xx = self._answer is not None and not self._answer[0].request.sdp and bool(self._answer[1].body)
        return in_2xx or self._outgoing is not None

    @property
    def owes_answer(self) -> bool:
        """Whether an offer of the peer is open; an answer in an unreliable response is none yet (RFC 3261 13.2.1)."""
        if self.state is SessionState.INCOMING:
            return self._invite_offered and not self._described
        return self._incoming is not None or self._rack is not None

    @property
    def _is_acknowledged(self) -> bool:
        """Whether every description in a reliable response of ours has its PRACK."""
        return self._sender is None or not self._sender.owes_answer

    @property
    def _is_shared(self) -> bool:
        """Whether the peer can have the dialog: a caller gets it with a provisional response (RFC 3261 12.1)."""
        if self.state is not SessionState.INCOMING or self.dialog is None or self.invite is None:
            return True
        return self._ringing is not None or self.dialog.remote_cseq > self.invite.cseq.number

    @property
    def _invite_offered(self) -> bool:
        return self.invite is not None and bool(self.invite.sdp)

    @property
    def _is_up(self) -> bool:
        """Whether there is a session to refresh: an UPDATE may come before (RFC 3311 5.1)."""
        return self.dialog is not None and self.dialog.confirmed

    def _add_timer(self, request: Request) -> None:
        for name, value in self._timer.request_fields():
            request.set(name, value)
        if request.method == "UPDATE" and self.profile.tags:
            request.set("Supported", ", ".join(self.profile.tags))

    def _note_allow(self, message: Message) -> None:
        self._peer_allow = message.headers.get("Allow", self._peer_allow)

    @property
    def takes_update(self) -> bool:
        """Whether the peer says that it takes UPDATE, and has not shown otherwise."""
        methods = (method.strip().upper() for value in self._peer_allow for method in value.split(","))
        return not self.refused_update and "UPDATE" in methods

    # -- the peer's INVITE ------------------------------------------------------------------------------------

    def _send_provisional(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        if self._sender is None or (not response.body and self.lacks_offer):
            self.layer.respond(transaction, response, now)
            return
        if response.body:
            self._description, self._described = response.body, True
            self._ringing = response.copy()  # what is said again has no second description
            self._ringing.body = b""
            self._ringing.remove("Content-Type")
        first = self._sender.put(response, now)
        if first is not None:
            self.layer.respond(transaction, first, now)

    def _forget_incoming(self) -> None:
        """The INVITE of the peer has its final response: nothing provisional follows."""
        self._incoming = self._ringing = self._accepting = None
        self._ringing_at = inf
        if self._sender is not None:
            self._sender.stop()

    def _refuse_incoming(self, status: int, now: float, reason: str | None = None, headers: Headers = ()) -> None:
        transaction = self._incoming
        if transaction is not None:
            self._forget_incoming()
            response = transaction.request.create_response(status, reason, to_tag=self.local_tag, headers=headers)
            if self.profile.product:
                response.headers["Server"] = [self.profile.product]
            self.layer.respond(transaction, response, now)

    def _stop_answer(self) -> None:
        self._answer = None
        self._answer_at = self._answer_until = inf

    # -- our INVITE -------------------------------------------------------------------------------------------

    def _dress(self, invite: Request, sdp: bytes) -> None:
        dress_request(self.profile, self.contact, invite, sdp)
        self._add_timer(invite)

    def _send_reinvite(self, sdp: bytes, headers: tuple[tuple[str, str], ...], now: float) -> None:
        assert self.dialog is not None
        request = self.dialog.create_request("INVITE", headers)
        self._dress(request, sdp)
        self._offer = (sdp, headers)
        self._outgoing = self.layer.send_request(request, self._destination(), self.transport, now, self)

    def _send_cancel(self, now: float) -> None:
        if self._cancel_sent or self._outgoing is None:
            return
        self._cancel_sent = True
        self._cancel_until = now + self.layer.timers.longest
        self.layer.cancel(self._outgoing, now, self._cancel or (), self)
        self._rearm()

    def _send_ack(self, dialog: Dialog, cseq: int, sdp: bytes) -> None:
        ack = dialog.create_ack(cseq, sdp, SDP if sdp else "")
        if self.invite is not None and cseq == self.invite.cseq.number:
            for name in ("Authorization", "Proxy-Authorization"):  # 22.1: an ACK cannot be challenged
                if name in self.invite.headers:
                    ack.headers[name] = self.invite.headers[name]
        self._ack = self.layer.send_ack(ack, self._destination(dialog), self.transport)

    def _send_away(self, request: Request, response: Response, now: float) -> None:
        dialog = create_uac_dialog(request, response)
        known = self._away.get(dialog.remote_tag)
        if known is not None:
            self.layer.send_again(known)
            return
        destination = self._destination(dialog)
        ack = self.layer.send_ack(dialog.create_ack(request.cseq.number), destination, self.transport)
        if len(self._away) < MAX_FORKS:
            self._away[dialog.remote_tag] = ack
        self.layer.send_request(dialog.create_request("BYE"), destination, self.transport, now, self)

    def _authorize(self, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """Send the request again with credentials; False when that is not possible."""
        again = self._send_with_credentials(transaction, response, now)
        if again is None:
            return False
        if transaction is self._outgoing:
            self._replace_outgoing(again)
        return True

    def _replace_outgoing(self, again: ClientTransaction) -> None:
        self._outgoing = again
        if self.state is SessionState.CALLING:
            self.invite = again.request
            self.dialog = None
            self._had_provisional = False
            self._receiver = ReliableReceiver()

    # -- in the session ---------------------------------------------------------------------------------------

    def _send_prack(self, rack: RAck, sdp: bytes, now: float) -> None:
        if self.dialog is not None:
            request = self.dialog.create_request("PRACK", (("RAck", str(rack)),), sdp, SDP if sdp else "")
            self._send(request, now)

    def _send_bye(self, now: float, headers: Headers) -> None:
        if self.dialog is not None:
            self._send(self.dialog.create_request("BYE", headers), now)
            self.state = SessionState.TERMINATING

    @abstractmethod
    def handle_timeout(self, now: float) -> None:
        """Act on what is due."""

    # -- bookkeeping ------------------------------------------------------------------------------------------

    def _terminate(self) -> None:
        self.state = SessionState.TERMINATED
        if self.invite is not None:
            self._table.pop((self.invite.call_id, self.local_tag), None)

    def _rearm(self) -> None:
        deadline = min(
            self._answer_at, self._answer_until, self._ringing_at, self._retry_at, self._cancel_until,
            self._timer.deadline, self._sender.deadline if self._sender is not None else inf,
        )  # fmt: skip
        self.deadline = deadline
        if deadline < self.queued_at:
            self.layer.schedule(self)
        elif deadline == inf and self.state is SessionState.TERMINATED:
            self.layer.forget(self)
