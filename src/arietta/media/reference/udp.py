"""A port on RTP."""

from __future__ import annotations

import random
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from ...rtp import DIGITS, DigitReceiver, ProtocolError, ReceiverStatistics, RtpPacket, TelephoneEvent
from ...rtp.packet import HEADER
from ..codecs import CODECS, Codec
from ..codecs.host import FRAME_MS
from ..engine import (
    ADAPTIVE,
    Address,
    Direction,
    EventHandler,
    HeadHandler,
    JitterRules,
    MediaError,
    MediaStarted,
    MediaStopped,
    OtherCodec,
    PacketHandler,
    PacketHead,
    ReportHandler,
    RtpSettings,
    RtpStatistics,
)
from .control import RtcpSession
from .frame import Frame
from .jitter import JitterBuffer
from .learning import SourceLearner
from .noise import ComfortNoise
from .port import BasePort
from .stream import ReceivedStream

if TYPE_CHECKING:
    from .core import Core, TransportPair

__all__ = ["UdpPort"]

COMFORT_NOISE = 13
QUIETEST = b"\x7f"
EVENT_VOLUME = 10
END_REPEATS = 3  # RFC 4733 2.5.1.4
MAX_TOLD_REPORTS, MAX_TOLD_REPORT_BYTES = 4, 148  # a sender report with five blocks
MOST_PACKETS, LONGEST_PACKET = 16, 1500
"""Datagrams for the owner that may wait, and their bytes."""
MAX_HEADS = 256
RELAY_SLIP = 8000
"""Timestamp units by which a relayed stream may drift from the clock before it is tied to it anew."""


class UdpPort(BasePort):
    """One RTP stream each way."""

    def __init__(self, core: Core, pair: TransportPair, on_event: EventHandler) -> None:
        super().__init__(core, CODECS["ulaw"], on_event)
        settings = core.settings
        self.pair = pair
        self._settings: RtpSettings | None = None
        self._sends = self._receives = False
        self._payload_type = 0
        self._event_type: int | None = None
        self._receive_codecs: dict[int, Codec] = {}
        self._target: Address | None = None
        self._learner = SourceLearner(
            strict=settings.strict_rtp, probation=settings.probation, relearn_ns=settings.relearn_ms * 1_000_000
        )
        # sending
        self.ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._timestamp_base = random.getrandbits(32)
        self._step = 160
        self._last_tick = -2
        self._pieces: bytes | None = None
        self._piece_size = 160
        self._piece_tick = -2
        self._digit_timestamp = 0
        self._relay_from: tuple[int, int, int] | None = None
        self.packets_sent = 0
        self.octets_sent = 0
        # receiving
        self._jitter = JitterBuffer()
        self.evens_out = False
        """By rules that somebody asked for: its packets are not passed on as they come."""
        self._stream = ReceivedStream()
        self._noise = ComfortNoise()
        self._heard_from: Address | None = None
        self._source: int | None = None
        self._candidate: tuple[int, int, int] | None = None
        self.statistics_in: ReceiverStatistics | None = None
        self.packets_received = 0
        self.octets_received = 0
        self._heard_ns = 0
        self._started = False
        self._limits = 0  # how often the limits of silence were set: who waits by older ones waits no more
        self._sent_ns = 0
        self._last_codec: Codec | None = None
        self._told_codec: Codec | None = None
        """Since it was configured: what came in place of what is sent."""
        self._digits_in = DigitReceiver()
        self._digit_rate = 8000
        self._event_ns = 0
        self._on_packet: PacketHandler | None = None
        self._on_report: ReportHandler | None = None
        self._on_head: HeadHandler | None = None
        self._heads: deque[PacketHead] = deque(maxlen=MAX_HEADS)
        self._reports: deque[tuple[bytes, bool, Address]] = deque(maxlen=MAX_TOLD_REPORTS)
        self._packets: deque[tuple[bytes, Address, bool]] = deque()
        self._listening = False
        self.relay: UdpPort | None = None
        """Where the mixer lets packets pass to."""
        self._rtcp = RtcpSession(self)

    # -- commands --

    @property
    def local_port(self) -> int:
        return self.pair.port

    def configure(self, settings: RtpSettings) -> None:
        send = _codec(settings.send_codec)
        receive = {number: _codec(name) for number, name in settings.receive.items()}
        for address in (settings.remote_address, settings.remote_rtcp):
            if address is not None and not 0 < address[1] <= 65535:
                raise MediaError(f"remote port {address[1]} of {address[0]} is outside 1..65535")
        if settings.srtp is not None:
            raise MediaError(f"the reference engine has no ciphers: {settings.srtp.suite} needs the native engine")
        with self.core.lock:
            if self.closed:
                return
            before, self._settings = self._settings, settings
            self._listen()
            if (settings.tos, settings.cos) != ((before.tos, before.cos) if before is not None else (0, 0)):
                self.pair.mark(settings.tos, settings.cos)
            self._sends = settings.direction in (Direction.SENDRECV, Direction.SENDONLY)
            self._receives = settings.direction in (Direction.SENDRECV, Direction.RECVONLY)
            self._payload_type = settings.send_payload_type
            self._event_type = settings.telephone_event_pt
            self._receive_codecs = receive
            self._learner.expect(settings.remote_address)
            locked = self._learner.locked
            self._target = locked if settings.symmetric and locked is not None else settings.remote_address
            self._rtcp.configure(settings)
            self._use_codec(send)
            self._step = send.clock_rate // 50
            ptime = max(send.frame_ms, round(settings.ptime_ms / send.frame_ms) * send.frame_ms)
            whole = ptime == FRAME_MS or send.frame_bytes == 0
            self._pieces = None if whole else b""
            self._piece_size = 0 if whole else send.bytes_of(min(120, ptime))
            self._relay_from = None
            self._told_codec = None
            self._begin_to_wait(settings, before)
            self._changed()

    def buffer(self, rules: JitterRules) -> None:
        with self.core.lock:
            self._jitter = JitterBuffer(rules)
            self.evens_out = rules != ADAPTIVE
            self._changed()

    def take_packets(self, on_packet: PacketHandler | None) -> None:
        with self.core.lock:
            if self.closed:
                return
            self._on_packet = on_packet
            if on_packet is not None:
                self._listen()

    def tell_reports(self, on_report: ReportHandler | None) -> None:
        with self.core.lock:
            if not self.closed:
                self._on_report = on_report

    def tell_heads(self, on_head: HeadHandler | None) -> None:
        with self.core.lock:
            if not self.closed:
                self._on_head = on_head

    def _keep_head(self, head: PacketHead) -> None:
        if not self._heads:
            self.core.emit_plain(self._hand_over_heads)
        self._heads.append(head)

    def _hand_over_heads(self) -> None:
        while self._heads:
            head = self._heads.popleft()
            if self._on_head is not None:
                self._on_head(head)

    def keep_report(self, data: bytes, sent: bool, peer: Address) -> None:
        """A report was sent or came: its first packet goes to the owner, if it wants to see it."""
        length = 4 * (int.from_bytes(data[2:4], "big") + 1)
        if self._on_report is None or self.closed or data[1] not in (200, 201) or length > MAX_TOLD_REPORT_BYTES:
            return
        if not self._reports:
            self.core.emit_plain(self._hand_over_reports)
        self._reports.append((data[:length], sent, peer))

    def _hand_over_reports(self) -> None:
        while self._reports:
            data, sent, peer = self._reports.popleft()
            if self._on_report is not None:
                self._on_report(data, sent, peer)

    def send_packet(self, data: bytes, target: Address, *, control: bool = False) -> None:
        with self.core.lock:
            if self.closed or not self._listening:
                return
            try:
                (self.pair.send_control if control else self.pair.send)(data, target)
            except OSError:
                self.core.send_errors += 1

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self.core.listen(self, self.pair)

    def _hand_over(self) -> None:
        """Give the owner what waits for it; on the loop's thread."""
        while self._packets:
            data, source, control = self._packets.popleft()
            if self._on_packet is not None:
                self._on_packet(data, source, control)

    def statistics(self) -> RtpStatistics:
        with self.core.lock:
            return self._rtcp.statistics()

    @property
    def packets_lost(self) -> int:
        """Of its present source."""
        return 0 if self.statistics_in is None else max(0, self.statistics_in.lost)

    @property
    def settings(self) -> RtpSettings | None:
        return self._settings

    @property
    def clock_rate(self) -> int:
        """RTP clock of what is sent."""
        return self._codec.clock_rate

    @property
    def receive_rate(self) -> int:
        """RTP clock of what is received."""
        return (self._last_codec or self._codec).clock_rate

    @property
    def send_target(self) -> Address | None:
        """Where RTP goes at the moment."""
        return self._target

    @property
    def locked_source(self) -> Address | None:
        """Where RTP comes from, once learnt."""
        return self._learner.locked

    def timestamp_at(self, now_ns: int) -> int:
        """This stream's RTP timestamp of a moment."""
        units = (now_ns - self.core.epoch_ns) * self._codec.clock_rate // 1_000_000_000
        return (self._timestamp_base + units) & 0xFFFFFFFF

    # -- receiving --

    def receive(self, data: bytes, source: Address, now_ns: int) -> bool:
        """One datagram of the RTP socket; whether the next one is urgent, because it is passed on as it comes."""
        core = self.core
        core.packets_received += 1
        if self._set_aside(data, source, control=False):
            return False
        if self.closed or self._settings is None or self._settings.awaits_keys:
            core.packets_dropped += 1
            return False
        if len(data) > 1 and 192 <= data[1] <= 223 and self._settings.rtcp_mux:
            self._rtcp.receive(data, source, now_ns)
            return False
        try:
            kind, sequence, timestamp, ssrc, payload = _split(data)
        except ProtocolError:
            core.packets_dropped += 1
            return False
        number = kind & 0x7F
        codec = self._receive_codecs.get(number)
        event_rate = 0 if codec is not None else self._event_rate_of(number)
        if codec is None and not event_rate and number != COMFORT_NOISE:
            core.packets_dropped += 1
            return False
        if not self._accept(source, ssrc, sequence, now_ns):
            core.packets_dropped += 1
            return False
        rate = codec.clock_rate if codec is not None else self.receive_rate
        statistics = self.statistics_in
        assert statistics is not None
        if not statistics.update(sequence, timestamp, now_ns * rate // 1_000_000_000):
            core.packets_dropped += 1
            return False
        self.packets_received += 1
        self.octets_received += len(payload)
        self._heard_ns = now_ns
        if not self._started:
            self._started = True
            self._tell(MediaStarted())
        self._rtcp.traffic(now_ns)
        if self._on_head is not None:
            self._keep_head(PacketHead(False, source, number, sequence, timestamp, len(payload)))
        if codec is None:
            if event_rate:
                self._digit_rate = event_rate
                self._receive_event(timestamp, payload, now_ns)
            else:
                self._receive_noise(payload)
            return False
        if codec is not self._last_codec:
            self._last_codec = codec
            if self.mixer is not None:
                self.mixer.update()
        if codec is not self._codec and codec is not self._told_codec:
            self._told_codec = codec
            self._tell(OtherCodec(number))
        if not self._receives:
            return False
        relay = self.relay
        if relay is not None:
            self._discard()  # what waited from before would come between the packets that are passed on
            relay.forward(kind & 0x80, sequence, timestamp, ssrc, payload, now_ns)
            return True
        if self.hearing:
            self._jitter.put(sequence, codec, payload)
            self._noise.voice_came()
            core.activate(self)
        return False

    def receive_control(self, data: bytes, source: Address, now_ns: int) -> bool:
        """One datagram of the RTCP socket; none is urgent."""
        if self._set_aside(data, source, control=True):
            return False
        if not self.closed and self._settings is not None and not self._settings.awaits_keys:
            self._rtcp.receive(data, source, now_ns)
        return False

    def _set_aside(self, data: bytes, source: Address, *, control: bool) -> bool:
        """Whether a datagram is one for the owner, who then has it unless too many wait."""
        if self._on_packet is None or self.closed or not is_aside(data):
            return False
        if len(data) > LONGEST_PACKET or len(self._packets) >= MOST_PACKETS:
            self.core.packets_dropped += 1
            return True
        self._packets.append((data, source, control))
        if len(self._packets) == 1:
            self.core.emit_plain(self._hand_over)
        return True

    def report(self, now_ns: int) -> None:
        """An RTCP report is due."""
        self._rtcp.report(now_ns)

    def received_codec(self) -> Codec | None:
        """What the far end sends, once it did."""
        return self._last_codec

    def _accept(self, source: Address, ssrc: int, sequence: int, now_ns: int) -> bool:
        """Learn where packets come from, then hold to one SSRC of it."""
        learner = self._learner
        if not learner.accept(source, sequence, now_ns):
            return False
        if source != self._heard_from:
            self._heard_from = source
            self._source = None
        if source == learner.locked and self._settings is not None and self._settings.symmetric:
            self._target = source
        if ssrc == self._source:
            return True
        if self._source is not None and not self._proven(ssrc, sequence):
            return False
        self._source = ssrc
        self._candidate = None
        self.core.packets_lost += self.packets_lost
        self.statistics_in = ReceiverStatistics(ssrc, sequence)
        self._jitter.clear()
        self._stream.clear()
        self._noise.end()
        return True

    def _proven(self, ssrc: int, sequence: int) -> bool:
        """Another SSRC from the right place is taken after its own probation."""
        count = 1
        if self._candidate is not None:
            known, following, seen = self._candidate
            if known == ssrc and following == sequence:
                count = seen + 1
        self._candidate = (ssrc, (sequence + 1) & 0xFFFF, count)
        return count >= self.core.settings.probation

    def _event_rate_of(self, number: int) -> int:
        """The clock of events of a payload type; 0 when they are none."""
        settings = self._settings
        if settings is None:
            return 0
        rate = settings.receive_events.get(number, 0)
        if not rate and number == self._event_type:
            rate = settings.telephone_event_rate or self.receive_rate
        return max(0, rate)

    def _receive_event(self, timestamp: int, payload: bytes, now_ns: int) -> None:
        try:
            report = TelephoneEvent.parse(payload)
        except ProtocolError:
            self.core.packets_dropped += 1
            return
        held = self._digits_in.digit is not None
        self._event_ns = now_ns
        self._tell_digits(self._digits_in.receive(timestamp, report))
        if not held and self._digits_in.digit is not None:
            self.core.call_at(now_ns + self._digit_silence_ns, self._event_silence)

    def _receive_noise(self, payload: bytes) -> None:
        """RFC 3389: heard once what waits is over, until audio comes again. A relayed stream has none."""
        if self.hearing and self._receives and self.relay is None:
            self._noise.describe(payload)
            self.core.activate(self)

    @property
    def _digit_silence_ns(self) -> int:
        """After which a digit whose packets stop coming has ended."""
        return self.core.settings.digit_silence_ms * 1_000_000

    def _event_silence(self, now_ns: int) -> None:
        if self.closed or self._digits_in.digit is None:
            return
        if now_ns - self._event_ns >= self._digit_silence_ns:
            self._tell_digits(self._digits_in.silent())
        else:
            self.core.call_at(self._event_ns + self._digit_silence_ns, self._event_silence)

    def _tell_digits(self, told: list[tuple[str, int | None]]) -> None:
        for digit, duration in told:
            if duration is None:
                self.digit_began(digit)
            else:
                self.digit_ended(digit, duration * 1000 // self._digit_rate)

    def _begin_to_wait(self, settings: RtpSettings, before: RtpSettings | None) -> None:
        """Wait for silence of either side, by the limits of new settings where they are others."""
        limits = settings.timeout_ms, settings.keepalive_ms
        if before is not None and limits == (before.timeout_ms, before.keepalive_ms):
            return
        self._limits += 1
        now_ns, round_ = self.core.clock_ns(), self._limits  # `now_ns` stood still if nothing was to be done
        if before is None or before.timeout_ms != settings.timeout_ms:
            self._heard_ns = now_ns
        if settings.timeout_ms > 0:
            self.core.call_at(self._heard_ns + settings.timeout_ms * 1_000_000, partial(self._watch, round_))
        if settings.keepalive_ms > 0:
            self.core.call_at(now_ns + settings.keepalive_ms * 1_000_000, partial(self._keep_alive, round_))

    def _watch(self, round_: int, now_ns: int) -> None:
        """RtpSettings.timeout_ms."""
        settings = self._settings
        if self.closed or settings is None or round_ != self._limits:
            return
        limit = settings.timeout_ms * 1_000_000
        silence = now_ns - self._heard_ns
        if silence >= limit:
            self._started = False
            self._tell(MediaStopped(silence // 1_000_000))
            self._heard_ns = now_ns
        self.core.call_at(self._heard_ns + limit, partial(self._watch, round_))

    def _pull(self, tick: int) -> Frame | None:
        stream = self._stream
        frame = stream.unstash()
        while frame is None:
            got = self._jitter.get()
            if got is None:
                rest = stream.unstash(all=True)
                return rest if rest is not None or not self._noise.amplitude else self._comfort()
            self._noise.voice_heard()
            codec, payload = got
            if payload is None:
                frame = stream.made_up(codec)
            elif codec.frame_bytes > 0:
                frame = stream.frame(codec, payload)
            else:
                stream.stash(codec, payload)
                frame = stream.unstash()
        return frame

    def _comfort(self) -> Frame:
        rate = (self._last_codec or self._codec).rate
        return Frame.of_samples(self._noise.samples(rate * FRAME_MS // 1000), rate)

    def _waiting(self) -> bool:
        return self._stream.stashed or not self._jitter.empty or self._noise.amplitude > 0

    def _discard(self) -> None:
        self._jitter.clear()
        self._stream.forget_stash()
        self._noise.end()

    # -- sending --

    def _send_payload(self, payload: bytes, tick: int) -> None:
        if self._target is None or not self._sends:
            return
        self._relay_from = None
        if self._pieces is not None:
            self._send_pieces(payload, tick)
            return
        marker = 0 if tick == self._last_tick + 1 else 0x80
        self._last_tick = tick
        self._put(self._payload_type | marker, self._timestamp_base + tick * self._step, payload)

    def _send_pieces(self, payload: bytes, tick: int) -> None:
        """Packets of another length than the tick."""
        pieces = self._pieces or b""
        marker = 0 if tick == self._last_tick + 1 else 0x80
        if marker:
            pieces = b""
        self._last_tick = tick
        codec = self._codec
        pieces += payload
        size = self._piece_size
        # The timestamp of the first piece: this tick's end minus what has been gathered.
        rate = codec.clock_rate
        start = self._timestamp_base + (tick + 1) * self._step - codec.ms_of(pieces) * rate // 1000
        if marker:
            self._piece_tick = tick
        while len(pieces) >= size:
            first = 0x80 if self._piece_tick >= 0 else 0
            self._piece_tick = -2
            self._put(self._payload_type | first, start, pieces[:size])
            start += codec.ms_of(pieces[:size]) * rate // 1000
            pieces = pieces[size:]
        self._pieces = pieces

    def _put(self, kind: int, timestamp: int, payload: bytes) -> None:
        if self._settings is None or self._settings.awaits_keys:
            return  # it has no ciphers to use them with
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        core = self.core
        try:
            self.pair.send(HEADER.pack(0x80, kind, sequence, timestamp & 0xFFFFFFFF, self.ssrc) + payload, self._target)
        except OSError:
            core.send_errors += 1
            return
        core.packets_sent += 1
        self.packets_sent += 1
        self._sent_ns = core.now_ns
        self.octets_sent += len(payload)
        if self._on_head is not None and self._target is not None:
            timestamp &= 0xFFFFFFFF
            self._keep_head(PacketHead(True, self._target, kind & 0x7F, sequence, timestamp, len(payload)))
        if not self._rtcp.armed:
            self._rtcp.traffic(core.now_ns)

    def _keep_alive(self, round_: int, now_ns: int) -> None:
        """RFC 6263: comfort noise, the quietest there is, when nothing was sent for a time; on hold too."""
        settings = self._settings
        if self.closed or settings is None or round_ != self._limits:
            return
        interval = settings.keepalive_ms * 1_000_000
        if self._target is not None and now_ns - self._sent_ns >= interval:
            self._put(COMFORT_NOISE, self.timestamp_at(now_ns), QUIETEST)
            self._sent_ns = now_ns
        self.core.call_at(self._sent_ns + interval, partial(self._keep_alive, round_))

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        settings = self._settings
        if self._event_type is None or (settings is not None and settings.dtmf_inband):
            if self.muted_out:
                return True
            return super().digit_out(digit, elapsed_ms, duration_ms, tick)
        if elapsed_ms == 0:
            self._digit_timestamp = self._timestamp_base + tick * self._step
        if self._target is None or not self._sends or self.muted_out:
            return True
        rate = (settings.telephone_event_rate if settings is not None else 0) or self._codec.clock_rate
        event = DIGITS.index(digit)
        if duration_ms is None:
            marker = 0x80 if elapsed_ms == 0 else 0
            length = min(0xFFFF, (elapsed_ms + FRAME_MS) * rate // 1000)
            report = bytes(TelephoneEvent(event, False, EVENT_VOLUME, length))
            self._put(self._event_type | marker, self._digit_timestamp, report)
        else:
            length = min(0xFFFF, duration_ms * rate // 1000)
            report = bytes(TelephoneEvent(event, True, EVENT_VOLUME, length))
            for _ in range(END_REPEATS):
                self._put(self._event_type, self._digit_timestamp, report)
        return True

    def forward(self, marker: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, now_ns: int) -> None:
        """Send the payload of a packet that another port just received, its loss and disorder as they are."""
        if self._target is None or not self._sends or self.muted_out or self.occupied:
            self._relay_from = None
            return
        tied = self._relay_from
        expected = self.timestamp_at(now_ns)
        if tied is not None:
            slip = ((tied[1] + timestamp - expected + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            ahead = ((tied[2] + sequence - self._sequence + 0x8000) & 0xFFFF) - 0x8000
            if tied[0] != ssrc or abs(slip) > RELAY_SLIP or abs(ahead) > 100:
                tied = None
        if tied is None:
            tied = self._relay_from = (ssrc, expected - timestamp, self._sequence - sequence)
            marker = 0x80
        following = self._sequence
        self._sequence = (tied[2] + sequence) & 0xFFFF
        mapped = self._sequence
        self._put(self._payload_type | marker, tied[1] + timestamp, payload)
        if ((following - mapped - 1) & 0xFFFF) < 0x8000:
            self._sequence = following  # an older packet: the next number stays
        self._last_tick = -2

    def _release(self) -> None:
        self.core.packets_lost += self.packets_lost
        self._rtcp.goodbye()
        self.relay = None
        self._on_packet = None
        self._on_report = None
        self._on_head = None
        self.core.unlisten(self, self.pair)
        self.pair.close()


def is_aside(data: bytes) -> bool:
    """Whether a datagram is STUN or DTLS (RFC 7983 7)."""
    return bool(data) and (data[0] <= 3 or 20 <= data[0] <= 63)


def _split(data: bytes) -> tuple[int, int, int, int, bytes]:
    """Marker and payload type, then the rest of the header fields and payload of a packet."""
    if len(data) >= 12 and data[0] == 0x80:
        _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        return kind, sequence, timestamp, ssrc, data[12:]
    packet = RtpPacket.parse(data)
    kind = packet.payload_type | (packet.marker << 7)
    return kind, packet.sequence, packet.timestamp, packet.ssrc, packet.payload


def _codec(name: str) -> Codec:
    found = CODECS.get(name)
    if found is None:
        raise MediaError(f"no codec {name!r} in the reference engine; there are {', '.join(CODECS)}")
    return found
