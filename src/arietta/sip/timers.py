"""Deadlines of many state machines in one heap, and the durations of RFC 3261 table 4."""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from math import inf
from typing import Protocol

import msgspec

__all__ = ["Timed", "TimerQueue", "Timers"]

MAX_STALE = 1000
"""Entries of a heap which may mean nothing before they are counted."""


class Timers(msgspec.Struct, frozen=True):
    """The base durations in seconds (RFC 3261 17.1.1.1)."""

    t1: float = 0.5
    """Round-trip time estimate."""
    t2: float = 4.0
    """Longest interval between retransmissions."""
    t4: float = 5.0
    """Longest time a message stays in the network."""
    b: float = 0.0
    """How long an INVITE waits for its first answer, 0 for 64*T1."""

    @property
    def longest(self) -> float:
        """64*T1: timers F, H, J, L, M and the wait for an ACK."""
        return 64 * self.t1

    @property
    def timer_b(self) -> float:
        """Timer B (17.1.1.2)."""
        return self.b or self.longest


class Timed(Protocol):
    """Something with a deadline."""

    deadline: float
    """When it wants `handle_timeout`, `inf` for never."""
    queued_at: float
    """For the queue alone: the time of its earliest entry, `inf` when it has none."""

    def handle_timeout(self, now: float) -> None:
        """Act on what is due."""


class TimerQueue:
    """A heap of deadlines; moving a deadline later costs nothing until the old one comes.

    The heap knows owners by number alone, so that `forget` lets go of one at once; what it leaves in the heap is two
    numbers, which are swept out when they outnumber the others.
    """

    __slots__ = ("_count", "_heap", "_owners")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int]] = []
        self._owners: dict[int, tuple[int, Timed]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._owners)

    def schedule(self, owner: Timed) -> None:
        """Note the deadline of `owner`; call it whenever the deadline may have come nearer."""
        deadline = owner.deadline
        if deadline < owner.queued_at:
            owner.queued_at = deadline
            self._count = count = self._count + 1
            key = id(owner)
            self._owners[key] = (count, owner)
            heappush(self._heap, (deadline, count, key))

    def forget(self, owner: Timed) -> None:
        """Let go of an owner that wants nothing more, whatever its deadline was."""
        if owner.queued_at == inf:
            return
        owner.queued_at = inf
        owners = self._owners
        owners.pop(id(owner), None)
        heap = self._heap
        if len(heap) > MAX_STALE and len(heap) > 2 * len(owners):
            self._heap = [entry for entry in heap if entry[2] in owners and owners[entry[2]][0] == entry[1]]
            heapify(self._heap)

    def pop_due(self, now: float) -> Timed | None:
        """Take out one owner whose deadline has come; schedule it again after its `handle_timeout`."""
        heap, owners = self._heap, self._owners
        while heap and heap[0][0] <= now:
            _, count, key = heappop(heap)
            known = owners.get(key)
            if known is None or known[0] != count:
                continue
            del owners[key]
            owner = known[1]
            owner.queued_at = inf
            if owner.deadline <= now:
                return owner
            self.schedule(owner)
        return None

    def next_timeout(self) -> float | None:
        """The nearest deadline, None when there is none."""
        heap, owners = self._heap, self._owners
        while heap:
            when, count, key = heap[0]
            known = owners.get(key)
            if known is not None and known[0] == count:
                owner = known[1]
                deadline = owner.deadline
                if deadline <= when:
                    return when
                if deadline < inf:
                    owner.queued_at = deadline
                    self._count += 1
                    owners[key] = (self._count, owner)
                    heapreplace(heap, (deadline, self._count, key))
                    continue
                owner.queued_at = inf
                del owners[key]
            heappop(heap)
        return None
