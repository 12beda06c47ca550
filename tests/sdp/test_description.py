"""Session descriptions: what phones send is read, and what was read is written again."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sdp import Connection, Direction, Media, Origin, SdpError, SessionDescription, parse

PHONES = sorted((Path(__file__).parent / "phones").glob("*.sdp"))


@pytest.mark.parametrize("path", PHONES, ids=lambda path: path.stem)
def test_what_a_phone_sent_survives_a_round_trip(path: Path) -> None:
    first = parse(path.read_bytes())
    assert parse(bytes(first)) == first
    assert bytes(parse(bytes(first))) == bytes(first)


def test_a_complete_description_is_written_as_it_came() -> None:
    body = (Path(__file__).parent / "phones" / "desk-phone.sdp").read_bytes()
    assert bytes(parse(body)) == body


def test_lf_alone_and_missing_lines_are_taken() -> None:
    description = parse(b"v=0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.1")
    assert description.name == "-"
    assert description.origin == Origin()
    assert description.media[0].connection == Connection("192.0.2.1")


def test_unknown_lines_stay_where_they_belong() -> None:
    description = parse(b"v=0\r\ns=x\r\ny=odd\r\nm=audio 1 RTP/AVP 0\r\nq=rest\r\ni=title\r\n")
    assert description.lines == (("y", "odd"),)
    assert description.media[0].lines == (("i", "title"), ("q", "rest"))


def test_attributes_are_flags_or_values() -> None:
    media = Media("audio", 4, "RTP/AVP", ("0",), lines=(("a", "rtcp-mux"), ("a", "ptime: 30"), ("b", "AS:1")))
    assert media.attribute("rtcp-mux") == ""
    assert media.attribute("ptime") == "30"
    assert media.attribute("AS") is None


def test_direction_is_the_sections_or_the_sessions_or_sendrecv() -> None:
    description = parse(b"a=inactive\nm=audio 1 RTP/AVP 0\na=sendonly\nm=audio 1 RTP/AVP 0\n")
    assert description.direction_of(description.media[0]) is Direction.SENDONLY
    assert description.direction_of(description.media[1]) is Direction.INACTIVE
    plain = parse(b"m=audio 1 RTP/AVP 0")
    assert plain.direction_of(plain.media[0]) is Direction.SENDRECV


def test_directions_turn_and_meet() -> None:
    assert Direction.SENDONLY.reversed() is Direction.RECVONLY
    assert Direction.INACTIVE.reversed() is Direction.INACTIVE
    assert Direction.SENDRECV.intersect(Direction.RECVONLY) is Direction.RECVONLY
    assert Direction.SENDONLY.intersect(Direction.RECVONLY) is Direction.INACTIVE


@pytest.mark.parametrize(
    ("body", "line_number", "words"),
    [
        (b"", 1, "empty"),
        (b"\r\n\r\n", 1, "empty"),
        (b"v=0\r\nhello\r\n", 2, "letter=value"),
        (b"v=1\r\n", 1, "version"),
        (b"v=0\r\no=a b 1 IN IP4 h\r\n", 2, "session id 'b' is not a number"),
        (b"o=1 IN IP4 h\r\n", 1, "six fields"),
        (b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n", 2, "port 70000 is above 65535"),
        (b"v=0\r\nm=audio x RTP/AVP 0\r\n", 2, "port 'x' is not a number"),
        (b"v=0\r\nm=audio\r\n", 2, "m= needs"),
        (b"v=0\r\nc=IN IP4\r\n", 2, "c= needs"),
        (b"v=0\r\nc=IN IP4 /127\r\n", 2, "no address"),
        (b"a=x\n" * 3000, 2000, "more than 2000"),
        (b"a=" + b"x" * 70000, 1, "more than 65535"),
    ],
)
def test_an_error_names_its_line(body: bytes, line_number: int, words: str) -> None:
    with pytest.raises(SdpError, match=words) as caught:
        parse(body)
    assert caught.value.line_number == line_number


LETTERS = "voscitmabzkrue"


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(LETTERS), st.text("0123456789/ INP4audioRTAVx:=.\xe9", max_size=25))))
def test_any_lines_are_read_or_refused_with_sdperror(lines: list[tuple[str, str]]) -> None:
    body = "\r\n".join(f"{letter}={value}" for letter, value in lines).encode()
    try:
        description = parse(body)
    except SdpError:
        return
    assert parse(bytes(description)) == description


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_sdperror(body: bytes) -> None:
    try:
        description = parse(body)
    except SdpError:
        return
    assert isinstance(description, SessionDescription)
