"""Comfort noise: what is heard while the far end sends nothing because nobody speaks (RFC 3389)."""

from __future__ import annotations

from array import array

__all__ = ["ComfortNoise"]

LOUDEST_DBOV = 20
"""A level above this is no noise of a room, and would hurt: it is brought down to it."""


class ComfortNoise:
    """White noise of the level a packet told; what it says of the spectrum is not followed."""

    __slots__ = ("_heard", "_seed", "amplitude")

    def __init__(self) -> None:
        self.amplitude = 0
        """0 while there is none."""
        self._seed = 1
        self._heard = False

    def describe(self, payload: bytes) -> None:
        """A packet: its first byte is the level, in dB below overload (RFC 3389 3.1)."""
        if payload:
            level = max(LOUDEST_DBOV, payload[0] & 0x7F)
            # Of a uniform distribution, the root mean square is a third's root of the amplitude.
            self.amplitude = max(1, round(32768 * 3**0.5 * 10 ** (-level / 20)))

    def end(self) -> None:
        self.amplitude = 0
        self._heard = False

    def voice_came(self) -> None:
        """Audio arrived: noise that was not heard so far would come too late."""
        if not self._heard:
            self.end()

    def voice_heard(self) -> None:
        """A frame of audio is heard: noise that was heard is over; else the frame came before it."""
        if self._heard:
            self.end()

    def samples(self, count: int) -> bytes:
        """The next of it."""
        self._heard = True
        seed, amplitude = self._seed, self.amplitude
        noise = array("h", bytes(2 * count))
        for n in range(count):
            seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
            noise[n] = ((seed >> 16) - 32768) * amplitude >> 15
        self._seed = seed
        return noise.tobytes()
