"""Audio for tests: tones, G.711, sound files and how alike two sounds are.

Samples are bytes: 16 bits, 8 kHz, one channel, host order.
"""

from __future__ import annotations

import audioop
import math
import sys
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RATE", "Match", "SoundError", "compare", "decode", "encode", "read_sound", "tone", "write_wav"]

RATE = 8000
"""Samples in a second."""
BLOCK = 160
"""Samples of one value of the envelope: 20 ms."""
CANDIDATES = 4
SLICE = RATE // 8
"""Samples of the pieces, one from each half, that are looked for when the envelope leads nowhere."""
GOOD = 0.6


class SoundError(ValueError):
    """A sound file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a sound was found in another."""

    correlation: float
    """1 for the same shape at any loudness, 0 for nothing in common, -1 for the inverse."""
    offset_ms: float
    """Where it begins."""


def tone(frequency_hz: float, duration_ms: float, amplitude: int = 8000, *, rate: int = RATE) -> bytes:
    """A sine."""
    step = 2 * math.pi * frequency_hz / rate
    count = round(duration_ms * rate / 1000)
    return array("h", [round(amplitude * math.sin(step * index)) for index in range(count)]).tobytes()


def encode(codec: str, samples: bytes) -> bytes:
    """Samples as a payload of `ulaw`, `alaw` or `slin` (RFC 3551 4.5.14, 4.5.11)."""
    if codec == "ulaw":
        return bytes(audioop.lin2ulaw(samples, 2))
    if codec == "alaw":
        return bytes(audioop.lin2alaw(samples, 2))
    if codec == "slin":
        return bytes(audioop.byteswap(samples, 2)) if sys.byteorder == "little" else samples
    raise ValueError(f"codec {codec!r} is none of ulaw, alaw and slin")


def decode(codec: str, payload: bytes) -> bytes:
    """The samples of a payload."""
    if codec == "ulaw":
        return bytes(audioop.ulaw2lin(payload, 2))
    if codec == "alaw":
        return bytes(audioop.alaw2lin(payload, 2))
    if codec == "slin":
        whole = payload[: len(payload) & ~1]
        return bytes(audioop.byteswap(whole, 2)) if sys.byteorder == "little" else whole
    raise ValueError(f"codec {codec!r} is none of ulaw, alaw and slin")


def read_sound(path: Path | str) -> bytes:
    """The samples of a .wav (PCM), .sln*, .ulaw or .alaw file, resampled to 8 kHz. Raises SoundError, OSError."""
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind in ("ulaw", "ul", "pcm"):
        return decode("ulaw", path.read_bytes())
    if kind in ("alaw", "al"):
        return decode("alaw", path.read_bytes())
    if kind.startswith(("sln", "raw")):
        rate = int(kind[3:] or 8) * 1000 if kind[3:].isdigit() or not kind[3:] else 0
        if not rate:
            raise SoundError(f"{path}: {kind!r} names no sample rate")
        return _resample(path.read_bytes(), {11000: 11025, 44000: 44100}.get(rate, rate))
    if kind != "wav":
        raise SoundError(f"{path}: a file of kind {kind!r} cannot be read; wav, sln, ulaw and alaw can")
    try:
        with wave.open(str(path), "rb") as sound:
            width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
            data = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise SoundError(f"{path}: {error}") from None
    if width == 1:
        data = audioop.bias(data, 1, -128)
    data = audioop.lin2lin(data, width, 2)
    if channels == 2:
        data = audioop.tomono(data, 2, 0.5, 0.5)
    return _resample(data, rate)


def write_wav(path: Path | str, samples: bytes) -> None:
    """Write samples as a wav file."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples)


def compare(heard: bytes, expected: bytes) -> Match:
    """Find `expected` in `heard` and say how alike they are there; what `heard` lacks counts as silence.

    The envelopes (one value in 20 ms) give the likely places, the samples decide: a minute is searched in
    some hundredths of a second.
    """
    lead, expected = _trim(expected)
    length = len(expected)
    if not length or not heard or not audioop.max(heard, 2):
        return Match(0.0, 0.0)
    before = length // 2 & ~1
    padded = _dither(bytes(before) + heard + bytes(length))
    found = max((_refine(padded, expected, place) for place in _places_by_envelope(padded, expected)), default=(0.0, 0))
    if found[0] < GOOD and length > 4 * SLICE:
        half = length // 4 * 2
        for at in (0, half):
            loudest = at // 2 + audioop.findmax(expected[at : at + half], SLICE)
            offset, _ = audioop.findfit(padded, expected[2 * loudest : 2 * (loudest + SLICE)])
            found = max(found, _refine(padded, expected, max(0, 2 * (offset - loudest))))
    return Match(found[0], (found[1] - before - lead) * 1000 / (2 * RATE))


def _refine(heard: bytes, expected: bytes, place: int) -> tuple[float, int]:
    """The best correlation within 40 ms of a place (a byte offset), and its place."""
    margin, length = 2 * BLOCK * 2, len(expected)
    begin = max(0, place - margin)
    window = heard[begin : place + length + margin]
    if len(window) < length:
        return 0.0, begin
    offset, factor = audioop.findfit(window, expected)
    places = [begin + 2 * offset]
    if factor < 0:  # findfit takes the inverse for as good a match; of a tone the right phase is near
        places = [at for at in range(places[0] - 160, places[0] + 162, 2) if 0 <= at <= len(heard) - length]
    return max((_correlation(heard[at : at + length], expected), at) for at in places)


def _places_by_envelope(heard: bytes, expected: bytes) -> list[int]:
    """Byte offsets into `heard` where `expected` may begin."""
    places: list[int] = []
    large, small = _envelope(heard), _envelope(expected)
    count = len(small)
    energy = math.sqrt(sum(value * value for value in small)) or 1.0
    squares = [0.0]
    for value in large:
        squares.append(squares[-1] + value * value)
    scores: list[tuple[float, int]] = []
    for start in range(max(1, len(large) - count + 1)):
        window = large[start : start + count]
        product = sum(map(_multiply, window, small))
        own = math.sqrt(squares[min(start + count, len(large))] - squares[start])
        scores.append((product / (energy * own) if own > 0 else 0.0, start))
    scores.sort(reverse=True)
    for score, start in scores:
        if len(places) >= CANDIDATES or score <= 0:
            break
        place = start * BLOCK * 2
        if all(abs(place - other) > BLOCK * 4 for other in places):
            places.append(place)
    return places


def _multiply(one: float, other: float) -> float:
    return one * other


def _envelope(samples: bytes) -> list[float]:
    step = BLOCK * 2
    return [float(audioop.rms(samples[at : at + step], 2)) for at in range(0, len(samples) - step + 1, step)]


def _correlation(one: bytes, other: bytes) -> float:
    if len(one) < len(other):
        one += bytes(len(other) - len(one))
    if not audioop.max(one, 2) or not audioop.max(other, 2):
        return 0.0
    forth, back = audioop.findfactor(one, other), audioop.findfactor(other, one)
    return float(math.copysign(math.sqrt(max(forth * back, 0.0)), forth))


def _trim(samples: bytes) -> tuple[int, bytes]:
    """The bytes of silence at the beginning, and what is between the silences: they have no shape to compare."""
    step = BLOCK * 2
    begin, end = 0, len(samples) & ~1
    while begin + step < end and audioop.max(samples[begin : begin + step], 2) < 64:
        begin += step
    while end - step > begin and audioop.max(samples[end - step : end], 2) < 64:
        end -= step
    return begin, samples[begin:end] if audioop.max(samples[begin:end], 2) else b""


def _dither(samples: bytes) -> bytes:
    """The same with its digital silence made not quite silent: findfit divides by the energy of each place."""
    noise = (b"\x01\x00\x00\x00\xff\xff" if sys.byteorder == "little" else b"\x00\x01\x00\x00\xff\xff") * (
        len(samples) // 6 + 1
    )
    return bytes(audioop.add(samples, noise[: len(samples)], 2))


def _resample(samples: bytes, rate: int) -> bytes:
    if rate == RATE:
        return samples
    whole = samples[: len(samples) & ~1]
    return bytes(audioop.ratecv(whole, 2, 1, rate, RATE, None)[0])
