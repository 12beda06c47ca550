"""RTCP: compound datagrams to values and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import (
    Bye,
    ProtocolError,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    UnknownReport,
    compound,
    middle_ntp,
    parse_compound,
)

UINT32 = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(
        ReportBlock, UINT32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), UINT32, UINT32, UINT32, UINT32
    ),
    max_size=4,
).map(tuple)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
PACKETS: st.SearchStrategy[RtcpPacket] = st.one_of(
    st.builds(SenderReport, UINT32, st.integers(0, 2**64 - 1), UINT32, UINT32, UINT32, BLOCKS),
    st.builds(ReceiverReport, UINT32, BLOCKS),
    st.builds(SourceDescription, st.lists(st.tuples(UINT32, NAMES), max_size=3).map(tuple)),
    st.builds(Bye, st.lists(UINT32, max_size=3).map(tuple), NAMES),
    st.builds(UnknownReport, st.integers(204, 223), st.integers(0, 31), st.binary(max_size=10).map(lambda b: b * 4)),
)


@given(st.lists(PACKETS, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read(packets: list[RtcpPacket]) -> None:
    assert parse_compound(compound(packets)) == tuple(packets)


@given(st.lists(PACKETS, min_size=1, max_size=2), st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_datagram_is_packets_or_a_protocol_error(packets: list[RtcpPacket], data: st.DataObject) -> None:
    raw = bytearray(compound(packets))
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert parse_compound(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    except ProtocolError:
        pass


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_packets_or_a_protocol_error(data: bytes) -> None:
    try:
        assert parse_compound(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x80\xc8", "no header"),
        (b"\x40\xc8\x00\x00", "version 1"),
        (b"\x80\xc8\x00\x06", "longer than its datagram"),
        (b"\x81\xc9\x00\x01\x00\x00\x00\x01", "receiver report of 4 bytes"),
        (b"\x81\xca\x00\x02\x00\x00\x00\x01\x01\x09ab", "source description item"),
        (b"\x81\xcb\x00\x02\x00\x00\x00\x01\x09abc", "reason"),
        (b"\xa0\xc9\x00\x01\x00\x00\x00\x09", "padding of 9"),
    ],
)
def test_a_broken_datagram_says_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        parse_compound(data)


def test_the_middle_of_an_ntp_time() -> None:
    assert middle_ntp(0x0123_4567_89AB_CDEF) == 0x4567_89AB
