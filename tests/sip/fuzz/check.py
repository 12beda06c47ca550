"""What must hold for any bytes: each check raises when it does not, and returns how the bytes were taken."""

from __future__ import annotations

import contextlib
import re

from arietta import sdp
from arietta.sip.agent import UserAgent
from arietta.sip.auth import Credentials, DigestClient, DigestServer
from arietta.sip.errors import ProtocolError
from arietta.sip.events import Incoming, ReInvite
from arietta.sip.framing import StreamFramer
from arietta.sip.headers import parse_challenge, parse_reason, split_list
from arietta.sip.message import Message, Request, Response, parse
from arietta.sip.registrar import Rules, register
from arietta.sip.transactions import RequestReceived, Send, Transport
from arietta.sip.uri import parse_name_addr, parse_uri

from ..net import SDP
from .mutation import Edit, mutate

UDP = Transport("UDP", "192.0.2.100", 5060)
TCP = Transport("TCP", "192.0.2.100", 5060)
SOURCE = ("192.0.2.15", 5060)
MAX_REPLY = 700
"""Bytes that an answer may have beyond the request it repeats: reason, Allow, challenges."""

_VALUES = (
    "via", "cseq", "call_id", "from_", "to", "from_tag", "to_tag", "contacts", "routes", "record_routes", "expires",
    "content_type", "sdp", "uri", "max_forwards", "is_rfc2543",
)  # fmt: skip
_DIGESTS = DigestServer("asterisk"), DigestClient(Credentials("alice", "secret"))


def read_everything(message: Message) -> str:
    """Read every value of a message; the text says which of them were refused."""
    refused = ""
    for name in _VALUES:
        if hasattr(type(message), name):
            try:
                getattr(message, name)
            except ProtocolError:
                refused += f" {name}"
    for name, values in message.headers.items():
        for value in values:
            for read in (split_list, parse_challenge, parse_reason, parse_name_addr, parse_uri):
                try:
                    read(value)
                except ProtocolError:
                    continue
        message.get(name)
    if isinstance(message, Request):
        refused += f" {register((), message, Rules(), 0.0).status} {_DIGESTS[0].check(message, _known, 0.0).outcome}"
    else:
        _DIGESTS[1].answer(Request("INVITE", "sip:a@b"), message)  # type: ignore[arg-type]
    try:
        sdp.parse(message.sdp or message.body)
    except sdp.SdpError:
        refused += " sdp"
    return refused


def check_parser(data: bytes) -> str:
    """The parser refuses with ProtocolError or reads; what it read is written so that it reads the same."""
    try:
        message = parse(data)
    except ProtocolError as error:
        if error.message is not None:
            _written(error.message)
        return f"{error.status} {re.sub(r'[^a-zA-Z ]+.*', '', error.text)}"
    again = parse(bytes(message))
    assert (again.start_line(), again.headers, again.body) == (message.start_line(), message.headers, message.body)
    return f"read{read_everything(message)}"


def check_stream(data: bytes) -> str:
    """A stream is cut the same way however it comes in pieces."""
    whole, parts = _framed([data]), _framed([data[at : at + 7] for at in range(0, len(data), 7)])
    assert whole == parts
    return f"framed {len(whole[0])} {whole[1]}"


def check_agent(data: bytes) -> str:
    """An agent takes the bytes and says nothing but SIP, of no more bytes than came and a little."""
    agent = UserAgent()
    agent.receive(data, SOURCE, UDP, 1.0)
    agent.receive(data, SOURCE, TCP, 2.0)
    said = ""
    for output in agent.outputs():
        if isinstance(output, Send):
            assert output.data.startswith(b"SIP/2.0 ") and b"\r\n\r\n" in output.data
            assert len(output.data) <= len(data) + MAX_REPLY
            said += f" {output.data[8:11].decode()}"
        else:
            said += f" {type(output).__name__}"
    for _ in range(20):
        when = agent.next_timeout()
        if when is None:
            break
        agent.handle_timeout(when)
        agent.outputs()
    return said


DIALOG = (
    b"INVITE sip:1000@192.0.2.100 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%d;rport\r\n"
    b"From: \"A\" <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:1000@192.0.2.100>%s\r\nCall-ID: fuzz\r\nCSeq: %d INVITE\r\n"
    b"Contact: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:p@192.0.2.1;lr>\r\nContent-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)  # fmt: skip


def check_dialog(steps: list[tuple[bytes, list[Edit]]]) -> None:
    """A call lives through requests that are mutated ever so much, and ends by itself."""
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
                    assert b"\r\n\r\n" in output.data
        agent.handle_timeout(now)
    when: float | None = None
    for _ in range(200):
        when = agent.next_timeout()
        if when is None:
            break
        agent.handle_timeout(when)
        agent.outputs()
    assert when is None or when < now + 200


def _framed(pieces: list[bytes]) -> tuple[list[bytes], int]:
    framer, messages, status = StreamFramer(), [], 0
    try:
        for piece in pieces:
            messages += framer.receive(piece)
    except ProtocolError as error:
        status = error.status
    return (messages if not status else []), status


def _written(message: Message) -> None:
    """A refused message is answered: what was read of it is fit to be written, but for the line break it has."""
    if isinstance(message, Request):
        with contextlib.suppress(ValueError):
            bytes(message.create_response(400, to_tag="t"))
    else:
        assert isinstance(message, Response)


def _known(name: str) -> Credentials | None:
    return Credentials(name, "secret") if name == "alice" else None
