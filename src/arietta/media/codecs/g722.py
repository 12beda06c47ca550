"""G.722 at 64 kbit/s (RFC 3551 4.5.2): 16 kHz audio in two bands, each by ADPCM; 20 ms in 160 bytes, bit exact.

Blocks, signals and tables are named as in ITU-T G.722 (clauses 3, 4 and 6.2.1). Mode 1: all six bits of the lower band
are audio.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from operator import mul

__all__ = ["G722Decoder", "G722Encoder"]

# Coefficients of the quadrature mirror filters (table 11); the odd half is the even one backwards.
QMF = (3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
QMF_BACKWARDS = QMF[::-1]
TAPS = 24

# Decision levels and output codes of the 60-level quantizer of the lower band.
Q6 = (
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
    1458, 1612, 1765, 1980, 2195, 2557, 2919,
)  # fmt: skip
ILN: tuple[int, ...] = (63, 62, *range(31, 3, -1))
ILP: tuple[int, ...] = (61, 60, *range(59, 31, -1))

# Output of the inverse quantizers: lower band by 4 bits (adaptation) and 6 bits (audio), higher band by 2.
_HALF4 = (20456, 12896, 8968, 6288, 4240, 2584, 1200)
QM4: tuple[int, ...] = (0, *(-value for value in _HALF4), *_HALF4, 0)
_HALF6 = (
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944,
    4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
)  # fmt: skip
QM6: tuple[int, ...] = (-136, -136, -136, -136, *(-value for value in _HALF6), *_HALF6, 432, 136, -432, -136)
QM2 = (-7408, -1616, 7408, 1616)

# Multipliers of the logarithmic scale factors, by code.
WL = (-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60)
WH = (798, -214, 798, -214)

# 2048 times two to the power of n/32.
ILB = (
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
)  # fmt: skip


def _clamp(value: int) -> int:
    return 32767 if value > 32767 else -32768 if value < -32768 else value


def _limited(value: int) -> int:
    return 16383 if value > 16383 else -16384 if value < -16384 else value


class _Band:
    """One band's predictor and scale factor."""

    __slots__ = ("a1", "a2", "b", "d", "det", "nb", "p1", "p2", "r1", "s", "sz")

    def __init__(self, det: int) -> None:
        self.s = self.sz = 0
        """Predicted signal, and the zeros' part of it."""
        self.r1 = self.a1 = self.a2 = self.p1 = self.p2 = 0
        self.d = [0] * 6
        self.b = [0] * 6
        self.nb = 0
        self.det = det

    def scale(self, weight: int, most: int, shift: int) -> None:
        """LOGSCL and SCALEL, or LOGSCH and SCALEH: the scale factor follows the codes."""
        self.nb = max(0, min(most, ((self.nb * 127) >> 7) + weight))
        right = shift - (self.nb >> 11)
        mantissa = ILB[self.nb >> 6 & 31]
        self.det = (mantissa << -right if right < 0 else mantissa >> right) << 2

    def predict(self, d: int) -> None:
        """Block 4L or 4H: what the band will be next, after it was s + d."""
        r, p = _clamp(self.s + d), _clamp(self.sz + d)
        like_first, like_second = (p < 0) == (self.p1 < 0), (p < 0) == (self.p2 < 0)
        # UPPOL2, UPPOL1.
        a1 = _clamp(self.a1 << 2)
        a2 = (_clamp(-a1) if like_first else a1) >> 7
        a2 += (128 if like_second else -128) + ((self.a2 * 32512) >> 15)
        a2 = max(-12288, min(12288, a2))
        most = 15360 - a2
        a1 = (192 if like_first else -192) + ((self.a1 * 32640) >> 15)
        a1 = max(-most, min(most, a1))
        # UPZERO.
        step = 128 if d else 0
        negative = d < 0
        delayed = self.d
        b = self.b = [
            _clamp((step if (old < 0) == negative else -step) + ((factor * 32640) >> 15))
            for factor, old in zip(self.b, delayed, strict=True)
        ]
        delayed.insert(0, d)
        delayed.pop()
        # FILTEP, FILTEZ, PREDIC.
        sp = _clamp(((a1 * _clamp(r + r)) >> 15) + ((a2 * _clamp(self.r1 + self.r1)) >> 15))
        sz = 0
        for n in (5, 4, 3, 2, 1, 0):
            sz = _clamp(sz + ((b[n] * _clamp(delayed[n] << 1)) >> 15))
        self.a1, self.a2, self.r1, self.p1, self.p2 = a1, a2, r, p, self.p1
        self.sz = sz
        self.s = _clamp(sp + sz)

    def advance_low(self, code: int) -> None:
        """The lower band goes on after a code of six bits."""
        coarse = code >> 2
        d = (self.det * QM4[coarse]) >> 15
        self.scale(WL[coarse], 18432, 8)
        self.predict(d)

    def advance_high(self, code: int) -> int:
        """The higher band goes on after a code of two bits; what was added to the prediction."""
        d = (self.det * QM2[code]) >> 15
        self.scale(WH[code], 22528, 10)
        self.predict(d)
        return d

    def code_low(self, x: int) -> int:
        """QUANTL."""
        error = _clamp(x - self.s)
        det = self.det
        size = ~error if error < 0 else error
        level = bisect_right(Q6, size, key=lambda decision: (decision * det) >> 12)
        return ILN[level] if error < 0 else ILP[level]

    def code_high(self, x: int) -> int:
        """QUANTH."""
        error = _clamp(x - self.s)
        size = ~error if error < 0 else error
        inner = size < (564 * self.det) >> 12
        return inner if error < 0 else 2 + inner


class _G722:
    """What encoder and decoder remember."""

    __slots__ = ("_delay", "_high", "_low")

    def __init__(self) -> None:
        self._low = _Band(32)
        self._high = _Band(8)
        self._delay = [0] * TAPS
        """Of the quadrature mirror filter; the latest last."""

    def _filter(self, one: int, other: int) -> tuple[int, int]:
        """Both halves of the filter, after two more values."""
        delay = self._delay
        delay += (one, other)
        del delay[:2]
        return sum(map(mul, delay[::2], QMF)), sum(map(mul, delay[1::2], QMF_BACKWARDS))


class G722Encoder(_G722):
    """The encoder's memory."""

    __slots__ = ()

    def encode(self, samples: bytes) -> bytes:
        """A byte for every two samples."""
        low, high = self._low, self._high
        values = iter(array("h", samples[: len(samples) // 4 * 4]))
        output = bytearray()
        for one in values:
            even, odd = self._filter(one, next(values))
            lower = low.code_low(_limited((even + odd) >> 14))
            higher = high.code_high(_limited((odd - even) >> 14))
            low.advance_low(lower)
            high.advance_high(higher)
            output.append(higher << 6 | lower)
        return bytes(output)


class G722Decoder(_G722):
    """The decoder's memory."""

    __slots__ = ()

    def decode(self, data: bytes) -> bytes:
        """Two samples of every byte."""
        low, high = self._low, self._high
        output = array("h")
        for byte in data:
            code = byte & 63
            lower = _limited(low.s + ((low.det * QM6[code]) >> 15))
            low.advance_low(code)
            predicted = high.s
            higher = _limited(predicted + high.advance_high(byte >> 6))
            even, odd = self._filter(lower + higher, lower - higher)
            output.append(_clamp(odd >> 11))
            output.append(_clamp(even >> 11))
        return output.tobytes()
