"""Messages in a stream, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer

ONE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nhello"
TWO = b"SIP/2.0 200 OK\r\nX: y\r\nl :\r\n 0\r\n\r\n"


@given(st.lists(st.sampled_from([ONE, TWO]), max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_cut_anywhere(messages, sizes):
    framer, stream, found = StreamFramer(), b"".join(messages), []
    position = 0
    while position < len(stream):
        size = sizes[position % len(sizes)]
        found += framer.receive(stream[position : position + size])
        position += size
    assert found == messages and not framer.is_midway


def test_keepalives_are_answered():
    framer = StreamFramer()
    assert framer.receive(b"\r\n\r\n") == [] and framer.pongs == 1
    assert framer.receive(b"\r\n") == [] and framer.pongs == 0
    assert framer.receive(b"\r\n") == [] and framer.pongs == 1
    assert framer.receive(b"\r\n" + ONE) == [ONE]
    assert framer.receive(ONE + b"\r\n\r\n" + TWO) == [ONE, TWO] and framer.pongs == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 999999\r\n\r\n", 513),
        (b"A" * 70000, 513),
    ],
)
def test_what_ends_a_connection(data, status):
    with pytest.raises(ProtocolError) as caught:
        StreamFramer().receive(data)
    assert caught.value.status == status


@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"\0" * 10, b"\r\n{"])
def test_what_is_not_sip_is_seen_at_once(data):
    with pytest.raises(ProtocolError):
        StreamFramer().receive(data)


@given(st.binary(max_size=300), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data, size):
    framer = StreamFramer()
    try:
        for position in range(0, len(data), size):
            framer.receive(data[position : position + size])
    except ProtocolError:
        pass
