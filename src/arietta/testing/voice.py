"""The voice of a virtual phone: RTP from its own port every 20 ms, and what it hears, by timestamp."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from random import Random

from arietta.media.codecs import CODECS, Resampler, Transcode, resample
from arietta.rtp.errors import ProtocolError
from arietta.rtp.events import DIGITS, DigitReceiver, TelephoneEvent
from arietta.rtp.packet import RtpPacket, looks_like_rtcp
from arietta.rtp.sequence import timestamp_difference
from arietta.sdp import Negotiated, codec_named

from .audio import RATE
from .ciphers import Ciphers
from .waiting import News

__all__ = ["Frame", "Heard", "Voice"]

FRAMES_PER_SECOND = 50
FRAME_SECONDS = 1 / FRAMES_PER_SECOND
FRAME_SAMPLES = RATE // FRAMES_PER_SECOND
MAX_QUEUED = 1000
"""Sounds and digits that may wait to be sent."""
MAX_HEARD = 600 * RATE
"""Samples kept of what is heard: ten minutes; what comes later is counted, not kept."""
MAX_GAP = 60 * RATE
"""A jump of timestamps over more samples than this is a new stream."""
EVENT_VOLUME = 10

Packets = list[tuple[int, bytes, int | None, bool]]
"""What one tick sends: payload type, payload, timestamp (None: the running one), marker."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One audio packet that came."""

    time: float
    """When, on the loop's clock."""
    sequence: int
    timestamp: int
    codec: str
    offset: int
    """The place of its first sample in `Heard.samples`."""
    samples: bytes
    """At the codec's own rate."""


class Heard:
    """What a phone hears: the packets at the places their timestamps say, silence where there were none."""

    def __init__(self) -> None:
        self.frames: deque[Frame] = deque(maxlen=MAX_HEARD // FRAME_SAMPLES)
        self.dropped = 0
        """Packets that came when there was no room left, or from before the beginning."""
        self._buffer = bytearray()
        self._ssrc = -1
        self._base = 0
        self._base_offset = 0
        self._codec = ""
        self._decode: Transcode = bytes
        self._narrow = Resampler(RATE, RATE)

    def __len__(self) -> int:
        return len(self._buffer) // 2

    @property
    def samples(self) -> bytes:
        """Everything, from the first packet on."""
        return bytes(self._buffer)

    @property
    def wide(self) -> bytes:
        """What came in the codec of the last packet, at that codec's own rate, without the gaps."""
        return b"".join(frame.samples for frame in self.frames if frame.codec == self._codec)

    @property
    def duration_ms(self) -> float:
        """How long that is."""
        return len(self) * 1000 / RATE

    @property
    def first_at(self) -> float | None:
        """When the first packet came, None before."""
        return self.frames[0].time if self.frames else None

    def since(self, time: float) -> bytes:
        """The samples from the first packet that came at `time` or later."""
        for frame in self.frames:
            if frame.time >= time:
                return bytes(self._buffer[2 * frame.offset :])
        return b""

    def take(self, time: float, packet: RtpPacket, codec: str) -> None:
        """Keep a packet."""
        end = len(self)
        if packet.ssrc != self._ssrc or codec != self._codec:
            self._begin(packet, codec, end)
        wide = self._decode(packet.payload)
        samples = self._narrow.process(wide)
        ticks = timestamp_difference(packet.timestamp, self._base)
        offset = self._base_offset + ticks * RATE // codec_named(codec).clock_rate_hz
        if abs(offset - end) > MAX_GAP:
            self._base, self._base_offset = packet.timestamp, end
            offset = end
        if offset < 0 or offset + len(samples) // 2 > MAX_HEARD:
            self.dropped += 1
            return
        if offset > end:
            self._buffer += bytes(2 * (offset - end))
        self._buffer[2 * offset : 2 * offset + len(samples)] = samples
        self.frames.append(Frame(time, packet.sequence, packet.timestamp, codec, offset, wide))

    def _begin(self, packet: RtpPacket, codec: str, offset: int) -> None:
        """Another stream, or another codec, goes on where the one before was."""
        self._ssrc, self._base, self._base_offset = packet.ssrc, packet.timestamp, offset
        self._codec, self._decode = codec, CODECS[codec].decoder()
        self._narrow = Resampler(CODECS[codec].rate, RATE)


class Voice(asyncio.DatagramProtocol):
    """The RTP end of one call. It learns nothing: it sends where the description says, whatever comes from where.

    `talks`: silence is sent when there is nothing else, as real phones do. Made by `open`; ended by `close`.
    """

    def __init__(self, random: Random, *, talks: bool) -> None:
        self.heard = Heard()
        self.digits = ""
        """The digits that came as telephone-events, each when it was over."""
        self.news = News()
        """Told after each packet."""
        self.on_packet: Callable[[bool], None] | None = None
        """Called for each RTP packet: True when it was sent, False when it came."""
        self.counters: Counter[str] = Counter()
        self.address = ("", 0)
        """Where it takes RTP."""
        self.negotiated: Negotiated | None = None
        self._talks = talks
        self._codec = ""
        self._encode: Transcode = bytes
        self._ciphers: Ciphers | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._rtcp: asyncio.DatagramTransport | None = None
        self._receiver = DigitReceiver()
        self._queue: deque[tuple[Iterator[Packets], asyncio.Future[bool]]] = deque()
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._paused = True

    @classmethod
    async def open(cls, host: str, random: Random, *, talks: bool) -> Voice:
        """Bind an even port and the one above it, for RTCP. Raises OSError."""
        loop = asyncio.get_running_loop()
        voice = cls(random, talks=talks)
        for attempt in range(50):
            # Two that open at once would find each other's next port taken for ever; chance parts them.
            port = 2 * random.randrange(8192, 16384) if attempt else 0
            transport = None
            try:
                transport, _ = await loop.create_datagram_endpoint(lambda: voice, local_addr=(host, port))
                name = transport.get_extra_info("sockname")
                if name[1] % 2:
                    raise OSError(f"port {name[1]} is odd")
                voice._rtcp, _ = await loop.create_datagram_endpoint(
                    lambda: _Rtcp(voice.counters), local_addr=(host, name[1] + 1)
                )
            except OSError:
                if transport is not None:
                    transport.close()
                if attempt == 49:
                    raise
                continue
            voice._transport, voice.address = transport, (name[0], name[1])
            break
        return voice

    def start(self, negotiated: Negotiated) -> None:
        """Send and receive as was agreed; again after each new agreement."""
        self.negotiated = negotiated
        self._ciphers = Ciphers.after(self._ciphers, negotiated.keys)
        if negotiated.codec != self._codec:
            self._codec, self._encode = negotiated.codec, CODECS[negotiated.codec].encoder()
        self._wake()

    def close(self) -> None:
        """Stop, and free the ports; what was not sent is not sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _, done in self._queue:
            if not done.done():
                done.set_result(False)
        self._queue.clear()
        for transport in (self._transport, self._rtcp):
            if transport is not None:
                transport.close()
        self._transport = self._rtcp = None

    # -- sending -----------------------------------------------------------------------------------------------

    def send_samples(self, samples: bytes, rate: int = RATE) -> asyncio.Future[bool]:
        """Send samples after what waits already; True when they were sent, False when the call ended before."""
        return self._enqueue(self._sound(samples, rate))

    def send_digit(self, digit: str, duration_ms: int, gap_ms: int) -> asyncio.Future[bool]:
        """Send a digit as telephone-events (RFC 4733 2.5), then pause."""
        code = DIGITS.find(digit.upper()) if digit else -1
        if code < 0 or len(digit) != 1:
            raise ValueError(f"{digit!r} is not one of {DIGITS}")
        if self.negotiated is None or self.negotiated.event_payload_type is None:
            raise ValueError("the far end takes no telephone-events")
        return self._enqueue(self._digit(code, max(1, duration_ms // 20), gap_ms // 20))

    def send_raw(self, data: bytes) -> None:
        """Send bytes from the RTP port, whatever they are."""
        if self._transport is not None and self.negotiated is not None:
            self._transport.sendto(data, (self.negotiated.address, self.negotiated.port))

    def _enqueue(self, packets: Iterator[Packets]) -> asyncio.Future[bool]:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._transport is None:
            done.set_result(False)
            return done
        if len(self._queue) >= MAX_QUEUED:
            raise RuntimeError(f"{MAX_QUEUED} sounds and digits wait to be sent")
        self._queue.append((packets, done))
        self._wake()
        return done

    def _wake(self) -> None:
        negotiated = self.negotiated
        if self._timer is not None or self._transport is None or negotiated is None:
            return
        if not negotiated.direction.sends or not negotiated.port or not (self._talks or self._queue):
            self._paused = True
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._next_at <= now:
            missed = int((now - self._next_at) / FRAME_SECONDS) + 1 if self._next_at else 0
            self._timestamp = (self._timestamp + missed * self._step) & 0xFFFFFFFF
            self._next_at = max(now, self._next_at + missed * FRAME_SECONDS)
        self._timer = loop.call_at(self._next_at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        negotiated = self.negotiated
        if negotiated is not None and negotiated.direction.sends and self._transport is not None:
            for kind, payload, timestamp, marker in self._next_packets(negotiated):
                self._send(kind, payload, self._timestamp if timestamp is None else timestamp, marker)
            self._timestamp = (self._timestamp + self._step) & 0xFFFFFFFF
            self._next_at += FRAME_SECONDS
        self._wake()

    @property
    def _step(self) -> int:
        """Timestamp units of one packet."""
        return codec_named(self._codec).clock_rate_hz // FRAMES_PER_SECOND

    def _next_packets(self, negotiated: Negotiated) -> Packets:
        while self._queue:
            packets, done = self._queue[0]
            found = next(packets, None)
            if found is not None:
                return found or self._silence(negotiated)
            self._queue.popleft()
            if not done.done():
                done.set_result(True)
        return self._silence(negotiated)

    def _silence(self, negotiated: Negotiated) -> Packets:
        if not self._talks:
            self._paused = True
            return []
        silence = bytes(2 * CODECS[negotiated.codec].rate // FRAMES_PER_SECOND)
        return [(negotiated.payload_type, self._encode(silence), None, False)]

    def _sound(self, samples: bytes, rate: int) -> Iterator[Packets]:
        at_rates = {rate: samples}
        for tick in range(ceil(len(samples) * FRAMES_PER_SECOND / (2 * rate))):
            negotiated = self.negotiated
            assert negotiated is not None
            wanted = CODECS[negotiated.codec].rate
            if wanted not in at_rates:
                at_rates[wanted] = resample(samples, rate, wanted)
            step = 2 * (wanted // FRAMES_PER_SECOND)
            piece = at_rates[wanted][tick * step : (tick + 1) * step].ljust(step, b"\0")
            yield [(negotiated.payload_type, self._encode(piece), None, False)]

    def _digit(self, code: int, ticks: int, gap: int) -> Iterator[Packets]:
        start = self._timestamp
        for tick in range(1, ticks + 1):
            negotiated = self.negotiated
            if negotiated is None or negotiated.event_payload_type is None:
                return
            kind = negotiated.event_payload_type
            rate = negotiated.event_rate_hz or codec_named(negotiated.codec).clock_rate_hz
            length = min(tick * rate // FRAMES_PER_SECOND, 0xFFFF)
            report = bytes(TelephoneEvent(code, tick == ticks, EVENT_VOLUME, length))
            copies = 3 if tick == ticks else 1  # RFC 4733 2.5.1.4
            yield [(kind, report, start, tick == 1 and copy == 0) for copy in range(copies)]
        for _ in range(gap):
            yield []

    def _send(self, kind: int, payload: bytes, timestamp: int, marker: bool) -> None:
        marker, self._paused = marker or self._paused, False
        packet = RtpPacket(kind, self._sequence, timestamp, self._ssrc, payload, marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.counters["sent"] += 1
        if self.on_packet is not None:
            self.on_packet(True)
        self.send_raw(self._ciphers.protect(bytes(packet)) if self._ciphers is not None else bytes(packet))

    # -- hearing -----------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a packet."""
        if looks_like_rtcp(data):
            self.counters["rtcp"] += 1
            return
        if self.on_packet is not None:
            self.on_packet(False)
        if self._ciphers is not None:
            plain = self._ciphers.unprotect(data)
            if plain is None:
                self.counters["forged"] += 1
                return
            data = plain
        try:
            self._take(RtpPacket.parse(data))
        except ProtocolError:
            self.counters["malformed"] += 1
        self.news.tell()

    def _take(self, packet: RtpPacket) -> None:
        negotiated = self.negotiated
        if negotiated is None:
            self.counters["early"] += 1
            return
        if packet.payload_type in negotiated.receive_events:
            for digit, duration in self._receiver.receive(packet.timestamp, TelephoneEvent.parse(packet.payload)):
                if duration is not None:
                    self.digits += digit
        elif packet.payload_type in negotiated.receive:
            self.counters["received"] += 1
            now = asyncio.get_running_loop().time()
            self.heard.take(now, packet, negotiated.receive[packet.payload_type])
        else:
            self.counters["unknown"] += 1


class _Rtcp(asyncio.DatagramProtocol):
    """The RTCP port: counts."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._counters["rtcp"] += 1
