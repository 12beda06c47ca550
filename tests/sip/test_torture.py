"""The torture messages of RFC 4475 and RFC 5118, each with the verdict of its section."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer
from arietta.sip.message import Request, Response, parse
from arietta.sip.registrar import Rules, register
from arietta.sip.transactions import Address
from arietta.testing import VirtualLoop
from arietta.testing.plugin import Switch

FOLDER = Path(__file__).parent / "torture"

VERDICTS: dict[str, int | None] = {
    # 3.1.1 Valid messages; what they ask is another matter: 481 without a dialog, 501 for methods, 404 for users
    "wsinv": 481,  # "All elements should treat this as a well-formed request"; its To has a tag
    "intmeth": 501,  # "Endpoints will generate a 501 listing the methods they understand in an Allow header field"
    "esc01": 200,
    "escnull": 404,  # "parsers must accept this message"; no such address of record here
    "esc02": 501,  # "An endpoint would reject this message with a 501"
    "lwsdisp": 200,  # "Elements should accept this request as well formed"
    "longreq": 200,
    "dblreq": 200,  # "handle the REGISTER request normally and ignore the extra bits"
    "semiuri": 200,
    "transports": 200,  # "process it exactly as if the 2nd and subsequent header field values specified UDP"
    "mpart01": 415,  # "must accept this message as well formed, even if ... does not support multipart/signed"
    "unreason": None,
    "noreason": None,
    # 3.1.2 Invalid messages
    "badinv01": 400,  # "should respond with a 400 Bad Request error"
    "clerr": 400,  # "When sent over UDP ... should respond with a 400"
    "ncl": 400,  # "should respond with an error"
    "scalar02": 400,  # "should respond with a 400 Bad Request due to the CSeq error"
    "scalarlg": None,  # "will simply discard it"
    "quotbal": 400,  # "should return a 400 Bad Request error"
    "ltgtruri": 400,  # "reasonable always to reject ... with a 400"
    "lwsruri": 400,  # "should respond with a 400 Bad Request"
    "lwsstart": 400,  # "acceptable to reject this request as malformed"
    "trws": 400,  # "acceptable to reject this request as malformed"
    "escruri": 200,  # "could choose to be liberal in what it accepts and ignore the escaped headers"
    "baddate": 200,  # "could ignore this value altogether"
    "regbadct": 400,  # "reasonable ... to respond with a 400 Bad Request"
    "badaspec": 400,  # "reasonable to reject this request with a 400"
    "baddn": 400,  # "reasonable always to reject this kind of error with a 400"
    "badvers": 505,  # "should respond to the request with a 505 Version Not Supported error"
    "mismatch01": 400,  # "will respond with a 400 Bad Request"
    "mismatch02": 501,  # "should respond with a 501 Not Implemented"
    "bigcode": None,  # "should simply drop it"
    # 3.2 Transaction layer
    "badbranch": 200,  # "could fall back to the RFC 2543-style transaction identifier"
    # 3.3 Application layer
    "insuf": 400,  # "Ideally, it will respond with a 400 Bad Request error"
    "unkscm": 416,  # "will reject it with a 416 Unsupported URI Scheme response"
    "novelsc": 416,  # "appropriate to treat it as unknown and return a 416"
    "unksm2": 400,  # "A registrar would reject this request with a 400"
    "bext01": 420,  # "will respond with a 420 Bad Extension response"
    "invut": 415,  # "would reject it with a 415 Unsupported Media Type error"
    "regaut01": 200,  # "A registrar that does not care ... will simply ignore the Authorization header field"
    "multi01": 400,  # "would respond with a 400 Bad Request error"
    "mcl01": 400,  # "should respond with an error"
    "bcast": None,  # "an endpoint receiving this message should simply discard it"
    "zeromf": 200,  # "process the request as if the Max-Forwards field value were still positive"
    "cparam01": 200,  # "This REGISTER should succeed"
    "cparam02": 200,  # "The register should succeed"
    "regescrt": 200,  # "The register should succeed"
    "sdp01": 406,  # "could respond with a 406 Not Acceptable"
    # 3.4 Backward compatibility
    "inv2543": 200,  # "should be accepted by RFC 3261 elements that want to maintain backwards compatibility"
    # RFC 5118. 488: well-formed, and no codec that this server has
    "ipv6/ipv6-good": 200,
    "ipv6/ipv6-bad": 400,  # 4.2 "should respond with a 400 Bad Request error"
    "ipv6/port-ambiguous": 200,  # 4.3 "From a parsing perspective, the request below is well-formed"
    "ipv6/port-unambiguous": 200,
    "ipv6/via-received-param-with-delim": 481,  # 4.5 "must parse them successfully"; a BYE in no dialog
    "ipv6/via-received-param-no-delim": 200,
    "ipv6/ipv6-in-sdp": 488,
    "ipv6/mult-ip-in-header": 481,
    "ipv6/mult-ip-in-sdp": 200,
    "ipv6/ipv4-mapped-ipv6": 488,
    "ipv6/ipv6-bug-abnf-3-colons": 200,  # 4.10 "an implementation must tolerate both of the above constructs"
    "ipv6/ipv6-correct-abnf-2-colons": 200,
}
"""The final response to each message, None for silence."""

SOURCE: Address = ("192.0.2.15", 5060)
AORS = ("user", "j.user", "watson")
FILES = {
    "http.conf": "[general]\nenabled=no\n",
    "ari.conf": "[general]\nenabled=no\n",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10099\n",
    "extensions.conf": "[default]\nexten => _.,1,Answer()\n same => n,Wait(1)\n",
    "pjsip.conf": "[udp]\ntype=transport\nprotocol=udp\nbind=192.0.2.100:5060\n"
    + f"[anonymous]\ntype=endpoint\ncontext=default\nallow=ulaw\naors={','.join(AORS)}\n"
    + "".join(f"[{name}]\ntype=aor\nmax_contacts=2\n" for name in AORS),
}


def read(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


def request_of(name: str) -> Request:
    message = parse(read(name))
    assert isinstance(message, Request)
    return message


def answer_to(sent: list[bytes]) -> Response | None:
    """The first final response; it repeats the peer's broken header fields, so it may not parse whole."""
    for data in sent:
        try:
            message = parse(data)
        except ProtocolError as error:
            message = error.message  # type: ignore[assignment]
        if isinstance(message, Response) and message.status >= 200:
            return message
    return None


async def deliver(switch: Switch, name: str) -> Response | None:
    async with switch(FILES) as server:
        sip, sent = server.sip, []  # type: ignore[attr-defined]
        sip.observers.append(lambda direction, data, *_: sent.append(data) if direction == ">" else None)
        sip.transports.received(read(name), SOURCE, sip.transports.find(""))
        await asyncio.sleep(40)
        return answer_to(sent)


def test_every_file_has_its_verdict():
    assert sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.dat")) == sorted(VERDICTS)
    assert len(VERDICTS) == 49 + 12


@pytest.mark.parametrize("name", VERDICTS)
async def test_the_server_does_what_the_section_says(name, switch: Switch, loop: VirtualLoop):
    answer = await deliver(switch, name)
    assert (answer.status if answer else None) == VERDICTS[name]


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status in (200, 415, 481, 488)])
def test_what_is_well_formed_is_written_as_it_was_read(name):
    message = request_of(name)
    again = parse(bytes(message))
    assert isinstance(again, Request)
    assert (again.method, again.uri_text, again.headers, again.body) == (
        message.method, message.uri_text, message.headers, message.body,
    )  # fmt: skip


async def test_refusals_say_what_would_do(switch: Switch, loop: VirtualLoop):
    unknown = await deliver(switch, "intmeth")
    extension = await deliver(switch, "bext01")
    unacceptable = await deliver(switch, "sdp01")
    assert unknown and "INVITE" in unknown.values("Allow")
    assert extension and extension.values("Unsupported") == ["nothingSupportsThis", "nothingSupportsThisEither"]
    assert unacceptable and (unacceptable.get("Warning") or "").startswith("399 ")


@pytest.mark.parametrize("name", ["ncl", "mcl01"])
def test_a_stream_without_a_length_is_closed(name):
    with pytest.raises(ProtocolError):
        StreamFramer().receive(read(name))


def test_a_stream_waits_for_what_was_promised():
    framer = StreamFramer()
    assert framer.receive(read("clerr")) == [] and framer.is_midway


# --------------------------------------------------------------------------------------- what the values are


def test_white_space_everywhere():
    request = request_of("wsinv")
    assert request.to_tag == "1918181833n" and request.from_tag == "98asjd8"
    assert request.from_.display == 'J Rosenberg \\"'
    assert request.max_forwards == 68
    assert (request.cseq.number, request.cseq.method) == (9, "INVITE")
    assert (request.via.transport, request.via.host, request.via.branch) == ("UDP", "192.0.2.2", "390skdjuw")
    assert len(request.values("Via")) == 3
    assert request.contacts[0].parameter("q") == "0.33"
    assert request.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert len(request.body) == 150


def test_a_wide_range_of_characters():
    request = request_of("intmeth")
    assert request.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert request.to.display == "BEL:\7 NUL:\0 DEL:\x7f"
    assert request.from_.parameter("fromparam''~+*_!.-%") == "работающий"
    assert request.from_tag == "_token~1'+`*%!-."


def test_escapes_are_undone_once():
    request = request_of("esc01")
    assert request.uri.user == "sips:user@example.com" and request.uri.host == "example.net"
    assert request.to.uri.user == "user"
    [contact] = request.contacts
    assert contact.uri.parameters == (("lr", None), ("name", "value%41"))
    assert [contact.uri.user for contact in request_of("escnull").contacts] == ["\0", "\0\0"]
    unescaped = request_of("esc02")
    assert len(unescaped.contacts) == 2 and unescaped.to.display == "%Z%45"  # C%6Fntact is another header field


def test_two_contacts_with_nulls_are_two_bindings():
    assert len(register((), request_of("escnull"), Rules(max_contacts=5), 0.0).bindings) == 2


def test_semicolon_in_the_user_part():
    uri = request_of("semiuri").uri
    assert (uri.user, uri.host, uri.parameters) == ("user;par=u@example.net", "example.com", ())


def test_what_follows_the_body_of_a_datagram_is_ignored():
    assert request_of("dblreq").body == b""


def test_a_binary_body_is_kept_whole():
    message = request_of("mpart01")
    assert len(message.body) == 553 and message.body.count(b"\0") > 0 and message.sdp == b""


@pytest.mark.parametrize(("name", "value"), [("quotbal", "to"), ("badaspec", "to"), ("regbadct", "contacts")])
def test_malformed_values_are_refused_when_read(name, value):
    with pytest.raises(ProtocolError) as caught:
        getattr(parse(read(name)), value)
    assert caught.value.status == 400


def test_contact_parameters_with_and_without_brackets():
    outside, inside = (register((), request_of(name), Rules(), 0.0) for name in ("cparam01", "cparam02"))
    assert dict(outside.headers)["Contact"].startswith("<sip:+19725552222@gw1.example.net>;unknownparam")
    assert dict(inside.headers)["Contact"].startswith("<sip:+19725552222@gw1.example.net;unknownparam>")
    escaped = register((), request_of("regescrt"), Rules(), 0.0)
    assert "?Route=%3Csip:sip.example.com%3E>" in dict(escaped.headers)["Contact"]


def test_reason_phrases_of_any_kind():
    assert parse(read("unreason")).reason.startswith("= 2**3 * 5**2 но сто девяносто")  # type: ignore[union-attr]
    assert parse(read("noreason")).reason == ""  # type: ignore[union-attr]


def test_ipv6_ports():
    assert request_of("ipv6/port-ambiguous").uri.host == "2001:db8::10:5070"
    assert request_of("ipv6/port-unambiguous").uri.port == 5070
    assert request_of("ipv6/ipv4-mapped-ipv6").via.port == 19823
    assert request_of("ipv6/via-received-param-with-delim").via.parameter("received") == "[2001:db8::9:255]"
    assert request_of("ipv6/via-received-param-no-delim").via.parameter("received") == "2001:db8::9:255"
    assert request_of("ipv6/ipv6-bug-abnf-3-colons").uri.host == "2001:db8::192.0.2.1"
