"""How alike two sounds are, and the files they come from."""

from __future__ import annotations

import re
import time
import wave
from array import array
from random import Random

import pytest

from arietta.testing.audio import RATE, SoundError, compare, decode, encode, read_sound, tone, write_wav


def noise(seconds: float, seed: int = 1, level: int = 3000) -> bytes:
    random = Random(seed)
    return array("h", [random.randrange(-level, level) for _ in range(round(seconds * RATE))]).tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def test_a_sound_is_found_where_it_is():
    sound = noise(2)
    match = compare(silence(1) + sound + silence(1), sound)
    assert match.correlation > 0.999
    assert match.offset_ms == pytest.approx(1000, abs=0.2)
    match = compare(noise(3, seed=2) + sound + noise(3, seed=3), sound)
    assert match.correlation > 0.999
    assert match.offset_ms == pytest.approx(3000, abs=0.2)


def test_silence_around_the_expected_sound_does_not_matter():
    sound = noise(1)
    match = compare(silence(2) + sound, silence(0.5) + sound + silence(0.3))
    assert match.correlation > 0.999
    assert match.offset_ms == pytest.approx(1500, abs=0.2)


@pytest.mark.parametrize("codec", ["ulaw", "alaw"])
def test_loudness_and_g711_do_not_matter(codec):
    sound = noise(1)
    quiet = array("h", [value // 4 for value in array("h", sound)]).tobytes()
    assert compare(decode(codec, encode(codec, quiet)), sound).correlation > 0.99


def test_another_sound_is_another():
    assert compare(noise(5, seed=2), noise(1)).correlation < 0.2
    assert compare(tone(880, 3000), tone(440, 1000)).correlation < 0.1
    assert compare(tone(450, 3000), tone(440, 1000)).correlation < 0.4
    assert compare(b"", tone(440, 100)).correlation == 0
    assert compare(silence(1), tone(440, 100)).correlation == 0
    assert compare(tone(440, 100), silence(1)).correlation == 0


def test_what_is_missing_counts():
    sound = noise(2)
    assert compare(sound[: len(sound) // 2], sound).correlation == pytest.approx(0.71, abs=0.02)
    gaps = b"".join(bytes(320) if at // 320 % 10 == 0 else sound[at : at + 320] for at in range(0, len(sound), 320))
    assert compare(silence(0.1) + gaps, sound).correlation == pytest.approx(0.95, abs=0.02)


def test_a_minute_is_searched_in_a_moment():
    sound = noise(3)
    heard = noise(50, seed=4) + sound + noise(7, seed=5)
    began = time.process_time()
    assert compare(heard, sound).offset_ms == pytest.approx(50_000, abs=0.2)
    assert time.process_time() - began < 2


def test_files_are_read_at_8_khz(tmp_path):
    sound = tone(440, 500)
    write_wav(tmp_path / "a.wav", sound)
    assert read_sound(tmp_path / "a.wav") == sound
    (tmp_path / "a.sln").write_bytes(sound)
    assert read_sound(tmp_path / "a.sln") == sound
    (tmp_path / "a.ulaw").write_bytes(encode("ulaw", sound))
    assert compare(read_sound(tmp_path / "a.ulaw"), sound).correlation > 0.99
    with wave.open(str(tmp_path / "b.wav"), "wb") as stereo:
        stereo.setnchannels(2)
        stereo.setsampwidth(2)
        stereo.setframerate(RATE)
        values = array("h", sound)
        stereo.writeframes(array("h", [value for value in values for _ in range(2)]).tobytes())
    assert compare(read_sound(tmp_path / "b.wav"), sound).correlation > 0.99
    wide = array("h", [value for value in values for _ in range(2)]).tobytes()
    (tmp_path / "a.sln16").write_bytes(wide)
    assert compare(read_sound(tmp_path / "a.sln16"), sound).correlation > 0.95


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFFnothing")
    (tmp_path / "a.mp3").write_bytes(b"")
    for name in ("a.wav", "a.mp3"):
        with pytest.raises(SoundError, match=re.escape(name)):
            read_sound(tmp_path / name)
    with pytest.raises(ValueError, match="g729"):
        encode("g729", b"")
