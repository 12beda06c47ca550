"""Messages: whatever comes is read within limits, and nothing that is written breaks out of its line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arietta.manager.message import (
    MAX_ACTION_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    Action,
    ActionReader,
    Malformed,
    ManagerEvent,
    encode_event,
    encode_response,
)

TEXTS = st.text(max_size=40)
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b"\r\n", b"\n", b"\r\n\r\n", b"Action: Ping\r\n", b"Variable: a=b\r\n", b":", b"x" * 9000]),
    ),
    max_size=40,
)


@given(TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_an_event_is_as_many_lines_as_it_has_headers(name: str, headers: list[tuple[str, str]]) -> None:
    data = encode_event(ManagerEvent(name, "call,all", tuple(headers)))
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\n") == data.count(b"\r") == len(headers) + 3
    assert b"\0" not in data
    assert encode_response("Success", name, headers).count(b"\r\n\r\n") == 1


@given(PIECES)
def test_whatever_comes_in_whatever_pieces_is_the_same(pieces: list[bytes]) -> None:
    whole, split = ActionReader(), ActionReader()
    data = b"".join(pieces)
    at_once = whole.receive(data)
    bit_by_bit = [found for piece in pieces for found in split.receive(piece)]
    assert at_once == bit_by_bit
    for found in at_once:
        assert isinstance(found, Action | Malformed)
        if isinstance(found, Action):
            assert 0 < len(found.headers) <= MAX_HEADERS
            assert all("\n" not in name + value for name, value in found.headers)


def test_nothing_grows_while_no_line_ends() -> None:
    reader = ActionReader()
    for _ in range(200):
        assert reader.receive(b"x" * 1000) == []
    assert len(reader._rest) <= MAX_LINE_BYTES + 1001
    (found,) = reader.receive(b"\r\n\r\n")
    assert found == Malformed(f"A line is longer than {MAX_LINE_BYTES} bytes")
    assert reader.receive(b"Action: Ping\r\n\r\n") == [Action((("Action", "Ping"),))]
    assert MAX_ACTION_BYTES > MAX_LINE_BYTES
