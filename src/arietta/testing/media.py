"""The reference media engine on a virtual loop: no thread, its RTP on the virtual network, its ticks on the clock."""

from __future__ import annotations

import asyncio
import errno
from typing import Any

from arietta.media.engine import EngineSettings, MediaError
from arietta.media.reference.core import Core, TransportPair
from arietta.media.reference.udp import UdpPort
from arietta.media.worker import Done, Job

from .loop import VirtualLoop
from .network import Network
from .transports import VirtualDatagrams

__all__ = ["VirtualEngine"]

NANOSECONDS = 1_000_000_000


class VirtualEngine(Core):
    """A `MediaEngine` for servers on a `VirtualLoop`; every tick comes exactly in time."""

    def __init__(self, loop: VirtualLoop, settings: EngineSettings | None = None) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ns = 0
        self._busy = False
        super().__init__(settings or EngineSettings(), _Wire(self, loop.network), now_ns=_nanoseconds(loop.time()))
        self.wall_offset_ns = round(loop.clock.wall.timestamp() * NANOSECONDS) - self.now_ns

    @property
    def name(self) -> str:
        """It is the reference engine."""
        return "reference"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; MediaError for another loop than its own."""
        if loop is not self._loop:
            raise MediaError("a virtual engine runs on the loop it was made for")

    def stop(self) -> None:
        """Close every port."""
        self.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- what the core asks for ------------------------------------------------------------------------------------

    def clock_ns(self) -> int:
        """The loop's time."""
        return max(_nanoseconds(self._loop.time()), self._armed_ns if self._busy else 0)

    def wake(self) -> None:
        """Set the timer for the next deadline."""
        if self._busy:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.next_deadline_ns
        if deadline is not None and self.running:
            self._armed_ns = deadline
            self._timer = self._loop.call_at(deadline / NANOSECONDS, self._on_timer)

    def announce(self) -> None:
        """Let the loop call `deliver`."""
        self._loop.call_soon(self.deliver)

    def offload(self, job: Job, done: Done) -> None:
        """Do disk work in the next turn of the loop."""
        self._loop.call_soon(super().offload, job, done)

    def arrived(self, receive: Any, data: bytes, source: tuple[str, int]) -> None:
        """Give a packet to its port; for the sockets."""
        self.now_ns = self.clock_ns()
        receive(data, source, self.now_ns)
        self.run(self.now_ns)
        self.wake()

    def _on_timer(self) -> None:
        self._timer = None
        self._busy = True  # the float of the loop's time may be a nanosecond short of the deadline
        try:
            self.run(self.clock_ns())
        finally:
            self._busy = False
        self.wake()


class _Socket(asyncio.DatagramProtocol):
    """One of the two sockets of a pair."""

    def __init__(self, engine: VirtualEngine) -> None:
        self._engine = engine
        self.receive: Any = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.receive is not None:
            self._engine.arrived(self.receive, data, (addr[0], addr[1]))


class _Pair:
    """A bound RTP/RTCP pair."""

    def __init__(self, port: int, rtp: VirtualDatagrams, control: VirtualDatagrams) -> None:
        self.port = port
        self.rtp = rtp
        self.control = control

    def send(self, data: bytes, target: Any) -> None:
        self.rtp.sendto(data, target)

    def send_control(self, data: bytes, target: Any) -> None:
        self.control.sendto(data, target)

    def mark(self, tos: int, cos: int) -> None:
        """The virtual network has one class of traffic."""

    def close(self) -> None:
        self.rtp.close()
        self.control.close()


class _Wire:
    """The virtual network as the engine's transport."""

    def __init__(self, engine: VirtualEngine, network: Network) -> None:
        self._engine = engine
        self._network = network

    def open_pair(self, bind: str, port: int) -> _Pair | None:
        opened: list[VirtualDatagrams] = []
        try:
            for number in (port, port + 1):
                opened.append(self._network.open_datagrams(_Socket(self._engine), bind, number))
        except OSError as error:
            for socket in opened:
                socket.close()
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        return _Pair(port, *opened)

    def listen(self, pair: TransportPair, receiver: UdpPort) -> None:
        assert isinstance(pair, _Pair)
        pair.rtp.get_protocol().receive = receiver.receive
        pair.control.get_protocol().receive = receiver.receive_control

    def unlisten(self, pair: TransportPair) -> None:
        assert isinstance(pair, _Pair)
        pair.rtp.get_protocol().receive = pair.control.get_protocol().receive = None


def _nanoseconds(seconds: float) -> int:
    return round(seconds * NANOSECONDS)
