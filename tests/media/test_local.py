"""Pipes, streams of Python code, snoops, and what is heard in audio."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS
from arietta.media.engine import (
    MediaError,
    MediaStarted,
    PlayEnd,
    PlayEndReason,
    RecordOptions,
    Samples,
    Side,
    TalkStarted,
    TalkStopped,
    ToneDetected,
)

from .conftest import NATIVE_MISSING
from .virtual import World, loudness, tone


def test_what_one_end_of_a_pipe_plays_is_heard_behind_the_other(world: World) -> None:
    phone = world.phone()
    near, far = world.core.open_pipe(lambda event: None, lambda event: None)
    phone.port.link(near)
    ends: list[PlayEnd] = []
    far.play(Samples(tone(600, 400)), on_end=ends.append)
    world.run(600)
    assert loudness(phone.heard(), 600) > 7000
    assert ends == [PlayEnd(PlayEndReason.DONE, 400)]
    far.close()
    near.play(Samples(tone(600, 100)), on_end=ends.append)
    world.run(300)
    assert ends[1].reason is PlayEndReason.DONE


def test_a_call_through_two_pipes(world: World) -> None:
    one, other = world.phone(), world.phone("alaw")
    first, second = world.core.open_pipe(lambda event: None, lambda event: None)
    third, fourth = world.core.open_pipe(lambda event: None, lambda event: None)
    one.port.link(first)
    second.link(third)
    fourth.link(other.port)
    one.say(tone(500, 600))
    other.say(tone(900, 600))
    world.run(800)
    assert loudness(other.heard()[1600:6400], 500) > 7000
    assert loudness(one.heard()[1600:6400], 900) > 7000


def test_a_stream_is_heard_by_the_phone_and_hears_it(world: World) -> None:
    phone = world.phone()
    frames: list[bytes] = []
    events: list[object] = []
    stream = world.core.open_stream(format="slin16", on_event=events.append, on_frame=frames.append)
    stream.link(phone.port)
    phone.say(tone(500, 600))
    stream.push(tone(900, 600, rate=16000))
    assert stream.buffered_ms == 600
    world.run(900)
    assert stream.buffered_ms == 0
    assert loudness(phone.heard()[1600:8000], 900) > 7000
    assert {len(frame) for frame in frames} == {640}
    assert loudness(b"".join(frames)[6400:16000], 500, rate=16000) > 7000
    assert events == [MediaStarted()]


def test_a_stream_in_ulaw_gets_and_gives_its_bytes(world: World) -> None:
    phone = world.phone()
    frames: list[bytes] = []
    stream = world.core.open_stream(format="ulaw", on_event=lambda e: None, on_frame=frames.append)
    stream.link(phone.port)
    for n in range(4):
        world.at(20 * n, lambda n=n: phone.send(bytes([n]) * 160))  # type: ignore[misc]
    world.run(300)
    assert frames == [bytes([n]) * 160 for n in range(4)]
    stream.push(b"\x11" * 400)
    world.run(300)
    assert b"".join(packet.payload for packet in phone.collect()) == b"\x11" * 400 + b"\xff" * 80


def test_a_streams_buffer_is_bounded_and_can_be_flushed(world: World) -> None:
    phone = world.phone()
    stream = world.core.open_stream(format="ulaw", on_event=lambda e: None, on_frame=lambda f: None, buffer_ms=100)
    stream.link(phone.port)
    for n in range(8):  # 160 ms, in pieces that are no frames
        stream.push(bytes([n]) * 159 + b"\x7f")
    assert (stream.buffered_ms, stream.dropped_ms) == (100, 60)
    stream.push(b"\x40")
    assert (stream.buffered_ms, stream.dropped_ms) == (80, 80)  # whole frames leave, so that those that stay are whole
    world.run(300)
    heard = b"".join(packet.payload for packet in phone.collect())
    assert heard[:640] == b"".join(bytes([n]) * 159 + b"\x7f" for n in range(4, 8))
    stream.push(bytes(10_000))
    assert (stream.buffered_ms, stream.dropped_ms) == (90, 80 + 1160)
    stream.flush()
    assert stream.buffered_ms == 0
    stream.close()
    stream.push(b"x")
    assert (stream.buffered_ms, stream.dropped_ms) == (0, 0)


def _course(engine: str, moves: list[int]) -> tuple[list[tuple[int, int]], bytes]:
    """Bytes pushed, each unlike those before; 0 is a tick. What the buffer says after each, and what was heard."""
    before, World.engine = World.engine, engine
    try:
        world, frames, states = World(), [], []
        stream = world.core.open_stream(format="ulaw", on_event=lambda e: None, on_frame=frames.append, buffer_ms=50)
        stream.echo(True)
        for n, size in enumerate(moves):
            if size:
                stream.push(bytes((n + at // 160) & 0xFF for at in range(size)))
            else:
                world.run(20)
            states.append((stream.buffered_ms, stream.dropped_ms))
        world.run(500)
        world.core.close()
        return states, b"".join(frames)
    finally:
        World.engine = before


@pytest.mark.skipif(NATIVE_MISSING is not None, reason=str(NATIVE_MISSING))
@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.just(0), st.just(160), st.integers(1, 900)), max_size=40))
def test_both_engines_drop_the_same_of_what_is_pushed(moves: list[int]) -> None:
    assert _course("native", moves) == _course("reference", moves)


def test_frames_that_the_loop_does_not_take_are_bounded(world: World) -> None:
    frames: list[bytes] = []
    stream = world.core.open_stream(format="ulaw", on_event=lambda e: None, on_frame=frames.append)
    stream.play(Samples(tone(400, 10_000)), on_end=lambda end: None)
    for _ in range(400):
        world.now += 20_000_000
        world.core.run(world.now)
    assert frames == []
    world.core.deliver()
    assert len(frames) == 100


def test_an_unknown_stream_format_is_refused_by_name(world: World) -> None:
    with pytest.raises(MediaError, match="'opus'"):
        world.core.open_stream(format="opus", on_event=lambda e: None, on_frame=lambda f: None)


@pytest.mark.parametrize(
    ("spy", "frequencies"), [(Side.IN, {500}), (Side.OUT, {900}), (Side.BOTH, {500, 900}), (Side.NONE, set())]
)
def test_a_snoop_hears_the_side_it_spies_on(world: World, spy: Side, frequencies: set[int]) -> None:
    target, listener = world.phone(), world.phone()
    snoop = world.core.open_snoop(target.port, spy=spy, whisper=Side.NONE, on_event=lambda e: None)
    snoop.link(listener.port)
    target.say(tone(500, 800))
    target.port.play(Samples(tone(900, 800)), on_end=lambda end: None)
    world.run(800)
    heard = listener.heard()[3200:9600]
    for frequency in (500, 900):
        assert (loudness(heard, frequency) > 7000) == (frequency in frequencies)


@pytest.mark.parametrize("whisper", [Side.IN, Side.OUT, Side.BOTH])
def test_a_whisper_is_heard_on_its_side(world: World, whisper: Side) -> None:
    target, peer = world.phone(), world.phone()
    target.port.link(peer.port)
    snoop = world.core.open_snoop(target.port, spy=Side.NONE, whisper=whisper, on_event=lambda e: None)
    snoop.play(Samples(tone(700, 800)), on_end=lambda end: None)
    target.say(tone(400, 800))
    peer.say(tone(1000, 800))
    world.run(800)
    at_target, at_peer = target.heard()[3200:9600], peer.heard()[3200:9600]
    assert (loudness(at_target, 700) > 7000) == (whisper in (Side.OUT, Side.BOTH))
    assert (loudness(at_peer, 700) > 7000) == (whisper in (Side.IN, Side.BOTH))
    assert loudness(at_target, 1000) > 7000
    assert loudness(at_peer, 400) > 7000


def test_a_snoop_outlives_its_target_and_falls_silent(world: World) -> None:
    target, listener = world.phone(), world.phone()
    snoop = world.core.open_snoop(target.port, spy=Side.BOTH, whisper=Side.BOTH, on_event=lambda e: None)
    snoop.link(listener.port)
    target.port.close()
    snoop.play(Samples(tone(700, 100)), on_end=lambda end: None)
    world.run(300)
    assert listener.collect() == []
    snoop.close()
    late = world.core.open_snoop(target.port, spy=Side.IN, whisper=Side.IN, on_event=lambda e: None)
    late.close()


def test_talk_is_told_when_it_begins_and_how_long_it_was(world: World) -> None:
    phone = world.phone()
    phone.port.detect_talk(256, 500)
    phone.say(tone(500, 600, level=50))
    phone.say(tone(500, 600), after_ms=600)
    phone.say(tone(500, 1000, level=50), after_ms=1200)
    world.run(1000)
    assert phone.events == [MediaStarted(), TalkStarted()]
    world.run(2000)
    (stopped,) = phone.events[2:]
    assert isinstance(stopped, TalkStopped)
    assert 560 <= stopped.duration_ms <= 640


def test_talk_ends_also_when_packets_stop(world: World) -> None:
    phone = world.phone()
    phone.port.detect_talk(256, 500)
    phone.say(tone(500, 300))
    world.run(2000)
    assert [type(event) for event in phone.events] == [MediaStarted, TalkStarted, TalkStopped]


def test_a_tone_is_told_once_each_time_it_lasts(world: World) -> None:
    phone = world.phone()
    phone.port.detect_tone(1100, 300, repeats=2)
    phone.say((tone(1100, 500) + tone(600, 400)) * 3 + tone(1100, 200))
    world.run(4000)
    assert phone.events == [MediaStarted(), ToneDetected(1100), ToneDetected(1100)]


def test_a_tone_that_is_sent_is_told(world: World) -> None:
    phone = world.phone()
    phone.port.detect_tone(900, 200, side=Side.OUT)
    phone.port.play(Samples(tone(900, 500)), on_end=lambda end: None)
    world.run(800)
    assert phone.events == [ToneDetected(900)]
    with pytest.raises(MediaError, match="both"):
        phone.port.detect_tone(900, side=Side.BOTH)


@pytest.mark.parametrize("form", ["slin", "slin16", "slin48"])
@pytest.mark.parametrize("codec", ["ulaw", "slin", "slin16", "slin48"])
def test_a_stream_of_samples_hears_what_has_its_rate_already(world: World, form: str, codec: str) -> None:
    phone = world.phone(codec)
    frames: list[bytes] = []
    stream = world.core.open_stream(format=form, on_event=lambda event: None, on_frame=frames.append)
    stream.link(phone.port)
    rate = CODECS[codec].rate
    phone.say(tone(600, 400, rate=rate))
    world.run(600)
    assert loudness(b"".join(frames[5:15]), 600, rate=CODECS[form].rate) > 7000
    assert len({len(frame) for frame in frames}) == 1


def test_a_stream_hears_what_is_played_to_it_while_it_is_recorded(world: World, tmp_path: Path) -> None:
    frames: list[bytes] = []
    stream = world.core.open_stream(format="slin", on_event=lambda event: None, on_frame=frames.append)
    stream.record(str(tmp_path / "said"), "sln", RecordOptions(side=Side.OUT), on_end=lambda end: None)
    stream.play(Samples(tone(600, 200)), on_end=lambda end: None)
    world.run(400)
    assert b"".join(frames) == tone(600, 200)


def test_the_owner_of_a_failing_callback_does_not_disturb_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(end: PlayEnd) -> None:
        raise RuntimeError("an owner's fault")

    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(Samples(tone(400, 40)), on_end=fail).stop()
    phone.port.play(Samples(tone(400, 40)), on_end=ends.append).stop()
    world.run(0)
    assert len(ends) == 1
    assert "an owner's fault" in caplog.text
