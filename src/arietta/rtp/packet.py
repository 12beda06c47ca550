"""RTP data packets (RFC 3550 5.1)."""

from __future__ import annotations

from struct import Struct as Layout
from struct import pack

import msgspec

from .errors import ProtocolError

__all__ = ["HEADER", "RtpPacket", "looks_like_rtcp"]

HEADER = Layout(">BBHII")
"""Flags, marker and payload type, sequence number, timestamp, SSRC."""


class RtpPacket(msgspec.Struct, frozen=True, gc=False):
    """One RTP data packet."""

    payload_type: int
    """0 to 127."""
    sequence: int
    """0 to 65535, wraps."""
    timestamp: int
    """In units of the payload's clock, 0 to 2**32-1, wraps."""
    ssrc: int
    payload: bytes
    """Without padding."""
    marker: bool = False
    """First packet after a pause, in audio (RFC 3551 4.1)."""
    contributors: tuple[int, ...] = ()
    """CSRC list, 15 at most."""
    extension_profile: int | None = None
    """16 bits; None: no header extension (RFC 3550 5.3.1)."""
    extension: bytes = b""
    """The header extension's content, a multiple of four bytes."""
    padding: int = 0
    """Octets of padding, with the one that counts them; 0 is none."""

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """The packet in a datagram; ProtocolError when it is none."""
        if len(data) < 12:
            raise ProtocolError(f"RTP packet of {len(data)} bytes is shorter than its header of 12")
        flags, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        if flags == 0x80:
            return cls(kind & 0x7F, sequence, timestamp, ssrc, data[12:], kind > 0x7F)
        if flags >> 6 != 2:
            raise ProtocolError(f"RTP version {flags >> 6} is not 2")
        offset, end = 12, len(data)
        count = flags & 0x0F
        if offset + 4 * count > end:
            raise ProtocolError(f"RTP packet of {end} bytes is too short for {count} CSRCs")
        contributors = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(12, 12 + 4 * count, 4))
        offset += 4 * count
        profile, extension = None, b""
        if flags & 0x10:
            if offset + 4 > end:
                raise ProtocolError(f"RTP packet of {end} bytes ends inside its header extension")
            profile = int.from_bytes(data[offset : offset + 2], "big")
            size = 4 * int.from_bytes(data[offset + 2 : offset + 4], "big")
            offset += 4
            if offset + size > end:
                raise ProtocolError(f"RTP header extension of {size} bytes is longer than its packet of {end}")
            extension = data[offset : offset + size]
            offset += size
        padding = 0
        if flags & 0x20:
            padding = data[-1] if offset < end else 0
            if padding == 0 or offset + padding > end:
                raise ProtocolError(f"RTP padding of {padding} bytes does not fit a payload of {end - offset}")
        return cls(
            kind & 0x7F,
            sequence,
            timestamp,
            ssrc,
            data[offset : end - padding],
            kind > 0x7F,
            contributors,
            profile,
            extension,
            padding,
        )

    def __bytes__(self) -> bytes:
        flags = 0x80 | len(self.contributors)
        if self.extension_profile is not None:
            flags |= 0x10
        if self.padding:
            flags |= 0x20
        parts = [HEADER.pack(flags, self.payload_type | (self.marker << 7), self.sequence, self.timestamp, self.ssrc)]
        if self.contributors:
            parts.append(pack(f">{len(self.contributors)}I", *self.contributors))
        if self.extension_profile is not None:
            parts.append(pack(">HH", self.extension_profile, len(self.extension) // 4))
            parts.append(self.extension)
        parts.append(self.payload)
        if self.padding:
            parts.append(bytes(self.padding - 1) + bytes((self.padding,)))
        return b"".join(parts)


def looks_like_rtcp(data: bytes) -> bool:
    """Whether a datagram of a multiplexed port is RTCP (RFC 5761 4: packet types 192 to 223)."""
    return len(data) > 1 and 192 <= data[1] <= 223
