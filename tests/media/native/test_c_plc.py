"""Concealment in C: the same samples as the reference makes up."""

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

from arietta.media.reference.plc import Plc

from .leaves import leaf

C = leaf("plc")
C.plc_new.restype = ctypes.c_void_p
C.plc_free.argtypes = [ctypes.c_void_p]
C.plc_hear.argtypes = C.plc_conceal.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
C.plc_hear.restype = C.plc_conceal.restype = None

RATES = (8000, 12000, 16000, 44100, 48000)


class PlcInC:
    """With the reference's methods."""

    def __init__(self, place: int) -> None:
        self._place = place

    def hear(self, samples: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(samples, max(1, len(samples)))
        C.plc_hear(self._place, buffer, len(samples) // 2)
        return buffer.raw[: len(samples)]

    def conceal(self, count: int) -> bytes:
        buffer = ctypes.create_string_buffer(max(1, 2 * count))
        C.plc_conceal(self._place, buffer, count)
        return buffer.raw[: 2 * count]


@contextmanager
def plc_in_c(rate: int) -> Iterator[PlcInC]:
    place = C.plc_new(rate)
    assert place
    yield PlcInC(place)
    C.plc_free(place)


def sound(rng: random.Random, rate: int, count: int) -> bytes:
    """Harmonics, noise, silence, or samples at the limits."""
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(2 * count)
    if kind == 1:
        return array("h", [rng.choice((-32768, 32767)) for _ in range(count)]).tobytes()
    step, noise = 2 * math.pi * rng.uniform(50, 500) / rate, rng.choice((0, 100, 3000))
    values = [4000 * sum(math.sin(k * step * n) for k in (1, 2, 5)) + rng.gauss(0, noise) for n in range(count)]
    return array("h", [max(-32768, min(32767, round(value))) for value in values]).tobytes()


@given(st.integers(0, 2**32), st.sampled_from(RATES), st.lists(st.booleans(), max_size=16))
@settings(max_examples=60, deadline=None)
def test_what_is_made_up_is_the_same(seed: int, rate: int, course: list[bool]) -> None:
    rng = random.Random(seed)
    reference = Plc(rate)
    with plc_in_c(rate) as plc:
        for lost in course:
            count = rng.choice((rate // 50, rate // 50, rate // 50, rng.randrange(0, 2 * rate // 50)))
            if lost:
                assert plc.conceal(count) == reference.conceal(count)
            else:
                samples = sound(rng, rate, count)
                assert plc.hear(samples) == reference.hear(samples)


@given(st.lists(st.binary(max_size=2000) | st.integers(0, 2000), max_size=30), st.sampled_from((8000, 192000)))
@settings(max_examples=60, deadline=None)
def test_any_samples_are_survived_alike(pieces: list[bytes | int], rate: int) -> None:
    reference = Plc(rate)
    with plc_in_c(rate) as plc:
        for piece in pieces:
            if isinstance(piece, int):
                assert plc.conceal(piece) == reference.conceal(piece)
            else:
                samples = piece[: len(piece) // 2 * 2]
                assert plc.hear(samples) == reference.hear(samples)


@pytest.mark.parametrize("rate", [0, -8000, 7999, 192001])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    assert C.plc_new(rate) is None
    C.plc_free(None)
