"""What is heard in audio: talk, single tones, digits as tones."""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from operator import mul

from .frame import FRAME_MS, level

__all__ = ["InbandDigits", "TalkDetector", "ToneDetector", "power"]

DIGIT_FREQUENCIES = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
PAD = "123A456B789C*0#D"
ON_FRAMES = 2
OFF_FRAMES = 2
LEAST_LEVEL = 200
TWIST = 8.0
"""Greatest ratio of the two tones' powers, either way (9 dB)."""
PURITY = 0.6
"""Least share of the frame's power in the two tones."""


@lru_cache(maxsize=256)
def _wave(frequency: float, rate: int, count: int) -> tuple[list[float], list[float]]:
    step = 2 * math.pi * frequency / rate
    return [math.cos(step * n) for n in range(count)], [math.sin(step * n) for n in range(count)]


def power(samples: array[int], frequency: float, rate: int) -> float:
    """Mean square of the samples' part at a frequency (one bin of a discrete Fourier transform)."""
    count = len(samples)
    if not count:
        return 0.0
    cosine, sine = _wave(frequency, rate, count)
    real: float = sum(map(mul, samples, cosine))
    imaginary: float = sum(map(mul, samples, sine))
    return 2 * (real * real + imaginary * imaginary) / (count * count)


class TalkDetector:
    """Begins with the first loud frame, ends after enough silence."""

    __slots__ = ("_silence_ms", "_silent_ms", "_talked_ms", "_threshold", "talking")

    def __init__(self, threshold: int, silence_ms: int) -> None:
        self._threshold = threshold
        self._silence_ms = silence_ms
        self._silent_ms = 0
        self._talked_ms = 0
        self.talking = False

    def hear(self, samples: bytes | None) -> int | None:
        """One frame (None is silence): 0 when talk begins, its duration in ms when it ended, else None."""
        loud = samples is not None and level(samples) >= self._threshold
        if not self.talking:
            if not loud:
                return None
            self.talking = True
            self._silent_ms = 0
            self._talked_ms = FRAME_MS
            return 0
        self._talked_ms += FRAME_MS
        if loud:
            self._silent_ms = 0
            return None
        self._silent_ms += FRAME_MS
        if self._silent_ms < self._silence_ms:
            return None
        self.talking = False
        return self._talked_ms - self._silent_ms


class ToneDetector:
    """Hears one frequency for long enough; once per tone."""

    __slots__ = ("_duration_ms", "_heard_ms", "_told", "frequency", "repeats")

    def __init__(self, frequency: int, duration_ms: int, repeats: int) -> None:
        self.frequency = frequency
        self._duration_ms = duration_ms
        self.repeats = repeats
        """How often it may still be told; 0 is for ever, -1 no more."""
        self._heard_ms = 0
        self._told = False

    def hear(self, samples: bytes | None, rate: int) -> bool:
        """One frame: whether the tone has just lasted long enough."""
        if not self._contains(samples, rate):
            self._heard_ms = 0
            self._told = False
            return False
        self._heard_ms += FRAME_MS
        if self._told or self._heard_ms < self._duration_ms:
            return False
        self._told = True
        if self.repeats > 0:
            self.repeats = self.repeats - 1 or -1
        return True

    def _contains(self, samples: bytes | None, rate: int) -> bool:
        if samples is None:
            return False
        total = level(samples)
        if total < LEAST_LEVEL:
            return False
        return power(array("h", samples), self.frequency, rate) > PURITY * total * total


class InbandDigits:
    """Digits as pairs of tones (ITU-T Q.23, Q.24): 40 ms to begin, 40 ms of something else to end."""

    __slots__ = ("_absent", "_candidate", "_count", "_held_ms", "digit")

    def __init__(self) -> None:
        self.digit: str | None = None
        self._candidate: str | None = None
        self._count = 0
        self._absent = 0
        self._held_ms = 0

    def hear(self, samples: bytes | None, rate: int) -> tuple[str, int | None] | None:
        """One frame: (digit, None) when one begins, (digit, duration in ms) when it ended."""
        heard = self._classify(samples, rate) if samples is not None else None
        if self.digit is not None:
            self._held_ms += FRAME_MS
            if heard == self.digit:
                self._absent = 0
                return None
            self._absent += 1
            if self._absent < OFF_FRAMES:
                return None
            ended = (self.digit, self._held_ms - self._absent * FRAME_MS)
            self.digit, self._candidate, self._count = None, heard, 1
            return ended
        if heard is None or heard != self._candidate:
            self._candidate, self._count = heard, 1
            return None
        self._count += 1
        if self._count < ON_FRAMES:
            return None
        self.digit = heard
        self._absent = 0
        self._held_ms = self._count * FRAME_MS
        return heard, None

    def _classify(self, samples: bytes | None, rate: int) -> str | None:
        if samples is None:
            return None
        total = level(samples)
        if total < LEAST_LEVEL:
            return None
        data = array("h", samples)
        powers = [power(data, frequency, rate) for frequency in DIGIT_FREQUENCIES]
        row = max(range(4), key=powers.__getitem__)
        column = max(range(4, 8), key=powers.__getitem__)
        low, high = powers[row], powers[column]
        if low + high < PURITY * total * total or not 1 / TWIST < low / max(high, 1e-9) < TWIST:
            return None
        return PAD[row * 4 + column - 4]
