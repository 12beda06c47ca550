"""The SIP of calls as people read it: ladders, a list, JSON that captures are made from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from arietta import sdp
from arietta.cli.tables import columns
from arietta.model import shown
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request, Response, parse
from arietta.testing.ladder import Ladder, describe

SERVER = "Arietta"
WIDTH = 44
PAUSE_S = 2.0
"""A silence that is worth a line."""
STATIC_NAMES = {"0": "ulaw", "3": "gsm", "8": "alaw", "9": "g722", "18": "g729"}
NAMES = {"PCMU": "ulaw", "PCMA": "alaw", "telephone-event": "digits"}


def draw(calls: Sequence[shown.SipCall]) -> str:
    """The calls in one ladder: a column for each phone, one for us."""
    messages = sorted(
        ((message, number) for number, call in enumerate(calls) for message in call.messages),
        key=lambda pair: pair[0].number,
    )
    if not messages:
        return "Nothing was said yet."
    parties = [_parties(call) for call in calls]
    peers = [name for party in parties for name in party.values()]
    begun = messages[0][0].time
    ladder = Ladder((peers[0], SERVER, *peers[1:]), width=WIDTH, start=begun)
    answering = [_Answers() for _ in calls]
    cut = {number: len(call.messages) // 2 for number, call in enumerate(calls) if call.left_out}
    drawn: dict[int, int] = {}
    before = begun
    for message, number in messages:
        if message.time - before >= PAUSE_S:
            ladder.note(message.time, f"{message.time - before:.1f} s later")
        before = message.time
        drawn[number] = drawn.get(number, 0) + 1
        if drawn[number] == cut.get(number):
            ladder.note(message.time, f"{calls[number].left_out} messages of {calls[number].call_id} are not kept")
        peer = parties[number][message.peer]
        ends = (peer, SERVER) if message.direction == "<" else (SERVER, peer)
        first_line, method = describe(message.data)
        ladder.sip(
            message.time,
            *ends,
            first_line,
            method,
            suffix=answering[number].note(message, first_line, method),
            detail=_detail(message.data),
        )
    heads = [_head(call) for call in calls]
    return "\n".join([*heads, _stamp(begun), "", ladder.render()]).rstrip()


class _Answers:
    """What came again, and how long an answer took."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, bytes]] = set()
        self._asked: dict[tuple[str, str], float] = {}

    def note(self, message: shown.SipMessage, first_line: str, method: str) -> str:
        again = (message.direction, message.data) in self._seen
        self._seen.add((message.direction, message.data))
        if again:
            return " (again)"
        if not first_line.startswith("SIP/2.0"):
            self._asked[message.direction, first_line.partition(" ")[0]] = message.time
            return ""
        asked = self._asked.get((">" if message.direction == "<" else "<", method))
        return "" if asked is None else f", {_duration(message.time - asked)}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _detail(data: bytes) -> str:
    """What matters of a message besides its first line."""
    try:
        message = parse(data)
    except ProtocolError as problem:
        return f"malformed: {problem}"
    said = []
    if isinstance(message, Request):
        if message.method == "REFER":
            said.append(message.get("Refer-To") or "")
        if message.method in ("BYE", "CANCEL"):
            said.append(message.get("Reason") or "")
        if message.method == "NOTIFY":
            said.append(message.body.partition(b"\r\n")[0].decode("utf-8", "replace"))
    elif isinstance(message, Response):
        if 300 <= message.status < 400:
            said.append(message.get("Contact") or "")
        if message.status >= 400:
            said += [message.get(name) or "" for name in ("Reason", "Warning", "Retry-After")]
    if message.body:
        kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "application/sdp":
            said.append(summary_of_sdp(message.body))
        elif not said or message.get("Event") is None:
            said.append(f"{kind or 'a body'}, {len(message.body)} bytes")
    return "; ".join(text for text in said if text)


def summary_of_sdp(body: bytes) -> str:
    """`ulaw alaw at 10.0.0.2:4000, held, SRTP`, for each stream."""
    try:
        description = sdp.parse(body)
    except sdp.SdpError as problem:
        return f"malformed SDP: {problem}"
    streams = []
    for media in description.media:
        kind = "" if media.kind == "audio" else f"{media.kind} "
        if media.port == 0:
            streams.append(f"{kind or 'audio '}refused")
            continue
        maps = dict(value.split(" ", 1) for value in media.attributes("rtpmap") if " " in value)
        names = []
        for payload in media.formats:
            name = maps.get(payload, STATIC_NAMES.get(payload, payload)).partition("/")[0]
            names.append(NAMES.get(name, name))
        connection = description.connection_of(media)
        host = connection.address if connection is not None else "?"
        said = [f"{kind}{' '.join(dict.fromkeys(names))} at {host}:{media.port}"]
        direction = description.direction_of(media)
        if direction is not sdp.Direction.SENDRECV:
            said.append(direction.value)
        if connection is not None and connection.unspecified:
            said.append("on hold")
        if "SAVP" in media.protocol:
            said.append("SRTP")
        streams.append(", ".join(said))
    return "; ".join(streams)


def _parties(call: shown.SipCall) -> dict[tuple[str, int], str]:
    """A name for each address of a call's other side."""
    names: dict[tuple[str, int], str] = {}
    for message in call.messages:
        if message.peer not in names:
            who = call.channel.partition("/")[2].rpartition("-")[0] if call.channel else ""
            number = f"-{call.channel.rpartition('-')[2].lstrip('0') or '0'}" if who else ""
            names[message.peer] = f"{who}{number} {_address(message.peer)}".strip()
    return names


def _address(address: tuple[str, int]) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def _head(call: shown.SipCall) -> str:
    who = f"{call.channel} ({call.channel_id})" if call.channel else "no channel"
    transports = "/".join(dict.fromkeys(message.transport for message in call.messages))
    return f"{who}, {'alive' if call.alive else 'ended'}, {transports}, Call-ID {_printable(call.call_id)}"


def _stamp(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when)) + f".{int(when * 1000) % 1000:03d}"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def table(calls: Sequence[shown.SipCall]) -> str:
    """The calls that are kept, the newest last."""
    if not calls:
        return "No call is kept."
    widths = (23, 28, 6, 9, 16, 30, 40)
    rows = [("<Began>", "<Channel>", "<State>", "<Messages>", "<Last>", "<Request>", "<Call-ID>")]
    for call in calls:
        first, last = call.messages[0], call.messages[-1]
        rows.append((
            _stamp(first.time),
            call.channel or "-",
            "alive" if call.alive else "ended",
            str(call.count + call.left_out),
            _printable(describe(last.data)[0].removeprefix("SIP/2.0 ").partition(" sip:")[0]),
            _printable(describe(first.data)[0].removesuffix(" SIP/2.0")),
            _printable(call.call_id),
        ))  # fmt: skip
    return "\n".join([*columns(widths, *rows), "", f"{len(calls)} calls"])


def as_json(calls: Sequence[shown.SipCall]) -> str:
    """The calls as one JSON array."""
    return msgspec.json.format(msgspec.json.encode([_call_as_json(call) for call in calls]), indent=2).decode()


def _call_as_json(call: shown.SipCall) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "channel": call.channel,
        "channel_id": call.channel_id,
        "linkedid": call.linkedid,
        "alive": call.alive,
        "left_out": call.left_out,
        "messages": [_message_as_json(message) for message in call.messages],
    }


def _message_as_json(message: shown.SipMessage) -> dict[str, Any]:
    """`encoding` gives the bytes of `message` back."""
    encoding = "utf-8"
    try:
        text = message.data.decode()
    except UnicodeDecodeError:
        encoding, text = "latin-1", message.data.decode("latin-1")
    return {
        "number": message.number,
        "time": message.time,
        "direction": "received" if message.direction == "<" else "sent",
        "transport": message.transport,
        "local": list(message.local),
        "peer": list(message.peer),
        "summary": describe(message.data)[0],
        "detail": _detail(message.data),
        "encoding": encoding,
        "message": text,
    }
