"""The SIP side of one channel: an INVITE session, and the media that it agrees on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from arietta import sdp
from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.channels.driver import Indication
from arietta.channels.identities import Redirection
from arietta.channels.texts import Text
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip import call_texts
from arietta.drivers.sip.connected import Fields, Told, believe, fields_of, settle, tell_connected
from arietta.drivers.sip.digits import InfoDigits
from arietta.drivers.sip.diversion import reason_of
from arietta.drivers.sip.early_answers import EarlyAnswers
from arietta.drivers.sip.facing import media_address, media_bind
from arietta.drivers.sip.hops import Hop
from arietta.drivers.sip.in_dialog import answer_afterwards, answer_info, answer_reinvite, answer_request, tell_hold
from arietta.drivers.sip.leg_items import read_item
from arietta.drivers.sip.leg_media import LegMedia
from arietta.drivers.sip.offering import answer_to_update, go_on_offering, make_offer
from arietta.drivers.sip.parting import part
from arietta.drivers.sip.referral import Referral
from arietta.drivers.sip.reports import tell_reports
from arietta.drivers.sip.transfer import report_progress, take_refer
from arietta.errors import ServerFailure, Unprocessable
from arietta.media.engine import DigitOut, MediaEvent, MediaStopped, OtherCodec, Port
from arietta.model import causes
from arietta.sip import events
from arietta.sip.invite import InviteSession, SessionState
from arietta.sip.message import Request, Response
from arietta.sip.registrar import q_of
from arietta.sip.transactions import Address, Transport

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.location import ContactState

log = logging.getLogger(__name__)

ANSWERED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
CAUSE_REDIRECTED = 23
MAX_FORWARDS = 10
"""Contacts of one redirection that are tried."""
MUSIC_ON_HOLD = "default"


class SipLeg:
    """One SIP call leg."""

    def __init__(
        self,
        driver: SipDriver,
        endpoint: Endpoint,
        transport: Transport,
        *,
        formats: tuple[str, ...] = (),
        dialstring: str = "",
    ) -> None:
        self.driver = driver
        self.endpoint = endpoint
        self.transport = transport
        self.channel: Channel | None = None
        self.session: InviteSession | None = None
        self.dialstring = dialstring
        self.target = ""
        self.route_set: tuple[str, ...] = ()
        self.redirection: Redirection | None = None
        """Who redirected the call that it is made for."""
        self.destination: Address | None = None
        self.hops: list[Hop] = []
        """Servers to call when this one does not answer,"""
        self.others: list[ContactState] = []
        """and then contacts."""
        self.exten = ""
        self._called: Address | None = None
        self._early: EarlyAnswers | None = None  # with our INVITE
        self._heard_of = False  # a provisional response came
        self.request: Request | None = None
        self.response: Response | None = None
        """What answered our INVITE."""
        self.added: list[tuple[str, str]] = []
        """Header fields that our INVITE is to have besides,"""
        self.from_parameters: dict[tuple[bool, str], str] = {}
        """and parameters of its From, by whether they are in the URI, and name."""
        self.referral: Referral | None = None
        """The last REFER that was accepted from the far end."""
        self.more_fields: Fields = ()
        """Header fields of the INVITE that the driver does not know of."""
        self.told = Told()
        self.passes_hold_on = endpoint.moh_passthrough
        self.parting = False  # the far end was sent away, and ends the call itself
        self.media = LegMedia(driver, endpoint, formats)
        self.held = False
        """Whether the channel was told that the far end has put the call on hold."""
        self._call_id = ""
        self._music = False
        self._digits: InfoDigits | None = None

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def protocol_id(self) -> str:
        return self._call_id

    @property
    def port(self) -> Port | None:
        return self.media.port

    def identified(self) -> None:
        """Have a Call-ID, which is shown from after ChannelCreated on."""
        if self.channel is not None:
            self._call_id = self.request.call_id if self.request is not None else self.driver.outgoing.new_call_id()
            channel = self.channel
            self.driver.history.begun(self._call_id, channel.id, channel.name, channel.linkedid)
            channel.changed()

    def read(self, item: str) -> str | None:
        item = item.lower()
        if item.startswith(("rtp,", "rtcp,")):
            return self.media.read(item.split(","))
        return read_item(self, item)

    def header(self, name: str, number: int = 1) -> str | None:
        """A header field of the INVITE that began the call, counted from 1."""
        values = self.request.headers.get(name) if self.request is not None else None
        if values is None and self.request is not None:
            lower = name.lower()
            values = next((v for k, v in self.request.headers.items() if k.lower() == lower), None)
        return values[number - 1] if values is not None and 0 < number <= len(values) else None

    def refresh(self, method: str) -> bool:
        """Offer the session again by `invite` or `update`; a peer that takes no UPDATE gets one that only says so."""
        session, now = self.session, self.driver.now()
        if session is None:
            return False
        if method == "invite":
            sent = session.may_reinvite and session.reinvite(now, self.media.offer())
        elif session.takes_update:
            sent = session.may_update and session.update(now, self.media.offer())
        else:
            sent = session.state is SessionState.CONFIRMED and session.request(now, "UPDATE") is not None
        self.driver.drain()
        return sent

    # ---------------------------------------------------------------------------------------------- the beginning

    def open_media(self, offer: sdp.SessionDescription | None = None) -> None:
        """Take an RTP port, to answer an offer if there is one; MediaError if there is none."""
        if self.media.port is None:
            address = media_address(self.endpoint, self.transport, offer)
            bind = media_bind(address, self.driver.transports.bound_host(self.transport))
            port = self.media.open(address, bind, heard=self._heard, failed=self._path_failed)
            tell_reports(self, port)
            self.driver.media_log.watch(port)

    def take_invite(self, request: Request, offer: sdp.SessionDescription | None) -> sdp.Refusal | None:
        """Negotiate the offer of an incoming INVITE; the refusal says why it cannot be."""
        self.request = request
        self.open_media(offer)
        refusal = self.media.take_first_offer(offer) if offer is not None else None
        if refusal is not None:
            log.warning("call from %s is refused: %s", self.endpoint.name, refusal.reason)
        return refusal

    def call(self) -> None:
        channel = self.channel
        if channel is None:
            return
        self.driver.outgoing.start(self)

    def invite(self, destination: Address) -> None:
        """Send the INVITE, now that it is known where to."""
        channel = self.channel
        if channel is None or self.session is not None or channel.hangup_requested:
            return
        self.media.address = media_address(self.endpoint, self.transport)
        self._called, self._heard_of = destination, False
        self._early = EarlyAnswers(self.endpoint, self.driver.settings.system)
        self.session = self.driver.outgoing.invite(self, destination, self.media.offer())
        self.session.user = self
        self.session.expiry_headers = self._reason(causes.RECOVERY_ON_TIMER_EXPIRY)
        self.told.fields = fields_of(self)

    def join_session(self, session: InviteSession) -> None:
        """Take the session of an incoming call."""
        session.user = self
        session.cancel_headers = (("Reason", "Q.850;cause=0"),)
        session.expiry_headers = self._reason(causes.RECOVERY_ON_TIMER_EXPIRY)
        self.session = session

    def _path_failed(self, reason: str) -> None:
        channel = self.channel
        if channel is not None:
            log.warning("channel %s is hung up: %s", channel.name, reason)
            channel.receive(signals.HungUp(causes.REQUESTED_CHANNEL_UNAVAILABLE))

    def _heard(self, event: MediaEvent) -> None:
        channel = self.channel
        if channel is None:
            return
        if isinstance(event, MediaStopped):
            log.warning("channel %s is hung up: no RTP for %d ms", channel.name, event.silence_ms)
            channel.receive(signals.HungUp(causes.REQUESTED_CHANNEL_UNAVAILABLE))
            return
        if isinstance(event, OtherCodec):
            self.media.follow(event.payload_type)
            return
        signal = signals.of_media(event)
        if signal is not None:
            channel.receive(signal)

    # --------------------------------------------------------------------------------------- what the channel asks

    def answer(self) -> None:
        session = self.session
        if session is None:
            return
        ours = self.media.describe()
        self.media.agree()
        fields = fields_of(self)
        if session.accept(self.driver.now(), ours, fields):
            self.told.fields = fields
        self.driver.drain()

    def indicate(self, indication: Indication, data: str = "") -> None:
        session = self.session
        match indication:
            case Indication.RINGING if self.endpoint.inband_progress:
                self._progress()
                if self.channel is not None:
                    self.channel.play_tone(indication)
            case Indication.RINGING:
                if session is not None:
                    self.say_provisional(180, self._early_offer(session))
            case Indication.PROGRESS:
                self._progress()
            case Indication.BUSY:
                self._refuse(causes.USER_BUSY)
            case Indication.CONGESTION:
                self._refuse(causes.CONGESTION)
            case Indication.HOLD:
                if self.passes_hold_on:
                    self._hold(is_held=True)
                elif self.channel is not None:
                    self._music = True
                    self.channel.play_music(data or self.endpoint.moh_suggest or MUSIC_ON_HOLD)
            case Indication.UNHOLD:
                if self.channel is not None and self._music:
                    self._music = False
                    self.channel.stop_music()
                self._hold(is_held=False)
            case Indication.CONNECTED_LINE:
                tell_connected(self)
            case Indication.REDIRECTING:
                self.say_provisional(181)
            case _:
                pass  # the phone shows nothing of it

    def _hold(self, *, is_held: bool) -> None:
        """Pass hold on to the far end, as moh_passthrough does it: it sends on, and we send nothing."""
        direction = sdp.Direction.RECVONLY if is_held else sdp.Direction.SENDRECV
        if direction is not self.media.direction:
            self.media.direction = direction
            make_offer(self)

    def say_provisional(self, status: int, body: bytes = b"") -> None:
        """Send a provisional response, with who the caller is connected to."""
        session, fields = self.session, fields_of(self)
        if session is not None and session.ring(self.driver.now(), status, body, fields):
            self.told.fields, self.told.provisional = fields, status
            self.driver.drain()

    def repeat_offer(self, fields: Fields) -> bool:
        """Send a re-INVITE that changes nothing, for its header fields; False while another one goes on."""
        return self.session is not None and self.session.reinvite(self.driver.now(), self.media.describe(), fields)

    def _progress(self) -> None:
        session = self.session
        if session is None or session.state is not SessionState.INCOMING:
            return
        body = b""
        if self.media.theirs is not None:
            self.media.agree()
            body = self.media.describe()
        self.say_provisional(183, body or self._early_offer(session))

    def _early_offer(self, session: InviteSession) -> bytes:
        """Our offer in a reliable response, where the INVITE made none (RFC 3262 5); the PRACK has its answer."""
        return self.media.describe() if session.lacks_offer else b""

    def _refuse(self, cause: int) -> None:
        session, channel = self.session, self.channel
        if session is not None and channel is not None and session.state is SessionState.INCOMING:
            status = causes.sip_status(cause)
            session.reject(self.driver.now(), status, None, self._reason(cause))
            self.driver.drain()
            channel.receive(signals.HungUp(cause, status))  # there is nobody any more who could be sent elsewhere

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        session = self.session
        if self.media.endpoint.dtmf_mode == "info" and session is not None:
            if self._digits is None:
                self._digits = InfoDigits(self.driver.loop, self._send_info)
            self._digits.send(digits, on_end)
        elif self.port is not None:
            self.port.send_digits(digits, on_end)
        elif on_end is not None:
            on_end()

    def _send_info(self, body: bytes) -> None:
        if self.session is not None:
            self.session.request(self.driver.now(), "INFO", body, content_type="application/dtmf-relay")
            self.driver.drain()

    def send_text(self, text: Text) -> bool:
        return call_texts.send_text(self, text)

    def redirect(self, target: str) -> None:
        channel, session = self.channel, self.session
        if channel is None or session is None:
            raise ServerFailure("the call has ended")
        uri = self.driver.contacts.uri_of(target)
        if uri is None:
            raise Unprocessable(f"endpoint PJSIP/{target} is neither a SIP URI nor a known endpoint")
        now = self.driver.now()
        if session.state is SessionState.INCOMING:
            session.reject(now, 302, None, (("Contact", f"<{uri}>"), ("Reason", "Q.850;cause=0")))
            self.driver.drain()
            channel.receive(signals.HungUp(CAUSE_REDIRECTED, 302))
        else:
            session.request(now, "REFER", headers=(("Refer-To", f"<{uri}>"),))
            self.driver.drain()
            self.parting = True
            channel.request_hangup()

    def transfer_progress(self, state: str) -> None:
        """Tell the phone how a transfer goes that the application carries out."""
        if self.channel is not None:
            report_progress(self, self.channel, state)

    def hangup(self, cause: int) -> int | None:
        channel, self.channel = self.channel, None
        session, self.session = self.session, None
        if self._digits is not None:
            self._digits.stop()
        tech_cause: int | None = None
        if session is not None and self.parting and session.state is SessionState.CONFIRMED:
            part(self.driver, session)
        elif session is not None:
            self._end_referral()
            if session.state in (SessionState.CALLING, SessionState.INCOMING):
                tech_cause = causes.sip_status(cause)
            session.end(self.driver.now(), causes.sip_status(cause), self._reason(cause))
            self.driver.drain()
        self.media.close()
        if channel is not None:
            self.driver.forget(channel)
        return tech_cause

    def _reason(self, cause: int) -> tuple[tuple[str, str], ...]:
        if cause == causes.ANSWERED_ELSEWHERE:
            return (("Reason", ANSWERED_ELSEWHERE),)
        if self.endpoint.suppress_q850_reason_headers:
            return ()
        return (("Reason", f"Q.850;cause={cause}"),)

    # --------------------------------------------------------------------------------------- what the session tells

    def take(self, event: events.SessionEvent) -> None:
        """Take an event of the session."""
        channel = self.channel
        if isinstance(event, events.Ended):
            self._end_referral()
        if channel is None:
            answer_afterwards(self, event)
            return
        match event:
            case events.Provisional():
                self._take_provisional(channel, event)
            case events.Answered():
                self._take_answer(channel, event)
            case events.Failed():
                self._take_failure(channel, event)
            case events.Ended():
                self.session = None
                if event.by == "timeout":
                    cause = event.reasons[0].cause if event.reasons else None
                    channel.receive(signals.HungUp(cause or causes.DESTINATION_OUT_OF_ORDER))
                elif event.by == "remote":
                    channel.receive(self._far_hangup(event))
            case events.Acked():
                if event.sdp and self.media.theirs is None and self.media.ours is not None:
                    self._take_late_answer(channel, event.sdp)
            case events.Pracked():
                self._take_late_answer(channel, event.sdp)
            case events.RequestAnswered() if answer := answer_to_update(event):
                self._take_late_answer(channel, answer)
            case events.ReInviteAnswered() if event.sdp:  # our offer only refreshed, the answer may say something new
                self._take_late_answer(channel, event.sdp)
            case events.ReInvite():
                answer_reinvite(self, channel, event)
            case events.InfoReceived():
                answer_info(self, channel, event)
            case events.ReferReceived():
                take_refer(self, channel, event)
            case events.RequestInDialog():
                answer_request(self, channel, event)
            case _:
                pass
        settle(self, event)
        go_on_offering(self, event)

    def _end_referral(self) -> None:
        referral, self.referral = self.referral, None
        if referral is not None:
            referral.stop()

    def _far_hangup(self, event: events.Ended) -> signals.HungUp:
        named = next((r.cause for r in event.reasons if r.protocol.upper() == "Q.850" and r.cause), None)
        if event.status:
            return signals.HungUp(named or causes.of_sip_status(event.status), event.status)
        return signals.HungUp(named)

    def _take_provisional(self, channel: Channel, event: events.Provisional) -> None:
        self._heard_of = True
        believe(self, channel, event.response)
        if event.sdp:
            self._read_answer(event.response, event.sdp, is_final=False)
        if event.status == 180:
            channel.receive(signals.Ringing())
        elif event.status > 100 and (event.sdp or (event.status == 183 and not self.endpoint.ignore_183_without_sdp)):
            channel.receive(signals.Progressed())

    def _read_answer(self, response: Response, body: bytes, *, is_final: bool) -> sdp.Refusal | None:
        """Take what a response to our INVITE says of media, if it counts."""
        if self._early is None or not self._early.counts(response.to_tag, body, is_final=is_final):
            return None
        refusal = self.media.read_answer(body)
        if refusal is None:
            self._early.followed(response.to_tag, body)
        return refusal

    def _take_answer(self, channel: Channel, event: events.Answered) -> None:
        self.response = event.response
        refusal = self._read_answer(event.response, event.sdp, is_final=True) if event.sdp else None
        if refusal is not None:
            log.warning("channel %s: %s", channel.name, refusal.reason)
            channel.receive(signals.HungUp(causes.BEARER_CAPABILITY_UNAVAILABLE, refusal.status))
            return
        believe(self, channel, event.response)
        channel.receive(signals.Answered())

    def _take_failure(self, channel: Channel, event: events.Failed) -> None:
        self.session = None
        called, answered = self._called, event.response is not None
        may_go_on = not self._heard_of and not channel.hangup_requested
        outgoing = self.driver.outgoing
        if may_go_on and called and outgoing.call_next(self, called, event.status, has_response=answered):
            return
        if 300 <= event.status < 400 and event.contacts:
            best_first = sorted(event.contacts, key=q_of, reverse=True)[:MAX_FORWARDS]
            user, *others = dict.fromkeys(contact.uri.user for contact in best_first if contact.uri.user) or ("",)
            if user:
                reason = reason_of(event.response) if event.response is not None else "unknown"
                channel.receive(signals.Forwarded(user, reason, tuple(others)))
                if channel.hangup_requested:
                    return
        named = next((r.cause for r in event.reasons if r.protocol.upper() == "Q.850" and r.cause), None)
        channel.receive(signals.HungUp(named or causes.of_sip_status(event.status), event.status))

    def _take_late_answer(self, channel: Channel, body: bytes) -> None:
        """An answer in an ACK, a PRACK or a 200 to a refresh: it cannot be refused but by the end of the call."""
        refusal = self.media.read_answer(body)
        if refusal is None:
            tell_hold(self, channel)
            return
        log.warning("channel %s: %s", channel.name, refusal.reason)
        channel.receive(signals.HungUp(causes.BEARER_CAPABILITY_UNAVAILABLE, refusal.status))
