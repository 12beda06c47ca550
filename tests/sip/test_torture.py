"""Torture messages after RFC 4475 and RFC 5118: each is accepted, answered or dropped as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.sip.agent import UserAgent
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request, Response, parse
from arietta.sip.registrar import Rules, register
from arietta.sip.transactions import RequestReceived, Send, Transport

FOLDER = Path(__file__).parent / "torture"

ACCEPTED = (
    (
        "wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 zeromf unksm2 "
        "bext01 invut regaut01 cparam01 cparam02 regescrt sdp01 inv2543 baddate regbadct badbranch escruri baddn "
        "v6-good v6-port-ambiguous v6-port-unambiguous v6-received-delimited v6-received-bare v6-mapped "
        "v6-bad v6-two-colons"
    )
    .replace("", "")
    .split()
)
"""A request that reaches the transaction user; what is wrong in a value it alone reads is found when it is read."""

ANSWERED = {
    "badinv01": 400,
    "badaspec": 400,
    "quotbal": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "mismatch01": 400,
    "mismatch02": 400,
    "multi01": 400,
    "mcl01": 400,
    "insuf": 400,
    "badvers": 505,
    "unkscm": 416,
    "novelsc": 416,
}
"""A request refused before anybody else sees it."""

DROPPED = ("unreason", "noreason", "scalarlg", "bigcode", "bcast")
"""Responses to nothing, and what cannot be addressed."""


def read(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


def deliver(name: str) -> list[object]:
    agent = UserAgent()
    agent.receive(read(name), ("192.0.2.15", 5060), Transport("UDP", "192.0.2.100", 5060), 1.0)
    return list(agent.outputs())


def test_every_file_has_its_verdict():
    assert sorted(path.stem for path in FOLDER.glob("*.dat")) == sorted([*ACCEPTED, *ANSWERED, *DROPPED])


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    outputs = deliver(name)
    if parse(read(name)).to_tag:  # in a dialog nobody knows
        [send] = outputs
        assert parse(send.data).status == 481
        return
    [received] = outputs
    assert isinstance(received, RequestReceived)
    again = parse(bytes(received.request))
    assert (again.method, again.uri_text, again.body) == (
        received.request.method, received.request.uri_text, received.request.body,
    )  # fmt: skip


@pytest.mark.parametrize("name", ANSWERED)
def test_answered(name):
    [send] = deliver(name)
    assert isinstance(send, Send)
    response = parse_leniently(send.data)
    assert response.status == ANSWERED[name]


@pytest.mark.parametrize("name", DROPPED)
def test_dropped(name):
    assert [output for output in deliver(name) if not isinstance(output, Send)] == []


def parse_leniently(data: bytes) -> Response:
    """Our answer repeats the peer's broken header fields, so it may not parse whole; its first line does."""
    try:
        message = parse(data)
    except ProtocolError as error:
        assert isinstance(error.message, Response)
        message = error.message
    assert isinstance(message, Response)
    return message


def test_white_space_everywhere():
    request = parse(read("wsinv"))
    assert isinstance(request, Request)
    assert request.to_tag == "1918181833n" and request.from_tag == "98asjd8"
    assert request.from_.display == 'J Rosenberg \\"'
    assert request.max_forwards == 68
    assert (request.cseq.number, request.cseq.method) == (9, "INVITE")
    assert (request.via.transport, request.via.host, request.via.branch) == ("UDP", "192.0.2.2", "390skdjuw")
    assert len(request.values("Via")) == 3
    assert request.contacts[0].parameter("q") == "0.33"
    assert request.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert len(request.body) == 150


def test_escapes_are_undone_once():
    request = parse(read("esc01"))
    assert request.uri.user == "sips:user@example.com" and request.uri.host == "example.net"
    assert request.to.uri.user == "user"
    [contact] = request.contacts
    assert contact.uri.parameters == (("lr", None), ("name", "value%41"))
    assert parse(read("escnull")).contacts[1].uri.user == "\0\0"
    assert len(parse(read("esc02")).contacts) == 2  # C%6Fntact is another header field


def test_semicolon_in_the_user_part():
    uri = parse(read("semiuri")).uri
    assert (uri.user, uri.host, uri.parameters) == ("user;par=u@example.net", "example.com", ())


def test_what_follows_the_body_of_a_datagram_is_ignored():
    assert parse(read("dblreq")).body == b""


def test_multipart_body_is_kept_whole():
    message = parse(read("mpart01"))
    assert b"\x00\x01\x02\xff\r\n\r\n\xfe" in message.body and message.sdp == b""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quotbal", "to"),
        ("badaspec", "to"),
        ("baddn", "from_"),
        ("regbadct", "contacts"),
        ("v6-bad", "uri"),
        ("v6-two-colons", "uri"),
    ],
)
def test_malformed_values_are_refused_when_read(name, value):
    with pytest.raises(ProtocolError) as caught:
        getattr(parse(read(name)), value)
    assert caught.value.status == 400


def test_unknown_schemes_stand_in_from_but_cannot_be_bound():
    request = parse(read("unksm2"))
    assert request.from_.uri_text == "http://www.example.com"
    assert register((), request, Rules(), 0.0).status == 416


def test_contact_parameters_with_and_without_brackets():
    outside, inside = parse(read("cparam01")).contacts[0], parse(read("cparam02")).contacts[0]
    assert outside.parameter("unknownparam") == "" and outside.uri.parameters == ()
    assert inside.parameters == () and inside.uri.parameter("unknownparam") == ""
    assert parse(read("regescrt")).contacts[0].uri.headers == (("Route", "<sip:sip.example.com>"),)


def test_reason_phrases_of_any_kind():
    assert parse(read("unreason")).reason.startswith("= 2**3 * 5**2 но сто девяносто")
    assert parse(read("noreason")).reason == ""


def test_ipv6_ports():
    assert parse(read("v6-port-ambiguous")).uri.port is None
    assert parse(read("v6-port-unambiguous")).uri.port == 5070
    assert parse(read("v6-mapped")).via.port == 19823
    assert parse(read("v6-received-bare")).via.parameter("received") == "2001:db8::9:255"
