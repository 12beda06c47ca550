"""Digits being sent: one after the other, each for its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ..codecs.host import FRAME_MS
from ..engine import DigitOut, MediaError

__all__ = ["DigitSender", "DigitSink"]

MOST_DIGITS = 1000
LEAST_MS = 40
LONGEST_MS = 8000
"""A digit passed on whose end never comes; one event packet can tell of 8191 ms at 8 kHz."""
LIVE_GAP_MS = 40


class DigitSink(Protocol):
    """How one kind of port sends a digit."""

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        """One tick of a digit: elapsed 0 begins it; a duration is given at its end, once.

        Whether this took the tick, so that nothing else may be sent in it.
        """


class _Item:
    __slots__ = ("digit", "duration_ms", "gap_ms")

    def __init__(self, digit: str, duration_ms: int | None, gap_ms: int) -> None:
        self.digit = digit
        self.duration_ms = duration_ms
        self.gap_ms = gap_ms


class DigitSender:
    """The queue of one port's digits."""

    __slots__ = ("_elapsed_ms", "_gap_ms", "_queue", "_sink")

    def __init__(self, sink: DigitSink) -> None:
        self._sink = sink
        self._queue: deque[_Item | Callable[[], None]] = deque()
        self._elapsed_ms = 0
        self._gap_ms = 0

    @property
    def idle(self) -> bool:
        """Nothing is being sent or waits."""
        return not self._queue and self._gap_ms <= 0

    def send(self, digits: Sequence[DigitOut], then: Callable[[], None]) -> None:
        """Queue digits whose duration is known."""
        if len(self._queue) + len(digits) > MOST_DIGITS:
            raise MediaError(f"{len(digits)} digits do not fit the queue of {MOST_DIGITS}")
        for digit in digits:
            duration = min(LONGEST_MS, max(LEAST_MS, digit.duration_ms))
            self._queue.append(_Item(digit.digit, duration, max(0, digit.gap_ms)))
        self._queue.append(then)

    def begin(self, digit: str) -> None:
        """Queue a digit that is still held; `end` is to follow."""
        if len(self._queue) < MOST_DIGITS:
            self._queue.append(_Item(digit, None, LIVE_GAP_MS))

    def end(self, digit: str, duration_ms: int) -> None:
        """The digit that was begun was let go."""
        for item in self._queue:
            if isinstance(item, _Item) and item.duration_ms is None and item.digit == digit:
                item.duration_ms = min(LONGEST_MS, max(LEAST_MS, duration_ms))
                return

    def tick(self, tick: int) -> bool:
        """Send this tick's part; whether it took the tick."""
        if self._gap_ms > 0:
            self._gap_ms -= FRAME_MS
            if self._gap_ms > 0:
                return False
        while self._queue and not isinstance(self._queue[0], _Item):
            self._call(self._queue.popleft())
        if not self._queue:
            return False
        item = self._queue[0]
        assert isinstance(item, _Item)
        elapsed = self._elapsed_ms
        if elapsed >= LONGEST_MS and item.duration_ms is None:
            item.duration_ms = elapsed
        if item.duration_ms is None or elapsed < item.duration_ms:
            self._elapsed_ms = elapsed + FRAME_MS
            return self._sink.digit_out(item.digit, elapsed, None, tick)
        self._queue.popleft()
        self._elapsed_ms = 0
        self._gap_ms = item.gap_ms
        taken = self._sink.digit_out(item.digit, elapsed, max(item.duration_ms, LEAST_MS), tick)
        if self._gap_ms <= 0:
            self._finish_calls()
        return taken

    def abandon(self) -> None:
        """Forget all; those who wait are told."""
        self._gap_ms = 0
        self._elapsed_ms = 0
        while self._queue:
            self._call(self._queue.popleft())

    def _finish_calls(self) -> None:
        while self._queue and not isinstance(self._queue[0], _Item):
            self._call(self._queue.popleft())

    @staticmethod
    def _call(item: _Item | Callable[[], None]) -> None:
        if not isinstance(item, _Item):
            item()
