"""The media engine in C on a virtual loop: its RTP on the virtual network, its ticks on the clock."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any, cast

from arietta.media.engine import EngineSettings, EventHandler, MediaError
from arietta.media.native._engine import Engine
from arietta.media.native.core import NativeCore, open_engine
from arietta.media.native.ports import NativeRtpPort

from .loop import VirtualLoop
from .transports import VirtualDatagrams

__all__ = ["VirtualNativeEngine"]

NANOSECONDS = 1_000_000_000


class VirtualNativeEngine(NativeCore):
    """A `MediaEngine` for servers on a `VirtualLoop`; every tick comes exactly in time."""

    def __init__(self, loop: VirtualLoop, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        self._loop = loop
        self._wall_offset_ns = round(loop.clock.wall.timestamp() * NANOSECONDS) - _nanoseconds(loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ns = 0
        self._settling = False
        self._pairs: dict[int, _Pair] = {}
        self._raw = open_engine(settings, epoch_ns=_nanoseconds(loop.time()))
        super().__init__(settings, cast(Engine, _Watched(self._raw, self._before, self._after)))

    @property
    def name(self) -> str:
        """It is the native engine."""
        return "native"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; MediaError for another loop than its own."""
        if loop is not self._loop:
            raise MediaError("a virtual engine runs on the loop it was made for")

    def stop(self) -> None:
        """Close every port."""
        self.close_all()
        self._settle()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def open_rtp(self, *, bind: str, on_event: EventHandler) -> NativeRtpPort:
        """See the interface."""
        self._check()
        opened: list[tuple[int, _Pair]] = []

        def open_pair(port: int) -> bool:
            pair = _Pair.open(self, bind, port)
            if pair is not None:
                number = self.engine.open_rtp(bind, port)
                assert number is not None
                opened.append((number, pair))
            return pair is not None

        local_port = self.pairs.take(bind, open_pair)
        number, pair = opened[0]
        pair.listen(number)
        self._pairs[local_port] = pair
        return _VirtualRtpPort(self, number, local_port, on_event)

    def released(self, local_port: int) -> None:
        """A port is closed: its last packets leave, then its sockets close."""
        self._send()
        pair = self._pairs.pop(local_port, None)
        if pair is not None:
            pair.close()

    def arrived(self, number: int, control: bool, data: bytes, source: tuple[str, int]) -> None:
        """Give a packet to its port; for the sockets."""
        now_ns = self._clock_ns()
        self._raw.receive(number, control, data, *source, now_ns)
        self._raw.run(now_ns)
        self._after()

    @property
    def network(self) -> Any:
        """Where its packets go."""
        return self._loop.network

    # -- around what is asked of the engine --

    def _before(self) -> None:
        self._raw.set_clock(self._clock_ns(), self._wall_offset_ns)

    def _after(self) -> None:
        if not self._settling and not self._loop.is_closed():
            self._settling = True
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """Send and tell what there is, then set the timer for the next deadline."""
        self._settling = False
        self._send()
        self.deliver()
        self._send()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._raw.deadline()
        if deadline is not None and self.running:
            self._armed_ns = deadline
            self._timer = self._loop.call_at(deadline / NANOSECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        # The float of the loop's time may be a nanosecond short of the deadline.
        self._raw.run(max(self._clock_ns(), self._armed_ns))
        self._settle()

    def _send(self) -> None:
        for local_port, control, data, target in self._raw.sent():
            pair = self._pairs.get(local_port)
            if pair is not None:
                (pair.control if control else pair.rtp).sendto(data, target)

    def _clock_ns(self) -> int:
        return _nanoseconds(self._loop.time())


class _Watched:
    """An engine whose methods are told of: the clock is set before each, what comes of it is seen to afterwards."""

    def __init__(self, engine: Engine, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._engine = engine
        self._before = before
        self._after = after
        self.events = engine.events

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)

        def call(*arguments: object) -> object:
            self._before()
            try:
                return method(*arguments)
            finally:
                self._after()

        setattr(self, name, call)
        return call


class _VirtualRtpPort(NativeRtpPort):
    """A port whose sockets are on the virtual network."""

    def close(self) -> None:
        """See the interface."""
        if self.closed:
            return
        super().close()
        assert isinstance(self.core, VirtualNativeEngine)
        self.core.released(self.local_port)


class _Socket(asyncio.DatagramProtocol):
    """One of the two sockets of a pair."""

    def __init__(self, engine: VirtualNativeEngine, control: bool) -> None:
        self._engine = engine
        self._control = control
        self.number = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a packet."""
        if self.number:
            self._engine.arrived(self.number, self._control, data, (addr[0], addr[1]))


class _Pair:
    """A bound RTP/RTCP pair."""

    def __init__(self, rtp: VirtualDatagrams, control: VirtualDatagrams) -> None:
        self.rtp = rtp
        self.control = control

    @classmethod
    def open(cls, engine: VirtualNativeEngine, bind: str, port: int) -> _Pair | None:
        """The pair at port and port + 1; None when one is taken."""
        opened: list[VirtualDatagrams] = []
        try:
            for control in (False, True):
                opened.append(engine.network.open_datagrams(_Socket(engine, control), bind, port + control))
        except OSError as error:
            for socket in opened:
                socket.close()
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        return cls(*opened)

    def listen(self, number: int) -> None:
        """Give what comes to a port of the engine."""
        for socket in (self.rtp, self.control):
            cast(_Socket, socket.get_protocol()).number = number

    def close(self) -> None:
        self.rtp.close()
        self.control.close()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * NANOSECONDS)
