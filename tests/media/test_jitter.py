"""The jitter buffer alone: order, time, bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS
from arietta.media.engine import MOST_BUFFERED_MS, JitterRules, MediaError
from arietta.media.reference.jitter import JitterBuffer

ULAW = CODECS["ulaw"]
LOST = -1


def frame(n: int) -> bytes:
    return bytes([n % 251]) * 160


def drain(buffer: JitterBuffer, ticks: int) -> list[int | None]:
    out = []
    for _ in range(ticks):
        got = buffer.get()
        out.append(None if got is None else LOST if got[1] is None else got[1][0])
    return out


def test_it_waits_for_its_target_then_plays_in_order_across_the_wrap() -> None:
    buffer = JitterBuffer()
    buffer.put(65535, ULAW, frame(1))
    assert buffer.get() is None
    buffer.put(1, ULAW, frame(3))
    buffer.put(0, ULAW, frame(2))
    assert drain(buffer, 5) == [1, 2, 3, None, None]


def test_a_single_packet_comes_out_too() -> None:
    buffer = JitterBuffer()
    buffer.put(7, ULAW, frame(1))
    assert [n for n in drain(buffer, 4) if n is not None] == [1]


def test_packets_that_are_missing_before_others_are_told_as_lost() -> None:
    buffer = JitterBuffer()
    for n in (0, 1, 4, 5):
        buffer.put(n, ULAW, frame(n))
    assert drain(buffer, 6) == [0, 1, LOST, LOST, 4, 5]
    assert buffer.lost == 2


def test_a_long_gap_is_left_out() -> None:
    buffer = JitterBuffer()
    for n in (0, 1, 200, 201):
        buffer.put(n, ULAW, frame(n))
    assert drain(buffer, 10) == [0, 1, *[LOST] * 6, 200, 201]
    assert buffer.lost == 198


def test_what_comes_too_late_is_dropped_and_deepens_the_target() -> None:
    buffer = JitterBuffer()
    for n in (0, 1, 3, 4):
        buffer.put(n, ULAW, frame(n))
    drain(buffer, 4)
    before = buffer.target_ms
    buffer.put(2, ULAW, frame(2))
    assert (buffer.dropped, buffer.target_ms) == (1, before + 20)


@pytest.mark.parametrize("target_ms", [60, MOST_BUFFERED_MS])
def test_a_fixed_depth_stays(target_ms: int) -> None:
    buffer = JitterBuffer(JitterRules(True, target_ms))
    for n in (0, 1, 2, 4, 5, 6):
        buffer.put(n, ULAW, frame(n))
    drain(buffer, 4)
    buffer.put(3, ULAW, frame(3))  # too late
    for n in range(7, 900):
        buffer.put(n, ULAW, frame(n))
        buffer.get()
    assert buffer.target_ms == target_ms


def test_it_gets_no_deeper_than_its_rules_allow_and_no_less() -> None:
    buffer = JitterBuffer(JitterRules(False, 60, 100))
    assert buffer.target_ms == 60
    for n in (*range(4), *range(9, 20)):
        buffer.put(n, ULAW, frame(n))
    drain(buffer, 10)
    for n in range(4, 9):
        buffer.put(n, ULAW, frame(n))  # too late
    assert buffer.target_ms == 100
    for n in range(20, 3000):
        buffer.put(n, ULAW, frame(n))
        buffer.get()
    assert buffer.target_ms == 60


@pytest.mark.parametrize(("jump", "is_new"), [(8, False), (15, True), (-8, False), (-15, True)])
def test_a_jump_beyond_the_threshold_begins_a_new_stream(jump: int, is_new: bool) -> None:
    buffer = JitterBuffer(JitterRules(False, 20, 200, 200))
    for n in range(100, 103):
        buffer.put(n, ULAW, frame(n))
    drain(buffer, 2)
    buffer.put(102 + jump, ULAW, frame(200))
    waited = drain(buffer, 1)
    assert (waited == [200]) is is_new


@pytest.mark.parametrize(
    ("values", "wrong"),
    [((False, 10), "10 ms"), ((True, 501), "501 ms"), ((False, 100, 80), "80 ms"), ((False, 40, 200, 99), "99 ms")],
)
def test_rules_that_cannot_be_are_refused_by_name(values: tuple[Any, ...], wrong: str) -> None:
    with pytest.raises(MediaError, match=wrong):
        JitterRules(*values)


def test_packets_of_any_length_become_frames_of_the_tick() -> None:
    buffer = JitterBuffer()
    for n in range(4):
        buffer.put(n, ULAW, bytes([n]) * 240)
    buffer.put(4, ULAW, bytes([4]) * 80)
    out = [buffer.get() for _ in range(8)]
    data = b"".join(got[1] or b"" for got in out if got is not None)
    assert data == b"".join(bytes([n]) * 240 for n in range(4)) + b"\x04" * 80 + b"\xff" * 80


def test_a_sender_whose_clock_runs_fast_does_not_add_delay_for_ever() -> None:
    buffer = JitterBuffer()
    sequence = 0
    deepest = 0
    for tick in range(4000):
        for _ in range(2 if tick % 50 == 0 else 1):
            buffer.put(sequence & 0xFFFF, ULAW, frame(sequence))
            sequence += 1
        buffer.get()
        deepest = max(deepest, buffer.depth_ms)
    assert deepest <= MOST_BUFFERED_MS


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF) | st.integers(0, 30), st.sampled_from(list(CODECS)), st.integers(0, 3)),
        max_size=80,
    )
)
@settings(max_examples=100, deadline=None)
def test_it_is_bounded_and_gives_whole_frames_whatever_comes(packets: list[tuple[int, str, int]]) -> None:
    buffer = JitterBuffer()
    for sequence, name, count in packets:
        codec = CODECS[name]
        buffer.put(sequence, codec, codec.silence * count)
        assert buffer.depth_ms <= MOST_BUFFERED_MS + 140
        if sequence % 3 == 0:
            got = buffer.get()
            assert got is None or got[1] is None or len(got[1]) == got[0].bytes_of(20)
    for _ in range(300):
        got = buffer.get()
        assert got is None or got[1] is None or len(got[1]) == got[0].bytes_of(20)
    assert buffer.empty
