"""RTP packets: bytes to values and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import ProtocolError, RtpPacket, looks_like_rtcp

UINT16 = st.integers(0, 0xFFFF)
UINT32 = st.integers(0, 0xFFFFFFFF)


@st.composite
def packets(draw: st.DrawFn) -> RtpPacket:
    profile = draw(st.none() | UINT16)
    words = draw(st.integers(0, 5)) if profile is not None else 0
    return RtpPacket(
        payload_type=draw(st.integers(0, 127)),
        sequence=draw(UINT16),
        timestamp=draw(UINT32),
        ssrc=draw(UINT32),
        payload=draw(st.binary(max_size=200)),
        marker=draw(st.booleans()),
        contributors=tuple(draw(st.lists(UINT32, max_size=15))),
        extension_profile=profile,
        extension=draw(st.binary(min_size=4 * words, max_size=4 * words)),
        padding=draw(st.integers(0, 255)),
    )


@given(packets())
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read(packet: RtpPacket) -> None:
    assert RtpPacket.parse(bytes(packet)) == packet


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"\xb3" + tail))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_packet_or_a_protocol_error(data: bytes) -> None:
    try:
        packet = RtpPacket.parse(data)
    except ProtocolError:
        return
    assert len(packet.payload) <= len(data) - 12


@given(packets(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_a_truncated_header_is_refused(packet: RtpPacket, size: int) -> None:
    header = 12 + 4 * len(packet.contributors)
    if size < header:
        with pytest.raises(ProtocolError):
            RtpPacket.parse(bytes(packet)[:size])


def test_the_fields_of_a_g711_packet() -> None:
    packet = RtpPacket.parse(bytes.fromhex("80800001000000a0deadbeef") + b"\xff" * 160)
    assert (packet.marker, packet.payload_type, packet.sequence, packet.timestamp) == (True, 0, 1, 160)
    assert packet.ssrc == 0xDEADBEEF
    assert len(packet.payload) == 160


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80" * 11, "11 bytes"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x81" + bytes(11), "1 CSRCs"),
        (b"\x90" + bytes(11), "header extension"),
        (b"\x90" + bytes(13) + b"\x00\x09", "36 bytes"),
        (b"\xa0" + bytes(11), "padding"),
        (b"\xa0" + bytes(12), "padding of 0"),
        (b"\xa0" + bytes(11) + b"\x02", "padding of 2"),
    ],
)
def test_a_broken_packet_says_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        RtpPacket.parse(data)


def test_rtcp_is_told_from_rtp_on_one_port() -> None:
    assert looks_like_rtcp(b"\x80\xc8\x00\x06")
    assert not looks_like_rtcp(b"\x80\x80\x00\x06")
    assert not looks_like_rtcp(b"\x80")
