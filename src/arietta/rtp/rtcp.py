"""RTCP reports (RFC 3550 6)."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct as Layout

import msgspec

from .errors import ProtocolError

__all__ = [
    "Bye",
    "ReceiverReport",
    "ReportBlock",
    "RtcpPacket",
    "SenderReport",
    "SourceDescription",
    "UnknownReport",
    "compound",
    "middle_ntp",
    "parse_compound",
]

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203
CNAME = 1
MOST_BLOCKS = 31

_SENDER = Layout(">IQIII")
_BLOCK = Layout(">IIIIII")


class ReportBlock(msgspec.Struct, frozen=True, gc=False):
    """What a receiver says about one source (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    """Since the beginning, signed 24 bits: duplicates make it negative."""
    highest_sequence: int
    """Extended: the wraps in the upper 16 bits."""
    jitter: int
    """In units of the source's clock."""
    last_report: int
    """Middle 32 bits of the NTP time of the last sender report; 0 is none."""
    delay: int
    """Since that report, in units of 1/65536 s."""

    def __bytes__(self) -> bytes:
        return _BLOCK.pack(
            self.ssrc,
            (self.fraction_lost << 24) | (self.lost & 0xFFFFFF),
            self.highest_sequence,
            self.jitter,
            self.last_report,
            self.delay,
        )


class SenderReport(msgspec.Struct, frozen=True, gc=False):
    """A sender's counters and clock (RFC 3550 6.4.1)."""

    ssrc: int
    ntp: int
    """64 bits: seconds since 1900 in units of 2**-32."""
    timestamp: int
    """The RTP timestamp of the same moment."""
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = _SENDER.pack(self.ssrc, self.ntp, self.timestamp, self.packets, self.octets)
        return _packet(SENDER_REPORT, len(self.blocks), body + b"".join(map(bytes, self.blocks)))


class ReceiverReport(msgspec.Struct, frozen=True, gc=False):
    """The reports of one that sends nothing (RFC 3550 6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = self.ssrc.to_bytes(4, "big") + b"".join(map(bytes, self.blocks))
        return _packet(RECEIVER_REPORT, len(self.blocks), body)


class SourceDescription(msgspec.Struct, frozen=True, gc=False):
    """Who the sources are (RFC 3550 6.5): CNAME of each; other items are not kept."""

    names: tuple[tuple[int, str], ...]
    """SSRC and CNAME, 31 at most."""

    def __bytes__(self) -> bytes:
        body = b""
        for ssrc, name in self.names:
            text = name.encode()[:255]
            chunk = ssrc.to_bytes(4, "big") + bytes((CNAME, len(text))) + text
            body += chunk + bytes(4 - len(chunk) % 4)
        return _packet(SOURCE_DESCRIPTION, len(self.names), body)


class Bye(msgspec.Struct, frozen=True, gc=False):
    """Sources that leave (RFC 3550 6.6)."""

    sources: tuple[int, ...]
    reason: str = ""

    def __bytes__(self) -> bytes:
        body = b"".join(ssrc.to_bytes(4, "big") for ssrc in self.sources)
        if self.reason:
            text = self.reason.encode()[:255]
            body += bytes((len(text),)) + text
            body += bytes(-len(body) % 4)
        return _packet(BYE, len(self.sources), body)


class UnknownReport(msgspec.Struct, frozen=True, gc=False):
    """A packet of another type (APP, feedback, extended reports), kept as it came."""

    packet_type: int
    count: int
    """The five bits of the first byte."""
    body: bytes
    """A multiple of four bytes."""

    def __bytes__(self) -> bytes:
        return _packet(self.packet_type, self.count, self.body)


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Bye | UnknownReport


def compound(packets: Sequence[RtcpPacket]) -> bytes:
    """One datagram of them; RFC 3550 6.1: a report first, then the CNAME."""
    return b"".join(map(bytes, packets))


def parse_compound(data: bytes) -> tuple[RtcpPacket, ...]:
    """The packets of a datagram; ProtocolError when any of them is broken (RFC 3550 A.2).

    A datagram that does not begin with a report is taken too: reduced-size RTCP (RFC 5506).
    """
    packets: list[RtcpPacket] = []
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < 4:
            raise ProtocolError(f"RTCP datagram ends with {end - offset} bytes that are no header")
        flags, kind = data[offset], data[offset + 1]
        if flags >> 6 != 2:
            raise ProtocolError(f"RTCP version {flags >> 6} is not 2")
        size = 4 * int.from_bytes(data[offset + 2 : offset + 4], "big")
        body = data[offset + 4 : offset + 4 + size]
        if len(body) < size:
            raise ProtocolError(f"RTCP packet of {size} bytes is longer than its datagram of {end}")
        offset += 4 + size
        if flags & 0x20:
            padding = body[-1] if body and offset == end else 0
            if padding == 0 or padding > size or padding % 4:
                raise ProtocolError(f"RTCP padding of {padding} bytes does not fit a packet of {size}")
            body = body[: size - padding]
        packets.append(_parse(kind, flags & 0x1F, body))
    if not packets:
        raise ProtocolError("RTCP datagram is empty")
    return tuple(packets)


def middle_ntp(ntp: int) -> int:
    """The 32 bits of an NTP time that report blocks carry."""
    return (ntp >> 16) & 0xFFFFFFFF


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body


def _parse(kind: int, count: int, body: bytes) -> RtcpPacket:
    if kind == SENDER_REPORT:
        _need(body, 24 + 24 * count, "sender report")
        ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
        return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(body, 24, count))
    if kind == RECEIVER_REPORT:
        _need(body, 4 + 24 * count, "receiver report")
        return ReceiverReport(int.from_bytes(body[:4], "big"), _blocks(body, 4, count))
    if kind == SOURCE_DESCRIPTION:
        return SourceDescription(_names(body, count))
    if kind == BYE:
        _need(body, 4 * count, "goodbye")
        sources = tuple(int.from_bytes(body[at : at + 4], "big") for at in range(0, 4 * count, 4))
        rest = body[4 * count :]
        if not rest:
            return Bye(sources)
        _need(rest, 1 + rest[0], "goodbye's reason")
        return Bye(sources, rest[1 : 1 + rest[0]].decode("utf-8", "replace"))
    return UnknownReport(kind, count, body)


def _need(body: bytes, size: int, what: str) -> None:
    if len(body) < size:
        raise ProtocolError(f"RTCP {what} of {len(body)} bytes is shorter than {size}")


def _blocks(body: bytes, offset: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for at in range(offset, offset + 24 * count, 24):
        ssrc, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, at)
        lost = loss & 0xFFFFFF
        if lost >= 0x800000:
            lost -= 0x1000000
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_report, delay))
    return tuple(blocks)


def _names(body: bytes, count: int) -> tuple[tuple[int, str], ...]:
    names: list[tuple[int, str]] = []
    at = 0
    for _ in range(count):
        _need(body, at + 4, "source description")
        ssrc = int.from_bytes(body[at : at + 4], "big")
        at += 4
        while True:
            _need(body, at + 1, "source description")
            kind = body[at]
            if kind == 0:
                at += 4 - at % 4
                break
            _need(body, at + 2, "source description item")
            size = body[at + 1]
            _need(body, at + 2 + size, "source description item")
            if kind == CNAME:
                names.append((ssrc, body[at + 2 : at + 2 + size].decode("utf-8", "replace")))
            at += 2 + size
    return tuple(names)
