"""Playing to a phone: what it hears, when, and what the owner is told."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from arietta.media.codecs import CODECS
from arietta.media.engine import (
    EngineSettings,
    Files,
    Music,
    PlayEnd,
    PlayEndReason,
    Samples,
    Silence,
    Tones,
)
from arietta.media.tones import parse_tones

from .virtual import World, loudness, tone

pytestmark = pytest.mark.usefixtures("each_engine")

ULAW = bytes(range(256)) * 50  # 1.6 s


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "words.ulaw"
    path.write_bytes(ULAW)
    return str(path)


def test_the_phone_hears_the_file_to_the_byte_in_real_time(world: World, file: str) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    player = phone.port.play(Files((file,)), on_end=ends.append)
    world.run(810)
    assert 760 <= player.position_ms <= 820
    assert ends == []
    world.run(810)
    packets = phone.collect()
    assert b"".join(packet.payload for packet in packets) == ULAW
    assert ends == [PlayEnd(PlayEndReason.DONE, 1600)]
    assert [packet.marker for packet in packets] == [True] + [False] * 79
    steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)}
    assert steps == {160}
    assert {(b.sequence - a.sequence) % 2**16 for a, b in itertools.pairwise(packets)} == {1}
    assert len({packet.ssrc for packet in packets}) == 1


def test_after_a_pause_the_marker_is_set_and_the_timestamp_went_on(world: World, file: str) -> None:
    phone = world.phone()
    player = phone.port.play(Files((file,)), on_end=lambda end: None)
    world.run(200)
    player.pause()
    world.run(1000)
    before = phone.collect()
    player.resume()
    world.run(200)
    after = phone.collect()
    assert len(before) == 10
    assert after[0].marker
    assert not after[1].marker
    gap = (after[0].timestamp - before[-1].timestamp) % 2**32
    assert gap in (160 * 51, 160 * 52)
    assert after[0].sequence == (before[-1].sequence + 1) % 2**16
    assert after[0].payload == ULAW[1600:1760]


def test_a_player_on_an_idle_engine_needs_no_ticks_before_or_after(world: World, file: str) -> None:
    phone = world.phone()
    assert world.core.next_deadline_ns is None
    phone.port.play(Files((file,)), on_end=lambda end: None)
    assert world.core.next_deadline_ns is not None
    world.run(3000)
    ticks = world.core.ticks
    world.run(20_000)
    assert world.core.ticks == ticks
    assert world.core.next_deadline_ns is None


@pytest.mark.parametrize(("skip", "position"), [(400, 600), (-100, 100), (-9000, 0), (0, 200)])
def test_skipping_moves_within_the_file(world: World, file: str, skip: int, position: int) -> None:
    phone = world.phone()
    player = phone.port.play(Files((file,)), on_end=lambda end: None)
    world.run(200)
    assert player.position_ms == 200
    phone.collect()
    player.skip(skip)
    assert player.position_ms == position
    world.run(20)
    assert phone.collect()[0].payload == ULAW[8 * position : 8 * position + 160]


def test_skipping_beyond_the_end_ends(world: World, file: str) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(Files((file,)), on_end=ends.append).skip(99_000)
    world.run(40)
    assert ends == [PlayEnd(PlayEndReason.DONE, 1600)]
    assert phone.collect() == []


def test_restart_offset_and_stop(world: World, file: str) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    player = phone.port.play(Files((file,)), offset_ms=1000, on_end=ends.append)
    world.run(100)
    assert phone.collect()[0].payload == ULAW[8000:8160]
    player.restart()
    world.run(20)
    assert phone.collect()[0].payload == ULAW[:160]
    player.stop()
    player.stop()
    world.run(100)
    assert phone.collect() == []
    assert ends == [PlayEnd(PlayEndReason.STOPPED, 20)]


def test_several_files_are_one_piece_and_a_short_end_is_filled_with_silence(world: World, tmp_path: Path) -> None:
    for name, size in (("one", 400), ("two", 160)):
        (tmp_path / f"{name}.ulaw").write_bytes(name[:1].encode() * size)
    phone = world.phone()
    source = Files((str(tmp_path / "one.ulaw"), str(tmp_path / "two.ulaw")))
    phone.port.play(source, on_end=lambda end: None)
    world.run(200)
    assert b"".join(p.payload for p in phone.collect()) == b"o" * 400 + b"\xff" * 80 + b"t" * 160


def test_a_missing_file_fails(world: World, tmp_path: Path) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(Files((str(tmp_path / "none.wav"),)), on_end=ends.append)
    world.run(40)
    assert [end.reason for end in ends] == [PlayEndReason.FAILED]
    assert "none.wav" in (ends[0].error or "")


def test_closing_the_port_ends_its_player(world: World, file: str) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(Files((file,)), on_end=ends.append)
    world.run(100)
    phone.port.close()
    phone.port.play(Files((file,)), on_end=ends.append)
    world.run(0)
    assert [end.reason for end in ends] == [PlayEndReason.CLOSED] * 2
    assert world.core.stats().ports == 0
    assert world.network.pairs == {}
    world.run(6000)
    assert world.core.next_deadline_ns is None


def test_a_hundred_phones_cost_one_reading_and_one_encoding(world: World, tmp_path: Path) -> None:
    path = tmp_path / "words.sln"
    path.write_bytes(tone(440, 200))
    phones = [world.phone() for _ in range(100)]
    for phone in phones:
        phone.port.play(Files((str(path),)), on_end=lambda end: None)
    world.run(300)
    assert {phone.heard() for phone in phones} == {CODECS["ulaw"].decoder()(CODECS["ulaw"].encoder()(tone(440, 200)))}
    assert (world.core.cache.reads, world.core.cache.encodes) == (1, 1)


def test_the_codec_changes_in_the_middle_of_a_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "tone.sln"
    path.write_bytes(tone(500, 1000))
    phone = world.phone()
    player = phone.port.play(Files((str(path),)), on_end=lambda end: None)
    world.run(400)
    phone.collect()
    phone.codec = "alaw"
    phone.configure()
    world.run(200)
    packets = phone.collect()
    assert {packet.payload_type for packet in packets} == {8}
    assert player.position_ms == 600
    decode = CODECS["alaw"].decoder()
    assert loudness(b"".join(decode(p.payload) for p in packets), 500) > 7000


def test_digits_beat_the_player_the_player_beats_the_generator(world: World) -> None:
    phone = world.phone()
    phone.port.generate(Tones(parse_tones("400").segments))
    world.run(400)
    assert loudness(phone.heard(), 400) > 4000
    player = phone.port.play(Samples(tone(1000, 400)), on_end=lambda end: None)
    world.run(200)
    during = phone.heard()
    assert loudness(during, 1000) > 7000
    assert loudness(during, 400) < 300
    player.stop()
    world.run(200)
    assert loudness(phone.heard(), 400) > 4000
    phone.port.generate(None)
    world.run(20)
    phone.collect()
    world.run(200)
    assert phone.collect() == []


def test_a_cadence_is_heard_on_and_off_without_end(world: World) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(parse_tones("480+620/500,0/500"), on_end=ends.append)
    world.run(6000)
    heard = phone.heard()
    assert len(heard) == 2 * 8 * 6000
    for second in range(6):
        assert loudness(heard[16000 * second + 1600 : 16000 * second + 7200], 480) > 4500
        assert loudness(heard[16000 * second + 8800 : 16000 * second + 15000], 480) < 50
    assert ends == []


def test_silence_of_a_length(world: World) -> None:
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.play(Silence(100), on_end=ends.append)
    world.run(200)
    assert [packet.payload for packet in phone.collect()] == [b"\xff" * 160] * 5
    assert ends == [PlayEnd(PlayEndReason.DONE, 100)]


def test_listeners_of_one_music_class_hear_the_same_place(tmp_path: Path) -> None:
    for n in range(2):
        (tmp_path / f"{n}.ulaw").write_bytes(bytes([n * 100 + k // 160 for k in range(160 * 20)]))
    world = World(EngineSettings(music={"default": str(tmp_path)}))
    first, second = world.phone(), world.phone()
    first.port.generate(Music("default"))
    world.run(200)
    second.port.play(Music("unknown"), on_end=lambda end: None)
    world.run(100)
    one = [packet.payload[0] for packet in first.collect()]
    other = [packet.payload[0] for packet in second.collect()]
    assert one[-len(other) :] == other
    assert len(other) == 5
    world.run(500)
    heard = [packet.payload[0] for packet in first.collect()]
    assert 100 in heard  # the second piece follows the first
    first.port.generate(None)
    assert max(heard) < 120


def test_nothing_leaves_while_muted(world: World, file: str) -> None:
    phone = world.phone()
    player = phone.port.play(Files((file,)), on_end=lambda end: None)
    phone.port.mute(outgoing=True)
    world.run(200)
    assert phone.collect() == []
    assert player.position_ms == 200
    phone.port.mute(outgoing=False)
    world.run(20)
    packets = phone.collect()
    assert [packet.marker for packet in packets] == [True]
    assert packets[0].payload == ULAW[1600:1760]


def test_late_ticks_are_skipped_and_counted_never_bursted(world: World, file: str) -> None:
    phone = world.phone()
    phone.port.play(Files((file,)), on_end=lambda end: None)
    world.run(100)
    phone.collect()
    world.now += 200_000_000  # the thread was not run for 200 ms
    world.core.run(world.now)
    packets = phone.collect()
    assert len(packets) == 1
    assert packets[0].marker
    assert world.core.stats().late_ticks == 9


def test_packets_of_another_length(world: World, file: str) -> None:
    for ptime, size, count in ((40, 320, 10), (10, 80, 40), (30, 240, 13)):
        phone = world.phone(ptime_ms=ptime)
        player = phone.port.play(Files((file,)), on_end=lambda end: None)
        world.run(400)
        player.stop()
        packets = phone.collect()
        assert [len(packet.payload) for packet in packets] == [size] * count
        assert b"".join(packet.payload for packet in packets) == ULAW[: size * count]
        steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)}
        assert steps == {size}
        assert [packet.marker for packet in packets] == [True] + [False] * (count - 1)


def test_recvonly_and_inactive_streams_are_sent_nothing(world: World, file: str) -> None:
    from arietta.media.engine import Direction

    for direction in (Direction.RECVONLY, Direction.INACTIVE):
        phone = world.phone(direction=direction)
        phone.port.play(Files((file,)), on_end=lambda end: None)
        world.run(100)
        assert phone.collect() == []


def test_a_short_silence_ends_though_another_lasts_for_ever(world: World) -> None:
    """The two are the same bytes, of which one begins again at its end."""
    phone = world.phone()
    ends: list[PlayEnd] = []
    phone.port.generate(Silence())
    world.run(100)
    player = phone.port.play(Silence(20), on_end=ends.append)
    world.run(100)
    assert ends == [PlayEnd(PlayEndReason.DONE, 20)]
    player.restart()
    assert player.position_ms == 20, "after its end it stays where it was"
