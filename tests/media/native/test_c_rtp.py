"""RTP packets, receiver statistics and telephone events in C, step by step as in Python."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import DIGITS, DigitReceiver, ProtocolError, ReceiverStatistics, RtpPacket, TelephoneEvent

from .leaves import leaf


class Packet(ctypes.Structure):
    _fields_ = [
        ("payload_type", ctypes.c_uint8),
        ("marker", ctypes.c_bool),
        ("sequence", ctypes.c_uint16),
        ("timestamp", ctypes.c_uint32),
        ("ssrc", ctypes.c_uint32),
        ("payload", ctypes.c_void_p),
        ("size", ctypes.c_int),
    ]


class Receiver(ctypes.Structure):
    _fields_ = [
        ("ssrc", ctypes.c_uint32),
        ("received", ctypes.c_int64),
        ("jitter16", ctypes.c_uint64),
        ("has_transit", ctypes.c_bool),
        ("transit", ctypes.c_uint32),
        ("base", ctypes.c_int32),
        ("max", ctypes.c_int32),
        ("cycles", ctypes.c_int64),
        ("bad_sequence", ctypes.c_int32),
        ("expected_prior", ctypes.c_int64),
        ("received_prior", ctypes.c_int64),
    ]


class DigitTold(ctypes.Structure):
    _fields_ = [("digit", ctypes.c_char), ("duration", ctypes.c_int64)]


class Digits(ctypes.Structure):
    _fields_ = [
        ("digit", ctypes.c_char),
        ("start", ctypes.c_uint32),
        ("seen", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
        ("has_ended", ctypes.c_bool),
        ("ended", ctypes.c_uint32),
    ]


rtp = leaf("rtp", "receiver", "telephone_event")
for name in ("rtp_parse", "receiver_update"):
    getattr(rtp, name).restype = ctypes.c_bool
for name in ("receiver_jitter", "receiver_highest"):
    getattr(rtp, name).restype = ctypes.c_uint32


def parse(data: bytes) -> tuple[int, bool, int, int, int, bytes] | None:
    packet = Packet()
    room = ctypes.create_string_buffer(data, len(data))
    if not rtp.rtp_parse(ctypes.byref(packet), room, len(data)):
        return None
    payload = ctypes.string_at(packet.payload, packet.size)
    return packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc, payload


def parse_in_python(data: bytes) -> tuple[int, bool, int, int, int, bytes] | None:
    try:
        packet = RtpPacket.parse(data)
    except ProtocolError:
        return None
    return packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc, packet.payload


words = st.integers(0, 0xFFFFFFFF)
packets = st.builds(
    RtpPacket,
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    words,
    words,
    st.binary(max_size=40),
    st.booleans(),
    st.lists(words, max_size=15).map(tuple),
    st.none() | st.integers(0, 0xFFFF),
    st.integers(0, 4).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
    st.integers(0, 20),
)


@given(packets)
@settings(deadline=None)
def test_every_packet_is_read_as_in_python(packet: RtpPacket) -> None:
    assert parse(bytes(packet)) == parse_in_python(bytes(packet)) is not None


@given(packets, st.integers(0, 120), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4))
@settings(deadline=None)
def test_broken_packets_are_refused_as_in_python(packet: RtpPacket, cut: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(bytes(packet)[:cut])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    assert parse(bytes(data)) == parse_in_python(bytes(data))


@given(st.binary(max_size=40).map(lambda data: b"\x90" + data) | st.binary(max_size=40))
@settings(deadline=None)
def test_any_bytes_are_read_as_in_python(data: bytes) -> None:
    assert parse(data) == parse_in_python(data)


def test_a_header_is_written() -> None:
    out = ctypes.create_string_buffer(12)
    rtp.rtp_write_header(out, 0x80 | 8, 65535, 0xFFFFFFFE, 0x01020304)
    assert out.raw == bytes(RtpPacket(8, 65535, 0xFFFFFFFE, 0x01020304, b"", marker=True))


steps = st.sampled_from([0, 1, 1, 1, 1, 2, 5, -1, -3, -99, -101, 2999, 3000, 40000, 65000])


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(steps, words | st.integers(0, 400), words | st.integers(0, 400), st.booleans()), max_size=60),
)
@settings(deadline=None, max_examples=300)
def test_the_receiver_counts_as_in_python(start: int, course: list[tuple[int, int, int, bool]]) -> None:
    ours, theirs = Receiver(), ReceiverStatistics(7, start)
    rtp.receiver_init(ctypes.byref(ours), 7, start)
    sequence = start
    for step, timestamp, arrival, reported in course:
        sequence = (sequence + step) & 0xFFFF
        heard = rtp.receiver_update(ctypes.byref(ours), sequence, ctypes.c_uint32(timestamp), ctypes.c_uint32(arrival))
        assert heard == theirs.update(sequence, timestamp, arrival)
        assert rtp.receiver_jitter(ctypes.byref(ours)) == theirs.jitter
        assert rtp.receiver_highest(ctypes.byref(ours)) == theirs.highest_sequence
        assert rtp.receiver_lost(ctypes.byref(ours)) == theirs.lost
        assert ours.received == theirs.received
        if reported:
            assert rtp.receiver_fraction_lost(ctypes.byref(ours)) == theirs.fraction_lost()


Told = list[tuple[str, int | None]]


def told_by(count: int, told: ctypes.Array[DigitTold]) -> Told:
    return [(one.digit.decode(), None if one.duration < 0 else one.duration) for one in told[:count]]


timestamps = st.integers(0, 4000).map(lambda n: (0xFFFFF800 + n) & 0xFFFFFFFF) | st.integers(0, 9).map(
    lambda n: (0xFFFFF000 + n * 0xFFFF) & 0xFFFFFFFF
)
reports = st.builds(
    TelephoneEvent, st.integers(0, 2) | st.integers(0, 17), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF)
) | st.builds(TelephoneEvent, st.integers(0, 1), st.booleans(), st.just(10), st.just(0xFFFF))


@given(st.lists(st.tuples(timestamps, reports) | st.none(), max_size=40))
@settings(deadline=None, max_examples=300)
def test_digits_begin_and_end_as_in_python(course: list[tuple[int, TelephoneEvent] | None]) -> None:
    ours, theirs = Digits(), DigitReceiver()
    rtp.digit_receiver_init(ctypes.byref(ours))
    told = (DigitTold * 3)()
    for step in course:
        if step is None:
            assert told_by(rtp.digit_receiver_silent(ctypes.byref(ours), told), told) == theirs.silent()
        else:
            timestamp, report = step
            count = rtp.digit_receiver_take(ctypes.byref(ours), ctypes.c_uint32(timestamp), bytes(report), 4, told)
            assert told_by(count, told) == theirs.receive(timestamp, report)
        assert (ours.digit.decode().strip("\0") or None) == theirs.digit


def test_a_long_digit_in_segments_is_one() -> None:
    ours = Digits()
    told = (DigitTold * 3)()
    heard: Told = []
    for timestamp, end, duration in [(100, False, 0xFFFF), (100 + 0xFFFF, False, 800), (100 + 0xFFFF, True, 1600)]:
        payload = bytes(TelephoneEvent(5, end, 10, duration))
        heard += told_by(rtp.digit_receiver_take(ctypes.byref(ours), timestamp, payload, 4, told), told)
    assert heard == [("5", None), ("5", 0xFFFF + 1600)]


def test_less_than_four_bytes_are_no_event() -> None:
    assert rtp.digit_receiver_take(ctypes.byref(Digits()), 0, b"\1\2\3", 3, (DigitTold * 3)()) == -1


@pytest.mark.parametrize("digit", [*DIGITS, "E", "\0", "a"])
def test_codes_of_digits(digit: str) -> None:
    assert rtp.telephone_event_code(ctypes.c_char(digit.encode())) == DIGITS.find(digit)


@given(reports)
def test_an_event_is_written_as_in_python(report: TelephoneEvent) -> None:
    out = ctypes.create_string_buffer(4)
    rtp.telephone_event_write(out, report.event, report.end, report.volume, report.duration)
    assert out.raw == bytes(report)
