"""Seeds, and what is done to them."""

from __future__ import annotations

from pathlib import Path
from random import Random

CORPUS = Path(__file__).parent / "corpus"
TORTURE = Path(__file__).parent.parent / "torture"
MAX_BYTES = 5000

PIECES = [
    b'', b'\r\n', b'\n', b'\r', b'\x00', b':', b';', b',', b'<', b'>', b'"', b'\\', b'%', b'=', b' ', b'\t', b'\r\n ',
    b'\xff', b'\xc3\xa9', b'@', b'?', b'&', b'[', b']', b'[::1]', b'::', b'/', b'*', b'+', b'-1', b'0', b'65536',
    b'4294967296', b'99999999999999999999', b'sip:', b'sips:', b'tel:+1', b'Via: ',
    b'v: SIP/2.0/UDP a;branch=z9hG4bK1\r\n', b'To: ', b'From: ', b'CSeq: 1 INVITE\r\n', b'Content-Length: 1\r\n',
    b'Contact: *\r\n', b'Expires: 0\r\n', b'Route: <sip:a;lr>\r\n', b'Record-Route: <sip:a>\r\n',
    b'Require: 100rel\r\n', b'Replaces: a;to-tag=b;from-tag=c\r\n', b'Refer-To: <sip:a>\r\n',
    b'Authorization: Digest username="alice",realm="asterisk",nonce="1",uri="a",response="2"\r\n', b'z9hG4bK',
    b';tag=', b';received=', b';rport', b';maddr=', b';lr', b'%00', b'%', b'INVITE', b'ACK', b'BYE', b'CANCEL',
    b'REGISTER', b'SIP/2.0', b'SIP/2.0 200 OK\r\n', b'a=rtpmap:0 PCMU/8000\r\n', b'm=audio 0 RTP/AVP 0\r\n',
    b'c=IN IP4 ',
]  # fmt: skip

Edit = tuple[float, int, bytes]


def seeds() -> list[bytes]:
    """The torture messages and what earlier runs have found worth keeping."""
    return [path.read_bytes() for folder in (TORTURE, CORPUS) for path in sorted(folder.rglob("*.dat"))]


def mutate(data: bytes, edits: list[Edit]) -> bytes:
    """Each edit puts a piece at a place (0..1 of the length) over so many bytes."""
    for place, length, piece in edits:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


def vary(random: Random, pool: list[bytes]) -> bytes:
    """A new input of the pool: edits, lines moved, doubled, taken from elsewhere."""
    data = random.choice(pool)
    for _ in range(1 + int(random.expovariate(0.5))):
        data = random.choice(_WAYS)(random, data, pool)
    return data[:MAX_BYTES]


def _edit(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    return mutate(data, [(random.random(), random.choice((0, 0, 1, 2, 5, 20)), random.choice(PIECES))])


def _flip(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    return mutate(data, [(random.random(), 1, bytes((random.randrange(256),)))])


def _repeat(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    return mutate(data, [(random.random(), 0, random.choice(PIECES) * random.choice((2, 3, 30, 300)))])


def _move_line(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(random.randrange(len(lines) + 1), lines.pop(random.randrange(len(lines))))
    return b"\r\n".join(lines)


def _borrow_line(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(random.randrange(len(lines) + 1), random.choice(random.choice(pool).split(b"\r\n")))
    return b"\r\n".join(lines)


def _drop_line(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    del lines[random.randrange(len(lines))]
    return b"\r\n".join(lines)


def _splice(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    other = random.choice(pool)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


_WAYS = (_edit, _edit, _edit, _flip, _repeat, _move_line, _borrow_line, _borrow_line, _drop_line, _splice)
