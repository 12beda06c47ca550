"""Recordings: what is in the file, how long it is, how it ended."""

from __future__ import annotations

import os
import wave
from array import array
from pathlib import Path

import pytest

from arietta.media.engine import MediaError, RecordEnd, RecordEndReason, RecordOptions, Samples, Side
from arietta.media.files import read_sound

from .virtual import World, loudness, tone

SLIN = [f"sln{name}" for name in ("", 12, 16, 24, 32, 44, 48, 96, 192)]


@pytest.mark.parametrize(
    "format",
    [
        "wav",
        "wav16",
        "wav49",
        "WAV",
        "gsm",
        "ulaw",
        "alaw",
        "sln",
        "sln12",
        "sln16",
        "sln24",
        "sln32",
        "sln44",
        "sln48",
        "sln96",
        "sln192",
    ],
)
def test_every_format_holds_what_was_said(world: World, tmp_path: Path, format: str) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    recorder = phone.port.record(str(tmp_path / "said"), format, on_end=ends.append)
    phone.say(tone(500, 400))
    world.run(600)
    recorder.stop()
    world.run(0)
    (end,) = ends
    assert (end.reason, end.error, end.duration_ms) == (RecordEndReason.STOPPED, None, 600)
    assert 380 <= end.talking_ms <= 440
    assert end.talking_ms + end.silence_ms == 600
    sound = read_sound(end.path)
    samples = sound.samples()
    assert len(samples) // 2 == sound.rate * 600 // 1000
    middle = samples[sound.rate // 5 * 2 : sound.rate * 2 // 5 * 2]
    assert loudness(middle, 500, rate=sound.rate) > 6500
    assert os.listdir(tmp_path) == [os.path.basename(end.path)]


def test_one_side_the_other_or_both(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    for side in (Side.IN, Side.OUT, Side.BOTH):
        phone.port.record(str(tmp_path / side.value), "sln", RecordOptions(side=side), on_end=ends.append)
    phone.say(tone(500, 1000))
    phone.port.play(Samples(tone(900, 1000)), on_end=lambda end: None)
    world.run(1000)
    phone.port.close()
    world.run(0)
    assert [end.reason for end in ends] == [RecordEndReason.CLOSED] * 3
    heard = {side: (tmp_path / f"{side}.sln").read_bytes()[3200:14400] for side in ("in", "out", "both")}
    for side, frequencies in (("in", {500}), ("out", {900}), ("both", {500, 900})):
        for frequency in (500, 900):
            assert (loudness(heard[side], frequency) > 7000) == (frequency in frequencies)


@pytest.mark.parametrize(("format", "rate"), [("wav", 8000), ("wav16", 16000)])
def test_both_sides_as_two_tracks(world: World, tmp_path: Path, format: str, rate: int) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    for length in (600, 400):
        options = RecordOptions(side=Side.BOTH, tracks=True, append=True)
        recorder = phone.port.record(str(tmp_path / "both"), format, options, on_end=ends.append)
        phone.say(tone(500, 200))
        phone.port.play(Samples(tone(900, 400)), on_end=lambda end: None)
        world.run(length)
        recorder.stop()
        world.run(0)
    assert [(end.reason, end.duration_ms) for end in ends] == [
        (RecordEndReason.STOPPED, 600),
        (RecordEndReason.STOPPED, 400),
    ]
    assert 380 <= ends[0].talking_ms <= 420
    with wave.open(ends[0].path) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, rate, rate)
        samples = array("h", file.readframes(rate))
    left, right = samples[0::2], samples[1::2]
    for begin, spoken in ((0.1, True), (0.3, False), (0.7, True), (0.9, False)):
        place = slice(int(begin * rate), int((begin + 0.08) * rate))
        assert (loudness(left[place].tobytes(), 500, rate=rate) > 6500) == spoken
        assert loudness(right[place].tobytes(), 900, rate=rate) > 6500
        assert loudness(left[place].tobytes(), 900, rate=rate) < 500
    assert (
        loudness(read_sound(ends[0].path).samples()[rate // 5 : rate // 4], 900, rate=rate) > 3000
    )  # players mix them


def test_where_there_are_no_tracks_they_are_refused(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    mix = world.core.open_mixer().port()
    for port, format, side in ((phone.port, "sln", Side.BOTH), (phone.port, "wav", Side.IN), (mix, "gsm", Side.BOTH)):
        options = RecordOptions(side=side, tracks=True)
        with pytest.raises(MediaError, match="has no tracks"):
            port.record(str(tmp_path / "both"), format, options, on_end=lambda end: None)
    assert os.listdir(tmp_path) == []


def test_a_file_of_one_track_is_not_continued_with_two(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    for options in (RecordOptions(), RecordOptions(side=Side.BOTH, tracks=True, append=True)):
        recorder = phone.port.record(str(tmp_path / "said"), "wav", options, on_end=ends.append)
        world.run(100)
        recorder.stop()
        world.run(0)
    assert ends[1].reason is RecordEndReason.FAILED
    assert ends[1].error is not None
    assert ends[1].error.endswith("1 channels cannot be continued as 2")


def test_pausing_leaves_out_and_muting_makes_silence(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    recorder = phone.port.record(str(tmp_path / "said"), "sln", on_end=lambda end: None)
    phone.say(tone(500, 3000))
    world.run(500)
    recorder.pause()
    world.run(1000)
    recorder.resume()
    recorder.mute()
    world.run(500)
    recorder.unmute()
    world.run(500)
    assert recorder.duration_ms == 1500
    recorder.stop()
    world.run(0)
    samples = (tmp_path / "said.sln").read_bytes()
    assert len(samples) == 16 * 1500
    assert loudness(samples[8000:16000], 500) < 10
    assert loudness(samples[16000:], 500) > 7000


def test_limits_end_it(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    longest = RecordOptions(max_duration_ms=300)
    phone.port.record(str(tmp_path / "long"), "wav", longest, on_end=ends.append)
    quiet = RecordOptions(max_silence_ms=400)
    phone.port.record(str(tmp_path / "quiet"), "wav", quiet, on_end=ends.append)
    phone.say(tone(500, 200))
    world.run(2000)
    assert [(end.reason, end.duration_ms) for end in ends] == [
        (RecordEndReason.MAX_DURATION, 300),
        (RecordEndReason.MAX_SILENCE, ends[1].duration_ms),
    ]
    assert 600 <= ends[1].duration_ms <= 680
    ticks = world.core.ticks
    world.run(3000)
    assert world.core.ticks == ticks


def test_a_cancelled_recording_leaves_nothing_and_what_was_there(world: World, tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(b"as it was")
    phone = world.phone()
    ends: list[RecordEnd] = []
    for name in ("new", "old"):
        phone.port.record(str(tmp_path / name), "wav", on_end=ends.append).cancel()
    world.run(0)
    assert [end.reason for end in ends] == [RecordEndReason.CANCELLED] * 2
    assert os.listdir(tmp_path) == ["old.wav"]
    assert (tmp_path / "old.wav").read_bytes() == b"as it was"


@pytest.mark.parametrize("format", ["wav", "wav49", "gsm", "ulaw", "sln16"])
def test_appending_continues_the_file(world: World, tmp_path: Path, format: str) -> None:
    for length in (200, 320):
        phone = world.phone()
        recorder = phone.port.record(
            str(tmp_path / "said"), format, RecordOptions(append=True), on_end=lambda end: None
        )
        world.run(length)
        recorder.stop()
        world.run(0)
    (name,) = os.listdir(tmp_path)
    sound = read_sound(str(tmp_path / name))
    assert len(sound.samples()) // 2 == sound.rate * 520 // 1000


def test_the_beep_is_heard_and_not_recorded(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    recorder = phone.port.record(str(tmp_path / "said"), "sln", RecordOptions(beep=True), on_end=lambda end: None)
    phone.port.echo(False)
    world.run(1000)
    assert loudness(phone.heard()[:3200], 1400) > 4000
    assert 740 <= recorder.duration_ms <= 800


def test_a_folder_that_is_missing_fails_the_recording(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    phone.port.record(str(tmp_path / "none" / "said"), "wav", on_end=ends.append)
    world.run(100)
    assert [end.reason for end in ends] == [RecordEndReason.FAILED]
    assert "said.wav" in (ends[0].error or "")


def test_an_unknown_format_is_refused_by_name(world: World, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="'mp3'"):
        world.phone().port.record(str(tmp_path / "said"), "mp3", on_end=lambda end: None)


def test_loss_and_disorder_are_concealed_in_time(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    recorder = phone.port.record(str(tmp_path / "said"), "ulaw", on_end=lambda end: None)
    start = phone.sequence
    for n in range(50):
        late = 25 if n % 10 == 4 else 0

        def packet(n: int = n) -> None:
            phone.sequence, phone.timestamp = (start + n) & 0xFFFF, 160 * n
            phone.send(bytes([n]) * 160)

        if n % 10 != 7:
            world.at(5 + 20 * n + late, packet)
    world.run(1200)
    recorder.stop()
    world.run(0)
    frames = (tmp_path / "said.ulaw").read_bytes()[100::160]  # past the blending after a loss
    spoken = [frame for frame in frames if frame != 0xFF]
    expected = [n - 1 if n % 10 == 7 else n for n in range(50)]
    assert spoken == expected
