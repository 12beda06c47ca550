"""What is heard in audio: talk, single tones, digits as tones.

All of it is integer arithmetic on tables of 14 bits, so the engine in C decides the same.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from operator import add, mul
from typing import NamedTuple

from ..codecs.host import FRAME_MS
from .frame import level

__all__ = ["InbandDigits", "TalkDetector", "ToneDetector", "correlation"]

SHIFT = 14
"""Bits after the point of a table's sines."""
ONE = 1 << SHIFT
LEAST_LEVEL = 200
"""Root mean square below which no single tone is looked for."""

DIGIT_FREQUENCIES = (697, 770, 852, 941, 1209, 1336, 1477, 1633)  # ITU-T Q.23
PAD = "123A456B789C*0#D"
HOPS_PER_SECOND = 200
HOP_MS = 1000 // HOPS_PER_SECOND
BASE_RATE = 8000
"""Higher rates are averaged down to at least this."""
WINDOW_HOPS = 4
"""A window is 20 ms: two blocks of 10 ms, one after the other."""
ON_WINDOWS = 4
"""Windows in a row that make a digit, each a hop after the last: 35 ms, inside any 40 ms."""
STEADY_HOPS = WINDOW_HOPS + ON_WINDOWS - 1
OFF_WINDOWS = 2
"""Windows in a row without it that end a digit: a drop-out of 10 ms leaves half a window, a pause of 30 ms nothing."""
EDGE_MS = 20
"""What a window that still counts reaches beyond the end of a digit."""
LEAST_POWER = 20_000
"""Mean square of the weaker tone: -41 dBm0 (0 dBm0 of G.711 is an amplitude of 22300)."""
TWIST = 12
"""Greatest ratio of the two tones' powers, either way: Q.24 asks for 8 dB one way, 4 dB the other, and
frequencies off by 1.5 % and noise take their share of a block."""
PURITY = 70
"""Least percentage of a window's energy in the two tones, as far as they are seen at their nominal frequencies."""
CLEAR = 91
"""The same where a digit begins, at the frequencies the tones have. Voices and music have harmonics as well, and
nearly always miss it; noise 15 dB below the tones takes 3, and may take 7."""
HELD = 30
"""The same of a digit that is held: what is left of it around a drop-out is short, so its lines are wide."""
FADE = 10
"""A window in which a tone's power is less than the digit's by this factor does not belong to it."""
MOST_TOLD = 4
"""Beginnings and ends that wait to be told, one a frame: no digit begins while its end would be one too many."""
TOLERANCE = 0.0235
"""Frequencies nearer than this are meant: Q.24 asks for 1.5 % to be taken and 3.5 % to be refused."""


def _turns(frequency: float, rate: int, count: int) -> tuple[list[int], list[int]]:
    step = 2 * math.pi * frequency / rate
    cosine = [round(math.cos(step * n) * ONE) for n in range(count)]
    return cosine, [round(math.sin(step * n) * ONE) for n in range(count)]


@lru_cache(maxsize=64)
def _wave(frequency: int, rate: int, count: int) -> tuple[list[int], list[int]]:
    return _turns(frequency, rate, count)


def correlation(samples: Sequence[int], wave: tuple[list[int], list[int]]) -> int:
    """Squared magnitude of the samples' part at a wave's frequency: (amplitude * count / 2) ** 2."""
    cosine, sine = wave
    real: int = sum(map(mul, samples, cosine)) >> SHIFT
    imaginary: int = sum(map(mul, samples, sine)) >> SHIFT
    return real * real + imaginary * imaginary


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
        if samples is None or not self._contains(samples, rate):
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

    def _contains(self, samples: bytes, rate: int) -> bool:
        """Whether the frequency has more than 0.6 of the frame's power."""
        total = level(samples)
        if total < LEAST_LEVEL:
            return False
        count = len(samples) // 2
        power = correlation(array("h", samples), _wave(self.frequency, rate, count))
        return 20 * power > 6 * total * total * count * count


class _Tables:
    """What a rate needs: the frequencies as tables of a block, and as angles."""

    def __init__(self, rate: int) -> None:
        self.factor = rate // BASE_RATE
        self.rate = reduced = rate // self.factor
        self.hop = reduced // HOPS_PER_SECOND
        self.waves = [_turns(frequency, reduced, 2 * self.hop) for frequency in DIGIT_FREQUENCIES]
        # Of each frequency: its turn in a hop and in a block, and how far from it one at the tolerance has turned.
        self.hops = [_angle(frequency, reduced, self.hop) for frequency in DIGIT_FREQUENCIES]
        self.turns = [_angle(frequency, reduced, 2 * self.hop) for frequency in DIGIT_FREQUENCIES]
        self.limits = [_angle(frequency * TOLERANCE, reduced, 2 * self.hop) for frequency in DIGIT_FREQUENCIES]
        count = STEADY_HOPS * self.hop
        self.window = [round((0.5 - 0.5 * math.cos(2 * math.pi * (n + 0.5) / count)) * ONE) for n in range(count)]


@lru_cache(maxsize=16)
def _tables(rate: int) -> _Tables:
    return _Tables(rate)


def _angle(frequency: float, rate: int, count: int) -> tuple[int, int]:
    """Cosine and sine of what a frequency turns in so many samples."""
    angle = 2 * math.pi * frequency / rate * count
    return round(math.cos(angle) * ONE), round(math.sin(angle) * ONE)


class _Hop(NamedTuple):
    """What is kept of 5 ms."""

    samples: list[int]
    energy: int
    block: list[tuple[int, int]]
    """Real and imaginary part at each frequency, of the block of 10 ms that ends with this hop."""


NO_PARTS = [(0, 0)] * len(DIGIT_FREQUENCIES)


class InbandDigits:
    """Digits as pairs of tones (ITU-T Q.23, Q.24).

    Every 5 ms the last 20 ms are looked at: the two tones of a digit must have nearly all of the energy. Four such
    windows in a row, steady, with both frequencies near enough, are a digit: every one of 40 ms, wherever it begins.
    """

    __slots__ = (
        "_candidate",
        "_count",
        "_hops",
        "_missed",
        "_pad",
        "_peaks",
        "_pending",
        "_rate",
        "_told",
        "_windows",
    )

    def __init__(self) -> None:
        self._rate = 0
        self._pending: array[int] = array("h")
        """Samples that do not fill a hop."""
        self._hops: deque[_Hop] = deque(maxlen=STEADY_HOPS)
        self._candidate: int | None = None
        """Place in PAD of what the windows show."""
        self._count = 0
        self._pad: int | None = None
        """Of the digit that is held."""
        self._peaks = 0, 0
        self._windows = 0
        """Since the digit's first window, and how many of the last were without it."""
        self._missed = 0
        self._told: deque[tuple[str, int | None]] = deque()

    @property
    def digit(self) -> str | None:
        """The digit that is held at the moment, or is still to be told."""
        if self._told:
            return self._told[0][0]
        return PAD[self._pad] if self._pad is not None else None

    def hear(self, samples: bytes | None, rate: int) -> tuple[str, int | None] | None:
        """One frame (None is silence): (digit, None) when one begins, (digit, duration in ms) when it ended."""
        if rate < BASE_RATE:
            return None
        if samples is None:
            samples = bytes(rate // 50 * 2)
        if rate != self._rate:
            self._begin(rate)
        tables = _tables(rate)
        size = tables.hop * tables.factor
        data = self._pending + array("h", samples)
        whole = len(data) // size * size
        for start in range(0, whole, size):
            self._hear_hop(_reduced(data[start : start + size], tables.factor), tables)
        self._pending = data[whole:]
        return self._told.popleft() if self._told else None

    def _begin(self, rate: int) -> None:
        """A stream of another rate: what is held ends by itself."""
        self._rate = rate
        self._pending = array("h")
        self._hops.extend([_Hop([0] * _tables(rate).hop, 0, NO_PARTS)] * STEADY_HOPS)

    def _hear_hop(self, samples: list[int], tables: _Tables) -> None:
        last = self._hops[-1]
        block = last.samples + samples
        energy = sum(map(mul, samples, samples))
        parts = NO_PARTS
        if energy + last.energy >= len(block) * LEAST_POWER:
            parts = [
                (sum(map(mul, block, cosine)) >> SHIFT, sum(map(mul, block, sine)) >> SHIFT)
                for cosine, sine in tables.waves
            ]
        self._hops.append(_Hop(samples, energy, parts))
        powers = [self._power(index) for index in range(len(DIGIT_FREQUENCIES))]
        if self._pad is None:
            self._await_digit(powers, tables)
        else:
            self._follow_digit(powers, tables)

    def _shown(self, powers: list[int], tables: _Tables) -> int | None:
        """Place in PAD of the digit that the last 20 ms show."""
        row = max(range(4), key=powers.__getitem__)
        column = max(range(4, 8), key=powers.__getitem__)
        low, high = powers[row], powers[column]
        count = 2 * tables.hop
        if min(low, high) < LEAST_POWER * count * count or max(low, high) > TWIST * min(low, high):
            return None
        return row * 4 + column - 4 if self._pure(low + high, PURITY, count) else None

    def _pure(self, power: int, percent: int, count: int) -> bool:
        energy = sum([hop.energy for hop in self._hops][-WINDOW_HOPS:])
        return 200 * power >= percent * count * energy

    def _await_digit(self, powers: list[int], tables: _Tables) -> None:
        shown = self._shown(powers, tables)
        self._count = self._count + 1 if shown == self._candidate else 1
        self._candidate = shown
        if shown is None or self._count < ON_WINDOWS or len(self._told) > MOST_TOLD - 2 or not self._steady():
            return
        row, column = shown // 4, shown % 4 + 4
        low, high = self._frequency(row, powers[row], tables), self._frequency(column, powers[column], tables)
        if low is None or high is None or not self._clear(low, high, tables):
            return
        self._pad = shown
        self._peaks = powers[row], powers[column]
        self._windows = self._count
        self._missed = 0
        self._told.append((PAD[shown], None))

    def _follow_digit(self, powers: list[int], tables: _Tables) -> None:
        self._windows += 1
        assert self._pad is not None
        low, high = powers[self._pad // 4], powers[self._pad % 4 + 4]
        least_low, least_high = self._peaks
        if low * FADE >= least_low and high * FADE >= least_high and self._pure(low + high, HELD, 2 * tables.hop):
            self._peaks = max(low, least_low), max(high, least_high)
            self._missed = 0
            return
        self._missed += 1
        if self._missed < OFF_WINDOWS:
            return
        windows = self._windows - self._missed + WINDOW_HOPS - 1
        self._told.append((PAD[self._pad], windows * HOP_MS - EDGE_MS))
        self._pad, self._candidate, self._count = None, None, 0

    def _steady(self) -> bool:
        """Each hop has a quarter of the mean energy at least: no edge is among them."""
        energies = [hop.energy for hop in self._hops]
        return 4 * STEADY_HOPS * min(energies) >= sum(energies)

    def _frequency(self, index: int, power: int, tables: _Tables) -> float | None:
        """That of a tone, by how its phase turns: roughly in a hop, exactly in a block; None when it is not near."""
        latest = self._part(0, index, tables)
        # One that is 33 Hz away has only half of its blocks' power in their sum: what is left has no phase to speak of.
        if 2 * (latest[0] * latest[0] + latest[1] * latest[1]) < power:
            return None
        rough = _turned(latest, self._part(1, index, tables), tables.hops[index])
        real, imaginary = _turned(latest, self._part(2, index, tables), tables.turns[index])
        cosine, sine = tables.limits[index]
        if rough[0] < 0 or real * sine < abs(imaginary) * cosine:
            return None
        off = math.atan2(imaginary, real) * tables.rate / (2 * math.pi * (2 * tables.hop))
        return DIGIT_FREQUENCIES[index] - off

    def _clear(self, low: float, high: float, tables: _Tables) -> bool:
        """Whether there is little but the two tones in all the windows, seen through one that tells them well apart."""
        samples = [sample for hop in self._hops for sample in hop.samples]
        seen = [value >> SHIFT for value in map(mul, samples, tables.window)]
        count = len(seen)
        power = sum(correlation(seen, _turns(frequency, tables.rate, count)) for frequency in (low, high))
        # Of a tone, a raised cosine lets pass half the amplitude and three eighths of the power.
        energy: int = sum(map(mul, seen, seen))
        return 300 * power >= CLEAR * count * energy

    def _power(self, index: int) -> int:
        """Of a frequency in the two blocks of the last 20 ms."""
        (a, b), (c, d) = self._hops[-3].block[index], self._hops[-1].block[index]
        return a * a + b * b + c * c + d * d

    def _part(self, ago: int, index: int, tables: _Tables) -> tuple[int, int]:
        """At a frequency, of the window that ended so many hops ago: its first block, and its second turned to it."""
        first, second = self._hops[-3 - ago].block[index], self._hops[-1 - ago].block[index]
        turned = _times(second, tables.turns[index])
        return first[0] + turned[0], first[1] + turned[1]


def _times(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The product of two complex numbers, the point shifted back."""
    real = (one[0] * other[0] - one[1] * other[1]) >> SHIFT
    return real, (one[1] * other[0] + one[0] * other[1]) >> SHIFT


def _turned(after: tuple[int, int], before: tuple[int, int], nominal: tuple[int, int]) -> tuple[int, int]:
    """How far a part turned beyond what it should have."""
    return _times(_times(after, (before[0], -before[1])), nominal)


def _reduced(samples: array[int], factor: int) -> list[int]:
    """The means of each so many samples."""
    sums = list(samples[::factor])
    for place in range(1, factor):
        sums = list(map(add, sums, samples[place::factor]))
    return [total // factor for total in sums] if factor > 1 else sums
