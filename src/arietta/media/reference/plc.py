"""Packet loss concealment: a lost frame is made up from what was heard before it.

The idea is that of G.711 Appendix I: a voice repeats itself every pitch period, so the last period is repeated, the
joins are blended, and what has to go on for long fades away. Unlike there nothing is delayed for it: the first made-up
sample bends to the last one heard. All of it is integer arithmetic, so the engine in C makes up the same samples.
"""

from __future__ import annotations

from array import array
from operator import mul

__all__ = ["Plc"]

SHIFT = 14
ONE = 1 << SHIFT
HISTORY_MS = 40
SHORTEST_HZ = 400
"""Highest pitch that is looked for."""
LONGEST_HZ = 66
COARSE_RATE = 4000
"""At which the pitch is looked for first."""
FULL_MS = 20
"""How long what is made up keeps its level; then it fades."""
FADE_MS = 60
"""From full level to silence."""
SHORT_BLEND_MS = 5
"""Over which what comes again is blended after one lost frame; after more of them, LONG_BLEND_MS."""
LONG_BLEND_MS = 10


class Plc:
    """Of one stream at one rate, 8 kHz or more."""

    __slots__ = ("_cycle", "_made", "_place", "_rate", "_samples", "_step")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._samples = array("h", bytes(2 * (rate * HISTORY_MS // 1000)))
        """The last that was heard or made up."""
        self._cycle: array[int] = array("h")
        """The pitch period that is repeated, and where in it the next sample is."""
        self._place = 0
        self._step = 0
        """What the first made-up sample would jump by."""
        self._made = 0
        """Samples made up since the last that came."""

    def hear(self, samples: bytes) -> bytes:
        """A frame that came; after a loss its beginning is blended with what was made up."""
        if not samples:
            return samples
        if self._made:
            samples = self._blended(samples)
            self._made = 0
        self._remember(array("h", samples))
        return samples

    def conceal(self, count: int) -> bytes:
        """A frame that was lost: so many samples. Fades to silence when more are lost."""
        if count <= 0:
            return b""
        if self._made == 0:
            self._begin()
        made = self._more(count)
        self._remember(made)
        return made.tobytes()

    def _remember(self, samples: array[int]) -> None:
        size = len(self._samples)
        self._samples = (self._samples + samples)[-size:]

    def _begin(self) -> None:
        history = self._samples
        period = self._period()
        cycle = history[-period:]
        # The end of the period is led over to what comes before its beginning, so that it can follow itself.
        quarter = period // 4
        before = history[-period - quarter : -period]
        for n in range(quarter):
            cycle[period - quarter + n] = _blend(cycle[period - quarter + n], before[n], (n + 1) * ONE // (quarter + 1))
        self._cycle = cycle
        self._place = 0
        self._step = history[-1] - history[-1 - period]

    def _more(self, count: int) -> array[int]:
        """The next made-up samples."""
        cycle = self._cycle
        period = len(cycle)
        start = self._place
        whole = cycle[start:] + cycle * (count // period + 1)
        made = whole[:count]
        self._place = (start + count) % period
        if self._made == 0:
            self._bend(made, period // 4)
        full, fade = self._rate * FULL_MS // 1000, self._rate * FADE_MS // 1000
        for n in range(max(0, full - self._made), count):
            gain = max(0, full + fade - self._made - n) * ONE // fade
            made[n] = made[n] * gain >> SHIFT
        self._made = min(self._made + count, full + fade)
        return made

    def _bend(self, made: array[int], over: int) -> None:
        """Begin where the last sample heard left off."""
        for n in range(min(over, len(made))):
            value = made[n] + (self._step * ((over - n) * ONE // (over + 1)) >> SHIFT)
            made[n] = max(-32768, min(32767, value))

    def _blended(self, samples: bytes) -> bytes:
        came = array("h", samples)
        ms = SHORT_BLEND_MS if self._made <= self._rate * FULL_MS // 1000 else LONG_BLEND_MS
        over = min(len(came), self._rate * ms // 1000)
        made = self._more(over)
        for n in range(over):
            came[n] = _blend(made[n], came[n], (n + 1) * ONE // (over + 1))
        return came.tobytes()

    def _period(self) -> int:
        """Samples after which the end of what was heard resembles itself most."""
        factor = self._rate // COARSE_RATE
        rate = self._rate // factor
        coarse = self._samples[factor - 1 :: factor]
        found = _best_lag(coarse, rate // SHORTEST_HZ, rate // LONGEST_HZ, rate // 50, 1)
        shortest, longest = self._rate // SHORTEST_HZ, self._rate // LONGEST_HZ
        low, high = max(shortest, (found - 1) * factor), min(longest, (found + 1) * factor)
        return _best_lag(self._samples, low, high, self._rate // 50, self._rate // 8000)


def _best_lag(samples: array[int], low: int, high: int, window: int, stride: int) -> int:
    """The lag with the greatest normalised correlation of the last `window` samples; the shortest of equals."""
    end = samples[-window::stride]
    best, best_score = high, 0.0
    size = len(samples)
    for lag in range(low, high + 1):
        earlier = samples[size - window - lag : size - lag : stride]
        product = sum(map(mul, end, earlier))
        if product <= 0:
            continue
        score = float(product) * float(product) / float(sum(map(mul, earlier, earlier)))
        if score > best_score:
            best, best_score = lag, score
    return best


def _blend(one: int, other: int, share: int) -> int:
    """From one to the other, by the other's share of ONE."""
    return (one * (ONE - share) + other * share) >> SHIFT
