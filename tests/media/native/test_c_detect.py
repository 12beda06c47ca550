"""Listening in C: the same answers as the reference, for any samples."""

from __future__ import annotations

import ctypes
import math
import random
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.reference.detect import PAD, InbandDigits, TalkDetector, ToneDetector
from arietta.media.reference.frame import level

from .leaves import leaf

C = leaf("detect")
C.inband_digits_new.restype = ctypes.c_void_p
C.inband_digits_free.argtypes = [ctypes.c_void_p]
C.inband_digits_held.argtypes = [ctypes.c_void_p]
C.inband_digits_held.restype = ctypes.c_char
C.inband_digits_hear.argtypes = [
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_char),
    ctypes.POINTER(ctypes.c_int),
]
C.talk_detector_hear.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
C.tone_detector_hear.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
C.tone_detector_hear.restype = ctypes.c_bool
C.level.argtypes = [ctypes.c_char_p, ctypes.c_int]

ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
RATES = (8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000)


class TalkInC(ctypes.Structure):
    _fields_ = (
        ("threshold", ctypes.c_int),
        ("silence_ms", ctypes.c_int),
        ("silent_ms", ctypes.c_int),
        ("talked_ms", ctypes.c_int),
        ("talking", ctypes.c_bool),
    )


class ToneInC(ctypes.Structure):
    _fields_ = (
        ("frequency", ctypes.c_int),
        ("duration_ms", ctypes.c_int),
        ("repeats", ctypes.c_int),
        ("heard_ms", ctypes.c_int),
        ("told", ctypes.c_bool),
    )


class DigitsInC:
    """The detector with the reference's methods."""

    def __init__(self, place: int) -> None:
        self._place = place

    def hear(self, samples: bytes | None, rate: int) -> tuple[str, int | None] | None:
        digit, duration = ctypes.c_char(), ctypes.c_int()
        count = len(samples) // 2 if samples is not None else 0
        told = C.inband_digits_hear(self._place, samples, count, rate, ctypes.byref(digit), ctypes.byref(duration))
        if told == 0:
            return None
        return digit.value.decode(), (duration.value if told == 2 else None)

    @property
    def digit(self) -> str | None:
        held = C.inband_digits_held(self._place)
        return held.decode() if held != b"\0" else None


@contextmanager
def digits_in_c() -> Iterator[DigitsInC]:
    place = C.inband_digits_new()
    yield DigitsInC(place)
    C.inband_digits_free(place)


@st.composite
def sounds(draw: st.DrawFn, rate: int) -> bytes:
    """Tones, noise and silence one after the other, mostly like digits."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    values: list[float] = []
    for _ in range(draw(st.integers(1, 6))):
        low, high = rng.choice(ROWS) * rng.uniform(0.96, 1.04), rng.choice(COLUMNS) * rng.uniform(0.96, 1.04)
        loud, louder = (rng.choice((0, 200, 400, 3000, 20000)) for _ in range(2))
        noise = rng.choice((0, 0, 30, 500))
        steps = 2 * math.pi * low / rate, 2 * math.pi * high / rate
        for n in range(rate * rng.randrange(5, 80) // 1000):
            values.append(loud * math.sin(steps[0] * n) + louder * math.sin(steps[1] * n) + rng.gauss(0, noise))
    return array("h", [max(-32768, min(32767, round(value))) for value in values]).tobytes()


def frames(samples: bytes, rate: int) -> list[bytes]:
    size = rate // 50 * 2
    return [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]


@given(st.binary(max_size=8000), st.sampled_from((b"", b"\xff\x7f", b"\x00\x80")), st.integers(0, 3840))
@settings(max_examples=200, deadline=None)
def test_the_level_is_that_of_audioop(noise: bytes, extreme: bytes, count: int) -> None:
    samples = (noise[: len(noise) // 2 * 2] + extreme * count)[:7680]
    assert C.level(samples, len(samples) // 2) == level(samples)


@given(st.integers(0, 3000), st.integers(0, 200), st.lists(st.none() | st.integers(0, 4000), max_size=60))
@settings(max_examples=200, deadline=None)
def test_talk_is_the_same(threshold: int, silence_ms: int, levels: list[int | None]) -> None:
    reference, detector = TalkDetector(threshold, silence_ms), TalkInC()
    C.talk_detector_init(ctypes.byref(detector), threshold, silence_ms)
    for value in levels:
        samples = array("h", [value, -value] * 80).tobytes() if value is not None else None
        told = C.talk_detector_hear(ctypes.byref(detector), samples, 160)
        assert (told if told >= 0 else None) == reference.hear(samples)
        assert detector.talking == reference.talking


@given(st.data(), st.sampled_from(RATES), st.sampled_from((697, 1100, 2100, 19999)), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_tones_are_the_same(data: st.DataObject, rate: int, frequency: int, repeats: int) -> None:
    reference, detector = ToneDetector(frequency, 40, repeats), ToneInC()
    C.tone_detector_init(ctypes.byref(detector), frequency, 40, repeats)
    for samples in [*frames(data.draw(sounds(rate)), rate), None]:
        count = len(samples) // 2 if samples is not None else 0
        told = C.tone_detector_hear(ctypes.byref(detector), samples, count, rate)
        assert told == reference.hear(samples, rate)
        assert (detector.repeats, detector.heard_ms) == (reference.repeats, reference._heard_ms)


@given(st.data(), st.sampled_from(RATES))
@settings(max_examples=60, deadline=None)
def test_digits_are_the_same(data: st.DataObject, rate: int) -> None:
    reference = InbandDigits()
    with digits_in_c() as detector:
        for samples in [*frames(data.draw(sounds(rate)), rate), *[None] * 4]:
            assert detector.hear(samples, rate) == reference.hear(samples, rate)
            assert detector.digit == reference.digit


@given(st.lists(st.tuples(st.binary(max_size=2000) | st.none(), st.sampled_from((0, 7999, *RATES))), max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_samples_at_changing_rates_are_survived_alike(pieces: list[tuple[bytes | None, int]]) -> None:
    reference = InbandDigits()
    with digits_in_c() as detector:
        for piece, rate in pieces:
            samples = piece[: len(piece) // 2 * 2] if piece is not None else None
            assert detector.hear(samples, rate) == reference.hear(samples, rate)


@pytest.mark.parametrize("digit", list(PAD))
def test_digits_faster_than_they_can_be_told_come_in_pairs(digit: str) -> None:
    """Tones of 35 ms without pauses: beginnings and ends alternate, and none gets lost between."""
    other = PAD[(PAD.index(digit) + 5) % 16]
    values: list[float] = []
    for key in [digit, other] * 40:
        row, column = divmod(PAD.index(key), 4)
        steps = [2 * math.pi * f / 8000 for f in (ROWS[row], COLUMNS[column])]
        values += [5000 * sum(math.sin(step * n) for step in steps) for n in range(290)]
    samples = array("h", [round(value) for value in values]).tobytes()
    with digits_in_c() as detector:
        told = [detector.hear(frame, 8000) for frame in [*frames(samples, 8000), *[None] * 10]]
    known = [event for event in told if event is not None]
    assert [event[1] is None for event in known] == [True, False] * (len(known) // 2)
    assert all(begun[0] == ended[0] for begun, ended in zip(known[::2], known[1::2], strict=True))
