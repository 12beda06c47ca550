"""Sound files: read, written, broken, cached."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS
from arietta.media.files import MediaFileError, MediaFileMissing, SoundCache, read_sound
from arietta.media.writers import SoundWriter, write_format

from .virtual import tone

FIXTURES = Path(__file__).parent / "fixtures"


def decoded(name: str) -> bytes:
    with wave.open(str(FIXTURES / name)) as file:
        return file.readframes(file.getnframes())


def test_wav_of_each_kind_that_another_program_wrote() -> None:
    assert read_sound(str(FIXTURES / "speech.wav")).samples() == decoded("speech.wav")
    assert read_sound(str(FIXTURES / "speech49.wav")).samples()[:16000] == decoded("speech49-decoded.wav")[:16000]
    for name in ("ulaw", "alaw"):
        sound = read_sound(str(FIXTURES / f"speech-{name}.wav"))
        assert (sound.codec, sound.rate, len(sound.data)) == (name, 8000, 8000)
        assert sound.encoded(name) is sound.data
    assert read_sound(str(FIXTURES / "speech.gsm")).samples() == decoded("speech-decoded.wav")


def test_stereo_is_mixed_and_other_rates_are_kept(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "both.wav"), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(pack("<4h", 1000, 3000, -200, 200))
    sound = read_sound(str(tmp_path / "both.wav"))
    assert (sound.rate, sound.data) == (16000, pack("=2h", 2000, 0))


def wav(tag: int, channels: int, rate: int, bits: int, *, data: bytes = b"data\0\0\0\0") -> bytes:
    fmt = pack("<IHHIIHH", 16, tag, channels, rate, rate * 2, bits // 8, bits)
    return b"RIFF\0\0\0\0WAVEfmt " + fmt + data


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.mp3", b"", "'mp3' is not known"),
        ("a.wav", b"", "no RIFF/WAVE"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", "no fmt"),
        ("a.wav", wav(1, 1, 8000, 16, data=b""), "no data"),
        ("a.wav", wav(1, 17, 8000, 16), "17 channels"),
        ("a.wav", wav(3, 1, 8000, 32), "0x3 of 32 bits"),
        ("a.wav", wav(1, 1, 5, 16), "sample rate 5"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MediaFileError, match=words) as caught:
        read_sound(str(path))
    assert str(path) in str(caught.value)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaFileMissing, match="No such file"):
        read_sound(str(tmp_path / "none.ulaw"))


@given(st.binary(max_size=120), st.sampled_from(["", "fmt ", "data"]))
@settings(max_examples=120, deadline=None)
def test_any_bytes_are_a_sound_or_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes, chunk: str) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + chunk.encode() + data)
    try:
        read_sound(str(path)).samples()
    except MediaFileError:
        pass


def test_a_recording_whose_writer_was_killed_reads_to_its_end(tmp_path: Path) -> None:
    writer = SoundWriter(str(tmp_path / "cut"), write_format("wav"))
    writer.write(tone(500, 100))
    os.rename(tmp_path / ".cut.wav.part", tmp_path / "cut.wav")
    writer._file.flush()  # type: ignore[union-attr]  # what the kernel had when the process died
    assert read_sound(str(tmp_path / "cut.wav")).samples() == tone(500, 100)
    writer.abandon()


@pytest.mark.parametrize("format", ["wav", "wav-ulaw", "wav-alaw", "wav16"])
def test_headers_are_right_also_after_appending(tmp_path: Path, format: str) -> None:
    form = write_format(format)
    for _ in range(3):
        writer = SoundWriter(str(tmp_path / "said"), form, append=True)
        writer.write(tone(500, 100, rate=form.rate))
        writer.finish()
    data = (tmp_path / f"said.{form.extension}").read_bytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    width = 2 if form.codec == "slin" else 1
    assert int.from_bytes(data[40:44], "little") == len(data) - 44 == form.rate * 3 // 10 * width


def test_appending_to_another_format_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    writer = SoundWriter(str(tmp_path / "said"), write_format("wav-ulaw"))
    writer.finish()
    before = path.read_bytes()
    with pytest.raises(MediaFileError, match=r"said\.wav.*cannot be continued"):
        SoundWriter(str(tmp_path / "said"), write_format("wav"), append=True)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["said.wav"]


def test_the_cache_reads_once_encodes_once_and_notices_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.sln"
    path.write_bytes(tone(500, 100))
    cache = SoundCache(1 << 20)
    assert not cache.ready(str(path), "ulaw")
    first = cache.encoded(str(path), "ulaw")
    assert cache.encoded(str(path), "ulaw") is first
    assert cache.ready(str(path), "ulaw")
    assert first == CODECS["ulaw"].encoder()(tone(500, 100))
    cache.samples(str(path), 16000)
    assert (cache.reads, cache.encodes) == (1, 2)
    path.write_bytes(tone(500, 200))
    assert not cache.ready(str(path), "ulaw")
    assert len(cache.encoded(str(path), "ulaw")) == 1600
    assert cache.reads == 2


def test_the_cache_is_bounded_and_the_least_used_leave(tmp_path: Path) -> None:
    cache = SoundCache(5000)
    paths = []
    for n in range(4):
        paths.append(str(tmp_path / f"{n}.ulaw"))
        Path(paths[-1]).write_bytes(bytes(2000))
    for path in (paths[0], paths[1], paths[0], paths[2]):
        cache.encoded(path, "ulaw")
    assert cache.size <= 5000
    assert [cache.ready(path, "ulaw") for path in paths] == [True, False, True, False]
    Path(paths[3]).write_bytes(bytes(9000))
    assert len(cache.encoded(paths[3], "ulaw")) == 9000
    assert cache.size <= 5000
