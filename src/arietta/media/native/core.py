"""The engine in C by the media interface: what it tells goes to who asked; no thread of Python's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import IntEnum
from itertools import count

from ..engine import (
    DigitBegan,
    DigitEnded,
    DigitHandler,
    EngineClosed,
    EngineSettings,
    EngineStatistics,
    EventHandler,
    FrameHandler,
    MediaError,
    MediaStarted,
    MediaStopped,
    OtherCodec,
    Port,
    Side,
    TalkStarted,
    TalkStopped,
    ToneDetected,
)
from ..files import SoundCache
from ..pairs import PortPairs
from ..worker import Done, Job
from . import why_no_srtp
from ._engine import Engine
from .music import MusicLibrary
from .playing import NativePlayer
from .ports import NativeMixer, NativePort, NativeRtpPort, NativeStreamPort
from .recording import SIDES, NativeRecorder
from .tracks import Loader

__all__ = ["NativeCore", "open_engine"]

logger = logging.getLogger("arietta.media")


class _Event(IntEnum):
    """event.h's event_kind_t."""

    MEDIA_STARTED = 0
    MEDIA_STOPPED = 1
    DIGIT_BEGAN = 2
    DIGIT_ENDED = 3
    TALK_STARTED = 4
    TALK_STOPPED = 5
    TONE = 6
    PLAY_END = 7
    DIGITS_SENT = 8
    FRAMES = 9
    STREAM_DIGIT = 10
    RECORD_FULL = 11
    RECORD_END = 12
    MUSIC = 13
    POSTED = 14
    DIED = 15
    RECORD_CROWDED = 16
    PACKETS = 17
    REPORTS = 18
    CODEC = 19
    HEADS = 20


def open_engine(settings: EngineSettings, *, threads: int = 0, signal: int = -1, epoch_ns: int) -> Engine:
    """An engine of the extension module; without threads it is run by whoever has its clock."""
    return Engine(
        threads,
        signal,
        epoch_ns,
        (
            settings.strict_rtp,
            settings.probation,
            settings.relearn_ms * 1_000_000,
            settings.mix_loudest,
            settings.rtcp_interval_ms * 1_000_000,
            settings.digit_silence_ms * 1_000_000,
            settings.checksums,
            not settings.replay_protection,
        ),
    )


class NativeCore:
    """Everything audible, by an engine of the extension module.

    `offload` and `wake` are for who gives it threads; by themselves they do it on the spot, for tests.
    """

    threads = 0
    """That carry audio; 0: whoever calls does."""

    def __init__(self, settings: EngineSettings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.running = True
        self.cache = SoundCache(settings.cache_bytes)
        self.pairs = PortPairs(settings.rtp_start, settings.rtp_end)
        self.loader = Loader(self)
        self.music = MusicLibrary(self)
        self.ports: dict[int, NativePort] = {}
        self.mixers: dict[int, NativeMixer] = {}
        self.players: dict[int, NativePlayer] = {}
        self.recorders: dict[int, NativeRecorder] = {}
        self.tokens: dict[int, Callable[[], None]] = {}
        self.srtp_missing = why_no_srtp()  # asked for each call, and found out by trying
        self._token = count(1)

    # -- the engine's interface --

    def open_rtp(self, *, bind: str, on_event: EventHandler) -> NativeRtpPort:
        """See the interface."""
        self._check()
        numbers: list[int] = []

        def open_pair(port: int) -> bool:
            number = self.engine.open_rtp(bind, port)
            if number is not None:
                numbers.append(number)
            return number is not None

        port = self.pairs.take(bind, open_pair)
        return NativeRtpPort(self, numbers[0], port, on_event)

    def open_pipe(self, on_event_a: EventHandler, on_event_b: EventHandler) -> tuple[NativePort, NativePort]:
        """See the interface."""
        self._check()
        one, other = self.engine.open_pipe()
        return NativePort(self, one, on_event_a), NativePort(self, other, on_event_b)

    def open_stream(
        self,
        *,
        format: str,
        on_event: EventHandler,
        on_frame: FrameHandler,
        on_digit: DigitHandler | None = None,
        buffer_ms: int = 2000,
    ) -> NativeStreamPort:
        """See the interface."""
        self._check()
        try:
            number = self.engine.open_stream(format, max(20, buffer_ms), on_digit is not None)
        except LookupError as error:
            raise MediaError(f"no stream format {format!r}: {error}") from None
        return NativeStreamPort(self, number, on_event, on_frame, on_digit)

    def open_snoop(self, target: Port, *, spy: Side, whisper: Side, on_event: EventHandler) -> NativePort:
        """See the interface."""
        if not isinstance(target, NativePort) or target.core is not self:
            raise MediaError("the snooped port belongs to another engine")
        self._check()
        number = self.engine.open_snoop(target.number, SIDES[spy.value], SIDES[whisper.value])
        return NativePort(self, number, on_event)

    def open_mixer(self, *, holding: bool = False) -> NativeMixer:
        """See the interface."""
        self._check()
        return NativeMixer(self, self.engine.open_mixer(holding))

    def stats(self) -> EngineStatistics:
        """See the interface."""
        numbers = self.engine.stats()
        ports, mixers, ticks, late, sent, received, dropped, errors, tick_ns, active, untold, lost = numbers
        return EngineStatistics(
            ports=ports,
            mixers=mixers,
            ticks=ticks,
            late_ticks=late,
            packets_sent=sent,
            packets_received=received,
            packets_dropped=dropped,
            send_errors=errors,
            cached_bytes=self.cache.size,
            active_ports=active,
            tick_ns=tick_ns,
            events_dropped=untold,
            packets_lost=lost,
            threads=self.threads,
        )

    def close_all(self) -> None:
        """Close every port and mixer; nothing can be opened any more."""
        self.running = False
        for port in list(self.ports.values()):
            port.close()
        for mixer in list(self.mixers.values()):
            mixer.close()

    # -- what is told --

    def deliver(self) -> None:
        """Call the callbacks that wait, in order; one that fails is logged and does not keep the others."""
        for kind, subject, a, b in self.engine.events():
            try:
                self._tell(kind, subject, a, b)
            except Exception:
                logger.exception("media callback of %s failed", _Event(kind).name)

    def _tell(self, kind: int, subject: int, a: int, b: int) -> None:
        if kind <= _Event.TONE:
            self._tell_port(kind, subject, a, b)
        elif kind == _Event.PLAY_END:
            player = self.players.pop(subject, None)
            if player is not None:
                player.ended(a, b)
        elif kind == _Event.DIGITS_SENT:
            self._tell_token(a)
        elif kind == _Event.RECORD_FULL:
            recorder = self.recorders.get(subject)
            if recorder is not None:
                recorder.full()
        elif kind == _Event.RECORD_CROWDED:
            recorder = self.recorders.get(subject)
            if recorder is not None:
                recorder.crowded()
        elif kind == _Event.RECORD_END:
            recorder = self.recorders.pop(subject, None)
            if recorder is not None:
                recorder.ended(a, b >> 32, b & 0xFFFFFFFF)
        elif kind == _Event.MUSIC:
            self.music.wanted(subject, a, b & 0xFFFFFFFF, b >> 32)
        elif kind == _Event.POSTED:
            self._tell_token(subject)
        elif kind == _Event.PACKETS:
            self._hand_over_packets(subject)
        elif kind == _Event.REPORTS:
            self._hand_over_reports(subject)
        elif kind == _Event.HEADS:
            self._hand_over_heads(subject)
        elif kind == _Event.CODEC:
            self._tell_port(kind, subject, a, b)
        elif kind == _Event.DIED:
            self.died(a)
        else:
            self._tell_stream(kind, subject, a, b)

    def _tell_port(self, kind: int, subject: int, a: int, b: int) -> None:
        port = self.ports.get(subject)
        if port is None:
            return
        if kind == _Event.MEDIA_STARTED:
            port.tell(MediaStarted())
        elif kind == _Event.MEDIA_STOPPED:
            port.tell(MediaStopped(a))
        elif kind == _Event.DIGIT_BEGAN:
            port.tell(DigitBegan(chr(a)))
        elif kind == _Event.DIGIT_ENDED:
            port.tell(DigitEnded(chr(a), b))
        elif kind == _Event.TALK_STARTED:
            port.tell(TalkStarted())
        elif kind == _Event.TALK_STOPPED:
            port.tell(TalkStopped(a))
        elif kind == _Event.CODEC:
            port.tell(OtherCodec(a))
        else:
            port.tell(ToneDetected(a))

    def _tell_stream(self, kind: int, subject: int, a: int, b: int) -> None:
        port = self.ports.get(subject)
        if not isinstance(port, NativeStreamPort):
            return
        if kind == _Event.FRAMES:
            port.hand_over()
        else:
            port.tell_digit(chr(a), b)

    def _hand_over_packets(self, subject: int) -> None:
        port = self.ports.get(subject)
        if isinstance(port, NativeRtpPort):
            port.hand_over()

    def _hand_over_reports(self, subject: int) -> None:
        port = self.ports.get(subject)
        if isinstance(port, NativeRtpPort):
            port.hand_over_reports()

    def _hand_over_heads(self, subject: int) -> None:
        port = self.ports.get(subject)
        if isinstance(port, NativeRtpPort):
            port.hand_over_heads()

    def _tell_token(self, token: int) -> None:
        callback = self.tokens.pop(token, None)
        if callback is not None:
            callback()

    # -- for its parts --

    def token(self, callback: Callable[[], None] | None) -> int:
        """A number to be told back; the callback is then called."""
        token = next(self._token)
        if callback is not None:
            self.tokens[token] = callback
        return token

    def post_token(self, token: int) -> None:
        """Tell a number after what was told before."""
        self.engine.post(token, 0, 0)

    def post(self, callback: Callable[[], None]) -> None:
        """Call back on the loop, after what was told before; from any thread."""
        self.post_token(self.token(callback))

    def offload(self, job: Job, done: Done) -> None:
        """Run a job that may block, in order with the others; then call back."""
        error: Exception | None = None
        try:
            job()
        except MediaError as caught:
            error = caught
        done(error)

    def log(self, text: str) -> None:
        """Say something to whoever runs it."""
        logger.warning("%s", text)

    def died(self, error: int) -> None:
        """A thread of the engine ended by itself."""

    def _check(self) -> None:
        if not self.running:
            raise EngineClosed("the media engine is stopped")
