"""Capture files: frames with the checksums that RFC 791, 8200 and 768 want."""

from __future__ import annotations

import struct

import pytest

from arietta.sip.capture import FILE_HEADER, MAX_PAYLOAD, frame, record


def total(data: bytes) -> int:
    """The one's complement sum, 0xFFFF where a checksum in it is right."""
    if len(data) % 2:
        data += b"\0"
    result = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while result >> 16:
        result = (result & 0xFFFF) + (result >> 16)
    return result


@pytest.mark.parametrize("payload", [b"", b"a", b"INVITE sip:a SIP/2.0\r\n\r\n", b"\xff" * 1001])
def test_ipv4(payload: bytes) -> None:
    packet = frame(("192.0.2.1", 5060), ("192.0.2.2", 5070), payload)[14:]
    assert packet[0] == 0x45 and struct.unpack_from("!H", packet, 2)[0] == len(packet)
    assert total(packet[:20]) == 0xFFFF
    assert packet[12:20] == bytes((192, 0, 2, 1, 192, 0, 2, 2))
    assert struct.unpack_from("!HHH", packet, 20) == (5060, 5070, 8 + len(payload))
    assert total(packet[12:20] + struct.pack("!BBH", 0, 17, 8 + len(payload)) + packet[20:]) == 0xFFFF
    assert packet[28:] == payload


@pytest.mark.parametrize("other", ["2001:db8::2", "192.0.2.2", "fe80::2%eth0", "[2001:db8::2]"])
def test_ipv6(other: str) -> None:
    whole = frame(("2001:db8::1", 5060), (other, 5061), b"hello")
    packet = whole[14:]
    assert whole[12:14] == b"\x86\xdd" and packet[0] >> 4 == 6
    assert struct.unpack_from("!H", packet, 4)[0] == len(packet) - 40 == 13
    assert total(packet[8:40] + struct.pack("!II", 13, 17) + packet[40:]) == 0xFFFF


def test_a_name_instead_of_an_address_is_written_as_nowhere() -> None:
    assert frame(("switch.example.org", 5060), ("192.0.2.2", 5060), b"")[26:34] == bytes((0, 0, 0, 0, 192, 0, 2, 2))


def test_a_record_tells_what_was_cut() -> None:
    assert struct.unpack("<IHHiIII", FILE_HEADER)[:3] == (0xA1B2C3D4, 2, 4)
    written = record(1800000000.25, ("192.0.2.1", 1), ("192.0.2.2", 2), bytes(MAX_PAYLOAD + 29))
    seconds, micros, kept, whole = struct.unpack_from("<IIII", written)
    assert (seconds, micros) == (1800000000, 250000)
    assert kept == len(written) - 16 == 65535 + 14 and whole - kept == 29
