"""The sample rate conversion in C: against the one in Python, and against arithmetic."""

from __future__ import annotations

import ctypes
import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import Resampler

from .leaves import leaf
from .sounds import noise, speech

RATES = (8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000)
PAIRS = ((8000, 16000), (16000, 8000), (8000, 48000), (48000, 8000), (16000, 48000), (48000, 16000), (24000, 8000))

library = leaf("resample")
library.resampler_new.restype = ctypes.c_void_p
library.resampler_delay.restype = ctypes.c_double
for function in (library.resampler_free, library.resampler_from, library.resampler_to, library.resampler_delay):
    function.argtypes = [ctypes.c_void_p]
library.resampler_process.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int]


class Stream:
    """One resampler in C."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._state = library.resampler_new(from_rate, to_rate)
        assert self._state
        self._up, self._down = to_rate, from_rate

    def __del__(self) -> None:
        library.resampler_free(self._state)

    @property
    def delay(self) -> float:
        return float(library.resampler_delay(self._state))

    def process(self, samples: bytes, room: int | None = None) -> bytes:
        count = len(samples) // 2
        room = count * self._up // self._down + 1 if room is None else room
        out = ctypes.create_string_buffer(2 * room + 1)
        written = library.resampler_process(self._state, samples, count, out, room)
        assert written <= room
        assert out.raw[2 * room] == 0
        if written < 0:
            raise BufferError
        return out.raw[: 2 * written]


def frames(samples: bytes, size: int) -> list[bytes]:
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def furthest(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return max((abs(a - b) for a, b in zip(array("h", one), array("h", other), strict=True)), default=0)


def sine(frequency: float, rate: int, count: int, level: float = 16000) -> bytes:
    return array("h", (round(level * math.sin(2 * math.pi * frequency * n / rate)) for n in range(count))).tobytes()


def decibels_at(samples: bytes, frequency: float, rate: int, level: float = 16000) -> float:
    """Of a component, relative to a sine of that level (Hann window)."""
    values = array("h", samples)
    count = len(values)
    real = imaginary = 0.0
    for n, value in enumerate(values):
        weighted = value * (1 - math.cos(2 * math.pi * n / count))
        real += weighted * math.cos(2 * math.pi * frequency * n / rate)
        imaginary += weighted * math.sin(2 * math.pi * frequency * n / rate)
    return 20 * math.log10(max(1e-9, math.hypot(real, imaginary) * 2 / count / level))


@pytest.mark.parametrize(("from_rate", "to_rate"), [(a, b) for a in RATES[:7] for b in RATES[:7] if a != b])
def test_frames_are_those_of_python_within_one_step(from_rate: int, to_rate: int) -> None:
    ours, theirs = Stream(from_rate, to_rate), Resampler(from_rate, to_rate)
    assert ours.delay == theirs.delay
    for frame in frames(speech(100, from_rate) + noise(from_rate // 25), from_rate // 50 * 2):
        assert furthest(ours.process(frame), theirs.process(frame)) <= 1


@given(st.sampled_from([(8000, 44100), (44100, 8000), (48000, 8000)]), st.lists(st.integers(1, 700), max_size=12))
@settings(max_examples=30, deadline=None)
def test_pieces_of_any_length_are_one_stream(pair: tuple[int, int], sizes: list[int]) -> None:
    samples = noise(sum(sizes))
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    stream = Stream(*pair)
    parts = [stream.process(samples[2 * start : 2 * end]) for start, end in pairwise(ends)]
    assert b"".join(parts) == Stream(*pair).process(samples)


def test_a_frame_gives_a_frame() -> None:
    for from_rate in RATES:
        for to_rate in RATES:
            stream = Stream(from_rate, to_rate)
            for _ in range(3):
                assert len(stream.process(bytes(from_rate // 50 * 2))) == to_rate // 50 * 2


def test_too_little_room_changes_nothing() -> None:
    stream, samples = Stream(8000, 16000), noise(2000)
    with pytest.raises(BufferError):
        stream.process(samples, 3999)
    assert stream.process(samples, 4000) == Stream(8000, 16000).process(samples)


def test_the_loudest_is_clipped_and_not_turned_over() -> None:
    square = array("h", ([32767] * 20 + [-32768] * 20) * 20).tobytes()
    out = Stream(8000, 16000).process(square)
    assert (max(array("h", out)), min(array("h", out))) == (32767, -32768)
    assert furthest(out, Resampler(8000, 16000).process(square)) <= 1


def test_rates_that_are_none() -> None:
    assert not library.resampler_new(0, 8000)
    assert not library.resampler_new(8000, 192001)


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (44100, 8000)])
def test_the_passband_is_flat_to_half_a_decibel(from_rate: int, to_rate: int) -> None:
    nyquist = min(from_rate, to_rate) / 2
    for part in (0.05, 0.25, 0.5, 0.7, 0.8, 0.85):
        out = Stream(from_rate, to_rate).process(sine(part * nyquist, from_rate, from_rate // 8))
        assert abs(decibels_at(out[to_rate // 40 :], part * nyquist, to_rate)) < 0.5


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (44100, 8000)])
def test_images_and_aliases_are_55_decibels_down(from_rate: int, to_rate: int) -> None:
    low = min(from_rate, to_rate)
    for part in (0.3, 0.6, 0.85):
        # Upwards a tone below the Nyquist frequency has an image above it; downwards one above would fold back below.
        passed = part * low / 2
        image = low - passed
        sent, heard = (passed, image) if from_rate < to_rate else (image, passed)
        out = Stream(from_rate, to_rate).process(sine(sent, from_rate, from_rate // 8))
        assert decibels_at(out[to_rate // 40 :], heard, to_rate) < -55
