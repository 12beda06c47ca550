"""The media of one leg: what was offered and agreed, and the port that carries it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from arietta import sdp
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.codec_choice import codecs_to_answer, codecs_to_offer, codecs_to_send
from arietta.drivers.sip.offers import carried, codecs_of, dtls_side, packet_time_of, settings_of
from arietta.drivers.sip.stream_items import read_counted
from arietta.media.engine import Direction, MediaError, MediaEvent, RtpPort, RtpSettings, SrtpKeys

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.media_path import LegPath

MOST_FOLLOWED = 8
"""Changes of codec within one agreement: a far end that follows us as well would change for ever."""

_session_ids = itertools.count(int(time.time()))


class LegMedia:
    """The media of one leg, from the first description until the port is closed.

    An offer or answer that cannot be is told as a `sdp.Refusal`, and what was agreed before stays.
    """

    def __init__(self, driver: SipDriver, endpoint: Endpoint, formats: tuple[str, ...]) -> None:
        self.driver = driver
        self.endpoint = endpoint
        self.address = ""
        """The address that we name."""
        self.port: RtpPort | None = None
        self.theirs: sdp.SessionDescription | None = None
        """Their last offer; None after one of ours."""
        self.ours: sdp.SessionDescription | None = None
        """Our last description."""
        self.agreed: sdp.Negotiated | None = None
        self.direction = sdp.Direction.SENDRECV
        """What we want."""
        self.owes_offer = False
        """Whether we want something else than was offered, and could not say so yet."""
        self._before: sdp.SessionDescription | None = None  # what we said before an offer that has no answer
        self._formats = formats
        self.callers: tuple[str, ...] = ()
        """The codecs of the call that this one is made for,"""
        self.may_transcode = True
        """and whether they may be others than ours."""
        self._path: LegPath | None = None  # with ICE or DTLS
        self._ice: sdp.IceSide | None = None  # ours
        self._session_id = next(_session_ids)
        self._followed = 0  # since the last agreement

    # ---------------------------------------------------------------------------------------------------- the port

    def open(
        self,
        address: str,
        bind: str,
        *,
        heard: Callable[[MediaEvent], None],
        failed: Callable[[str], None],
    ) -> RtpPort:
        """Take an RTP port, bound to one address of ours and named by another; MediaError if there is none."""
        driver, endpoint = self.driver, self.endpoint
        missing = driver.engine.srtp_missing
        if missing is not None and endpoint.media_encryption != "no" and not endpoint.media_encryption_optimistic:
            raise MediaError(f"endpoint {endpoint.name} demands encryption: {missing}")
        self.address = address
        port = self.port = driver.engine.open_rtp(bind=bind, on_event=heard)
        self._path = driver.paths.open(endpoint, port, changed=self._configure_port, failed=failed)
        if self._path is not None and driver.paths.uses_ice(endpoint, address):
            self._ice = driver.paths.ice(address, port.local_port)
        return port

    def close(self) -> None:
        """Give the port back."""
        if self._path is not None:
            self._path.close()
            self._path = None
        if self.port is not None:
            self.port.close()
            self.port = None

    def use_digits(self, mode: str) -> None:
        """Carry digits in another way from now on, as far as the far end agreed to it."""
        self.endpoint = msgspec.structs.replace(self.endpoint, dtmf_mode=mode)
        if self.port is not None:
            self.port.detect_digits(False)
        self._configure_port()

    def offer_only(self, codecs: tuple[str, ...]) -> None:
        """Offer these codecs of the endpoint alone, from the next offer on."""
        self._formats = codecs

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs it may use."""
        return codecs_of(self.endpoint, self._formats)

    @property
    def held(self) -> bool:
        """Whether the far end has put the call on hold; `suppress_moh_on_sendonly` makes none of who only sends."""
        agreed = self.agreed
        if agreed is None or not agreed.held or not self.direction.sends:
            return False
        return not (self.endpoint.suppress_moh_on_sendonly and agreed.direction is sdp.Direction.RECVONLY)

    def read(self, words: list[str]) -> str | None:
        """CHANNEL(rtp,item) and CHANNEL(rtcp,item): of audio; of other media everything is empty."""
        kind, item, *medium = words
        if medium not in ([], ["audio"]):
            return "" if medium == ["video"] else None
        if kind == "rtcp":
            return read_counted(self.port.statistics(), item or "all") if self.port is not None else ""
        return self._read_stream(item)

    def _read_stream(self, item: str) -> str | None:
        agreed = self.agreed
        match item:
            case "secure":
                return "1" if agreed is not None and self._keys(agreed) is not None else "0"
            case "hold":
                return "1" if self.held else "0"
            case "direct":
                return ""  # media never goes past the server
            case "src":
                return f"{self.address}:{self.port.local_port}" if self.port is not None else ""
            case "dest":
                target = self._target(agreed) if agreed is not None else None
                return f"{target[0]}:{target[1]}" if target is not None else ""
            case _:
                return None

    # ------------------------------------------------------------------------------------------- offers and answers

    def offer(self) -> bytes:
        """Make a new offer; whoever is about to see it may check the way to us."""
        if self._path is not None:
            self._path.offer(self._ice)
        self._before = self.ours
        codecs = codecs_to_offer(self.endpoint, self.codecs, self.callers, may_transcode=self.may_transcode)
        self.theirs, self.ours = None, sdp.make_offer(self._settings(codecs or self.codecs), self.ours)
        return bytes(self.ours)

    def withdraw(self) -> None:
        """The last offer was refused: what was agreed before stays (RFC 3261 14.1), and no version is used twice."""
        if self._before is not None and self.ours is not None:
            origin = msgspec.structs.replace(self._before.origin, version=self.ours.origin.version)
            self.ours = msgspec.structs.replace(self._before, origin=origin)
            self._before = None

    def describe(self) -> bytes:
        """What we said last, or our first offer."""
        return bytes(self.ours) if self.ours is not None else self.offer()

    def take_first_offer(self, offer: sdp.SessionDescription) -> sdp.Refusal | None:
        """Take the offer of an INVITE; `agree` when it is answered."""
        self.theirs = offer
        self.ours, self.agreed = sdp.answer_offer(offer, self._settings(self._codecs_to_answer(offer)))
        return self.agreed.refusal

    def take_offer(self, body: bytes) -> sdp.Refusal | None:
        """Answer an offer within the call; when it is refused, what was agreed before stays (RFC 3261 14.2)."""
        before = self.theirs, self.ours, self.agreed, self._ice
        try:
            offer = sdp.parse(body)
            ours, agreed = sdp.answer_offer(offer, self._settings_to_answer(offer), self.ours)
            if agreed.refusal is not None:
                return agreed.refusal
            if self._restarts_ice(agreed):
                assert self.port is not None
                self._ice = self.driver.paths.ice(self.address, self.port.local_port)
                ours, agreed = sdp.answer_offer(offer, self._settings_to_answer(offer), self.ours)
            self.theirs, self.ours, self.agreed = offer, ours, agreed
            self._before = None
            self.agree()
        except (sdp.SdpError, MediaError) as problem:
            self.theirs, self.ours, self.agreed, self._ice = before
            return sdp.Refusal(488, str(problem))
        return None

    def read_answer(self, body: bytes) -> sdp.Refusal | None:
        """Take the answer to our offer."""
        assert self.ours is not None
        try:
            answer = sdp.parse(body)
        except sdp.SdpError as problem:
            return sdp.Refusal(488, str(problem))
        agreed = sdp.read_answer(self.ours, answer, packet_time_of(self.endpoint))
        if agreed.refusal is None:
            self.agreed, self._before = self._as_preferred(agreed), None
            try:
                self.agree()
            except MediaError as problem:
                return sdp.Refusal(488, str(problem))
        return agreed.refusal

    def _as_preferred(self, agreed: sdp.Negotiated) -> sdp.Negotiated:
        """What an answer has agreed on, as far as we send with its codecs."""
        assert self.ours is not None
        codecs = codecs_to_send(self.endpoint, sdp.offered_codecs(self.ours), tuple(agreed.send))
        if codecs == tuple(agreed.send):
            return agreed
        agreed = msgspec.structs.replace(agreed, send={codec: agreed.send[codec] for codec in codecs})
        return sdp.sending(agreed, codecs[0])

    def agree(self) -> None:
        """Tell the path and the port what was agreed."""
        agreed, self._followed = self.agreed, 0
        if agreed is not None and agreed.refusal is None:
            if self._path is not None:
                self._path.agree(agreed, self._ice, is_symmetric=self.endpoint.rtp_symmetric)
            self._configure_port()

    def follow(self, payload_type: int) -> None:
        """Send as the far end does, whose audio came in another codec, unless both may differ."""
        agreed = self.agreed
        codec = agreed.receive.get(payload_type) if agreed is not None else None
        if agreed is None or codec not in agreed.send or self.endpoint.asymmetric_rtp_codec:
            return
        if self._followed < MOST_FOLLOWED:
            self._followed += 1
            self.agreed = sdp.sending(agreed, codec)
            self._configure_port()

    def _codecs_to_answer(self, offer: sdp.SessionDescription) -> tuple[str, ...]:
        return codecs_to_answer(self.endpoint, self.codecs, carried(sdp.offered_codecs(offer)))

    def _settings(self, codecs: tuple[str, ...]) -> sdp.OfferSettings:
        assert self.port is not None
        return settings_of(
            self.endpoint,
            codecs,
            address=self.address,
            port=self.port.local_port,
            session_id=self._session_id,
            direction=self.direction,
            can_encrypt=self.driver.engine.srtp_missing is None,
            dtls=dtls_side(self.endpoint, self._path.identity) if self._path is not None else None,
            ice=self._ice,
        )

    def _settings_to_answer(self, offer: sdp.SessionDescription) -> sdp.OfferSettings:
        """Our side of an offer within the call: who began a handshake begins it still (RFC 8842 5.5)."""
        settings, agreed = self._settings(self._codecs_to_answer(offer)), self.agreed
        if settings.dtls is None or agreed is None or agreed.dtls is None:
            return settings
        side = sdp.DtlsSide(settings.dtls.fingerprints, "active" if agreed.dtls.is_client else "passive")
        return msgspec.structs.replace(settings, dtls=side)

    def _restarts_ice(self, agreed: sdp.Negotiated) -> bool:
        """Whether the peer has credentials other than before (RFC 8839 4.4.3.1.1)."""
        before = self.agreed.ice if self.agreed is not None else None
        now = agreed.ice
        return now is not None and before is not None and (now.ufrag, now.password) != (before.ufrag, before.password)

    def _target(self, agreed: sdp.Negotiated) -> tuple[str, int] | None:
        """Where media goes; None: not known yet."""
        return self._path.target if self._path is not None else (agreed.address, agreed.port)

    def _rtcp_target(self, agreed: sdp.Negotiated) -> tuple[str, int]:
        """Where reports go that have a port of their own."""
        found = self._path.rtcp_target if self._path is not None and agreed.ice is not None else None
        return found or (agreed.rtcp_address, agreed.rtcp_port)

    def _keys(self, agreed: sdp.Negotiated) -> sdp.SecureKeys | None:
        """What protects media; None: nothing, or not known yet."""
        return self._path.keys if self._path is not None and agreed.dtls is not None else agreed.keys

    def _configure_port(self) -> None:
        agreed, port = self.agreed, self.port
        if agreed is None or port is None or agreed.refusal is not None:
            return
        endpoint, keys, target = self.endpoint, self._keys(agreed), self._target(agreed)
        mode = endpoint.dtmf_mode
        silence_s = endpoint.rtp_timeout_hold if agreed.held else endpoint.rtp_timeout
        port.configure(
            RtpSettings(
                remote_address=target,
                remote_rtcp=target if agreed.rtcp_mux else self._rtcp_target(agreed),
                send_codec=agreed.codec,
                send_payload_type=agreed.payload_type,
                receive=agreed.receive,
                ptime_ms=agreed.ptime_ms,
                telephone_event_pt=agreed.event_payload_type,
                telephone_event_rate=agreed.event_rate_hz,
                receive_events=agreed.receive_events,
                direction=Direction(agreed.direction.value),
                symmetric=endpoint.rtp_symmetric and agreed.ice is None,
                rtcp_mux=agreed.rtcp_mux,
                dtmf_inband=mode == "inband",
                timeout_ms=silence_s * 1000,
                keepalive_ms=endpoint.rtp_keepalive * 1000,
                srtp=SrtpKeys(keys.suite, keys.local, keys.remote) if keys is not None else None,
                awaits_keys=agreed.dtls is not None,
                tos=endpoint.tos_audio,
                cos=endpoint.cos_audio,
            )
        )
        if mode == "inband" or (mode == "auto" and agreed.event_payload_type is None):
            port.detect_digits(True)
