"""Audio that programs send faster than it is heard: queued in order, and given to the port at its own pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from arietta.media.engine import StreamPort

FRAME_SECONDS = 0.02
AHEAD_SECONDS = 0.1
"""How much of the audio is inside the port: what a flush cannot take back by the queue alone, the port forgets."""
PORT_BUFFER_MS = 400
"""What the port must be able to hold (`buffer_ms` of `open_stream`): its clock and ours differ a little."""


class PacedAudio:
    """A queue of 20 ms frames, with marks between them that are told when all before them has been given.

    It never grows by itself: whoever puts looks at `frames` and holds the far end back. Between `high` and `low` frames
    nothing is told; `on_high` and `on_low` are told once each, in turns.
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
    ) -> None:
        self.frames = 0
        self.paused = False
        self._loop = loop
        self._port = port
        self._high, self._low = high, low
        self._on_high, self._on_low = on_high, on_low
        self._is_high = False
        self._queue: deque[bytes | Callable[[], None]] = deque()
        self._heard_until = 0.0  # loop time at which everything that was given has been heard
        self._timer: asyncio.TimerHandle | None = None
        self._on_drained: Callable[[], None] | None = None

    def put(self, frame: bytes) -> None:
        """Queue one frame of 20 ms."""
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

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self) -> None:
        self._timer = None
        now = self._loop.time()
        queue = self._queue
        until = max(self._heard_until, now)
        while queue and not self.paused:
            item = queue[0]
            if not isinstance(item, bytes):
                queue.popleft()
                item()
                continue
            if until - now > AHEAD_SECONDS - FRAME_SECONDS / 2 or not self._port.push(item):
                break
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
