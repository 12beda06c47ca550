"""The INVITE usage of a dialog, both roles: one object per call leg, sans-IO (RFC 3261 13, 14, 15; RFC 5407).

The session is fed with the transaction layer's events and talks to that layer; what happened goes, as events of
`events`, to the sink its owner gave it. Its methods return False when the peer was faster: what was asked no longer
fits the state, an event says why. `agent.UserAgent` makes sessions and routes events to them.
"""

from __future__ import annotations

import random
from math import inf
from typing import Literal

from .dialogs import create_uac_dialog, create_uas_dialog
from .errors import ProtocolError
from .events import (
    Acked,
    Answered,
    Ended,
    Failed,
    Incoming,
    InfoReceived,
    OfferDue,
    Pracked,
    Provisional,
    ReferReceived,
    ReInvite,
    ReInviteAnswered,
    ReInviteFailed,
    RequestAnswered,
    RequestInDialog,
    SessionEvent,
)
from .headers import Reason, parse_delta_seconds, parse_reason
from .invite_usage import InviteUsage, SessionState
from .message import Headers, Message, Request, Response, reason_phrase
from .profile import SDP, check_accept, check_body, check_require, create_answer
from .reliable import ReliableSender, is_reliable, wants_reliable
from .transactions import (
    AckReceived,
    CancelReceived,
    ClientTransaction,
    Event,
    RequestReceived,
    ResponseReceived,
    ServerTransaction,
    State,
    TimedOut,
)
from .uri import parse_name_addr

__all__ = ["InviteSession", "SessionState"]

PROVISIONAL_REPEAT = 60.0
"""Seconds after which a provisional response is said again, for proxies' timer C (13.3.1.1)."""
RECOVERY_ON_TIMER_EXPIRY = 102
"""The cause of Q.850 with which a session ends that nobody refreshes."""
LONGEST_RETRY = 60
"""Seconds after which an offer of ours is not made again, whatever Retry-After says."""
MAX_RETRIES = 10
"""Refusals in a row after which an offer of ours is given up."""
REFRESH = "refresh"
"""What `_attempts` calls an UPDATE that only refreshes: the driver hears nothing of it."""

_ALIVE = (SessionState.ANSWERED, SessionState.CONFIRMED)


class InviteSession(InviteUsage):
    """One call leg. Make it with `UserAgent.accept_invite` or `UserAgent.invite`."""

    # -- the beginning ----------------------------------------------------------------------------------------

    def begin_incoming(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Take the INVITE that makes the session: 100, then Incoming. ProtocolError says how to refuse it."""
        if transaction.state is not State.PROCEEDING:
            raise ProtocolError(487, "it was cancelled or answered meanwhile", message=request)
        if not request.from_tag and not request.is_rfc2543:
            raise ProtocolError(400, "From has no tag", message=request)
        check_require(self.profile, request)
        check_body(request)
        check_accept(request)
        self._timer.check_support(request)
        self._timer.check_interval(request)
        if wants_reliable(self.profile.reliable, request):
            self._sender = ReliableSender(request.cseq.number, self.layer.timers.t1)
        self._note_allow(request)
        self.dialog = create_uas_dialog(request, self.local_tag)
        self.state = SessionState.INCOMING
        self.invite = request
        self._table[request.call_id, self.local_tag] = self
        self._incoming = transaction
        transaction.user = self
        self.layer.respond(transaction, request.create_response(100), now)
        self._sink.append(Incoming(self, request, request.sdp))

    def begin_outgoing(self, request: Request, sdp: bytes, now: float) -> None:
        """Send the INVITE that makes the session; Contact, Allow, Supported and the body are put on it here."""
        self.is_caller = True
        self.invite = request
        self._table[request.call_id, self.local_tag] = self
        self._dress(request, sdp)
        self._offer = (sdp, ())
        self._description = sdp
        self._outgoing = self.layer.send_request(request, self.peer, self.transport, now, self)

    # -- what the driver asks: answering ----------------------------------------------------------------------

    def ring(self, now: float, status: int = 180, sdp: bytes = b"", headers: Headers = ()) -> bool:
        """Send a provisional response, said again every minute; reliably where that is agreed."""
        if self._incoming is None or self.state is not SessionState.INCOMING or self._accepting is not None:
            return False
        if self._described:
            sdp = b""
        response = create_answer(
            self.profile, self.contact, self._incoming.request, status, self.local_tag, sdp, headers
        )
        self._ringing, self._ringing_at = response, now + PROVISIONAL_REPEAT
        self._send_provisional(self._incoming, response, now)
        self._rearm()
        return True

    def accept(self, now: float, sdp: bytes = b"", headers: Headers = ()) -> bool:
        """Send 200 to the INVITE or re-INVITE that waits, repeated until its ACK comes (13.3.1.4).

        It waits for the PRACK of a description that went before, and does not repeat that description.
        """
        transaction, dialog = self._incoming, self.dialog
        if transaction is None or dialog is None or self._accepting is not None:
            return False
        if self._sender is not None and self._sender.owes_answer:  # RFC 3262 3
            self._accepting = (sdp, tuple(headers))
            return True
        if self.state is SessionState.INCOMING and self._described:
            sdp = b""
        request = transaction.request
        headers = (*headers, *self._timer.answer(request, now))
        response = create_answer(self.profile, self.contact, request, 200, self.local_tag, sdp, headers)
        if not self.layer.respond(transaction, response, now):
            self._timer.stop()
            return False
        self._forget_incoming()
        self._description = sdp or self._description
        if dialog.confirmed:
            dialog.refresh_target(request)
        dialog.confirmed = True
        self.state = SessionState.ANSWERED
        timers = self.layer.timers
        self._answer = (transaction, response)
        self._answer_cseq = request.cseq.number
        self._answer_interval = timers.t1
        self._answer_at = now + timers.t1
        self._answer_until = now + timers.longest
        self._rearm()
        return True

    def reject(self, now: float, status: int, reason: str | None = None, headers: Headers = ()) -> bool:
        """Refuse the INVITE, which ends the session, or the re-INVITE, which does not."""
        transaction = self._incoming
        if transaction is None or status < 300:
            return False
        self._refuse_incoming(status, now, reason, headers)
        if self.state is SessionState.INCOMING:
            self._end("local", now, status, reason or reason_phrase(status))
        return True

    # -- what the driver asks: calling ------------------------------------------------------------------------

    def cancel(self, now: float, headers: Headers = ()) -> bool:
        """Give up our INVITE: CANCEL now, or as soon as a provisional response allows it (9.1)."""
        if self.state is not SessionState.CALLING or self._cancel is not None or self._outgoing is None:
            return False
        self._cancel = tuple(headers)
        if self._had_provisional:
            self._send_cancel(now)
        return True

    def acknowledge(self, now: float, sdp: bytes) -> bool:
        """Send the ACK with our answer, when the 2xx made the offer."""
        if self.dialog is None or self._ack is not None or self._ack_cseq < 0:
            return False
        self._description = sdp or self._description
        self._send_ack(self.dialog, self._ack_cseq, sdp)
        return True

    def prack(self, now: float, sdp: bytes) -> bool:
        """Send the PRACK with our answer, when a reliable provisional response made the offer."""
        rack, self._rack = self._rack, None
        if rack is None or self._ended:
            return False
        self._description, self._described = sdp, True
        self._send_prack(rack, sdp, now)
        return True

    # -- what the driver asks: in the session -----------------------------------------------------------------

    def update(self, now: float, sdp: bytes, headers: Headers = ()) -> bool:
        """Offer a change by UPDATE (RFC 3311 5.1), answered in RequestAnswered; False while another offer is open."""
        if not self.may_update or self.dialog is None:
            return False
        request = self.dialog.create_request("UPDATE", headers, sdp, SDP)
        if self._is_up:
            self._add_timer(request)
        request.set("Contact", self.contact)
        self._offer = (sdp, tuple(headers))
        self._updating = self._send(request, now)
        return True

    def reinvite(self, now: float, sdp: bytes, headers: Headers = ()) -> bool:
        """Offer a change (14.1); False while another INVITE is going on in either direction."""
        if not self.may_reinvite:
            return False
        self._send_reinvite(sdp, tuple(headers), now)
        return True

    def request(
        self, now: float, method: str, body: bytes = b"", headers: Headers = (), content_type: str = ""
    ) -> ClientTransaction | None:
        """Send INFO, MESSAGE, REFER, NOTIFY, UPDATE ...; RequestAnswered follows. None outside of a dialog."""
        if self.dialog is None or self._ended or not self._is_shared:
            return None
        request = self.dialog.create_request(method, headers, body, content_type)
        if method == "UPDATE" and self._is_up:
            self._add_timer(request)
        if method in ("REFER", "SUBSCRIBE", "UPDATE", "NOTIFY"):
            request.set("Contact", self.contact)
        return self._send(request, now)

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
        """Answer a request of the peer in the dialog."""
        request = transaction.request
        if 200 <= status < 300 and request.method in ("UPDATE", "PRACK") and not self._ended:
            self._has_moved_on = self._has_moved_on or (request.method == "UPDATE" and bool(body))
            if request.method == "UPDATE" and self._is_up:
                headers = (*headers, *self._timer.answer(request, now))
            self._description = body or self._description
        sent = super().respond(transaction, now, status, reason, headers, body, content_type)
        self._rearm()
        return sent

    def bye(self, now: float, headers: Headers = ()) -> bool:
        """End the session; waits for the ACK when our 2xx has none yet (15)."""
        if self.state is SessionState.ANSWERED and self._bye is None:
            self._bye = tuple(headers)
            return True
        if self.state not in _ALIVE or self._bye is not None:
            return False
        self._send_bye(now, headers)
        self._end("local", now, reason="BYE")
        return True

    def end(self, now: float, status: int = 603, headers: Headers = ()) -> bool:
        """End it whatever its state: CANCEL, a final response with `status`, or BYE; each with `headers`."""
        if self.state is SessionState.CALLING:
            return self.cancel(now, headers)
        if self.state is SessionState.INCOMING:
            return self.reject(now, status, None, headers)
        return self.bye(now, headers)

    # -- what the layer tells ---------------------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> None:
        """Take an event of the transaction layer that is for this session."""
        match event:
            case RequestReceived(transaction, request):
                try:
                    self._receive_request(transaction, request, now)
                except ProtocolError as error:
                    self._answer_error(transaction, request, error, now)
            case AckReceived(request):
                self._receive_ack(request, now)
            case ResponseReceived(transaction, response):
                try:
                    self._receive_response(transaction, response, now)
                except ProtocolError as error:
                    self.layer.counters["dropped.bad_response"] += 1
                    self._give_up(transaction, 502, f"{reason_phrase(502)} ({error.text})", now)
            case CancelReceived(transaction, request):
                if transaction is self._incoming:
                    self._receive_cancel(request, now)
            case _:
                transaction_failed = event.transaction
                if isinstance(transaction_failed, ClientTransaction):
                    status = 408 if isinstance(event, TimedOut) else 503
                    self._give_up(transaction_failed, status, reason_phrase(status), now)
        self._rearm()

    def handle_timeout(self, now: float) -> None:
        """Act on what is due: 2xx again, BYE for a missing ACK, provisional again, re-INVITE after 491."""
        if self._answer_until <= now:
            self._stop_answer()
            self._send_bye(now, self._bye or ())
            self._end("timeout", now, reason="no ACK to our 2xx")
        if self._answer_at <= now and self._answer is not None:
            transaction, response = self._answer
            self._answer_interval = min(self._answer_interval * 2, self.layer.timers.t2)
            self._answer_at = now + self._answer_interval
            self.layer.respond(transaction, response, now)
        if self._ringing_at <= now:
            self._ringing_at = inf
            if self._ringing is not None and self._incoming is not None:
                self._ringing_at = now + PROVISIONAL_REPEAT
                self._send_provisional(self._incoming, self._ringing, now)
        self._wake_sender(now)
        self._wake_timer(now)
        if self._retry_at <= now:
            self._retry_at = inf
            if not self._ended:
                self._sink.append(OfferDue(self, self._offer[1]))
        if self._cancel_until <= now:  # 9.1: no final response 64*T1 after the CANCEL
            self._outgoing = None
            self._end("local", now, 487, "CANCEL")
        self._rearm()

    # -- requests of the peer ---------------------------------------------------------------------------------

    def _receive_request(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        method = request.method
        if self.dialog is None:
            raise ProtocolError(481, "no dialog yet", message=request)
        self.dialog.take_request(request)
        transaction.user = self
        if method == "BYE":
            self._receive_bye(transaction, request, now)
            return
        if self._ended:
            raise ProtocolError(481, "the session is over", message=request)
        if method not in self.profile.allow:
            raise ProtocolError(405, f"{method[:32]} is not allowed", headers=(("Allow", self.profile.allow_value),))
        check_require(self.profile, request)
        if method in ("INVITE", "UPDATE"):
            self._timer.check_interval(request)
            self._note_allow(request)
        if method == "UPDATE" and request.sdp:
            self._check_glare()
        if method == "INVITE":
            self._receive_reinvite(transaction, request, now)
        elif method == "PRACK":
            self._receive_prack(transaction, request, now)
        elif method == "INFO":
            self._sink.append(InfoReceived(self, transaction, request))
        elif method == "REFER":
            values = request.values("Refer-To")
            if len(values) != 1:
                raise ProtocolError(400, f"Refer-To stands {len(values)} times")
            self._sink.append(ReferReceived(self, transaction, request, parse_name_addr(values[0])))
        else:
            self._sink.append(RequestInDialog(self, transaction, request))

    def _receive_reinvite(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        if self._incoming is not None:  # 14.2
            raise ProtocolError(500, "an INVITE of yours is going on", headers=_later())
        if self._updating is not None:
            raise ProtocolError(491, "an UPDATE is going on")
        if self._outgoing is not None or self._answer is not None or self.state is not SessionState.CONFIRMED:
            raise ProtocolError(491, "an INVITE is going on")
        check_body(request)
        self._incoming = transaction
        self.layer.respond(transaction, request.create_response(100), now)
        self._sink.append(ReInvite(self, request, request.sdp))

    def _check_glare(self) -> None:
        """Refuse an offer that comes while another one is open (RFC 3311 5.2)."""
        if self.awaits_answer:
            raise ProtocolError(491, "an offer of ours has no answer yet")
        if self.owes_answer:
            raise ProtocolError(500, "an offer of yours has no answer yet", headers=_later())

    def _receive_prack(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        sender = self._sender
        if sender is None:
            raise ProtocolError(481, "there was no reliable response")
        awaits_answer = sender.outstanding is not None and bool(sender.outstanding.body) and not self._invite_offered
        following = sender.take_prack(request, now)
        if request.sdp and not awaits_answer:
            self._sink.append(RequestInDialog(self, transaction, request))
        else:
            self.respond(transaction, now, 200)
            if request.sdp:
                self._sink.append(Pracked(self, request.sdp))
        if following is not None and self._incoming is not None:
            self.layer.respond(self._incoming, following, now)
        if self._accepting is not None and not sender.owes_answer:
            (sdp, headers), self._accepting = self._accepting, None
            self.accept(now, sdp, headers)

    def _receive_bye(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        self.layer.respond(transaction, request.create_response(200, to_tag=self.local_tag), now)
        if self._incoming is not None:  # 15.1.2
            self._refuse_incoming(487, now)
        self._stop_answer()
        self._retry_at = inf
        self._end("remote", now, reason="BYE", request=request)

    def _receive_cancel(self, request: Request, now: float) -> None:
        self._refuse_incoming(487, now, headers=self.cancel_headers)
        if self.state is SessionState.INCOMING:
            self._end("remote", now, 487, "CANCEL", request)

    def _receive_ack(self, request: Request, now: float) -> None:
        if self._answer is None or request.cseq.number != self._answer_cseq:
            return
        if self.dialog is not None and request.from_tag != self.dialog.remote_tag:
            return  # who knows no more than our tag is not the peer
        self._stop_answer()
        if self.state is SessionState.ANSWERED:
            self.state = SessionState.CONFIRMED
            self._sink.append(Acked(self, request.sdp))
            if self._bye is not None:
                self._send_bye(now, self._bye)
                self._end("local", now, reason="BYE")

    def _answer_error(self, transaction: ServerTransaction, request: Request, error: ProtocolError, now: float) -> None:
        self.layer.counters[f"refused.{error.status}"] += 1
        response = request.create_response(error.status, to_tag=self.local_tag, headers=error.headers)
        self.layer.respond(transaction, response, now)

    # -- responses of the peer --------------------------------------------------------------------------------

    def _receive_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        request = transaction.request
        if request.method == "INVITE":
            if response.status < 200:
                self._receive_provisional(transaction, response, now)
            elif response.status < 300:
                self._receive_2xx(transaction, response, now)
            else:
                self._receive_refusal(transaction, response, now)
            return
        if response.status < 200 or self._authorize(transaction, response, now):
            return
        if self._attempts.get(transaction) == REFRESH and response.status == 422 and self._timer.take_422(response):
            self._send_changed(transaction, self._timer.request_fields(), now)
            return
        self._finish_request(transaction, response.status, response.reason, response, now)

    def _receive_provisional(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if transaction is not self._outgoing or self.state is not SessionState.CALLING:
            return
        self._had_provisional = True
        if self._cancel is not None:
            self._send_cancel(now)
        elif response.status > 100:
            if response.to_tag and (self.dialog is None or self.dialog.remote_tag != response.to_tag):
                fresh = create_uac_dialog(transaction.request, response)
                if self.dialog is not None:  # this dialog may have had a PRACK before the other one was heard of
                    fresh.local_cseq = max(fresh.local_cseq, self.dialog.local_cseq)
                self.dialog = fresh
            if not self._take_reliable(response, now):
                return
            self._note_allow(response)
            sdp = b"" if self._has_moved_on else response.sdp
            self._sink.append(Provisional(self, response.status, response.reason, sdp, response))

    def _take_reliable(self, response: Response, now: float) -> bool:
        """Acknowledge a reliable response (RFC 3262 4); False when it is to be dropped."""
        if self.profile.reliable == "no" or not response.to_tag or not is_reliable(response):
            return True
        rack = self._receiver.take(response)
        if rack is None:
            return False
        if response.sdp and not self._offer[0] and not self._described:
            self._rack = rack  # the driver has to answer the offer
        else:
            if response.sdp:
                self._answered_by = response.to_tag
            self._send_prack(rack, b"", now)
        return True

    def _receive_2xx(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        request, tag = transaction.request, response.to_tag
        dialog = self.dialog
        if transaction is not self._outgoing:
            if dialog is not None and dialog.confirmed and tag == dialog.remote_tag:
                if self._ack is not None and request.cseq.number == self._ack_cseq:
                    self.layer.send_again(self._ack)
            else:  # another fork (13.2.2.4), or an answer that came after we gave up
                self._send_away(request, response, now)
            return
        self._outgoing = None
        self._rounds = 0
        self._cancel_until = inf
        self._ack, self._ack_cseq = None, request.cseq.number
        if self.state is SessionState.CALLING:
            if dialog is None or dialog.remote_tag != tag:
                dialog = create_uac_dialog(request, response)
            else:  # 13.2.2.4: the route set is computed again from the 2xx
                fresh = create_uac_dialog(request, response)
                fresh.local_cseq = max(fresh.local_cseq, dialog.local_cseq)
                fresh.remote_cseq = dialog.remote_cseq
                dialog = fresh
            self.dialog = dialog
            dialog.confirmed = True
            self._note_allow(response)
            self._timer.take_2xx(response, now)
            if self._cancel is not None:  # 9.1: the 2xx crossed our CANCEL
                self._send_ack(dialog, self._ack_cseq, b"")
                self._send_bye(now, self._cancel)
                self._end("local", now, 487, "CANCEL")
                return
            self.state = SessionState.CONFIRMED
            # RFC 3261 13.2.1: what follows the answer of a reliable response, and an UPDATE, is no answer.
            sdp = b"" if self._has_moved_on and self._answered_by == tag else response.sdp
            event: SessionEvent = Answered(self, sdp, response)
        else:
            if dialog is None:
                return
            dialog.refresh_target(response)
            self._note_allow(response)
            self._timer.take_2xx(response, now)
            self._description = self._offer[0] or self._description
            self._retries = 0
            event = ReInviteAnswered(self, response.sdp, response)
        if self._offer[0] or self._ended or (self._described and type(event) is Answered):
            self._send_ack(dialog, self._ack_cseq, b"")
        if not self._ended:
            self._sink.append(event)

    def _receive_refusal(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if transaction is not self._outgoing:
            return
        if self._cancel is None and not self._ended and self._authorize(transaction, response, now):
            return
        if response.status == 422 and self._cancel is None and not self._ended and self._timer.take_422(response):
            self._replace_outgoing(self._send_changed(transaction, self._timer.request_fields(), now))
            return
        self._rounds = 0
        self._outgoing = None
        status, reason = response.status, response.reason
        if self.state is SessionState.CALLING:
            if self._cancel is not None:
                self._end("local", now, status, "CANCEL")
            else:
                contacts = tuple(response.contacts) if 300 <= status < 400 else ()
                self._fail(Failed(self, status, reason, contacts, _reasons(response), response))
        elif self._ended:
            return
        elif self._may_come_again(response, now):
            pass
        elif status in (408, 481):  # 12.2.1.2
            self._send_bye(now, ())
            self._end("timeout", now, reason=f"{status} {reason}")
        else:
            self._timer.put_off(now)
            self._sink.append(ReInviteFailed(self, status, reason))

    def _take_update_answer(self, status: int, response: Response | None) -> None:
        if response is not None and status < 300:
            self._description, self._has_moved_on, self._retries = self._offer[0], True, 0

    def _may_come_again(self, response: Response, now: float) -> bool:
        """Whether an offer of ours that was refused is to be made again later (14.1, RFC 3311 5.3)."""
        if response.status == 491:  # who owns the Call-ID waits longer
            wait_s = random.randrange(210, 401) / 100 if self.is_caller else random.randrange(0, 201) / 100
        elif response.status in (500, 504) and "Retry-After" in response.headers:
            later_s = parse_delta_seconds(response.values("Retry-After")[0].partition("(")[0].partition(";")[0])
            if later_s is None or later_s > LONGEST_RETRY:
                return False
            wait_s = float(later_s)
        else:
            return False
        if self._retries >= MAX_RETRIES:
            return False
        self._retries += 1
        self._retry_at = now + wait_s
        return True

    def _give_up(self, transaction: ClientTransaction, status: int, reason: str, now: float) -> None:
        if transaction is self._outgoing:
            self._outgoing = None
            if self.state is SessionState.CALLING:
                if self._cancel is not None:
                    self._end("local", now, 487, "CANCEL")
                else:
                    self._fail(Failed(self, status, reason))
            elif not self._ended:
                self._send_bye(now, ())
                self._end("timeout", now, reason=f"{status} {reason}")
        elif transaction.request.method != "INVITE":
            self._finish_request(transaction, status, reason, None, now)

    def _finish_request(
        self, transaction: ClientTransaction, status: int, reason: str, response: Response | None, now: float
    ) -> None:
        self._rounds = 0
        method = self._attempts.pop(transaction, "")
        if method == "BYE":
            self._terminate()
        elif method == REFRESH:
            self._finish_refresh(status, reason, response, now)
        elif method and method != "PRACK" and not self._ended:
            if transaction is self._updating:
                self._updating = None
                self._take_update_answer(status, response)
                if response is not None and self._may_come_again(response, now):
                    return
            if method == "UPDATE" and response is not None and status < 300 and self.dialog is not None:
                self.dialog.refresh_target(response)
                if self._is_up:
                    self._timer.take_2xx(response, now)
            elif method == "UPDATE" and status in (405, 501):
                self.refused_update = True
            self._sink.append(RequestAnswered(self, transaction.request, status, reason, response))
            if status == 481 and self.state in _ALIVE:
                self._stop_answer()
                self._send_bye(now, ())
                self._end("timeout", now, reason=f"{status} {reason}")

    # -- session timers (RFC 4028) ----------------------------------------------------------------------------

    def _wake_timer(self, now: float) -> None:
        match self._timer.wake(now):
            case "refresh":
                self._refresh(now)
            case "expired":
                self._expire(now)

    def _refresh(self, now: float) -> None:
        """Refresh the session: by UPDATE without an offer if the peer allows it, else by our last description (7.4)."""
        if not self.may_reinvite:
            self._timer.put_off(now)
        elif not self.takes_update:
            self._send_reinvite(self._description, (), now)
        elif (update := self.request(now, "UPDATE")) is not None:
            self._attempts[update] = REFRESH

    def _finish_refresh(self, status: int, reason: str, response: Response | None, now: float) -> None:
        if self._ended or self.dialog is None:
            return
        if response is not None and status < 300:
            self.dialog.refresh_target(response)
            self._timer.take_2xx(response, now)
        elif status in (408, 481):  # 10: the peer has lost the call
            self._send_bye(now, ())
            self._end("timeout", now, reason=f"{status} {reason}")
        elif status in (405, 501):
            self.refused_update = True
            self._refresh(now)
        else:
            self._timer.put_off(now)

    def _expire(self, now: float) -> None:
        """Nobody refreshed the session in time: it is over (10)."""
        if self._incoming is not None:
            self._refuse_incoming(487, now)
        self._send_bye(now, self.expiry_headers)
        cause = Reason("Q.850", RECOVERY_ON_TIMER_EXPIRY)
        self._end("timeout", now, reason="the session was not refreshed", reasons=(cause,))

    # -- reliable provisional responses (RFC 3262) ------------------------------------------------------------

    def _wake_sender(self, now: float) -> None:
        sender, transaction = self._sender, self._incoming
        if sender is None or transaction is None:
            return
        what = sender.wake(now)
        if what == "again" and sender.outstanding is not None:
            self.layer.respond(transaction, sender.outstanding, now)
        elif what == "given up":  # 3
            self._refuse_incoming(504, now)
            self._end("timeout", now, 504, "no PRACK to our provisional response")

    # -- bookkeeping ------------------------------------------------------------------------------------------

    def _end(
        self,
        by: Literal["local", "remote", "timeout"],
        now: float,
        status: int = 0,
        reason: str = "",
        request: Request | None = None,
        reasons: tuple[Reason, ...] = (),
    ) -> None:
        if self.state is not SessionState.TERMINATING or by == "remote":
            self._terminate()
        self._stop_answer()
        self._timer.stop()
        self._retry_at = self._cancel_until = inf
        if not self._ended:
            self._ended = True
            reasons = _reasons(request) if request is not None else reasons
            self._sink.append(Ended(self, by, status, reason, reasons, request))

    def _fail(self, event: Failed) -> None:
        self._terminate()
        self._cancel_until = inf
        if not self._ended:
            self._ended = True
            self._sink.append(event)


def _later() -> tuple[tuple[str, str], ...]:
    """When to ask again (14.2, RFC 3311 5.2)."""
    return (("Retry-After", str(random.randint(0, 10))),)


def _reasons(message: Message) -> tuple[Reason, ...]:
    if "Reason" not in message.headers:
        return ()
    try:
        return tuple(parse_reason(value) for value in message.values("Reason"))
    except ProtocolError:
        return ()
