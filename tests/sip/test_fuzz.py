"""Whatever is done to a message, nothing but ProtocolError comes out, and an agent says nothing but SIP."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sip.agent import UserAgent
from arietta.sip.errors import ProtocolError
from arietta.sip.events import Incoming, ReInvite
from arietta.sip.framing import StreamFramer
from arietta.sip.message import Message, parse
from arietta.sip.registrar import Rules, register
from arietta.sip.transactions import RequestReceived, Send, Transport

from .net import SDP

SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parent / "torture").glob("*.dat"))]
PIECES = st.sampled_from(
    [b"", b"\r\n", b"\n", b"\0", b":", b";", b",", b"<", b">", b'"', b"\\", b"%", b"=", b" ", b"\xff", b"sip:", b"[",
     b"Via: ", b"To: ", b"CSeq: 1 INVITE\r\n", b"Content-Length: 1\r\n", b"z9hG4bK", b";tag=", b"99999999999999999999"]
)  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), max_size=6)
UDP = Transport("UDP", "192.0.2.100", 5060)


def mutate(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, piece in edits:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


def read_everything(message: Message) -> None:
    for name in (
        "via", "cseq", "call_id", "from_", "to", "from_tag", "to_tag", "contacts", "routes", "record_routes", "expires",
        "content_type", "sdp", "uri", "max_forwards",
    ):  # fmt: skip
        try:
            getattr(message, name, None)
        except ProtocolError:
            continue


@given(st.sampled_from(SEEDS), EDITS)
@settings(max_examples=400, deadline=None)
def test_mutated_messages(seed, edits):
    data = mutate(seed, edits)
    try:
        message = parse(data)
    except ProtocolError:
        return
    read_everything(message)
    register((), message, Rules(), 0.0) if hasattr(message, "method") else None
    parse(bytes(message))


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_at_random(data):
    try:
        parse(data)
    except ProtocolError:
        pass
    try:
        StreamFramer().receive(data)
    except ProtocolError:
        pass


DIALOG = (
    b"INVITE sip:1000@192.0.2.100 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%d;rport\r\n"
    b"From: \"A\" <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:1000@192.0.2.100>%s\r\nCall-ID: fuzz\r\nCSeq: %d INVITE\r\n"
    b"Contact: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:p@192.0.2.1;lr>\r\nContent-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from([b"INVITE", b"ACK", b"BYE", b"INFO", b"CANCEL", b"REFER"]), EDITS), max_size=6)
)
@settings(max_examples=150, deadline=None)
def test_a_session_under_mutated_requests(steps):
    agent = UserAgent()
    now, tag, number = 0.0, b"", 1
    for method, edits in [(b"INVITE", []), *steps]:
        now += 0.1
        data = (DIALOG % (number, tag, number, len(SDP), SDP)).replace(b"INVITE", method)
        agent.receive(mutate(data, edits), ("192.0.2.1", 5060), UDP, now)
        number += 1
        while outputs := agent.outputs():
            for output in outputs:
                if isinstance(output, RequestReceived):
                    if output.request.method == "INVITE":
                        session = agent.accept_invite(output, "<sip:192.0.2.100>", now)
                        tag = b";tag=" + session.local_tag.encode() if session else tag
                    else:
                        agent.respond(output.transaction, now, 405)
                elif isinstance(output, Incoming | ReInvite):
                    output.session.accept(now, SDP)
                elif isinstance(output, Send):
                    assert output.data.endswith(b"\r\n\r\n") or b"\r\n\r\n" in output.data
        agent.handle_timeout(now)
    for _ in range(200):
        when = agent.next_timeout()
        if when is None:
            break
        agent.handle_timeout(when)
        agent.outputs()
    assert when is None or when < now + 200
