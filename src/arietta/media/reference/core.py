"""The reference engine's core: ports and mixers on a given clock; no thread and no socket of its own."""

from __future__ import annotations

import heapq
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from ..codecs import Codec
from ..codecs.host import FRAME_MS
from ..engine import (
    DigitHandler,
    EngineClosed,
    EngineSettings,
    EngineStatistics,
    EventHandler,
    FrameHandler,
    MediaError,
    Mixer,
    Port,
    Side,
    Source,
)
from ..files import SoundCache, sound_files
from ..pairs import PortPairs
from ..tracks import Track, load_track, track_ready
from ..worker import Done, Job
from .local import PipePort, SnoopPort, StreamUnit
from .mixer import MixerUnit
from .music import MusicStream
from .port import BasePort
from .udp import UdpPort

__all__ = ["TICK_NS", "Core", "Transport", "TransportPair"]

TICK_NS = FRAME_MS * 1_000_000
logger = logging.getLogger("arietta.media")


class TransportPair(Protocol):
    """A bound RTP/RTCP pair of UDP ports."""

    port: int
    """Of RTP, even."""

    def send(self, data: bytes, target: Any) -> object:
        """A datagram from the RTP port; OSError when it cannot be sent now."""

    def send_control(self, data: bytes, target: Any) -> object:
        """A datagram from the RTCP port."""

    def mark(self, tos: int, cos: int) -> None:
        """Send by another traffic class and priority of the link."""

    def close(self) -> None: ...


class Transport(Protocol):
    """Where datagrams go and come from: sockets, or a test's virtual network."""

    def open_pair(self, bind: str, port: int) -> TransportPair | None:
        """The pair at port and port + 1; None when one is taken; OSError when the address cannot be bound."""

    def listen(self, pair: TransportPair, receiver: UdpPort) -> None:
        """Hand what arrives to receiver.receive and receiver.receive_control from now on."""

    def unlisten(self, pair: TransportPair) -> None: ...


NO_SRTP = "the media engine in Python has no ciphers"


class Core:
    """Everything audible, on the clock that `run` and `receive` bring.

    Any thread may call: `lock` orders them. `offload_with` runs disk work elsewhere, `wake` is told when the next
    deadline may have come nearer, `deliver_with` hands callbacks to the loop; all three have defaults that do it on
    the spot, for tests.
    """

    srtp_missing: str | None = NO_SRTP

    def __init__(self, settings: EngineSettings, transport: Transport, *, now_ns: int = 0) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self.cache = SoundCache(settings.cache_bytes)
        self.now_ns = now_ns
        self.epoch_ns = now_ns
        self.wall_offset_ns = 0
        """Nanoseconds from this clock to the time since 1970, for NTP timestamps."""
        self.cname = secrets.token_hex(8)
        self.running = True
        self.packets_sent = 0
        self.packets_received = 0
        self.packets_dropped = 0
        self.send_errors = 0
        self.ticks = 0
        self.late_ticks = 0
        self._transport = transport
        self.packets_lost = 0
        """Of sources that are gone."""
        self._tick = -1
        self._tick_ns = 0
        self._active: dict[BasePort, None] = {}
        self._active_mixers: dict[MixerUnit, None] = {}
        self._ports: dict[BasePort, None] = {}
        self._mixers: dict[MixerUnit, None] = {}
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._timer_count = 0
        self._music: dict[str, MusicStream] = {}
        self._outbox: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._pairs = PortPairs(settings.rtp_start, settings.rtp_end)

    # -- the engine's interface --

    def open_rtp(self, *, bind: str, on_event: EventHandler) -> UdpPort:
        with self.lock:
            self._check()
            port = UdpPort(self, self._open_pair(bind), on_event)
            self.adopt(port)
            return port

    def open_pipe(self, on_event_a: EventHandler, on_event_b: EventHandler) -> tuple[PipePort, PipePort]:
        with self.lock:
            self._check()
            one, other = PipePort(self, on_event_a), PipePort(self, on_event_b)
            one.peer, other.peer = other, one
            self.adopt(one)
            self.adopt(other)
            return one, other

    def open_stream(
        self,
        *,
        format: str,
        on_event: EventHandler,
        on_frame: FrameHandler,
        on_digit: DigitHandler | None = None,
        buffer_ms: int = 2000,
    ) -> StreamUnit:
        with self.lock:
            self._check()
            port = StreamUnit(self, format, on_event, on_frame, on_digit, buffer_ms)
            self.adopt(port)
            return port

    def open_snoop(self, target: Port, *, spy: Side, whisper: Side, on_event: EventHandler) -> SnoopPort:
        if not isinstance(target, BasePort) or target.core is not self:
            raise MediaError("the snooped port belongs to another engine")
        with self.lock:
            self._check()
            snoop = SnoopPort(self, target, spy, whisper, on_event)
            self.adopt(snoop)
            if target.closed:
                snoop.target_closed()
            else:
                target.add_snoop(snoop)
            return snoop

    def open_mixer(self, *, holding: bool = False) -> MixerUnit:
        with self.lock:
            self._check()
            return self._mixer(MixerUnit(self, holding=holding))

    def stats(self) -> EngineStatistics:
        with self.lock:
            return EngineStatistics(
                ports=len(self._ports),
                mixers=len(self._mixers),
                ticks=self.ticks,
                late_ticks=self.late_ticks,
                packets_sent=self.packets_sent,
                packets_received=self.packets_received,
                packets_dropped=self.packets_dropped,
                send_errors=self.send_errors,
                cached_bytes=self.cache.size,
                active_ports=len(self._active),
                tick_ns=self._tick_ns,
                packets_lost=self.packets_lost + sum(p.packets_lost for p in self._ports if isinstance(p, UdpPort)),
            )

    def close(self) -> None:
        """Close every port and mixer; nothing can be opened any more."""
        with self.lock:
            self.running = False
            for port in list(self._ports):
                port.close()
            for mixer in list(self._mixers):
                mixer.close()
            self._timers.clear()

    # -- the clock --

    @property
    def next_deadline_ns(self) -> int | None:
        """When `run` is to be called next; None: not before a packet or a command."""
        deadline = self._timers[0][0] if self._timers else None
        if self._active or self._active_mixers:
            tick_at = self.epoch_ns + (self._tick + 1) * TICK_NS
            deadline = tick_at if deadline is None else min(deadline, tick_at)
        return deadline

    def run(self, now_ns: int) -> None:
        """Do what is due: timers, and one tick at most. Ticks whose time has passed are counted and skipped."""
        self.now_ns = now_ns
        while self._timers and self._timers[0][0] <= now_ns:
            callback = heapq.heappop(self._timers)[2]
            try:
                callback(now_ns)
            except Exception:
                logger.exception("media timer %r failed", callback)
        if not self._active and not self._active_mixers:
            return
        tick = (now_ns - self.epoch_ns) // TICK_NS
        if tick <= self._tick:
            return
        self.late_ticks += tick - self._tick - 1
        self._tick = tick
        self.ticks += 1
        began = time.perf_counter_ns()
        self._run_tick(tick)
        self._tick_ns += time.perf_counter_ns() - began

    def call_at(self, when_ns: int, callback: Callable[[int], None]) -> None:
        """Call back once the clock is there."""
        self._timer_count += 1
        heapq.heappush(self._timers, (when_ns, self._timer_count, callback))
        if self._timers[0][1] == self._timer_count:
            self.wake()

    def _run_tick(self, tick: int) -> None:
        active = self._active
        for port in list(active):
            try:
                port.tick_in(tick)
            except Exception:
                self._fail(port)
        for mixer in list(self._active_mixers):
            try:
                mixer.tick(tick)
            except Exception:
                self._fail(mixer)
        ports = list(active)
        for port in ports:
            try:
                port.tick_out(tick)
                if port.tapped or port.overheard:
                    port.tick_taps(tick)
            except Exception:
                self._fail(port)
        for port in ports:
            if not port.busy():
                active.pop(port, None)
                port.frame_in = port.frame_out = None
        for mixer in list(self._active_mixers):
            if not mixer.busy():
                del self._active_mixers[mixer]

    # -- for its parts --

    def activate(self, port: BasePort) -> None:
        """The port needs the next tick."""
        if port not in self._active and not port.closed:
            idle = not self._active and not self._active_mixers
            self._active[port] = None
            if idle:
                self._rouse()

    def activate_mixer(self, mixer: MixerUnit) -> None:
        if mixer not in self._active_mixers:
            idle = not self._active and not self._active_mixers
            self._active_mixers[mixer] = None
            if idle:
                self._rouse()

    def adopt(self, port: BasePort) -> None:
        self._ports[port] = None

    def forget(self, port: BasePort) -> None:
        self._ports.pop(port, None)
        self._active.pop(port, None)

    def forget_mixer(self, mixer: MixerUnit) -> None:
        self._mixers.pop(mixer, None)
        self._active_mixers.pop(mixer, None)

    def mixer_for(self, other: Port | Mixer) -> MixerUnit:
        """The mixer itself, or a new one for two ports."""
        if isinstance(other, MixerUnit) and other.core is self:
            if other.closed:
                raise MediaError("the mixer is closed")
            return other
        if isinstance(other, BasePort) and other.core is self:
            return self._mixer(MixerUnit(self, holding=False, pair=True))
        raise MediaError(f"{type(other).__name__} is no port or mixer of this engine")

    def listen(self, port: UdpPort, pair: TransportPair) -> None:
        self._transport.listen(pair, port)

    def unlisten(self, port: UdpPort, pair: TransportPair) -> None:
        self._transport.unlisten(pair)
        self._pairs.give_back(pair.port)

    def music(self, name: str) -> MusicStream:
        """The stream of a class, begun when it is first heard."""
        classes = self.settings.music
        known = name if name in classes else "default"
        stream = self._music.get(known)
        if stream is None:
            place = classes.get(known, ())
            files = sound_files(place) if isinstance(place, str) else list(place)
            stream = MusicStream(self, files, shuffle=known in self.settings.music_random)
            self._music[known] = stream
        return stream

    def load(self, source: Source, codec: Codec, done: Callable[[Track | None, str | None], None]) -> None:
        """Give the track of a source: at once when it is in memory, else when the worker has read it."""
        if track_ready(self.cache, source, codec):
            try:
                done(load_track(self.cache, source, codec), None)
            except MediaError as error:
                done(None, str(error))
            return
        tracks: list[Track] = []

        def read() -> None:
            tracks.append(load_track(self.cache, source, codec))

        def finished(error: Exception | None) -> None:
            done(tracks[0] if error is None else None, str(error) if error is not None else None)

        self.offload(read, finished)

    def offload(self, job: Job, done: Done) -> None:
        """Run a job that may block, in order with the others; then call back under the lock."""
        error: Exception | None = None
        try:
            job()
        except MediaError as caught:
            error = caught
        done(error)

    def emit(self, callback: Callable[..., None], event: object) -> None:
        """Call the owner's callback with an event, later and on the loop's thread."""
        self._outbox.append((callback, (event,)))
        if len(self._outbox) == 1:
            self.announce()

    def emit_plain(self, callback: Callable[[], None]) -> None:
        self._outbox.append((callback, ()))
        if len(self._outbox) == 1:
            self.announce()

    def announce(self) -> None:
        """Something waits for `deliver`."""

    def deliver(self) -> None:
        """Call the callbacks that wait, in order; one that fails is logged and does not keep the others."""
        with self.lock:
            batch, self._outbox = self._outbox, []
        for callback, arguments in batch:
            try:
                callback(*arguments)
            except Exception:
                logger.exception("media callback %r failed", callback)

    def wake(self) -> None:
        """The next deadline may have come nearer."""

    def log(self, text: str) -> None:
        logger.warning("%s", text)

    # -- inside --

    def _fail(self, faulty: BasePort | MixerUnit) -> None:
        """A fault of ours ends the port or mixer it happened in, and no other."""
        logger.exception("%s failed and is closed", type(faulty).__name__)
        try:
            faulty.close()
        except Exception:
            logger.exception("closing %s failed", type(faulty).__name__)
            if isinstance(faulty, BasePort):
                self.forget(faulty)
            else:
                self.forget_mixer(faulty)

    def _check(self) -> None:
        if not self.running:
            raise EngineClosed("the media engine is stopped")

    def _mixer(self, mixer: MixerUnit) -> MixerUnit:
        self._mixers[mixer] = None
        return mixer

    def _rouse(self) -> None:
        """The first work after idleness: the ticks in between were not late, they were not needed."""
        self._tick = max(self._tick, (self.clock_ns() - self.epoch_ns) // TICK_NS)
        self.wake()

    def clock_ns(self) -> int:
        """The clock between runs."""
        return self.now_ns

    def _open_pair(self, bind: str) -> TransportPair:
        opened: list[TransportPair] = []

        def open_pair(port: int) -> bool:
            pair = self._transport.open_pair(bind, port)
            if pair is not None:
                opened.append(pair)
            return pair is not None

        self._pairs.take(bind, open_pair)
        return opened[0]
