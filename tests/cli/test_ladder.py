"""Ladders of calls: drawn, listed, as JSON, as a capture that is read back."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import msgspec
import pytest

from arietta.cli import ladders
from arietta.cli.commands import Console
from arietta.cli.ladder import write_capture
from arietta.model.shown import SipMessage

from .conftest import FakeSwitch


def ask(console: Console, line: str) -> tuple[str, int]:
    reply = asyncio.run(console.commands.run(console, line))
    return reply.output, reply.status


def test_a_ladder_of_both_legs(console: Console) -> None:
    drawn, status = ask(console, "pjsip show ladder PJSIP/1001-00000000 with-peer")
    assert status == 0
    lines = drawn.splitlines()
    assert lines[0] == "PJSIP/1001-00000000 (1700000000.1), alive, UDP, Call-ID call of 10.0.0.2"
    assert lines[1] == "PJSIP/1002-00000001 (1700000000.2), ended, UDP, Call-ID call of 10.0.0.3"
    columns = lines[4]
    assert columns.index("1001-0 10.0.0.2:5060") < columns.index("Arietta") < columns.index("1002-1 10.0.0.3:5060")
    told = "\n".join(lines[5:])
    for words in (
        "── INVITE 1100 ──",
        "ulaw alaw digits at 10.0.0.2:4000, sendo…",
        "── INVITE bob ──",
        "INVITE bob (again)",
        "180 Ringing, 600 ms",
        "200 OK, 3.0 s",
        "-- 5.7 s later",
        "BYE",
        "Q.850;cause=16",
    ):
        assert words in told, told
    assert told.index("INVITE 1100") < told.index("INVITE bob") < told.index("(again)") < told.index("180 Ringing")


def test_a_ladder_of_one_leg_says_nothing_of_the_other(console: Console) -> None:
    drawn, _ = ask(console, "pjsip show ladder 'call of 10.0.0.3'")
    assert "1002" in drawn and "1001" not in drawn


def test_who_is_not_kept_is_named(console: Console) -> None:
    output, status = ask(console, "pjsip show ladder PJSIP/9-00000000")
    assert status == 1 and "PJSIP/9-00000000" in output
    output, status = ask(console, "pjsip show ladder PJSIP/1001-00000000 sideways")
    assert status == 1 and "sideways" in output


def test_the_list(console: Console) -> None:
    listed, _ = ask(console, "pjsip show ladders")
    first = listed.splitlines()[1]
    for words in ("PJSIP/1001-00000000", "alive", " 3 ", "ACK", "INVITE sip:1100@10.0.0.1", "call of 10.0.0.2"):
        assert words in first
    assert listed.endswith("2 calls")


def test_json_has_every_message(console: Console) -> None:
    output, _ = ask(console, "pjsip show ladder 1700000000.2 json")
    (call,) = json.loads(output)
    assert (call["channel"], call["alive"], call["left_out"]) == ("PJSIP/1002-00000001", False, 0)
    assert [m["direction"] for m in call["messages"]] == ["sent", "sent", "received", "received", "sent"]
    assert call["messages"][2]["summary"] == "SIP/2.0 180 Ringing"
    assert call["messages"][0]["peer"] == ["10.0.0.3", 5060]


def test_what_was_too_much_to_keep_is_told(switch: FakeSwitch, console: Console) -> None:
    switch.sip.said = [msgspec.structs.replace(switch.sip.said[1], left_out=40)]
    drawn, _ = ask(console, "pjsip show ladder 1700000000.2")
    assert "40 messages of call of 10.0.0.3 are not kept" in drawn


@pytest.mark.parametrize("data", [b"INVITE sip:a SIP/2.0\r\n\r\n", b"\xff\xfe\x00 no SIP", b"", b"SIP/2.0 \r\n\r\n"])
def test_whatever_a_peer_says_can_be_drawn(switch: FakeSwitch, data: bytes) -> None:
    call = switch.sip.said[0]
    odd = SipMessage(4000, 1.8e9 + 4, "<", "UDP", ("10.0.0.1", 5060), ("10.0.0.9", 5060), data)
    call = msgspec.structs.replace(call, messages=[*call.messages, odd])
    assert "INVITE 1100" in ladders.draw([call])
    (read,) = json.loads(ladders.as_json([call]))
    assert read["messages"][-1]["message"].encode(read["messages"][-1]["encoding"]) == data


def test_a_capture_is_read_back(switch: FakeSwitch, tmp_path: Path) -> None:
    path = tmp_path / "call.pcap"
    calls = json.loads(ladders.as_json(switch.sip.said))
    assert write_capture(path, calls) == 8
    with pytest.raises(FileExistsError):
        write_capture(path, calls)
    packets = read_capture(path.read_bytes())
    assert [packet[0] for packet in packets] == sorted(packet[0] for packet in packets)
    _, source, destination, data = packets[0]
    assert (source, destination) == (("10.0.0.2", 5060), ("10.0.0.1", 5060))
    assert data == switch.sip.said[0].messages[0].data
    assert packets[1][1:3] == (("10.0.0.1", 5060), ("10.0.0.3", 5060))


def read_capture(file: bytes) -> list[tuple[float, tuple[str, int], tuple[str, int], bytes]]:
    """The datagrams of a capture over IPv4: when, from, to, what."""
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", file)
    assert (magic, link) == (0xA1B2C3D4, 1)
    found, at = [], 24
    while at < len(file):
        seconds, micros, length, _ = struct.unpack_from("<IIII", file, at)
        packet = file[at + 16 : at + 16 + length]
        assert packet[12:14] == b"\x08\x00" and packet[23] == 17
        host, other = (".".join(map(str, packet[i : i + 4])) for i in (26, 30))
        port, to, size, _ = struct.unpack_from("!HHHH", packet, 34)
        assert size == len(packet) - 34
        found.append((seconds + micros / 1e6, (host, port), (other, to), packet[42:]))
        at += 16 + length
    return found
