"""The English prompts: complete, audible, equally loud, and never too loud."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from .audio import DATA, ENGLISH, RATE_HZ, TOOLS, dbfs, read_sound, read_texts, rms, sound_files, speech_level_dbfs

TEXTS = dict(read_texts(TOOLS / "sounds_en.txt"))
FILES = sound_files()
SPOKEN = sorted(sound_id for sound_id, text in TEXTS.items() if not text.startswith("("))


@cache
def samples_of(sound_id: str) -> Sequence[int]:
    return read_sound(FILES[sound_id])


def seconds_of(sound_id: str) -> float:
    return len(samples_of(sound_id)) / RATE_HZ


def test_every_text_has_one_file_and_every_file_its_text() -> None:
    stored = [path for path in ENGLISH.rglob("*") if path.suffix in {".wav", ".ulaw"}]
    assert sorted(TEXTS) == sorted(FILES)
    assert len(stored) == len(FILES)  # no sound in two formats


def test_no_id_is_listed_twice() -> None:
    ids = [sound_id for sound_id, _ in read_texts(TOOLS / "sounds_en.txt")]
    assert len(ids) == len(set(ids))


def test_nothing_else_lies_among_the_sounds() -> None:
    others = {path.name for path in ENGLISH.rglob("*") if path.is_file()} - {path.name for path in FILES.values()}
    # No list of texts: with one, GET /sounds would show a field that clients of a bare installation never saw.
    assert others == set()


def test_the_best_known_sounds_are_16_bit_wav() -> None:
    assert {"hello-world", "beep", "tt-monkeys", "demo-congrats"} <= {
        sound_id for sound_id, path in FILES.items() if path.suffix == ".wav"
    }


@pytest.mark.parametrize(
    "family",
    [
        [f"digits/{number}" for number in [*range(21), *range(30, 100, 10)]],
        [f"digits/h-{number}" for number in [*range(1, 21), *range(30, 100, 10)]],
        [f"digits/day-{day}" for day in range(7)] + [f"digits/mon-{month}" for month in range(12)],
        [f"letters/{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"],
        [f"phonetic/{letter}_p" for letter in "abcdefghijklmnopqrstuvwxyz"],
        [f"silence/{seconds}" for seconds in range(1, 11)],
    ],
    ids=lambda family: family[0].split("/")[0],
)
def test_families_have_all_their_members(family: list[str]) -> None:
    assert set(family) <= set(FILES)


def test_hello_world_takes_about_one_and_a_half_seconds() -> None:
    assert 1.2 <= seconds_of("hello-world") <= 1.8


def test_the_jokes_and_speeches_have_their_lengths() -> None:
    assert 3.5 <= seconds_of("tt-monkeys") <= 4.5
    assert 5.0 <= seconds_of("demo-congrats") <= 8.0
    assert 0.1 <= seconds_of("beep") <= 0.5


def test_silence_is_silent_and_as_long_as_its_name_says() -> None:
    for seconds in range(1, 11):
        samples = samples_of(f"silence/{seconds}")
        assert len(samples) == seconds * RATE_HZ
        assert not any(samples)


def test_speech_is_equally_loud() -> None:
    wrong = {
        sound_id: level
        for sound_id in SPOKEN
        if not -17.5 <= (level := speech_level_dbfs(samples_of(sound_id))) <= -15.0
    }
    assert not wrong


def test_nothing_clips() -> None:
    too_loud = {sound_id for sound_id in FILES if dbfs(max(map(abs, samples_of(sound_id)))) > -3.0}
    assert not too_loud


def test_speech_begins_and_ends_with_a_breath_of_silence_only() -> None:
    """About 30 ms before the first and after the last sound: no click, and no wait."""
    for sound_id in SPOKEN:
        samples = samples_of(sound_id)
        audible = max(max(samples), -min(samples)) / 100
        assert max(map(abs, samples[:40])) < audible * 2, sound_id
        assert max(map(abs, samples[-40:])) < audible * 2, sound_id
        assert any(abs(sample) > audible for sample in samples[: RATE_HZ // 10]), sound_id
        assert any(abs(sample) > audible for sample in samples[-RATE_HZ // 10 :]), sound_id


def test_no_prompt_is_too_short_to_be_heard_or_too_long_to_be_borne() -> None:
    assert not {sound_id for sound_id in SPOKEN if not 0.25 <= seconds_of(sound_id) <= 20}


def test_tones_are_tones() -> None:
    for sound_id in ("beep", "beeperr"):
        level = dbfs(rms(samples_of(sound_id)))
        assert -18 <= level <= -12, sound_id


def test_the_shipped_audio_stays_small() -> None:
    total = sum(path.stat().st_size for path in DATA.rglob("*") if path.suffix in {".wav", ".ulaw"})
    assert total < 6_000_000
