"""Telephone events: packets that repeat and get lost become one begin and one end for each key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import DIGITS, DigitReceiver, ProtocolError, TelephoneEvent


def report(digit: str, duration: int, *, end: bool = False) -> TelephoneEvent:
    return TelephoneEvent(DIGITS.index(digit), end, 10, duration)


def press(digit: str, timestamp: int, duration: int) -> list[tuple[int, TelephoneEvent]]:
    packets = [(timestamp, report(digit, length)) for length in range(160, duration + 1, 160)]
    return packets + [(timestamp, report(digit, duration, end=True))] * 3


@given(st.builds(TelephoneEvent, st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF)))
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read(event: TelephoneEvent) -> None:
    assert TelephoneEvent.parse(bytes(event)) == event


def test_a_short_payload_is_refused() -> None:
    with pytest.raises(ProtocolError, match="3 bytes"):
        TelephoneEvent.parse(b"\x01\x0a\x00")


def test_a_key_is_one_begin_and_one_end() -> None:
    receiver = DigitReceiver()
    told = [one for timestamp, event in press("5", 1000, 800) for one in receiver.receive(timestamp, event)]
    assert told == [("5", None), ("5", 800)]


def test_the_same_key_twice_is_two_digits() -> None:
    receiver = DigitReceiver()
    packets = press("7", 1000, 800) + press("7", 3000, 640)
    told = [one for timestamp, event in packets for one in receiver.receive(timestamp, event)]
    assert told == [("7", None), ("7", 800), ("7", None), ("7", 640)]


def test_only_the_end_arrives() -> None:
    assert DigitReceiver().receive(0xFFFFFF00, report("#", 900, end=True)) == [("#", None), ("#", 900)]


def test_the_end_never_arrives_and_the_next_key_ends_it() -> None:
    receiver = DigitReceiver()
    assert receiver.receive(1000, report("1", 320)) == [("1", None)]
    assert receiver.receive(4000, report("2", 160)) == [("1", 320), ("2", None)]
    assert receiver.silent() == [("2", 160)]
    assert receiver.silent() == []


def test_a_key_held_beyond_one_event_is_one_digit() -> None:
    receiver = DigitReceiver()
    told = receiver.receive(0, report("0", 0xFFFF))
    told += receiver.receive(0xFFFF, report("0", 160))
    told += receiver.receive(0xFFFF, report("0", 800, end=True))
    assert told == [("0", None), ("0", 0xFFFF + 800)]


def test_other_events_are_no_digits() -> None:
    assert DigitReceiver().receive(0, TelephoneEvent(16, False, 10, 160)) == []


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4)), max_size=30))
@settings(max_examples=150, deadline=None)
def test_begins_and_ends_alternate_whatever_comes(packets: list[tuple[int, bytes]]) -> None:
    receiver = DigitReceiver()
    told = [one for timestamp, payload in packets for one in receiver.receive(timestamp, TelephoneEvent.parse(payload))]
    told += receiver.silent()
    assert all(duration is None for _, duration in told[::2])
    assert all(duration is not None and duration >= 0 for _, duration in told[1::2])
    assert len(told) % 2 == 0
    assert [digit for digit, _ in told[::2]] == [digit for digit, _ in told[1::2]]
