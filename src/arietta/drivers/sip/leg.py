"""The SIP side of one channel: an INVITE session with an RTP port."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from arietta import sdp
from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.channels.driver import Indication
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.connected import Fields, Told, believe, fields_of, settle, tell_connected
from arietta.drivers.sip.digits import InfoDigits, read_info_digit
from arietta.drivers.sip.facing import media_address
from arietta.drivers.sip.hops import Hop, is_no_answer
from arietta.drivers.sip.reports import tell_reports
from arietta.drivers.sip.transfer import Transfer, part, parted, report_progress, take_notify, take_refer
from arietta.errors import ServerFailure, Unprocessable
from arietta.media.codecs import is_codec
from arietta.media.engine import (
    DigitOut,
    MediaError,
    MediaEvent,
    MediaStopped,
    Port,
    RtpPort,
    RtpSettings,
    SrtpKeys,
)
from arietta.media.engine import Direction as MediaDirection
from arietta.model import causes
from arietta.sip import events
from arietta.sip.invite import InviteSession, SessionState
from arietta.sip.message import Request, Response
from arietta.sip.registrar import q_of
from arietta.sip.transactions import Address, Transport
from arietta.sip.uri import quote

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.location import ContactState
    from arietta.drivers.sip.media_path import LegPath

log = logging.getLogger(__name__)

ANSWERED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
CAUSE_REDIRECTED = 23
MUSIC_ON_HOLD = "default"
SUITES = tuple(sdp.SRTP_SUITES)
SHORT_TAGS = "AES_CM_128_HMAC_SHA1_32"
SUITES_WITH_SHORT_TAGS = (SHORT_TAGS, *(suite for suite in SUITES if suite != SHORT_TAGS))

_session_ids = itertools.count(int(time.time()))


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
        self.diverted_from = ""
        self.destination: Address | None = None
        self.hops: list[Hop] = []
        """Servers to call when this one does not answer,"""
        self.others: list[ContactState] = []
        """and then contacts."""
        self.exten = ""
        self._called: Address | None = None
        self._heard_of = False  # a provisional response came
        self.request: Request | None = None
        self.response: Response | None = None
        """What answered our INVITE."""
        self.added: list[tuple[str, str]] = []
        """Header fields that our INVITE is to have besides,"""
        self.from_parameters: dict[tuple[bool, str], str] = {}
        """and parameters of its From, by whether they are in the URI, and name."""
        self.transfer: Transfer | None = None
        self.more_fields: Fields = ()
        """Header fields of the INVITE that the driver does not know of."""
        self.told = Told()
        self.parting = False  # the far end was sent away, and ends the call itself
        self._call_id = ""
        self._formats = formats
        self._port: RtpPort | None = None
        self._path: LegPath | None = None  # with ICE or DTLS
        self._ice: sdp.IceSide | None = None  # ours
        self._offer: sdp.SessionDescription | None = None  # theirs
        self._ours: sdp.SessionDescription | None = None
        self._agreed: sdp.Negotiated | None = None
        self._session_id = next(_session_ids)
        self._held = False
        self._music = False
        self._digits: InfoDigits | None = None

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def protocol_id(self) -> str:
        return self._call_id

    @property
    def port(self) -> Port | None:
        return self._port

    @property
    def held(self) -> bool:
        """Whether the far end has put the call on hold."""
        return self._held

    def identified(self) -> None:
        """Have a Call-ID, which is shown from after ChannelCreated on."""
        if self.channel is not None:
            self._call_id = self.request.call_id if self.request is not None else self.driver.outgoing.new_call_id()
            channel = self.channel
            self.driver.history.begun(self._call_id, channel.id, channel.name, channel.linkedid)
            channel.changed()

    def read(self, item: str) -> str | None:
        session = self.session
        if item.lower().startswith("rtp,"):
            return self._read_media(item.lower().split(",")[1:])
        match item.lower():
            case "dialstring":
                return self.dialstring
            case "pjsip,call-id" | "call-id" | "protocol_id":
                return self._call_id
            case "endpoint" | "pjsip,endpoint":
                return self.endpoint.name
            case "peerip" | "pjsip,remote_addr" | "remote_addr":
                return f"{session.peer[0]}:{session.peer[1]}" if session is not None else ""
            case "audioreadformat" | "audionativeformat" | "audiowriteformat":
                return self._agreed.codec if self._agreed is not None else None
            case _:
                return None

    def _read_media(self, words: list[str]) -> str | None:
        """CHANNEL(rtp,…): of audio; there is no other."""
        agreed, port = self._agreed, self._port
        if words[1:] not in ([], ["audio"]):
            return None
        match words[0]:
            case "secure":
                return "1" if agreed is not None and self._keys(agreed) is not None else "0"
            case "hold":
                return "1" if self._held else "0"
            case "src":
                return f"{self._settings().address}:{port.local_port}" if port is not None else ""
            case "dest":
                target = self._target(agreed) if agreed is not None else None
                return f"{target[0]}:{target[1]}" if target is not None else ""
            case _:
                return None

    def header(self, name: str, number: int = 1) -> str | None:
        """A header field of the INVITE that began the call, counted from 1."""
        values = self.request.headers.get(name) if self.request is not None else None
        if values is None and self.request is not None:
            lower = name.lower()
            values = next((v for k, v in self.request.headers.items() if k.lower() == lower), None)
        return values[number - 1] if values is not None and 0 < number <= len(values) else None

    def use_digits(self, mode: str) -> None:
        """Carry digits in another way from now on, as far as the far end agreed to it."""
        self.endpoint = msgspec.structs.replace(self.endpoint, dtmf_mode=mode)
        if self._port is not None:
            self._port.detect_digits(False)
        self._configure_port()

    def offer_only(self, codecs: tuple[str, ...]) -> None:
        """Offer these codecs of the endpoint alone, from the next offer on."""
        self._formats = codecs

    def refresh(self, *, with_offer: bool) -> bool:
        """Say that the call lives, by a re-INVITE with our offer or an UPDATE without; False where that cannot be."""
        session = self.session
        if session is None or session.state is not SessionState.CONFIRMED or self._ours is None:
            return False
        if with_offer:
            ours = self._make_offer(self._ours)
            sent = session.reinvite(self.driver.now(), bytes(ours))
            if sent:
                self._offer, self._ours = None, ours
        else:
            sent = session.request(self.driver.now(), "UPDATE") is not None
        self.driver.drain()
        return sent

    # ---------------------------------------------------------------------------------------------- the beginning

    def open_media(self) -> None:
        """Take an RTP port; MediaError if there is none."""
        if self._port is None:
            self._refuse_what_cannot_be_encrypted()
            self._port = self.driver.engine.open_rtp(
                bind=self.driver.transports.bound_host(self.transport), on_event=self._heard
            )
            tell_reports(self, self._port)
            paths, endpoint = self.driver.paths, self.endpoint
            self._path = paths.open(endpoint, self._port, changed=self._configure_port, failed=self._path_failed)
            if self._path is not None and paths.uses_ice(endpoint, media_address(endpoint, self.transport)):
                self._ice = sdp.fresh_ice()

    def take_invite(self, request: Request, offer: sdp.SessionDescription | None) -> sdp.Refusal | None:
        """Negotiate the offer of an incoming INVITE; the refusal says why it cannot be."""
        self.request = request
        self.open_media()
        if offer is not None:
            self._offer = offer
            self._ours, self._agreed = sdp.answer_offer(offer, self._settings())
            if self._agreed.refusal is not None:
                log.warning("call from %s is refused: %s", self.endpoint.name, self._agreed.refusal.reason)
            return self._agreed.refusal
        return None

    def _refuse_what_cannot_be_encrypted(self) -> None:
        endpoint, missing = self.endpoint, self.driver.engine.srtp_missing
        if missing is not None and endpoint.media_encryption != "no" and not endpoint.media_encryption_optimistic:
            raise MediaError(f"endpoint {endpoint.name} demands encryption: {missing}")

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
        self._ours = self._make_offer()
        self._called, self._heard_of = destination, False
        self.session = self.driver.outgoing.invite(self, destination, bytes(self._ours))
        self.session.user = self
        self.session.expiry_headers = self._reason(causes.RECOVERY_ON_TIMER_EXPIRY)
        self.told.fields = fields_of(self)

    def join_session(self, session: InviteSession) -> None:
        """Take the session of an incoming call."""
        session.user = self
        session.cancel_headers = (("Reason", "Q.850;cause=0"),)
        session.expiry_headers = self._reason(causes.RECOVERY_ON_TIMER_EXPIRY)
        self.session = session

    def _settings(self, direction: sdp.Direction = sdp.Direction.SENDRECV) -> sdp.OfferSettings:
        assert self._port is not None
        endpoint = self.endpoint
        in_order_of, only_first = preferences_of(endpoint)
        identity = self._path.identity if self._path is not None else None
        return sdp.OfferSettings(
            address=media_address(endpoint, self.transport),
            port=self._port.local_port,
            codecs=self.codecs,
            telephone_event=self.endpoint.dtmf_mode in ("rfc4733", "auto", "auto_info"),
            session_id=self._session_id,
            direction=direction,
            rtcp_mux=self.endpoint.rtcp_mux,
            username=endpoint.sdp_owner,
            name=endpoint.sdp_session,
            prefer_ours=in_order_of == "local",
            one_codec=only_first,
            crypto_suites=suites_of(endpoint) if self.driver.engine.srtp_missing is None else (),
            crypto_optional=endpoint.media_encryption_optimistic,
            dtls=sdp.DtlsSide((identity.fingerprint(endpoint.dtls_fingerprint),), endpoint.dtls_setup)
            if identity is not None
            else None,
            ice=self._ice,
            avpf=endpoint.use_avpf,
            force_avp=endpoint.force_avp,
            bundle=endpoint.bundle,
        )

    def _make_offer(self, previous: sdp.SessionDescription | None = None) -> sdp.SessionDescription:
        """Our offer; whoever is about to see it may check the way to us."""
        if self._path is not None:
            self._path.offer(self._ice)
        return sdp.make_offer(self._settings(), previous)

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs it may use: the endpoint's, or the formats that were asked for."""
        allowed = carried(self.endpoint.allow)
        wanted = tuple(name for name in self._formats if name in allowed) if self._formats else ()
        return wanted or allowed or ("ulaw", "alaw")

    def _configure(self) -> None:
        """Tell the path and the port what was agreed."""
        agreed = self._agreed
        if agreed is not None and agreed.refusal is None:
            if self._path is not None:
                self._path.agree(agreed, self._ice, is_symmetric=self.endpoint.rtp_symmetric)
            self._configure_port()

    def _target(self, agreed: sdp.Negotiated) -> tuple[str, int] | None:
        """Where media goes; None: not known yet."""
        return self._path.target if self._path is not None else (agreed.address, agreed.port)

    def _keys(self, agreed: sdp.Negotiated) -> sdp.SecureKeys | None:
        """What protects media; None: nothing, or not known yet."""
        return self._path.keys if self._path is not None and agreed.dtls is not None else agreed.keys

    def _path_failed(self, reason: str) -> None:
        channel = self.channel
        if channel is not None:
            log.warning("channel %s is hung up: %s", channel.name, reason)
            channel.receive(signals.HungUp(causes.REQUESTED_CHANNEL_UNAVAILABLE))

    def _configure_port(self) -> None:
        agreed, port = self._agreed, self._port
        if agreed is None or port is None or agreed.refusal is not None:
            return
        endpoint, keys, target = self.endpoint, self._keys(agreed), self._target(agreed)
        mode = endpoint.dtmf_mode
        silence_s = endpoint.rtp_timeout_hold if agreed.held else endpoint.rtp_timeout
        port.configure(
            RtpSettings(
                remote_address=target,
                remote_rtcp=target if agreed.rtcp_mux else (agreed.rtcp_address, agreed.rtcp_port),
                send_codec=agreed.codec,
                send_payload_type=agreed.payload_type,
                receive=agreed.receive,
                ptime_ms=agreed.ptime_ms,
                telephone_event_pt=agreed.event_payload_type,
                telephone_event_rate=agreed.event_rate_hz,
                receive_events=agreed.receive_events,
                direction=MediaDirection(agreed.direction.value),
                symmetric=self.endpoint.rtp_symmetric and agreed.ice is None,
                rtcp_mux=agreed.rtcp_mux,
                dtmf_inband=mode == "inband",
                timeout_ms=silence_s * 1000,
                keepalive_ms=endpoint.rtp_keepalive * 1000,
                srtp=SrtpKeys(keys.suite, keys.local, keys.remote) if keys is not None else None,
                awaits_keys=agreed.dtls is not None,
            )
        )
        if mode == "inband" or (mode == "auto" and agreed.event_payload_type is None):
            port.detect_digits(True)

    def _heard(self, event: MediaEvent) -> None:
        channel = self.channel
        if channel is None:
            return
        if isinstance(event, MediaStopped):
            log.warning("channel %s is hung up: no RTP for %d ms", channel.name, event.silence_ms)
            channel.receive(signals.HungUp(causes.REQUESTED_CHANNEL_UNAVAILABLE))
            return
        signal = signals.of_media(event)
        if signal is not None:
            channel.receive(signal)

    # --------------------------------------------------------------------------------------- what the channel asks

    def answer(self) -> None:
        session = self.session
        if session is None:
            return
        if self._ours is None:
            self._ours = self._make_offer()
        self._configure()
        fields = fields_of(self)
        if session.accept(self.driver.now(), bytes(self._ours), fields):
            self.told.fields = fields
        self.driver.drain()

    def indicate(self, indication: Indication, data: str = "") -> None:
        session = self.session
        match indication:
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
                if self.channel is not None:
                    self._music = True
                    self.channel.play_music(data or self.endpoint.moh_suggest or MUSIC_ON_HOLD)
            case Indication.UNHOLD:
                if self.channel is not None and self._music:
                    self._music = False
                    self.channel.stop_music()
            case Indication.CONNECTED_LINE:
                tell_connected(self)
            case _:
                pass  # the phone shows nothing of it

    def say_provisional(self, status: int, body: bytes = b"") -> None:
        """Send a provisional response, with who the caller is connected to."""
        session, fields = self.session, fields_of(self)
        if session is not None and session.ring(self.driver.now(), status, body, fields):
            self.told.fields, self.told.provisional = fields, status
            self.driver.drain()

    def repeat_offer(self, fields: Fields) -> bool:
        """Send a re-INVITE that changes nothing, for its header fields; False while another one goes on."""
        ours = self._ours
        return (
            self.session is not None
            and ours is not None
            and self.session.reinvite(self.driver.now(), bytes(ours), fields)
        )

    def _progress(self) -> None:
        session = self.session
        if session is None or session.state is not SessionState.INCOMING:
            return
        body = b""
        if self._ours is not None and self._offer is not None:
            self._configure()
            body = bytes(self._ours)
        self.say_provisional(183, body or self._early_offer(session))

    def _early_offer(self, session: InviteSession) -> bytes:
        """Our offer in a reliable response, where the INVITE made none (RFC 3262 5); the PRACK has its answer."""
        if not session.lacks_offer:
            return b""
        if self._ours is None:
            self._ours = self._make_offer()
        return bytes(self._ours)

    def _refuse(self, cause: int) -> None:
        session = self.session
        if session is not None and session.state is SessionState.INCOMING:
            session.reject(self.driver.now(), causes.sip_status(cause), None, self._reason(cause))
            self.driver.drain()

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        session = self.session
        if self.endpoint.dtmf_mode == "info" and session is not None:
            if self._digits is None:
                self._digits = InfoDigits(self.driver.loop, self._send_info)
            self._digits.send(digits, on_end)
        elif self._port is not None:
            self._port.send_digits(digits, on_end)
        elif on_end is not None:
            on_end()

    def _send_info(self, body: bytes) -> None:
        if self.session is not None:
            self.session.request(self.driver.now(), "INFO", body, content_type="application/dtmf-relay")
            self.driver.drain()

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
            if session.state in (SessionState.CALLING, SessionState.INCOMING):
                tech_cause = causes.sip_status(cause)
            session.end(self.driver.now(), causes.sip_status(cause), self._reason(cause))
            self.driver.drain()
        if self._path is not None:
            self._path.close()
            self._path = None
        if self._port is not None:
            self._port.close()
            self._port = None
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
        if channel is None:
            self._answer_afterwards(event)
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
                if event.sdp and self._offer is None and self._ours is not None:
                    self._take_late_answer(channel, event.sdp)
            case events.Pracked():
                self._take_late_answer(channel, event.sdp)
            case events.ReInviteAnswered() if event.sdp:  # our offer only refreshed, the answer may say something new
                self._take_late_answer(channel, event.sdp)
            case events.ReInvite():
                self._take_reinvite(channel, event)
            case events.InfoReceived():
                self._take_info(channel, event)
            case events.ReferReceived():
                take_refer(self, channel, event)
            case events.RequestInDialog():
                self._answer_in_dialog(event)
            case _:
                pass
        settle(self, event)

    def _far_hangup(self, event: events.Ended) -> signals.HungUp:
        named = next((r.cause for r in event.reasons if r.protocol.upper() == "Q.850" and r.cause), None)
        if event.status:
            return signals.HungUp(named or causes.of_sip_status(event.status), event.status)
        return signals.HungUp(named)

    def _take_provisional(self, channel: Channel, event: events.Provisional) -> None:
        self._heard_of = True
        believe(self, channel, event.response)
        if event.sdp:
            self._read_answer(event.sdp)
        if event.status == 180:
            channel.receive(signals.Ringing())
        elif event.status == 183 or (event.sdp and event.status > 100):
            channel.receive(signals.Progressed())

    def _take_answer(self, channel: Channel, event: events.Answered) -> None:
        self.response = event.response
        refusal = self._read_answer(event.sdp) if event.sdp else None
        if refusal is not None:
            log.warning("channel %s: %s", channel.name, refusal.reason)
            channel.receive(signals.HungUp(causes.BEARER_CAPABILITY_UNAVAILABLE, refusal.status))
            return
        believe(self, channel, event.response)
        channel.receive(signals.Answered())

    def _read_answer(self, body: bytes) -> sdp.Refusal | None:
        assert self._ours is not None
        try:
            answer = sdp.parse(body)
        except sdp.SdpError as problem:
            return sdp.Refusal(488, str(problem))
        agreed = sdp.read_answer(self._ours, answer)
        if agreed.refusal is None:
            self._agreed = agreed
            try:
                self._configure()
            except MediaError as problem:
                return sdp.Refusal(488, str(problem))
        return agreed.refusal

    def _take_failure(self, channel: Channel, event: events.Failed) -> None:
        self.session = None
        no_answer = is_no_answer(event.status, has_response=event.response is not None)
        may_go_on = no_answer and not self._heard_of and not channel.hangup_requested
        if may_go_on and self._called is not None and self.driver.outgoing.call_next(self, self._called):
            return
        if 300 <= event.status < 400 and event.contacts:
            user = max(event.contacts, key=q_of).uri.user  # the first of the best
            if user:
                channel.receive(signals.Forwarded(user))
                if channel.hangup_requested:
                    return
        named = next((r.cause for r in event.reasons if r.protocol.upper() == "Q.850" and r.cause), None)
        channel.receive(signals.HungUp(named or causes.of_sip_status(event.status), event.status))

    def _take_reinvite(self, channel: Channel, event: events.ReInvite) -> None:
        now = self.driver.now()
        session = event.session
        if event.sdp:
            refusal = self._take_offer(event.sdp)
            if refusal is not None:
                session.reject(now, refusal.status, None, warning_of(refusal))
                return
        else:
            self._offer = None
            self._ours = self._make_offer(self._ours)
        assert self._ours is not None
        session.accept(now, bytes(self._ours))
        self._tell_hold(channel)
        believe(self, channel, event.request)

    def _take_offer(self, body: bytes) -> sdp.Refusal | None:
        """Answer an offer within the call; when it is refused, what was agreed before stays (RFC 3261 14.2)."""
        before = self._offer, self._ours, self._agreed, self._ice
        try:
            offer = sdp.parse(body)
            ours, agreed = sdp.answer_offer(offer, self._settings_to_answer(), self._ours)
            if agreed.refusal is not None:
                return agreed.refusal
            if self._restarts_ice(agreed):
                self._ice = sdp.fresh_ice()
                ours, agreed = sdp.answer_offer(offer, self._settings_to_answer(), self._ours)
            self._offer, self._ours, self._agreed = offer, ours, agreed
            self._configure()
        except (sdp.SdpError, MediaError) as problem:
            self._offer, self._ours, self._agreed, self._ice = before
            return sdp.Refusal(488, str(problem))
        return None

    def _settings_to_answer(self) -> sdp.OfferSettings:
        """Our side of an offer within the call: who began a handshake begins it still (RFC 8842 5.5)."""
        settings, agreed = self._settings(), self._agreed
        if settings.dtls is None or agreed is None or agreed.dtls is None:
            return settings
        side = sdp.DtlsSide(settings.dtls.fingerprints, "active" if agreed.dtls.is_client else "passive")
        return msgspec.structs.replace(settings, dtls=side)

    def _restarts_ice(self, agreed: sdp.Negotiated) -> bool:
        """Whether the peer has credentials other than before (RFC 8839 4.4.3.1.1)."""
        before = self._agreed.ice if self._agreed is not None else None
        now = agreed.ice
        return now is not None and before is not None and (now.ufrag, now.password) != (before.ufrag, before.password)

    def _take_late_answer(self, channel: Channel, body: bytes) -> None:
        """An answer in an ACK, a PRACK or a 200 to a refresh: it cannot be refused but by the end of the call."""
        refusal = self._read_answer(body)
        if refusal is None:
            self._tell_hold(channel)
            return
        log.warning("channel %s: %s", channel.name, refusal.reason)
        channel.receive(signals.HungUp(causes.BEARER_CAPABILITY_UNAVAILABLE, refusal.status))

    def _tell_hold(self, channel: Channel) -> None:
        held = self._agreed.held if self._agreed is not None else False
        if held != self._held:
            self._held = held
            channel.registry.device_changed(channel.device)
            channel.receive(signals.Held(self.endpoint.moh_suggest or None) if held else signals.Unheld())

    def _take_info(self, channel: Channel, event: events.InfoReceived) -> None:
        digit = read_info_digit(event.request)
        self._respond(event, 200)
        if digit is not None:
            channel.receive(signals.DigitBegan(digit.digit))
            channel.receive(signals.DigitEnded(digit.digit, digit.duration_ms, in_media=False))

    def _answer_in_dialog(self, event: events.RequestInDialog) -> None:
        request = event.request
        if request.method in ("UPDATE", "PRACK") and request.sdp:
            refusal = self._take_offer(request.sdp)
            if refusal is not None or self._ours is None:
                self._respond(event, refusal.status if refusal is not None else 500)
                return
            event.session.respond(
                event.transaction, self.driver.now(), 200, body=bytes(self._ours), content_type="application/sdp"
            )
            if self.channel is not None:
                self._tell_hold(self.channel)
                believe(self, self.channel, request)
            return
        if request.method in ("OPTIONS", "UPDATE"):
            self._respond(event, 200)
            if request.method == "UPDATE" and self.channel is not None:
                believe(self, self.channel, request)
        elif request.method == "NOTIFY":
            take_notify(self.driver, event)
        else:
            # Texts (MESSAGE) inside of a call are not carried.
            self._respond(event, 501)

    def _respond(self, event: events.ReferReceived | events.RequestInDialog | events.InfoReceived, status: int) -> None:
        event.session.respond(event.transaction, self.driver.now(), status)

    def _answer_afterwards(self, event: events.SessionEvent) -> None:
        """The channel is gone, the session not yet: whatever the peer asks now comes too late."""
        match event:
            case events.RequestInDialog(request=request) if request.method == "NOTIFY" and self.parting:
                take_notify(self.driver, event)
            case events.RequestAnswered(request=request, status=status) if request.method == "REFER" and status >= 300:
                parted(self.driver, event.session, bye=True)
            case events.Ended():
                parted(self.driver, event.session)
            case events.InfoReceived() | events.ReferReceived() | events.RequestInDialog():
                self._respond(event, 481)
            case events.ReInvite():
                event.session.reject(self.driver.now(), 481)
            case events.Answered():
                event.session.bye(self.driver.now())
            case _:
                pass


@lru_cache(maxsize=256)
def carried(names: tuple[str, ...]) -> tuple[str, ...]:
    """The codecs of a list that the media engine can carry; opus only where libopus is."""
    return tuple(name for name in names if name in sdp.CODECS and is_codec(name))


def preferences_of(endpoint: Endpoint) -> tuple[str, bool]:
    """Whose order of codecs counts in calls of an endpoint, local or remote; whether only the first is answered."""
    prefs = endpoint.codec_prefs_incoming_offer
    order = "local" if "prefer: configured" in prefs else "remote"
    first = endpoint.preferred_codec_only or "keep: first" in prefs
    if "incoming_call_offer_pref" in endpoint.set_at:
        order, _, more = endpoint.incoming_call_offer_pref.partition("_")
        first = first or more == "first"
    return order, first


def suites_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The SRTP suites of an endpoint, the best first."""
    if endpoint.media_encryption != "sdes":
        return ()
    return SUITES_WITH_SHORT_TAGS if endpoint.srtp_tag_32 else SUITES


def warning_of(refusal: sdp.Refusal) -> tuple[tuple[str, str], ...]:
    """Why a description is refused, for people (RFC 3261 20.43)."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in refusal.reason[:200])
    return (("Warning", f"399 arietta {quote(text)}"),)
