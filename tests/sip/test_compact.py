"""Short names of header fields (RFC 3261 7.3.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.compact import compact
from arietta.sip.message import Request, parse

INVITE = Request(
    "INVITE",
    "sip:bob@example.com",
    [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:a@b>"), ("Call-ID", "c"),
        ("CSeq", "1 INVITE"), ("Contact", "<sip:a@h>"), ("Supported", "timer"), ("Session-Expires", "90"),
        ("Refer-To", "<sip:x@y>"), ("Allow-Events", "refer"), ("Event", "refer"), ("User-Agent", "To: nobody"),
    ],
    b"From: here\r\n\r\nTo: there",
)  # fmt: skip


def test_names_are_short_and_nothing_else_changes():
    written = compact(bytes(INVITE))
    head, _, body = written.partition(b"\r\n\r\n")
    assert [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]] == [
        b"v", b"f", b"t", b"i", b"CSeq", b"m", b"k", b"x", b"r", b"u", b"o", b"User-Agent", b"l",
    ]  # fmt: skip
    assert body == INVITE.body
    again = parse(written)
    assert bytes(again) == bytes(INVITE) and len(written) < len(bytes(INVITE)) - 60


@given(st.binary(max_size=300))
def test_any_bytes_keep_their_meaning(data: bytes):
    assert compact(compact(data)) == compact(data) and len(compact(data)) <= len(data)
