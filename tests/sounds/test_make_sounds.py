"""What the sound maker does besides speaking: conversion, filters, limits, and sounds of its own."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .audio import MULAW, TOOLS, read_sound, sound_files


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sounds", TOOLS / "make_sounds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


maker = load_maker()


def sine(frequency_hz: float, rate_hz: int, seconds: float = 0.2) -> list[float]:
    return [math.sin(2 * math.pi * frequency_hz * i / rate_hz) for i in range(round(seconds * rate_hz))]


def test_every_mulaw_code_survives_decoding_and_encoding() -> None:
    assert [maker.mulaw_byte(MULAW[code]) for code in range(256) if code != 0x7F] == [
        code for code in range(256) if code != 0x7F
    ]
    assert maker.mulaw_byte(MULAW[0x7F]) == 0xFF  # there are two zeros; the positive one is used


@given(st.integers(-32635, 32635))
@settings(max_examples=200)
def test_mulaw_is_never_further_off_than_half_its_step(sample: int) -> None:
    error = abs(MULAW[maker.mulaw_byte(sample)] - sample)
    assert error <= max(4, (abs(sample) + 132) / 32)


def test_resampling_keeps_the_telephone_band_and_drops_what_would_fold_into_it() -> None:
    for frequency_hz, low, high in [(300, 0.69, 0.73), (1000, 0.69, 0.73), (3000, 0.69, 0.73), (5000, 0, 0.001)]:
        heard = maker.resample(sine(frequency_hz, 22050), 22050)[200:-200]
        assert low <= maker.rms(heard) <= high, f"{frequency_hz} Hz"


def test_resampling_keeps_the_duration() -> None:
    assert len(maker.resample([0.0] * 22050, 22050)) == 8000


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=200), st.floats(0.1, 1))
@settings(max_examples=60)
def test_the_limiter_lets_nothing_pass_its_ceiling(samples: list[float], ceiling: float) -> None:
    limited = maker.limit(samples, ceiling)
    assert len(limited) == len(samples)
    assert max(map(abs, limited)) <= ceiling * 1.000001


def test_the_limiter_leaves_alone_what_is_soft() -> None:
    samples = [0.1 * sample for sample in sine(400, 8000)]
    assert maker.limit(samples, 0.5) == pytest.approx(samples)


def test_trimming_leaves_thirty_milliseconds_on_either_side() -> None:
    trimmed = maker.trim([0.0] * 4000 + [0.5] * 800 + [0.0] * 4000)
    assert len(trimmed) == 800 + 2 * 240
    assert trimmed[0] == trimmed[-1] == 0.0


@pytest.mark.parametrize("sound_id", ["beep", "beeperr", "silence/1"])
def test_a_synthesized_sound_is_the_one_that_is_shipped(sound_id: str, tmp_path: Path) -> None:
    shipped = sound_files()[sound_id]
    made = maker.write_sound(tmp_path / "made", maker.SYNTHESIZED[sound_id](), as_wav=sound_id in maker.AS_WAV)
    assert made.suffix == shipped.suffix
    assert read_sound(made) == pytest.approx(read_sound(shipped), abs=1)


def test_every_sound_that_nobody_speaks_has_its_maker() -> None:
    texts = maker.read_prompts(maker.PROMPTS)
    assert {sound_id for sound_id, text in texts.items() if text.startswith("(")} == set(maker.SYNTHESIZED)
    assert set(maker.PACE) | set(maker.SPOKEN) | maker.AS_WAV <= set(texts)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: one\nb\n", "list.txt line 2: 'b' is not `id: text`"),
        ("a: \n", "list.txt line 1: 'a: ' is not `id: text`"),
        ("a: one\n; a remark\n\na: two\n", "list.txt line 4: a was given before"),
    ],
)
def test_a_wrong_line_of_the_list_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(content)
    with pytest.raises(ValueError) as failure:
        maker.read_prompts(path)
    assert str(failure.value) == complaint


def test_an_unknown_sound_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert maker.main(["hello-wurld"]) == 2
    assert "hello-wurld" in capsys.readouterr().err
