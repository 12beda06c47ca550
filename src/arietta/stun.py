"""STUN messages as values (RFC 8489): attributes, short-term integrity and fingerprint; sans-IO.

Not done here: long-term credentials, MESSAGE-INTEGRITY-SHA256 (one that is there is passed over), ALTERNATE-SERVER.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from ipaddress import ip_address

import msgspec

MAGIC_COOKIE = 0x2112A442
HEADER_BYTES = 20
BINDING_REQUEST, BINDING_INDICATION, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0011, 0x0101, 0x0111
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES = 0x0006, 0x0008, 0x0009, 0x000A
MESSAGE_INTEGRITY_SHA256, XOR_MAPPED_ADDRESS = 0x001C, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT, ICE_CONTROLLED, ICE_CONTROLLING = 0x0024, 0x0025, 0x8028, 0x8029, 0x802A
MAY_BE_IGNORED = 0x8000
"""Attributes from here on need not be understood (RFC 8489 14)."""
FINGERPRINT_MASK = 0x5354554E
INTEGRITY_BYTES, FINGERPRINT_BYTES = 20, 4
IPV4, IPV6 = 1, 2

Address = tuple[str, int]
"""Numeric IPv4 or IPv6 address and port."""


class StunError(ValueError):
    """Why a datagram is no STUN message, or a forged one."""


class StunMessage(msgspec.Struct, frozen=True):
    """One message; what follows its MESSAGE-INTEGRITY is left out (RFC 8489 14.5)."""

    kind: int
    """Method and class, as BINDING_REQUEST."""
    transaction: bytes
    """12 bytes."""
    attributes: tuple[tuple[int, bytes], ...] = ()
    """Type and value, in order."""
    signed: bytes = b""
    """What its MESSAGE-INTEGRITY was made of; empty without one."""

    def first(self, kind: int) -> bytes | None:
        """The value of the first attribute of a type."""
        return next((value for number, value in self.attributes if number == kind), None)

    def unknown(self, known: frozenset[int]) -> list[int]:
        """Types of attributes that have to be understood and are not known."""
        return [number for number, _ in self.attributes if number < MAY_BE_IGNORED and number not in known]

    def is_signed_by(self, key: bytes) -> bool:
        """Whether its MESSAGE-INTEGRITY is of a key; False without one."""
        claimed = self.first(MESSAGE_INTEGRITY)
        return claimed is not None and hmac.compare_digest(claimed, _integrity(self.signed, key))


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN, and not one of the protocols it shares ports with (RFC 7983, RFC 5626 8)."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == MAGIC_COOKIE.to_bytes(4, "big")


def parse_stun(data: bytes) -> StunMessage:
    """Read a message; raises StunError for what is broken, or has a FINGERPRINT that is wrong."""
    if not is_stun(data):
        raise StunError("no STUN message")
    kind, length = struct.unpack_from("!HH", data)
    if length != len(data) - HEADER_BYTES or length % 4:
        raise StunError(f"a length of {length} in a datagram of {len(data)} bytes")
    attributes: list[tuple[int, bytes]] = []
    signed = b""
    position = HEADER_BYTES
    while position < len(data):
        number, size = struct.unpack_from("!HH", data, position)
        end = position + 4 + size
        if end > len(data):
            raise StunError(f"attribute {number:#06x} of {size} bytes leads beyond the end")
        value = data[position + 4 : end]
        if number == FINGERPRINT:
            _check_fingerprint(data, position, value)
        if not signed:
            attributes.append((number, value))
        if number == MESSAGE_INTEGRITY and not signed:
            if size != INTEGRITY_BYTES:
                raise StunError(f"a MESSAGE-INTEGRITY of {size} bytes")
            signed = _with_length(data[:position], position + 4 + INTEGRITY_BYTES)
        position = end + (-size % 4)
    if position != len(data):
        raise StunError("the last attribute leads beyond the end")
    return StunMessage(kind, data[8:HEADER_BYTES], tuple(attributes), signed)


def write_stun(
    kind: int,
    transaction: bytes,
    attributes: tuple[tuple[int, bytes], ...] = (),
    *,
    key: bytes | None = None,
    fingerprint: bool = False,
) -> bytes:
    """The bytes of a message, signed with a key and with a FINGERPRINT if wanted."""
    data = struct.pack("!HHI", kind, 0, MAGIC_COOKIE) + transaction
    for number, value in attributes:
        data += struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)
    if key is not None:
        signed = _with_length(data, len(data) + 4 + INTEGRITY_BYTES)
        data += struct.pack("!HH", MESSAGE_INTEGRITY, INTEGRITY_BYTES) + _integrity(signed, key)
    if fingerprint:
        data = _with_length(data, len(data) + 4 + FINGERPRINT_BYTES)
        data += struct.pack("!HHI", FINGERPRINT, FINGERPRINT_BYTES, zlib.crc32(data) ^ FINGERPRINT_MASK)
    return _with_length(data, len(data))


def xor_mapped_address(address: Address, transaction: bytes) -> tuple[int, bytes]:
    """The attribute that tells somebody where its datagram came from."""
    parsed = ip_address(address[0].partition("%")[0])
    mask = MAGIC_COOKIE.to_bytes(4, "big") + transaction
    masked = bytes(one ^ other for one, other in zip(parsed.packed, mask, strict=False))
    family = IPV4 if parsed.version == 4 else IPV6
    return XOR_MAPPED_ADDRESS, struct.pack("!BBH", 0, family, address[1] ^ (MAGIC_COOKIE >> 16)) + masked


def mapped_address(message: StunMessage) -> Address | None:
    """Where an answer says that its request came from; None when it does not, or says nonsense."""
    value = message.first(XOR_MAPPED_ADDRESS)
    if value is None or len(value) < 4:
        return None
    masked = value[4:]
    if (value[1], len(masked)) not in ((IPV4, 4), (IPV6, 16)):
        return None
    mask = MAGIC_COOKIE.to_bytes(4, "big") + message.transaction
    packed = bytes(one ^ other for one, other in zip(masked, mask, strict=False))
    port = int.from_bytes(value[2:4], "big") ^ (MAGIC_COOKIE >> 16)
    return str(ip_address(packed)), port


def error_code(status: int, reason: str) -> tuple[int, bytes]:
    """The attribute that says why a request is refused."""
    return ERROR_CODE, struct.pack("!HBB", 0, status // 100, status % 100) + reason.encode()


def _check_fingerprint(data: bytes, position: int, value: bytes) -> None:
    if position + 4 + FINGERPRINT_BYTES != len(data) or len(value) != FINGERPRINT_BYTES:
        raise StunError("a FINGERPRINT that is not the end")
    if zlib.crc32(data[:position]) ^ FINGERPRINT_MASK != int.from_bytes(value, "big"):
        raise StunError("the FINGERPRINT is wrong")


def _with_length(data: bytes, size: int) -> bytes:
    """The header's length as if the message ended at a size."""
    return data[:2] + struct.pack("!H", size - HEADER_BYTES) + data[4:]


def _integrity(data: bytes, key: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha1).digest()
