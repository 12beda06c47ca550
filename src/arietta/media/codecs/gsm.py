"""GSM full rate (GSM 06.10, RFC 3551 4.5.8): 20 ms of 8 kHz audio in 33 bytes, bit exact, in integers.

Section numbers are those of ETSI EN 300 961. Values are 16-bit and saturate where the standard's operators do; where
a sum cannot leave the range no clamp is written.
"""

from __future__ import annotations

from array import array
from operator import mul

__all__ = ["FRAME_BYTES", "GsmDecoder", "GsmEncoder", "Parameters", "pack", "pack_pair", "unpack", "unpack_pair"]

FRAME_BYTES = 33
PAIR_BYTES = 65
"""Two frames without signature, as in WAV files of format 49."""

Parameters = list[int]
"""The 76 parameters of a frame: 8 log area ratios, then for each quarter Nc, bc, Mc, xmaxc and 13 pulses (1.7)."""

WIDTHS = (6, 6, 5, 5, 4, 4, 3, 3) + 4 * ((7, 2, 2, 6) + 13 * (3,))

# Table 5.1: quantization of the log area ratios.
A = (20480, 20480, 20480, 20480, 13964, 15360, 8534, 9036)
B = (0, 0, 2048, -2560, 94, -1792, -341, -1144)
MIC = (-32, -32, -16, -16, -8, -8, -4, -4)
MAC = (31, 31, 15, 15, 7, 7, 3, 3)
INVA = (13107, 13107, 13107, 13107, 19223, 17476, 31454, 29708)
DLB = (6554, 16384, 26214)  # Table 5.3a
QLB = (3277, 11469, 21299, 32767)  # Table 5.3b
H = (-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134)  # Table 5.4
NRFAC = (29128, 26215, 23832, 21846, 20165, 18725, 17476, 16384)  # Table 5.5
FAC = (18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767)  # Table 5.6


def _clamp(value: int) -> int:
    return 32767 if value > 32767 else -32768 if value < -32768 else value


def _mult_r(one: int, other: int) -> int:
    return _clamp((one * other + 16384) >> 15)


def pack(parameters: Parameters) -> bytes:
    """The 33 bytes of a frame, signature 0xD first (RFC 3551 4.5.8.1)."""
    bits = 0xD
    for value, width in zip(parameters, WIDTHS, strict=True):
        bits = (bits << width) | value
    return bits.to_bytes(FRAME_BYTES, "big")


def unpack(frame: bytes) -> Parameters:
    """The parameters of 33 bytes."""
    bits = int.from_bytes(frame, "big")
    position = 260
    parameters = []
    for width in WIDTHS:
        position -= width
        parameters.append((bits >> position) & ((1 << width) - 1))
    return parameters


def pack_pair(first: Parameters, second: Parameters) -> bytes:
    """The 65 bytes of two frames in a WAV file: little-endian bit fields."""
    bits = position = 0
    for parameters in (first, second):
        for value, width in zip(parameters, WIDTHS, strict=True):
            bits |= value << position
            position += width
    return bits.to_bytes(PAIR_BYTES, "little")


def unpack_pair(data: bytes) -> tuple[Parameters, Parameters]:
    """The two frames of 65 bytes of a WAV file."""
    bits = int.from_bytes(data, "little")
    parameters = []
    for width in WIDTHS + WIDTHS:
        parameters.append(bits & ((1 << width) - 1))
        bits >>= width
    return parameters[:76], parameters[76:]


def _ratios(codes: Parameters) -> list[int]:
    """Decoded log area ratios (5.2.8)."""
    ratios = []
    for i in range(8):
        value = _clamp(((codes[i] + MIC[i]) << 10) - (B[i] << 1))
        value = _mult_r(INVA[i], value)
        ratios.append(_clamp(value + value))
    return ratios


def _reflections(ratios: list[int]) -> list[int]:
    """Reflection coefficients of log area ratios (5.2.9.2)."""
    coefficients = []
    for ratio in ratios:
        size = 32767 if ratio == -32768 else abs(ratio)
        if size < 11059:
            size <<= 1
        elif size < 20070:
            size += 11059
        else:
            size = min(32767, (size >> 2) + 26112)
        coefficients.append(-size if ratio < 0 else size)
    return coefficients


def _interpolated(old: list[int], new: list[int]) -> list[tuple[int, int, list[int]]]:
    """First sample, end and coefficients of the four stretches of a frame (5.2.9.1)."""
    pairs = list(zip(old, new, strict=True))
    return [
        (0, 13, _reflections([_clamp((o >> 2) + (n >> 2) + (o >> 1)) for o, n in pairs])),
        (13, 27, _reflections([_clamp((o >> 1) + (n >> 1)) for o, n in pairs])),
        (27, 40, _reflections([_clamp((o >> 2) + (n >> 2) + (n >> 1)) for o, n in pairs])),
        (40, 160, _reflections(new)),
    ]


def _exponent_mantissa(code: int) -> tuple[int, int]:
    """Of the block maximum (5.2.15)."""
    exponent = (code >> 3) - 1 if code > 15 else 0
    mantissa = code - (exponent << 3)
    if mantissa == 0:
        return -4, 7
    while mantissa <= 7:
        mantissa = (mantissa << 1) | 1
        exponent -= 1
    return exponent, mantissa - 8


def _pulses(grid: int, code: int, pulses: list[int]) -> list[int]:
    """The excitation of a quarter: dequantized pulses on their grid (5.2.16, 5.2.17)."""
    exponent, mantissa = _exponent_mantissa(code)
    factor = FAC[mantissa]
    shift = 6 - exponent
    half = (1 << (shift - 1)) if shift > 0 else 0
    excitation = [0] * 40
    for i in range(13):
        value = (factor * (((pulses[i] << 1) - 7) << 12) + 16384) >> 15
        excitation[grid + 3 * i] = _clamp(value + half) >> shift
    return excitation


class GsmDecoder:
    """The decoder's memory between frames (5.3)."""

    __slots__ = ("_emphasis", "_history", "_lag", "_ratios", "_v")

    def __init__(self) -> None:
        self._history = [0] * 120
        self._lag = 40
        self._ratios = [0] * 8
        self._v = [0] * 9
        self._emphasis = 0

    def decode(self, data: bytes) -> bytes:
        """Samples of whole frames; a rest is dropped."""
        return b"".join(
            self.frame(unpack(data[at : at + FRAME_BYTES])) for at in range(0, len(data) - FRAME_BYTES + 1, FRAME_BYTES)
        )

    def frame(self, parameters: Parameters) -> bytes:
        """160 samples."""
        history = self._history
        for at in (8, 25, 42, 59):
            lag, gain, grid, code = parameters[at : at + 4]
            if 40 <= lag <= 120:
                self._lag = lag
            lag, factor = self._lag, QLB[gain]
            excitation = _pulses(grid, code, parameters[at + 4 : at + 17])
            start = len(history) - lag
            past = history[start : start + 40]
            history += [_clamp(e + ((factor * p + 16384) >> 15)) for e, p in zip(excitation, past, strict=True)]
        excitation = history[120:]
        self._history = history[-120:]
        ratios = _ratios(parameters)
        output = self._synthesize(excitation, _interpolated(self._ratios, ratios))
        self._ratios = ratios
        return output

    def _synthesize(self, excitation: list[int], stretches: list[tuple[int, int, list[int]]]) -> bytes:
        """Short-term synthesis filter (5.3.4), de-emphasis and scaling (5.3.5 to 5.3.7)."""
        v = self._v
        emphasis = self._emphasis
        output = array("h", bytes(320))
        for start, end, coefficients in stretches:
            steps = [(i, coefficients[i]) for i in range(7, -1, -1)]
            for k in range(start, end):
                s = excitation[k]
                for i, r in steps:
                    vi = v[i]
                    s -= (r * vi + 16384) >> 15
                    if s > 32767:
                        s = 32767
                    elif s < -32768:
                        s = -32768
                    vi += (r * s + 16384) >> 15
                    v[i + 1] = 32767 if vi > 32767 else -32768 if vi < -32768 else vi
                v[0] = s
                emphasis = s + ((emphasis * 28180 + 16384) >> 15)
                if emphasis > 32767:
                    emphasis = 32767
                elif emphasis < -32768:
                    emphasis = -32768
                s = emphasis + emphasis
                output[k] = (32767 if s > 32767 else -32768 if s < -32768 else s) & -8
        self._emphasis = emphasis
        return output.tobytes()


class GsmEncoder:
    """The encoder's memory between frames (5.2)."""

    __slots__ = ("_history", "_l_z2", "_mp", "_ratios", "_u", "_z1")

    def __init__(self) -> None:
        self._z1 = 0
        self._l_z2 = 0
        self._mp = 0
        self._history = [0] * 120
        self._ratios = [0] * 8
        self._u = [0] * 8

    def encode(self, samples: bytes) -> bytes:
        """Bytes of samples; the last frame is filled with silence."""
        samples += bytes(-len(samples) % 320)
        return b"".join(pack(self.frame(samples[at : at + 320])) for at in range(0, len(samples), 320))

    def frame(self, samples: bytes) -> Parameters:
        """The parameters of 160 samples."""
        signal = self._preprocess(array("h", samples))
        codes = _quantized_ratios(_schur(_autocorrelation(signal)))
        ratios = _ratios(codes)
        residual = self._analyze(signal, _interpolated(self._ratios, ratios))
        self._ratios = ratios
        history = self._history
        parameters = codes
        for at in (0, 40, 80, 120):
            d = residual[at : at + 40]
            lag, gain = _long_term(d, history)
            start = len(history) - lag
            factor = QLB[gain]
            predicted = [_clamp((factor * p + 16384) >> 15) for p in history[start : start + 40]]
            error = [_clamp(a - b) for a, b in zip(d, predicted, strict=True)]
            grid, code, pulses = _regular_pulses(error)
            excitation = _pulses(grid, code, pulses)
            history += [_clamp(e + p) for e, p in zip(excitation, predicted, strict=True)]
            parameters += [lag, gain, grid, code, *pulses]
        self._history = history[-120:]
        return parameters

    def _preprocess(self, samples: array[int]) -> list[int]:
        """Downscaling, offset compensation and pre-emphasis (5.2.1 to 5.2.3)."""
        z1, l_z2, mp = self._z1, self._l_z2, self._mp
        signal = []
        for sample in samples:
            so = (sample >> 3) << 2
            s1 = so - z1
            z1 = so
            msp = l_z2 >> 15
            lsp = l_z2 - (msp << 15)
            l_z2 = msp * 32735 + (s1 << 15) + ((lsp * 32735 + 16384) >> 15)
            if l_z2 > 0x7FFFFFFF:
                l_z2 = 0x7FFFFFFF
            elif l_z2 < -0x80000000:
                l_z2 = -0x80000000
            sof = min(l_z2 + 16384, 0x7FFFFFFF) >> 15
            signal.append(_clamp(sof + ((mp * -28180 + 16384) >> 15)))
            mp = sof
        self._z1, self._l_z2, self._mp = z1, l_z2, mp
        return signal

    def _analyze(self, signal: list[int], stretches: list[tuple[int, int, list[int]]]) -> list[int]:
        """Short-term residual (5.2.10)."""
        u = self._u
        residual = []
        for start, end, coefficients in stretches:
            steps = list(enumerate(coefficients))
            for k in range(start, end):
                d = saved = signal[k]
                for i, r in steps:
                    ui = u[i]
                    u[i] = saved
                    saved = ui + ((r * d + 16384) >> 15)
                    if saved > 32767:
                        saved = 32767
                    elif saved < -32768:
                        saved = -32768
                    d += (r * ui + 16384) >> 15
                    if d > 32767:
                        d = 32767
                    elif d < -32768:
                        d = -32768
                residual.append(d)
        return residual


def _autocorrelation(signal: list[int]) -> list[int]:
    """The signal is scaled in place, as the standard has it (5.2.4)."""
    peak = min(32767, max(max(signal), -min(signal)))
    shift = 4 - (15 - peak.bit_length()) if peak else 0
    if shift > 0:
        factor = 1 << (14 - shift + 1)
        scaled = [(s * factor + 16384) >> 15 for s in signal]
    else:
        scaled = signal
    result = [sum(map(mul, scaled[k:], scaled)) << 1 for k in range(9)]
    if shift > 0:
        signal[:] = [s << shift for s in scaled]
    return result


def _schur(correlation: list[int]) -> list[int]:
    """Reflection coefficients by the Schur recursion (5.2.5)."""
    r = [0] * 8
    if correlation[0] == 0:
        return r
    shift = 31 - correlation[0].bit_length()
    p = [(value << shift) >> 16 for value in correlation]
    k = p[:]
    for n in range(8):
        size = abs(p[1])
        if p[0] < size:
            return r
        value = 32767 if size == p[0] else (size << 15) // p[0]
        r[n] = value = -value if p[1] > 0 else value
        if n == 7:
            return r
        p[0] = _clamp(p[0] + _mult_r(p[1], value))
        for m in range(1, 8 - n):
            following = p[m + 1]
            p[m] = _clamp(following + _mult_r(k[m], value))
            k[m] = _clamp(k[m] + _mult_r(following, value))
    return r


def _quantized_ratios(reflections: list[int]) -> Parameters:
    """Log area ratios, quantized and coded (5.2.6, 5.2.7)."""
    codes = []
    for i, r in enumerate(reflections):
        size = abs(r)
        if size < 22118:
            size >>= 1
        elif size < 31130:
            size -= 11059
        else:
            size = (size - 26112) << 2
        ratio = -size if r < 0 else size
        value = _clamp(_clamp(((A[i] * ratio) >> 15) + B[i]) + 256) >> 9
        codes.append(min(MAC[i], max(MIC[i], value)) - MIC[i])
    return codes


def _long_term(d: list[int], history: list[int]) -> tuple[int, int]:
    """Lag and coded gain of the long-term predictor (5.2.11)."""
    peak = min(32767, max(max(d), -min(d)))
    shift = max(0, 6 - (15 - peak.bit_length())) if peak else 6
    weighted = [value >> shift for value in d]
    best, lag = 0, 40
    end = len(history)
    for candidate in range(40, 121):
        result = sum(map(mul, weighted, history[end - candidate : end - candidate + 40]))
        if result > best:
            best, lag = result, candidate
    best = (best << 1) >> (6 - shift)
    start = end - lag
    power = sum((value >> 3) ** 2 for value in history[start : start + 40]) << 1
    if best <= 0:
        return lag, 0
    if best >= power:
        return lag, 3
    norm = 31 - power.bit_length()
    r = (best << norm) >> 16
    s = (power << norm) >> 16
    for gain, limit in enumerate(DLB):
        if r <= (s * limit) >> 15:
            return lag, gain
    return lag, 3


def _regular_pulses(error: list[int]) -> tuple[int, int, list[int]]:
    """Grid, coded block maximum and 13 coded pulses of a quarter (5.2.13 to 5.2.15)."""
    padded = [0] * 5 + error + [0] * 5
    x = [_clamp((4096 + sum(map(mul, H, padded[k : k + 11]))) >> 13) for k in range(40)]
    best, grid = -1, 0
    for m in range(4):
        energy = sum((value >> 2) ** 2 for value in x[m : m + 37 : 3])
        if energy > best:
            best, grid = energy, m
    chosen = x[grid : grid + 37 : 3]
    peak = min(32767, max(max(chosen), -min(chosen)))
    exponent = min(6, (peak >> 9).bit_length())
    code = (peak >> (exponent + 5)) + (exponent << 3)
    exponent, mantissa = _exponent_mantissa(code)
    factor, shift = NRFAC[mantissa], 6 - exponent
    pulses = [((((value << shift) * factor) >> 15) >> 12) + 4 for value in chosen]
    return grid, code, pulses
