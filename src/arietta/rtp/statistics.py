"""What a receiver counts about one source (RFC 3550 A.1, A.3, A.8)."""

from __future__ import annotations

__all__ = ["ReceiverStatistics"]

MAX_DROPOUT = 3000
MAX_MISORDER = 100


class ReceiverStatistics:
    """Sequence, loss and jitter of one synchronization source."""

    __slots__ = (
        "_bad_sequence",
        "_base",
        "_cycles",
        "_expected_prior",
        "_jitter16",
        "_max",
        "_received_prior",
        "_transit",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        """Packets that counted, late ones and duplicates too."""
        self._jitter16 = 0
        self._transit: int | None = None
        self._base = self._max = sequence
        self._cycles = 0
        self._bad_sequence = -1
        self._expected_prior = 0
        self._received_prior = 0

    def update(self, sequence: int, timestamp: int, arrival: int) -> bool:
        """Count one packet; arrival is its time in units of the source's clock.

        False: its sequence number makes an unexplained jump, and it is not counted (A.1); a second packet after the
        jump is a restart of the source.
        """
        step = (sequence - self._max) & 0xFFFF
        if step < MAX_DROPOUT:
            if sequence < self._max:
                self._cycles += 0x10000
            self._max = sequence
        elif step <= 0x10000 - MAX_MISORDER:
            if sequence != self._bad_sequence:
                self._bad_sequence = (sequence + 1) & 0xFFFF
                return False
            self._restart(sequence)
        self.received += 1
        transit = (arrival - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            change = ((transit - self._transit + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            self._jitter16 += abs(change) - ((self._jitter16 + 8) >> 4)
        self._transit = transit
        return True

    @property
    def jitter(self) -> int:
        """Interarrival jitter in units of the source's clock (A.8)."""
        return self._jitter16 >> 4

    @property
    def highest_sequence(self) -> int:
        """Extended highest sequence number received."""
        return (self._cycles + self._max) & 0xFFFFFFFF

    @property
    def expected(self) -> int:
        """How many packets the sequence numbers say were sent."""
        return self._cycles + self._max - self._base + 1

    @property
    def lost(self) -> int:
        """Packets lost since the beginning; negative with duplicates (A.3), within signed 24 bits."""
        return max(-0x800000, min(0x7FFFFF, self.expected - self.received)) if self.received else 0

    def fraction_lost(self) -> int:
        """Loss of 256 since the last call (A.3)."""
        expected = self.expected - self._expected_prior
        received = self.received - self._received_prior
        self._expected_prior = self.expected
        self._received_prior = self.received
        lost = expected - received
        return min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0

    def _restart(self, sequence: int) -> None:
        self._base = self._max = sequence
        self._cycles = 0
        self._bad_sequence = -1
        self._expected_prior = 0
        self._received_prior = 0
        self.received = 0
