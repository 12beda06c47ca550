"""Recordings of a mix that keep the parties apart: one file, a track for each, all of them in time."""

from __future__ import annotations

import logging
import os
import wave
from array import array
from pathlib import Path

import pytest

from arietta.media.engine import EngineSettings, RecordEnd, RecordEndReason, RecordOptions, Samples, Side
from arietta.media.files import MOST_TRACKS, read_sound

from .virtual import World, loudness, tone

APART = RecordOptions(side=Side.BOTH, tracks=True)


def tracks_of(path: Path | str, rate: int = 8000) -> list[array[int]]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (rate, 2)
        assert os.path.getsize(path) == 44 + file.getnframes() * 2 * file.getnchannels()
        samples = array("h", file.readframes(file.getnframes()))
        return [samples[n :: file.getnchannels()] for n in range(file.getnchannels())]


def heard(track: array[int], frequency: float, begin_ms: int, end_ms: int, rate: int = 8000) -> float:
    return loudness(track[begin_ms * rate // 1000 : end_ms * rate // 1000].tobytes(), frequency, rate=rate)


def silent(track: array[int], begin_ms: int, end_ms: int, rate: int = 8000) -> bool:
    return not any(track[begin_ms * rate // 1000 : end_ms * rate // 1000])


@pytest.mark.parametrize("holding", [False, True])
@pytest.mark.parametrize(("format", "rate"), [("wav", 8000), ("wav16", 16000)])
def test_each_party_has_a_track_in_time(world: World, tmp_path: Path, format: str, rate: int, holding: bool) -> None:
    """A is there from the beginning, B comes at 400 and goes at 800 ms, C comes at 600: one file of a second."""
    mixer = world.core.open_mixer(holding=holding)
    ear = mixer.port()
    ends: list[RecordEnd] = []
    a, b, c = world.phone("ulaw"), world.phone("alaw"), world.phone("slin16")
    a.port.link(mixer, announcer=holding)
    recorder = ear.record(str(tmp_path / "room"), format, APART, on_end=ends.append)
    for phone, frequency in ((a, 500), (b, 700), (c, 1100)):
        phone.say(tone(frequency, 1000, rate=16000 if phone is c else 8000))
    world.at(400, lambda: b.port.link(mixer, announcer=holding))
    world.at(600, lambda: c.port.link(mixer, announcer=holding))
    world.at(800, lambda: b.port.link(None))
    world.run(1000)
    recorder.stop()
    world.run(0)
    (end,) = ends
    assert (end.reason, end.duration_ms) == (RecordEndReason.STOPPED, 1000)
    assert end.talking_ms + end.silence_ms == 1000
    tracks = tracks_of(end.path, rate)
    assert [len(track) for track in tracks] == [rate] * 3
    first, second, third = tracks
    assert heard(first, 500, 200, 900, rate) > 6500
    assert silent(second, 0, 400, rate) and silent(second, 840, 1000, rate)
    assert heard(second, 700, 540, 780, rate) > 6500
    assert silent(third, 0, 600, rate)
    assert heard(third, 1100, 740, 960, rate) > 6500
    for track, own in ((first, 500), (second, 700), (third, 1100)):
        for other in {500, 700, 1100} - {own}:
            assert heard(track, other, 800, 900, rate) < 300
    assert os.listdir(tmp_path) == ["room.wav" if format == "wav" else "room.wav16"]
    assert len(read_sound(end.path).samples()) == 2 * rate


def test_who_comes_back_has_its_track_again_and_what_the_mix_plays_has_none(world: World, tmp_path: Path) -> None:
    mixer = world.core.open_mixer()
    ear, speaker = mixer.port(), mixer.port()
    a, b = world.phone(), world.phone()
    a.port.link(mixer)
    b.port.link(mixer)
    recorder = ear.record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
    speaker.play(Samples(tone(900, 1000)), on_end=lambda end: None)
    b.say(tone(500, 1000))
    world.at(300, lambda: b.port.link(None))
    world.at(600, lambda: b.port.link(mixer))
    world.run(1000)
    recorder.stop()
    world.run(0)
    first, second = tracks_of(tmp_path / "room.wav")
    assert silent(first, 0, 1000)
    assert heard(second, 500, 100, 280) > 6500
    assert silent(second, 340, 600)
    assert heard(second, 500, 740, 960) > 6500


def test_what_was_written_before_a_party_came_is_silent_on_its_track(world: World, tmp_path: Path) -> None:
    """Pieces of the file went to the disk with one track, and with two."""
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(3)]
    recorder = mixer.port().record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
    for n, (phone, frequency) in enumerate(zip(phones, (500, 700, 900), strict=True)):
        world.at(2500 * n, lambda phone=phone: phone.port.link(mixer))  # type: ignore[misc]
        world.at(2500 * n, lambda phone=phone, f=frequency: phone.say(tone(f, 400)))  # type: ignore[misc]
    world.run(5500)
    recorder.stop()
    world.run(0)
    tracks = tracks_of(tmp_path / "room.wav")
    assert [len(track) for track in tracks] == [44000] * 3
    for n, (track, frequency) in enumerate(zip(tracks, (500, 700, 900), strict=True)):
        assert silent(track, 0, 2500 * n)
        assert heard(track, frequency, 2500 * n + 100, 2500 * n + 400) > 6500
        assert silent(track, 2500 * n + 500, 5500)
    assert os.listdir(tmp_path) == ["room.wav"]


def test_nobody_is_one_silent_track_and_who_says_nothing_has_one(world: World, tmp_path: Path) -> None:
    for name, parties in (("nobody", 0), ("two", 2)):
        mixer = world.core.open_mixer()
        for _ in range(parties):
            world.phone().port.link(mixer)
        recorder = mixer.port().record(str(tmp_path / name), "wav", APART, on_end=lambda end: None)
        world.run(200)
        recorder.stop()
        world.run(0)
        tracks = tracks_of(tmp_path / f"{name}.wav")
        assert [silent(track, 0, 200) for track in tracks] == [True] * max(1, parties)


def test_the_tracks_are_aligned_with_each_other(world: World, tmp_path: Path) -> None:
    """The same click said by all at once is at the same sample of all tracks, whenever they joined."""
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(3)]
    phones[0].port.link(mixer)
    recorder = mixer.port().record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
    click = array("h", bytes(2 * 8000))
    click[5000] = 20000
    for n, phone in enumerate(phones):
        phone.say(click.tobytes())
        world.at(150 * n, lambda phone=phone: phone.port.link(mixer))  # type: ignore[misc]
    world.run(1200)
    recorder.stop()
    world.run(0)
    places = [max(range(len(track)), key=track.__getitem__) for track in tracks_of(tmp_path / "room.wav")]
    assert len(places) == 3
    assert len(set(places)) == 1


def test_who_is_one_too_many_has_no_track_and_that_is_said_once(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(MOST_TRACKS + 2)]
    recorder = mixer.port().record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
    with caplog.at_level(logging.WARNING):
        for phone in phones:
            phone.port.link(mixer)
            phone.say(tone(500, 600))
            world.run(20)
        world.run(200)
    recorder.stop()
    world.run(0)
    tracks = tracks_of(tmp_path / "room.wav")
    assert len(tracks) == MOST_TRACKS
    assert [heard(track, 500, 420, 540) > 6500 for track in tracks] == [True] * MOST_TRACKS
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"{MOST_TRACKS} parties" in said and "room.wav" in said


def test_pausing_muting_and_the_limits_are_as_for_any_recording(world: World, tmp_path: Path) -> None:
    mixer = world.core.open_mixer()
    a, b = world.phone(), world.phone()
    for phone in (a, b):
        phone.port.link(mixer)
        phone.say(tone(500, 3000))
    recorder = mixer.port().record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
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
    for track in tracks_of(tmp_path / "room.wav"):
        assert len(track) == 12000
        assert silent(track, 500, 1000)
        assert heard(track, 500, 1000, 1500) > 6500


def test_silence_is_when_no_party_talks(world: World, tmp_path: Path) -> None:
    mixer = world.core.open_mixer()
    a, b = world.phone(), world.phone()
    for phone, after_ms in ((a, 0), (b, 300)):
        phone.port.link(mixer)
        phone.say(tone(500, 300), after_ms=after_ms)
    ends: list[RecordEnd] = []
    quiet = RecordOptions(side=Side.BOTH, tracks=True, max_silence_ms=400)
    longest = RecordOptions(side=Side.BOTH, tracks=True, max_duration_ms=300)
    mixer.port().record(str(tmp_path / "quiet"), "wav", quiet, on_end=ends.append)
    mixer.port().record(str(tmp_path / "long"), "wav", longest, on_end=ends.append)
    world.run(3000)
    assert [(end.reason, end.duration_ms) for end in ends] == [
        (RecordEndReason.MAX_DURATION, 300),
        (RecordEndReason.MAX_SILENCE, ends[1].duration_ms),
    ]
    assert 1000 <= ends[1].duration_ms <= 1080
    ticks = world.core.ticks
    world.run(1000)
    assert world.core.ticks == ticks


def test_a_file_is_continued_with_as_many_tracks_as_there_are(world: World, tmp_path: Path) -> None:
    """One party, then two, then one again."""
    for length, parties in ((200, 1), (320, 2), (100, 1)):
        mixer = world.core.open_mixer()
        for frequency in (500, 900)[:parties]:
            phone = world.phone()
            phone.port.link(mixer)
            phone.say(tone(frequency, length))
        options = RecordOptions(side=Side.BOTH, tracks=True, append=True)
        recorder = mixer.port().record(str(tmp_path / "room"), "wav", options, on_end=lambda end: None)
        world.run(length)
        recorder.stop()
        world.run(0)
    first, second = tracks_of(tmp_path / "room.wav")
    assert len(first) == 8 * 620
    assert heard(first, 500, 100, 200) > 6500
    assert heard(first, 500, 320, 520) > 6500
    assert silent(second, 0, 200) and silent(second, 520, 620)
    assert heard(second, 900, 320, 520) > 6500
    assert os.listdir(tmp_path) == ["room.wav"]


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_the_end_of_the_mix_or_of_the_recording_leaves_nothing_open(world: World, tmp_path: Path, how: str) -> None:
    mixer = world.core.open_mixer()
    ear = mixer.port()
    phones = [world.phone() for _ in range(3)]
    ends: list[RecordEnd] = []
    recorder = ear.record(str(tmp_path / "room"), "wav", APART, on_end=ends.append)
    for n, phone in enumerate(phones):
        phone.say(tone(500, 1000))
        world.at(100 * n, lambda phone=phone: phone.port.link(mixer))  # type: ignore[misc]
    world.run(350)
    if how == "cancel":
        recorder.cancel()
    else:
        mixer.close()
        world.run(100)
        ear.close()
    world.run(0)
    assert [end.reason.value for end in ends] == ["cancelled" if how == "cancel" else "closed"]
    assert os.listdir(tmp_path) == ([] if how == "cancel" else ["room.wav"])
    if how == "close":
        tracks = tracks_of(tmp_path / "room.wav")
        assert [silent(track, 360, 440) for track in tracks] == [True] * 3


def test_the_loudest_alone_are_mixed_and_all_are_recorded(each_engine: str, tmp_path: Path) -> None:
    world = World(EngineSettings(mix_loudest=1))
    mixer = world.core.open_mixer()
    for level in (8000, 2000, 1000):
        phone = world.phone()
        phone.port.link(mixer)
        phone.say(tone(500, 500, level=level))
    recorder = mixer.port().record(str(tmp_path / "room"), "wav", APART, on_end=lambda end: None)
    world.run(500)
    recorder.stop()
    world.run(0)
    measured = [heard(track, 500, 200, 400) for track in tracks_of(tmp_path / "room.wav")]
    assert measured == pytest.approx([8000, 2000, 1000], rel=0.05)
    world.core.close()
    world.core.deliver()
