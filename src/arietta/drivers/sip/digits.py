"""DTMF digits in SIP INFO, as ``application/dtmf-relay`` and ``application/dtmf``."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arietta.media.engine import DigitOut
from arietta.sip.message import Request

log = logging.getLogger(__name__)

DIGITS = "0123456789*#ABCD"
DEFAULT_DURATION_MS = 250
MAX_QUEUED = 1000


@dataclass(frozen=True, slots=True)
class InfoDigit:
    """A digit that came in an INFO."""

    digit: str
    duration_ms: int


def read_info_digit(request: Request) -> InfoDigit | None:
    """The digit an INFO carries, or None. 10 and 11 stand for ``*`` and ``#``."""
    kind = request.content_type.lower()
    text = request.body.decode("ascii", "replace")
    signal, duration = "", DEFAULT_DURATION_MS
    if kind == "application/dtmf-relay":
        for line in text.splitlines():
            name, _, value = line.partition("=")
            value = value.strip()
            if name.strip().lower() == "signal":
                signal = value
            elif name.strip().lower() == "duration" and value.isdigit() and len(value) < 7:
                duration = int(value)
    elif kind == "application/dtmf":
        signal = text.strip()
    signal = {"10": "*", "11": "#"}.get(signal, signal).upper()
    return InfoDigit(signal, duration) if len(signal) == 1 and signal in DIGITS else None


class InfoDigits:
    """Sends digits one after the other, each in an INFO of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._send = send
        self._queue: deque[tuple[DigitOut | None, Callable[[], None] | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None) -> None:
        """Send digits after those that wait; `on_end` is told after the last gap."""
        room = MAX_QUEUED - len(self._queue)
        if len(digits) > room:
            log.warning("%d digits are not sent: %d wait already, which is the limit", len(digits) - room, MAX_QUEUED)
        for digit in digits[: max(0, room)]:
            if digit.digit in DIGITS:
                self._queue.append((digit, None))
        self._queue.append((None, on_end))
        if self._timer is None:
            self._step()

    def stop(self) -> None:
        """Send nothing more; whoever waits is told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            _, on_end = self._queue.popleft()
            if on_end is not None:
                on_end()

    def _step(self) -> None:
        self._timer = None
        while self._queue:
            digit, on_end = self._queue.popleft()
            if digit is None:
                if on_end is not None:
                    on_end()
                continue
            self._send(f"Signal={digit.digit}\r\nDuration={digit.duration_ms}\r\n".encode())
            self._timer = self._loop.call_later((digit.duration_ms + digit.gap_ms) / 1000, self._step)
            return
