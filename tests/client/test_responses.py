"""The response reader alone: bytes in any pieces, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.client.responses import MAX_HEAD_BYTES, Response, ResponseReader

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ping":42}'
CHUNKED = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


def read(*pieces: bytes) -> ResponseReader:
    reader = ResponseReader()
    for piece in pieces:
        reader.feed(piece)
    return reader


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM + PLAIN]), st.lists(st.integers(1, 120), max_size=6))
@settings(max_examples=60, deadline=None)
def test_pieces_do_not_matter(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader = read(*(data[start:end] for start, end in pairwise(places)))
    assert reader.is_complete and reader.may_keep
    plain = Response(200, "OK", b'{"ping":42}')
    assert reader.result() == (Response(404, "Not Found", b"Wikipedia") if data == CHUNKED else plain)


def test_no_content_and_a_connection_that_ends() -> None:
    reader = read(EMPTY)
    assert reader.is_complete and not reader.may_keep and reader.result() == Response(204, "No Content", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SIP/2.0 200 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "without Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "not HTTP"),
        (PLAIN + PLAIN, "second answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, "over the limit of 65536"),
        (b"HTTP/1.1 101 Over\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "changed the protocol"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(data)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_answer_or_a_value_error(data: bytes) -> None:
    try:
        read(data)
    except ValueError:
        pass
