"""Messages: split once, kept as they came, written again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.message import MAX_HEADERS, MAX_MESSAGE, Request, Response, parse

INVITE = (
    b"INVITE sip:1000@192.0.2.2 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.9\r\n"
    b"Via: SIP/2.0/TCP 192.0.2.8\r\nf: \"A\" <sip:a@x>;tag=1\r\nt: <sip:1000@192.0.2.2>\r\ni: abc\r\n"
    b"CSeq: 7 INVITE\r\nRecord-Route: <sip:p;lr>\r\nTimestamp: 54\r\nSubject: first\r\n second\r\nX-a: 1\r\nx-A: 2\r\n"
    b"l: 4\r\n\r\nbody"
)  # fmt: skip
VALUE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=20).map(str.strip)
NAME = st.from_regex(r"X-[a-z]{1,8}", fullmatch=True)


def test_reading():
    request = parse(INVITE)
    assert isinstance(request, Request)
    assert (request.method, request.uri_text, request.body) == ("INVITE", "sip:1000@192.0.2.2", b"body")
    assert len(request.values("via")) == 3 and request.via.branch == "z9hG4bK1"
    assert request.get("s") == "first second"
    assert request.values("X-A") == ["1", "2"]
    assert request.get("Nothing") is None and request.values("Nothing") == []
    assert (request.from_.display, request.from_tag, request.to_tag) == ("A", "1", "")
    assert request.max_forwards == 70


@given(
    st.lists(st.tuples(NAME, VALUE), max_size=8),
    st.binary(max_size=200),
    st.sampled_from(["INVITE", "OPTIONS", "FOO"]),
)
@settings(max_examples=80, deadline=None)
def test_every_request_survives_the_wire(headers, body, method):
    request = Request(method, "sip:a@b", [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "x"),
        ("CSeq", f"1 {method}"), *headers,
    ], body)  # fmt: skip
    again = parse(bytes(request))
    assert isinstance(again, Request)
    assert (again.method, again.uri_text, again.headers, again.body) == (method, "sip:a@b", request.headers, body)


def test_response_repeats_what_it_must():
    request = parse(INVITE)
    assert isinstance(request, Request)
    response = parse(bytes(request.create_response(200, to_tag="t", headers=[("X-Y", "z")])))
    assert isinstance(response, Response)
    for name in ("Via", "From", "Call-ID", "CSeq", "Record-Route"):
        assert response.headers[name] == request.headers[name]
    assert response.to_tag == "t" and response.get("X-Y") == "z" and "Timestamp" not in response.headers
    trying = request.create_response(100, to_tag="t")
    assert trying.to_tag == "" and trying.get("Timestamp") == "54"


def test_a_response_does_not_change_its_request():
    request = parse(INVITE)
    assert isinstance(request, Request)
    response = request.create_response(200, to_tag="t")
    response.add("Via", "SIP/2.0/UDP other")
    response.prepend("Record-Route", "<sip:q;lr>")
    response.remove("From")
    copy = request.copy()
    copy.set("CSeq", "8 INVITE")
    assert bytes(request) == bytes(parse(INVITE))
    assert copy.cseq.number == 8 and request.cseq.number == 7


@pytest.mark.parametrize("name", ["Zoë", "работа", "\0\x7f"])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "cp1251"])
def test_names_are_text_and_come_back_as_the_bytes_they_were(name, charset):
    raw = name.encode(charset, "ignore")
    request = parse(INVITE.replace(b'"A"', b'"' + raw + b'"'))
    assert isinstance(request, Request)
    assert charset == "cp1251" or request.from_.display == raw.decode(charset)
    request.from_.display.encode()  # whatever it is, JSON can carry it
    assert b'From: "' + raw + b'" <sip:a@x>' in bytes(request.create_response(486))
    assert b'f: "' + raw not in bytes(request.copy()) and raw in bytes(request.copy())


def test_header_values_cannot_smuggle_lines():
    response = parse(INVITE).create_response(200, headers=[("X-Evil", "a\r\nContact: <sip:mallory>")])
    with pytest.raises(ValueError, match="line break"):
        bytes(response)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"SIP/2.0\r\nv", b"SIP/3.0\r\nv", 505),
        (b"INVITE sip", b"INV(TE sip", 400),
        (b"\r\n\r\nbody", b"", 400),
        (b"l: 4", b"l: 5", 400),
        (b"l: 4", b"l: four", 400),
        (b"CSeq: 7 INVITE", b"CSeq: 7 BYE", 400),
        (b"i: abc\r\n", b"", 400),
        (b"i: abc", b"i: abc\r\ni: def", 400),
        (b"X-a: 1", b"X-a 1", 400),
        (b"X-a: 1", b"X-a: 1\nVia: x", 400),
        (b"X-a: 1", b"X-a: 1\rVia: x", 400),
        (b"X-a: 1", b"Max-Forwards: 256", 400),
        (b"X-a: 1\r\n", b"X-a: 1\r\n" * (MAX_HEADERS + 1), 400),
        (b"first", b"f" * MAX_MESSAGE, 513),
    ],
)
def test_malformed(old, new, status):
    assert old in INVITE
    with pytest.raises(ProtocolError) as caught:
        parse(INVITE.replace(old, new, 1))
    assert caught.value.status == status


def test_session_description_inside_a_multipart():
    body = b"--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\n"
    body += b"content-type : application/sdp\r\n\r\nv=0\r\n\r\n--x--\r\n"
    request = Request("INVITE", "sip:a", [("Content-Type", 'multipart/mixed; boundary="x"')], body)
    assert request.sdp == b"v=0\r\n"
    request.set("Content-Type", "multipart/mixed")
    assert request.sdp == b""
