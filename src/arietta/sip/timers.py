"""Deadlines of many state machines in one heap, and the durations of RFC 3261 table 4."""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from math import inf
from typing import Protocol

import msgspec

__all__ = ["Timed", "TimerQueue", "Timers"]


class Timers(msgspec.Struct, frozen=True):
    """The base durations in seconds (RFC 3261 17.1.1.1)."""

    t1: float = 0.5
    """Round-trip time estimate."""
    t2: float = 4.0
    """Longest interval between retransmissions."""
    t4: float = 5.0
    """Longest time a message stays in the network."""

    @property
    def longest(self) -> float:
        """64*T1: timers B, F, H, J, L, M and the wait for an ACK."""
        return 64 * self.t1


class Timed(Protocol):
    """Something with a deadline."""

    deadline: float
    """When it wants `handle_timeout`, `inf` for never."""
    queued_at: float
    """For the queue alone: the time of its earliest entry, `inf` when it has none."""

    def handle_timeout(self, now: float) -> None:
        """Act on what is due."""


class TimerQueue:
    """A heap of deadlines; moving a deadline later costs nothing until the old one comes."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def schedule(self, owner: Timed) -> None:
        """Note the deadline of `owner`; call it whenever the deadline may have come nearer."""
        deadline = owner.deadline
        if deadline < owner.queued_at:
            owner.queued_at = deadline
            self._count += 1
            heappush(self._heap, (deadline, self._count, owner))

    def pop_due(self, now: float) -> Timed | None:
        """Take out one owner whose deadline has come; schedule it again after its `handle_timeout`."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            when, _, owner = heappop(heap)
            if when == owner.queued_at:
                owner.queued_at = inf
                if owner.deadline <= now:
                    return owner
                if owner.deadline < inf:
                    self.schedule(owner)
        return None

    def next_timeout(self) -> float | None:
        """The nearest deadline, None when there is none."""
        heap = self._heap
        while heap:
            when, _, owner = heap[0]
            if when == owner.queued_at:
                if owner.deadline <= when:
                    return when
                if owner.deadline < inf:
                    owner.queued_at = owner.deadline
                    self._count += 1
                    heapreplace(heap, (owner.deadline, self._count, owner))
                    continue
                owner.queued_at = inf
            heappop(heap)
        return None
