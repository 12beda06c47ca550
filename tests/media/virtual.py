"""A virtual network and clock for the engine's core, and the phones on it."""

from __future__ import annotations

import heapq
import math
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from arietta.media.codecs import CODECS
from arietta.media.engine import Address, EngineSettings, MediaEvent, RtpSettings
from arietta.media.reference import Core, TransportPair
from arietta.media.reference.core import TICK_NS
from arietta.media.reference.udp import UdpPort
from arietta.rtp import RtcpPacket, RtpPacket, parse_compound

MS = 1_000_000
SERVER = "10.0.0.1"


class VirtualPair:
    """The server's two ports on the virtual network."""

    def __init__(self, network: VirtualNetwork, port: int) -> None:
        self.network = network
        self.port = port
        self.open = True
        self.receiver: UdpPort | None = None

    def send(self, data: bytes, target: Address) -> None:
        self.network.sent(self.port, data, target)

    def send_control(self, data: bytes, target: Address) -> None:
        self.network.sent(self.port + 1, data, target)

    def mark(self, tos: int, cos: int) -> None:
        """There is one class of traffic."""

    def close(self) -> None:
        self.open = False
        del self.network.pairs[self.port]


class VirtualNetwork:
    """Datagrams by address; those of the server are kept for who is there."""

    def __init__(self) -> None:
        self.pairs: dict[int, VirtualPair] = {}
        self.inboxes: dict[Address, deque[bytes]] = {}
        self.taken: set[int] = set()

    def open_pair(self, bind: str, port: int) -> VirtualPair | None:
        if bind == "192.0.2.1":
            raise OSError(99, "Cannot assign requested address")
        if port in self.taken or port in self.pairs:
            return None
        self.pairs[port] = VirtualPair(self, port)
        return self.pairs[port]

    def listen(self, pair: TransportPair, receiver: UdpPort) -> None:
        assert isinstance(pair, VirtualPair)
        pair.receiver = receiver

    def unlisten(self, pair: TransportPair) -> None:
        assert isinstance(pair, VirtualPair)
        pair.receiver = None

    def sent(self, port: int, data: bytes, target: Address) -> None:
        inbox = self.inboxes.get(target)
        if inbox is not None:
            inbox.append(data)


class World:
    """The core, its clock, and everything scheduled on it."""

    engine: ClassVar[str] = "reference"
    """Which engine new worlds have: `reference` or `native`."""
    core: Any

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.network = VirtualNetwork()
        self.core = _core(settings or EngineSettings(), self.network)
        self.now = 10**12
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._phones = 0

    def at(self, ms: float, action: Callable[[], None]) -> None:
        """Do something so many milliseconds from now."""
        self._count += 1
        heapq.heappush(self._due, (self.now + int(ms * MS), self._count, action))

    def run(self, ms: float) -> None:
        """Let so much time pass."""
        end = self.now + int(ms * MS)
        while True:
            deadline = self.core.next_deadline_ns
            due = self._due[0][0] if self._due else None
            moments = [moment for moment in (deadline, due) if moment is not None]
            if not moments or min(moments) > end:
                break
            self.now = max(self.now, min(moments))
            self.core.now_ns = self.now
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            if deadline is not None and deadline <= self.now:
                self.core.run(self.now)
            self.core.deliver()
        self.now = self.core.now_ns = end
        self.core.deliver()

    def flush(self) -> None:
        """Let what was sent arrive."""
        if World.engine == "native":
            self.core.flush()

    def phone(self, codec: str = "ulaw", **settings: object) -> Phone:
        """A phone in a call with the server, offered and answered."""
        self._phones += 1
        phone = Phone(self, (f"10.0.1.{self._phones}", 4000), codec)
        phone.call(**settings)
        return phone


def _core(settings: EngineSettings, network: VirtualNetwork) -> Any:
    if World.engine == "reference":
        return Core(settings, network, now_ns=10**12)
    from .native_core import VirtualNativeCore

    return VirtualNativeCore(settings, network, now_ns=10**12)


@dataclass
class Phone:
    """A far end: sends tones or payloads, keeps what it hears."""

    world: World
    address: Address
    codec: str
    events: list[MediaEvent] = field(default_factory=list)
    ssrc: int = 0x1000
    sequence: int = 65530
    timestamp: int = 2**32 - 400
    received: list[RtpPacket] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    reports: list[RtcpPacket] = field(default_factory=list)

    def call(self, **changes: object) -> None:
        inboxes = self.world.network.inboxes
        inboxes[self.address] = deque()
        inboxes[(self.address[0], self.address[1] + 1)] = deque()
        self.ssrc = int(self.address[0].rsplit(".", 1)[1]) * 0x1000
        self.port = self.world.core.open_rtp(bind=SERVER, on_event=self.events.append)
        self.configure(**changes)

    def configure(self, **changes: object) -> None:
        number = CODECS[self.codec].payload_type
        number = 96 if number is None else number
        receive: Mapping[int, str] = {number: self.codec}
        values: dict[str, object] = {
            "remote_address": self.address,
            "send_codec": self.codec,
            "send_payload_type": number,
            "receive": receive,
            "telephone_event_pt": 101,
        }
        self.port.configure(RtpSettings(**{**values, **changes}))  # type: ignore[arg-type]
        self.number = number

    def send(self, payload: bytes, *, number: int | None = None, source: Address | None = None) -> None:
        """One packet of 20 ms."""
        packet = RtpPacket(self.number if number is None else number, self.sequence, self.timestamp, self.ssrc, payload)
        self.raw(bytes(packet), source=source)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + CODECS[self.codec].clock_rate // 50) & 0xFFFFFFFF

    def raw(self, data: bytes, *, source: Address | None = None) -> None:
        self.port.receive(data, source or self.address, self.world.now)

    def say(self, samples: bytes, *, after_ms: float = 0) -> None:
        """Send samples of the codec's rate, a packet each 20 ms."""
        codec = CODECS[self.codec]
        encode, size = codec.encoder(), codec.rate // 50 * 2
        for n in range(len(samples) // size):
            piece = encode(samples[n * size : n * size + size])
            self.world.at(after_ms + 20 * n, lambda piece=piece: self.send(piece))  # type: ignore[misc]

    def collect(self) -> list[RtpPacket]:
        """What arrived since the last time."""
        self.world.flush()
        inbox = self.world.network.inboxes[self.address]
        packets = [RtpPacket.parse(data) for data in inbox]
        inbox.clear()
        self.received += packets
        return packets

    def heard(self) -> bytes:
        """Samples of the audio that arrived since the last time."""
        decode = CODECS[self.codec].decoder()
        return b"".join(decode(p.payload) for p in self.collect() if p.payload_type == self.number)

    def control(self) -> list[RtcpPacket]:
        """RTCP that arrived since the last time."""
        self.world.flush()
        inbox = self.world.network.inboxes[(self.address[0], self.address[1] + 1)]
        packets = [packet for data in inbox for packet in parse_compound(data)]
        inbox.clear()
        return packets


def tone(frequency: float, ms: int, *, rate: int = 8000, level: float = 8000) -> bytes:
    """Samples of a tone."""
    step = 2 * math.pi * frequency / rate
    return array("h", [round(level * math.sin(step * n)) for n in range(rate * ms // 1000)]).tobytes()


def loudness(samples: bytes, frequency: float, *, rate: int = 8000) -> float:
    """Amplitude of one frequency in samples (Goertzel's measure, by correlation)."""
    values = array("h", samples)
    if not values:
        return 0.0
    step = 2 * math.pi * frequency / rate
    real = sum(v * math.cos(step * n) for n, v in enumerate(values))
    imaginary = sum(v * math.sin(step * n) for n, v in enumerate(values))
    return 2 * math.hypot(real, imaginary) / len(values)


__all__ = ["MS", "SERVER", "TICK_NS", "Phone", "VirtualNetwork", "World", "loudness", "tone"]
