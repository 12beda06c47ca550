"""Sequence numbers that wrap, loss and jitter (RFC 3550 A.1, A.3, A.8)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import (
    ReceiverStatistics,
    sequence_add,
    sequence_difference,
    sequence_newer,
    timestamp_add,
    timestamp_difference,
)


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
@settings(max_examples=100, deadline=None)
def test_sequence_numbers_wrap(start: int, step: int) -> None:
    later = sequence_add(start, step)
    assert 0 <= later <= 0xFFFF
    assert sequence_difference(later, start) == step
    assert sequence_newer(later, start) == (step > 0)


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
@settings(max_examples=100, deadline=None)
def test_timestamps_wrap(start: int, step: int) -> None:
    assert timestamp_difference(timestamp_add(start, step), start) == step


def test_a_steady_stream_across_the_wrap_has_no_loss_and_no_jitter() -> None:
    statistics = ReceiverStatistics(1, 0xFFF0)
    for n in range(100):
        assert statistics.update((0xFFF0 + n) & 0xFFFF, (2**32 - 800 + 160 * n) & 0xFFFFFFFF, 160 * n)
    assert (statistics.received, statistics.lost, statistics.jitter) == (100, 0, 0)
    assert statistics.highest_sequence == 0x10000 + (0xFFF0 + 99) % 0x10000
    assert statistics.fraction_lost() == 0


def test_one_packet_in_four_lost() -> None:
    statistics = ReceiverStatistics(1, 0)
    for n in range(400):
        if n % 4 != 3:
            statistics.update(n, 160 * n, 160 * n)
    assert statistics.lost == 99
    assert statistics.fraction_lost() in (63, 64)
    assert statistics.fraction_lost() == 0


def test_duplicates_make_the_loss_negative() -> None:
    statistics = ReceiverStatistics(1, 10)
    for sequence in (10, 11, 11, 12):
        statistics.update(sequence, 160 * sequence, 160 * sequence)
    assert statistics.lost == -1


def test_jitter_nears_the_mean_deviation() -> None:
    statistics = ReceiverStatistics(1, 0)
    for n in range(500):
        statistics.update(n, 160 * n, 160 * n + (80 if n % 2 else 0))
    assert 75 <= statistics.jitter <= 80


def test_a_jump_counts_only_when_a_second_packet_confirms_it() -> None:
    statistics = ReceiverStatistics(1, 0)
    statistics.update(0, 0, 0)
    assert not statistics.update(30000, 160, 160)
    assert statistics.update(1, 160, 160)
    assert not statistics.update(40000, 320, 320)
    assert statistics.update(40001, 480, 480)
    assert (statistics.received, statistics.lost) == (1, 0)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.integers(0, 2**40)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_report_fields_fit_their_bits_whatever_comes(packets: list[tuple[int, int, int]]) -> None:
    statistics = ReceiverStatistics(1, packets[0][0] if packets else 0)
    for sequence, timestamp, arrival in packets:
        statistics.update(sequence, timestamp, arrival)
        assert -0x800000 <= statistics.lost <= 0x7FFFFF
        assert 0 <= statistics.fraction_lost() <= 255
        assert 0 <= statistics.jitter <= 0xFFFFFFFF
