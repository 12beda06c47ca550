"""Audio that programs send faster than it is heard: queued in order, and given to the port at its own pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from arietta.media.engine import StreamPort

FRAME_SECONDS = 0.02
AHEAD_SECONDS = 0.1
"""How much of the audio is inside the port: what a flush cannot take back by the queue alone, the port forgets."""
MOST_INSIDE_MS = 200
"""More than that in the port means that its clock has fallen behind ours: it gets no more until it has caught up."""
PORT_BUFFER_MS = 400
"""What the port must be able to hold (`buffer_ms` of `open_stream`): its clock and ours differ a little."""


SLOT_SECONDS = 0.5
SLOTS = 8
FEWEST, MOST = 12, 40
"""Frames of half a second from a program that speaks as fast as it is heard, whatever pieces it sends."""
FEWEST_OF_ALL, MOST_OF_ALL = 190, 210
LATE_FRAMES, KEPT_FRAMES = 10, 5
"""A backlog that never was below the first is cut to the second: 200 and 100 ms."""


class StandingDelay:
    """Finds audio that is late for ever: a live program that was stuck once, and whose backlog never gets less.

    A program that sends a whole file at once is told apart by its pace. It is looked at for four seconds in which each
    half second brought about half a second of audio; a program ahead of time brings more, or is held back.
    """

    def __init__(self) -> None:
        self._slots: list[int] = []
        self._count = 0
        self._least = 0
        self._slot_end = float("-inf")

    def excess(self, now: float, waiting: int) -> int:
        """A frame arrives while so many wait: how many of those, the oldest, are a delay that does not go away."""
        excess = 0
        if now >= self._slot_end:
            excess = self._end_slot(now)
        self._count += 1
        self._least = min(self._least, waiting)
        return excess

    def _end_slot(self, now: float) -> int:
        excess = 0
        late = now >= self._slot_end + SLOT_SECONDS
        if late or not FEWEST <= self._count <= MOST:
            self._begin(now)
        else:
            self._slots.append(self._count)
            if len(self._slots) == SLOTS:
                if FEWEST_OF_ALL <= sum(self._slots) <= MOST_OF_ALL and self._least > LATE_FRAMES:
                    excess = self._least - KEPT_FRAMES
                self._begin(now)
        self._slot_end = (now if not self._slots else self._slot_end) + SLOT_SECONDS
        self._count = 0
        return excess

    def _begin(self, now: float) -> None:
        self._slots.clear()
        self._least = 1 << 30


class PacedAudio:
    """A queue of 20 ms frames, with marks between them that are told when all before them has been given.

    It never grows by itself: whoever puts looks at `frames` and holds the far end back. Between `high` and `low` frames
    nothing is told; `on_high` and `on_low` are told once each, in turns. With `live` a delay that stays is cut from the
    old end, and counted in `dropped`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        port: StreamPort,
        *,
        high: int,
        low: int,
        on_high: Callable[[], None],
        on_low: Callable[[], None],
        live: bool = False,
    ) -> None:
        self.frames = 0
        self.dropped = 0
        """Frames that were never heard, because they were late."""
        self.paused = False
        self._loop = loop
        self._port = port
        self._high, self._low = high, low
        self._on_high, self._on_low = on_high, on_low
        self._is_high = False
        self._delay = StandingDelay() if live else None
        self._queue: deque[bytes | Callable[[], None]] = deque()
        self._heard_until = 0.0  # loop time at which everything that was given has been heard
        self._timer: asyncio.TimerHandle | None = None
        self._on_drained: Callable[[], None] | None = None

    def put(self, frame: bytes) -> None:
        """Queue one frame of 20 ms."""
        if self._delay is not None:
            self._drop(self._delay.excess(self._loop.time(), self.frames))
        self._queue.append(frame)
        self.frames += 1
        if self._timer is None:
            self._pump()
        if self.frames >= self._high and not self._is_high:
            self._is_high = True
            self._on_high()

    def mark(self, reached: Callable[[], None]) -> None:
        """Be told when everything before this place has been given to the port."""
        self._queue.append(reached)
        if self._timer is None:
            self._pump()

    def when_drained(self, told: Callable[[], None]) -> None:
        """Be told, once, when nothing is left to be heard."""
        self._on_drained = told
        if self._timer is None:
            self._pump()

    def clear(self) -> None:
        """Forget what was not heard yet, and the marks in it."""
        self._queue.clear()
        self.frames = 0
        self._port.flush()
        self._heard_until = self._loop.time()
        self._stop_timer()
        self._pump()

    def pause(self) -> None:
        """Keep what is queued; what the port already has is still heard."""
        self.paused = True

    def resume(self) -> None:
        """Go on where it was paused."""
        self.paused = False
        if self._timer is None:
            self._pump()

    def close(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self.frames = 0
        self._on_drained = None
        self._stop_timer()

    def _drop(self, count: int) -> None:
        """The oldest frames leave; a mark among them is reached."""
        while count > 0 and self._queue:
            item = self._queue.popleft()
            if isinstance(item, bytes):
                count -= 1
                self.frames -= 1
                self.dropped += 1
            else:
                item()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self) -> None:
        self._timer = None
        now = self._loop.time()
        queue = self._queue
        until = max(self._heard_until, now)
        behind = bool(queue) and self._port.buffered_ms > MOST_INSIDE_MS
        while queue and not self.paused:
            item = queue[0]
            if not isinstance(item, bytes):
                queue.popleft()
                item()
                continue
            if until - now > AHEAD_SECONDS - FRAME_SECONDS / 2 or behind:
                break
            self._port.push(item)
            queue.popleft()
            self.frames -= 1
            until += FRAME_SECONDS
        self._heard_until = until
        if self._is_high and self.frames < self._low:
            self._is_high = False
            self._on_low()
        if queue and not self.paused:
            self._timer = self._loop.call_at(max(now + FRAME_SECONDS, until - AHEAD_SECONDS / 2), self._pump)
        elif self._on_drained is not None and not queue:
            if until <= now:
                told, self._on_drained = self._on_drained, None
                told()
            else:
                self._timer = self._loop.call_at(until, self._pump)
