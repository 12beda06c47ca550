"""SIP messages as a capture file (pcap 2.4) that Wireshark, tshark, sngrep and tcpdump open.

Every message is one UDP datagram in an Ethernet frame, also those that came over TCP, TLS or a WebSocket: what is shown
is what was said, not how the network carried it. We do not write TCP segments, nor the keys of TLS.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

__all__ = ["FILE_HEADER", "MAX_PAYLOAD", "frame", "record"]

LINKTYPE_ETHERNET = 1
MAX_FRAME = 65549
MAX_PAYLOAD = 65535 - 20 - 8
"""Bytes of a message that fit into one IPv4 packet; what is longer is cut, which its record tells."""
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, MAX_FRAME, LINKTYPE_ETHERNET)
UDP = 17
_NO_ADDRESSES = bytes(12)
_UNKNOWN = IPv4Address("0.0.0.0")

Address = tuple[str, int]


def record(time: float, source: Address, destination: Address, data: bytes) -> bytes:
    """One message as a record of the file; `time` in seconds since 1970."""
    whole = frame(source, destination, data[:MAX_PAYLOAD])
    seconds, microseconds = divmod(round(time * 1_000_000), 1_000_000)
    missing = max(0, len(data) - MAX_PAYLOAD)
    return struct.pack("<IIII", seconds & 0xFFFFFFFF, microseconds, len(whole), len(whole) + missing) + whole


def frame(source: Address, destination: Address, payload: bytes) -> bytes:
    """The Ethernet frame of a datagram; an IPv4 address beside an IPv6 one is written as such (RFC 4291 2.5.5.2)."""
    one, other = _address(source[0]), _address(destination[0])
    length = 8 + len(payload)
    ports = struct.pack("!HHH", source[1], destination[1], length)
    if isinstance(one, IPv4Address) and isinstance(other, IPv4Address):
        addresses = one.packed + other.packed
        datagram = ports + _udp_checksum(addresses + struct.pack("!BBH", 0, UDP, length), ports, payload) + payload
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, UDP, 0) + addresses
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        return _NO_ADDRESSES + b"\x08\x00" + head + datagram
    addresses = _as_six(one).packed + _as_six(other).packed
    datagram = ports + _udp_checksum(addresses + struct.pack("!II", length, UDP), ports, payload) + payload
    return _NO_ADDRESSES + b"\x86\xdd" + struct.pack("!IHBB", 0x60000000, length, UDP, 64) + addresses + datagram


def _address(host: str) -> IPv4Address | IPv6Address:
    """A name, where no address is known, stands as 0.0.0.0."""
    try:
        return ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        return _UNKNOWN


def _as_six(address: IPv4Address | IPv6Address) -> IPv6Address:
    return address if isinstance(address, IPv6Address) else IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _udp_checksum(pseudo_header: bytes, ports: bytes, payload: bytes) -> bytes:
    # RFC 768: a sum of zero is sent as all ones.
    return struct.pack("!H", _checksum(pseudo_header + ports + b"\0\0" + payload) or 0xFFFF)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
