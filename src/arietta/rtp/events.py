"""Telephone events: digits as RTP payloads (RFC 4733)."""

from __future__ import annotations

import msgspec

from .errors import ProtocolError
from .sequence import timestamp_difference

__all__ = ["DIGITS", "DigitReceiver", "TelephoneEvent"]

DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 in order (RFC 4733 3.2)."""

LONGEST_SEGMENT = 0xFFFF


class TelephoneEvent(msgspec.Struct, frozen=True, gc=False):
    """The four bytes of one event report (RFC 4733 2.3)."""

    event: int
    """0 to 255; 0 to 15 are the digits."""
    end: bool
    volume: int
    """dBm0 without its sign, 0 to 63."""
    duration: int
    """Since the packet's timestamp, in its units, 0 to 65535."""

    @classmethod
    def parse(cls, payload: bytes) -> TelephoneEvent:
        """The first report of a payload (redundancy after it is ignored); ProtocolError when too short."""
        if len(payload) < 4:
            raise ProtocolError(f"telephone-event of {len(payload)} bytes is shorter than 4")
        return cls(payload[0], payload[1] > 0x7F, payload[1] & 0x3F, int.from_bytes(payload[2:4], "big"))

    def __bytes__(self) -> bytes:
        return bytes((self.event, (self.end << 7) | self.volume, self.duration >> 8, self.duration & 0xFF))


class DigitReceiver:
    """Turns event packets, which repeat and get lost, into one begin and one end for each digit.

    A digit is its packets' timestamp: later packets of it lengthen it, the end may come three times, or never; then
    the next digit or `silent` ends it. Long events in segments (RFC 4733 2.5.1.3) are one digit.
    """

    __slots__ = ("_digit", "_ended", "_length", "_seen", "_start")

    def __init__(self) -> None:
        self._digit: str | None = None
        self._start = 0
        self._seen = 0
        self._length = 0
        self._ended: int | None = None

    @property
    def digit(self) -> str | None:
        """The digit that is held at the moment."""
        return self._digit

    def receive(self, timestamp: int, report: TelephoneEvent) -> list[tuple[str, int | None]]:
        """What one report tells: (digit, None) begins, (digit, duration in clock units) ends."""
        if report.event >= len(DIGITS):
            return []
        if self._ended is not None and timestamp_difference(timestamp, self._ended) <= 0:
            return []  # repetitions of an end, and what was overtaken by it
        digit = DIGITS[report.event]
        told: list[tuple[str, int | None]] = []
        if self._digit is not None and timestamp != self._seen:
            next_segment = (
                digit == self._digit
                and self._length >= LONGEST_SEGMENT // 2
                and timestamp == (self._seen + self._length) & 0xFFFFFFFF
            )
            if next_segment:
                self._seen = timestamp
                self._length = 0
            elif timestamp_difference(timestamp, self._seen) < 0:
                return []
            else:
                told += self._finish()
        if self._digit is None:
            self._digit, self._start, self._seen, self._length = digit, timestamp, timestamp, 0
            told.append((digit, None))
        elif digit != self._digit:
            return told
        self._length = max(self._length, report.duration)
        if report.end:
            told += self._finish()
        return told

    def silent(self) -> list[tuple[str, int | None]]:
        """Give up waiting for the end of a digit whose packets stopped coming."""
        return self._finish() if self._digit is not None else []

    def _finish(self) -> list[tuple[str, int | None]]:
        digit = self._digit
        if digit is None:
            return []
        duration = timestamp_difference(self._seen, self._start) + self._length
        self._digit, self._ended = None, self._seen
        return [(digit, duration)]
