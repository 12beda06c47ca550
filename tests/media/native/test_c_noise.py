"""Comfort noise in C: the same samples as the reference's."""

from __future__ import annotations

import ctypes
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.media.reference.frame import level
from arietta.media.reference.noise import ComfortNoise

from .leaves import leaf

C = leaf("noise")


class NoiseInC(ctypes.Structure):
    _fields_ = (("amplitude", ctypes.c_int), ("seed", ctypes.c_uint32), ("heard", ctypes.c_bool))


def made(noise: NoiseInC, count: int) -> bytes:
    samples = (ctypes.c_int16 * count)()
    C.comfort_noise_make(ctypes.byref(noise), samples, count)
    return bytes(samples)


@given(st.lists(st.binary(max_size=4), max_size=8))
def test_it_is_the_same_after_any_packets(payloads: list[bytes]) -> None:
    reference, noise = ComfortNoise(), NoiseInC()
    C.comfort_noise_init(ctypes.byref(noise))
    for payload in payloads:
        reference.describe(payload)
        C.comfort_noise_describe(ctypes.byref(noise), payload, len(payload))
        assert noise.amplitude == reference.amplitude
        assert made(noise, 160) == reference.samples(160)


@pytest.mark.parametrize(("told", "dbov"), [(30, 30), (60, 60), (0, 20), (0x80 | 45, 45)])
def test_its_level_is_what_was_told(told: int, dbov: int) -> None:
    noise = ComfortNoise()
    noise.describe(bytes([told, 3, 4]))
    expected = 32768 * 10 ** (-dbov / 20)
    samples = noise.samples(8000)
    assert level(samples) == pytest.approx(expected, rel=0.06, abs=2)
    assert abs(sum(array("h", samples))) / 8000 < expected / 20 + 1
