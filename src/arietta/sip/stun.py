"""STUN Binding requests on a SIP socket: how phones keep their NAT open and see it move (RFC 5626 3.5.2, RFC 8489)."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from .transactions import Address

__all__ = ["answer_binding", "is_stun"]

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST, BINDING_SUCCESS = 0x0001, 0x0101
XOR_MAPPED_ADDRESS = 0x0020
MAY_BE_IGNORED = 0x8000
IPV4, IPV6 = 1, 2


def is_stun(data: bytes) -> bool:
    """Whether a datagram is no SIP but STUN (RFC 5626 8): no message of SIP begins with a zero."""
    return data[:1] == b"\0" and len(data) >= 20 and data[4:8] == MAGIC_COOKIE.to_bytes(4, "big")


def answer_binding(data: bytes, source: Address) -> bytes | None:
    """What answers a Binding request (RFC 8489 6.3.1); None for what is none, or asks for more than an address."""
    kind, length = struct.unpack_from("!HH", data)
    if kind != BINDING_REQUEST or length != len(data) - 20 or not _may_ignore_all(data):
        return None
    address = ip_address(source[0].partition("%")[0])
    mask = data[4:8] if address.version == 4 else data[4:20]
    masked = bytes(one ^ other for one, other in zip(address.packed, mask, strict=True))
    family = IPV4 if address.version == 4 else IPV6
    value = struct.pack("!BBH", 0, family, source[1] ^ (MAGIC_COOKIE >> 16)) + masked
    attribute = struct.pack("!HH", XOR_MAPPED_ADDRESS, len(value)) + value
    return struct.pack("!HH", BINDING_SUCCESS, len(attribute)) + data[4:20] + attribute


def _may_ignore_all(data: bytes) -> bool:
    """Whether the attributes are whole, and none has to be understood (RFC 8489 14)."""
    position = 20
    while position < len(data):
        if position + 4 > len(data):
            return False
        kind, length = struct.unpack_from("!HH", data, position)
        if kind < MAY_BE_IGNORED:
            return False
        position += 4 + (length + 3) // 4 * 4
    return position == len(data)
