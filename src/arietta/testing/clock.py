"""Time that passes only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["VirtualClock"]

START = 1000.0
EPOCH = 1_795_305_600.0  # 2026-11-22 00:00:00 UTC


class VirtualClock:
    """A clock in seconds that stands still between two `advance_to`."""

    __slots__ = ("_epoch", "_start", "now")

    def __init__(self, start: float = START, epoch: float = EPOCH) -> None:
        """`start` is the first reading; `epoch` the seconds since 1970 that it stands for."""
        self.now = start
        self._start = start
        self._epoch = epoch

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.now - self._start

    @property
    def wall(self) -> datetime:
        """The date and time it shows, in UTC."""
        return datetime.fromtimestamp(self._epoch + self.elapsed, UTC)

    def advance_to(self, when: float) -> None:
        """Show `when`, unless that is past: a clock does not go back."""
        if when > self.now:
            self.now = when
