"""Even and odd UDP ports for RTP and RTCP, out of a range (RFC 3550 11)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .engine import MediaError, NoPortsLeft

__all__ = ["PortPairs"]


class PortPairs:
    """Which pairs of a range are in use; taken in turn from a random beginning, so that none is used again soon."""

    def __init__(self, start: int, end: int) -> None:
        self._first = start + start % 2
        self._count = max(0, (end - self._first + 1) // 2)
        self._cursor = secrets.randbelow(self._count) if self._count else 0
        self._used: set[int] = set()

    def take(self, bind: str, open_pair: Callable[[int], bool]) -> int:
        """The even port of a pair that could be opened.

        open_pair answers False when one of the two is taken, and raises OSError when the address cannot be bound.
        Raises NoPortsLeft, or MediaError for such an address.
        """
        for _ in range(self._count):
            port = self._first + 2 * self._cursor
            self._cursor = (self._cursor + 1) % self._count
            if port in self._used:
                continue
            try:
                opened = open_pair(port)
            except OSError as error:
                raise MediaError(f"RTP cannot be bound to {bind}: {error.strerror or error}") from None
            if opened:
                self._used.add(port)
                return port
        last = self._first + 2 * self._count - 1
        raise NoPortsLeft(f"no free pair of RTP ports between {self._first} and {last}")

    def give_back(self, port: int) -> None:
        """The pair may be used again."""
        self._used.discard(port)
