"""Ports whose far end is in this process: pipes, streams of Python code, snoops, a mixer's own."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from ..codecs import CODECS, Codec
from ..codecs.host import FRAME_MS, host_codec
from ..engine import DigitHandler, EventHandler, FrameHandler, MediaError, MediaStarted, Side
from .frame import Converter, Frame, mixed
from .port import BasePort

if TYPE_CHECKING:
    from .core import Core

__all__ = ["MixPort", "PipePort", "SnoopPort", "StreamUnit"]

MOST_FRAMES = 10
MOST_UNREAD = 100
"""Frames for Python code that its loop did not take yet; older ones are dropped."""


class _InboxPort(BasePort):
    """A port that is given whole frames."""

    sends_in_its_codec = False

    def __init__(self, core: Core, on_event: EventHandler | None) -> None:
        super().__init__(core, host_codec(8000), on_event)
        self._inbox: deque[Frame] = deque(maxlen=MOST_FRAMES)
        self._started = False

    def give(self, frame: Frame) -> None:
        """A frame of the far end."""
        if self.closed:
            return
        if not self._started:
            self._started = True
            self._tell(MediaStarted())
        if self.hearing:
            self._inbox.append(frame)
            self.core.activate(self)

    def _pull(self, tick: int) -> Frame | None:
        return self._inbox.popleft() if self._inbox else None

    def _waiting(self) -> bool:
        return bool(self._inbox)

    def _discard(self) -> None:
        self._inbox.clear()


class PipePort(_InboxPort):
    """One of two crossed ends."""

    peer: PipePort | None = None

    def _send_frame(self, frame: Frame, tick: int) -> None:
        if self.peer is not None:
            self.peer.give(frame)

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        peer = self.peer
        if peer is None or peer.closed or self.muted_out:
            return True
        if duration_ms is not None:
            peer.digit_ended(digit, duration_ms)
        elif elapsed_ms == 0:
            peer.digit_began(digit)
        return True

    def _release(self) -> None:
        if self.peer is not None:
            self.peer.peer = None
            self.peer = None


class SnoopPort(_InboxPort):
    """Hears what another port receives and sends; whispers into it."""

    def __init__(self, core: Core, target: BasePort, spy: Side, whisper: Side, on_event: EventHandler) -> None:
        super().__init__(core, on_event)
        self._target: BasePort | None = target
        self._spy = spy
        self._whisper = whisper
        self._mixers = (Converter(), Converter())

    def overhear(self, received: Frame | None, sent: Frame | None) -> None:
        """The target's tick."""
        heard = received if self._spy in (Side.IN, Side.BOTH) else None
        if self._spy in (Side.OUT, Side.BOTH) and sent is not None:
            rate = max(heard.rate, sent.rate) if heard is not None else sent.rate
            heard = mixed(heard, sent, rate, self._mixers)
        if heard is not None:
            self.give(heard)

    def target_closed(self) -> None:
        self._target = None

    def _send_frame(self, frame: Frame, tick: int) -> None:
        target = self._target
        if target is None:
            return
        if self._whisper in (Side.OUT, Side.BOTH):
            target.whispers_out.append(frame)
        if self._whisper in (Side.IN, Side.BOTH):
            target.whispers_in.append(frame)
        if self._whisper is not Side.NONE:
            self.core.activate(target)

    def _release(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            target.remove_snoop(self)


class MixPort(BasePort):
    """A mixer's announcer or recorder: what it plays goes into the mix, its recordings are of the mix."""

    two_sided = False

    def __init__(self, core: Core, on_event: EventHandler | None) -> None:
        super().__init__(core, host_codec(8000), on_event)

    def tick_in(self, tick: int) -> None:
        """Its far end is the mix: what it plays is what the others are offered."""
        payload = self.player.next(tick) if self.player is not None else None
        if payload is None and self._generator is not None:
            payload = self._generator.next(tick)
        if payload is not None and self.mixer is not None and not self.muted_out:
            self.mixer.offer(self, Frame(self._codec, payload))

    def tick_out(self, tick: int) -> None:
        incoming, self.incoming = self.incoming, None
        self.frame_in = self._at_heard_rate(incoming) if incoming is not None else None
        if self.digits is not None:
            self._tick_digits(tick)

    def tick_taps(self, tick: int) -> None:
        super().tick_taps(tick)
        if self._talk is not None:
            self._detect(self.frame_in)
        self.frame_in = None

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        if self.mixer is not None:
            if duration_ms is not None:
                self.mixer.digit_ended(self, digit, duration_ms)
            elif elapsed_ms == 0:
                self.mixer.digit_began(self, digit)
        return False

    def pass_digit_began(self, digit: str) -> None:
        """A mix has nobody to press keys at."""

    @property
    def heard_rate(self) -> int | None:
        """That of its best recording, so that a mix which changes its rate is one sound in the file."""
        return max((one.rate for one in self.recorders if not one.keeps_apart), default=None)

    @property
    def working(self) -> bool:
        """It plays or records, so it counts as a member."""
        return bool(self.player is not None or self._generator is not None or self.overheard)


class StreamUnit(BasePort):
    """A port whose far end is Python code."""

    def __init__(
        self,
        core: Core,
        format: str,
        on_event: EventHandler,
        on_frame: FrameHandler,
        on_digit: DigitHandler | None,
        buffer_ms: int,
    ) -> None:
        found = CODECS.get(format)
        if found is None or found.frame_bytes == 0:
            fixed = [name for name, form in CODECS.items() if form.frame_bytes > 0]
            raise MediaError(f"no stream format {format!r}; there are {', '.join(fixed)}")
        codec: Codec = host_codec(found.rate) if found.linear else found
        super().__init__(core, codec, on_event)
        self._on_frame: FrameHandler | None = on_frame
        self._on_digit = on_digit
        self._unread: deque[bytes] = deque(maxlen=MOST_UNREAD)
        self._buffer = bytearray()
        self._size = codec.bytes_of(FRAME_MS)
        self._limit = max(self._size, codec.bytes_of(max(FRAME_MS, buffer_ms)))
        self._decode = codec.decoder()
        self._started = False
        self._held = 0
        self._dropped_ms = 0

    def push(self, data: bytes) -> None:
        with self.core.lock:
            if self.closed or not data:
                return
            if not self._started:
                self._started = True
                self._tell(MediaStarted())
            if not self.hearing:
                return
            self._buffer += data
            excess = len(self._buffer) - self._limit
            if excess > 0:  # whole ticks go, so that frames stay whole
                ticks = -(-excess // self._size)
                del self._buffer[: ticks * self._size]
                self._dropped_ms += ticks * FRAME_MS
            self.core.activate(self)

    def flush(self) -> None:
        with self.core.lock:
            self._buffer.clear()

    @property
    def buffered_ms(self) -> int:
        with self.core.lock:
            return len(self._buffer) * self._codec.frame_ms // self._codec.frame_bytes

    @property
    def dropped_ms(self) -> int:
        return 0 if self.closed else self._dropped_ms

    def digit(self, digit: str, duration_ms: int) -> None:
        with self.core.lock:
            if not self.closed and digit in "0123456789*#ABCD" and len(digit) == 1:
                self.digit_began(digit)
                self.digit_ended(digit, duration_ms)

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        on_digit = self._on_digit
        if on_digit is None:
            return super().digit_out(digit, elapsed_ms, duration_ms, tick)
        if duration_ms is not None and not self.closed and not self.muted_out:
            self.core.emit_plain(partial(on_digit, digit, duration_ms))
        return True

    def _pull(self, tick: int) -> Frame | None:
        buffer, size = self._buffer, self._size
        if len(buffer) >= size:
            self._held = 0
            payload = bytes(buffer[:size])
            del buffer[:size]
            return Frame(self._codec, payload, self._decode)
        if buffer:
            self._held += 1
            if self._held > 2:  # a last piece shorter than a frame: no more is coming in time
                self._held = 0
                rest = self._codec.silence[len(buffer) : size]
                payload = bytes(buffer) + rest
                buffer.clear()
                return Frame(self._codec, payload, self._decode) if len(payload) == size else None
        return None

    def _waiting(self) -> bool:
        return bool(self._buffer)

    def _discard(self) -> None:
        self._buffer.clear()

    def _send_payload(self, payload: bytes, tick: int) -> None:
        self._unread.append(payload)
        if len(self._unread) == 1:
            self.core.emit_plain(self._hand_over)

    def _hand_over(self) -> None:
        """On the loop's thread: give what has gathered."""
        handler = self._on_frame
        while self._unread and handler is not None:
            handler(self._unread.popleft())

    def _release(self) -> None:
        self._buffer.clear()
        self._unread.clear()
        self._on_frame = self._on_digit = None
