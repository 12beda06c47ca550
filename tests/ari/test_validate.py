"""The judge of answers and events, judged."""

import json
from typing import Any

import msgspec
import pytest

from arietta.ari.contract import Operation, operations
from arietta.ari.resources import Channels
from arietta.ari.validate import event_problems, response_problems
from arietta.model import events

from .asking import NOW, channel


def operation(nickname: str) -> Operation:
    return next(found for found in operations(Channels) if found.nickname == nickname)


def frame(**more: Any) -> bytes:
    event = events.StasisStart(timestamp=NOW, args=[], channel=channel())
    told = json.loads(events.encode(event)[:-1] + events.suffix("00:11", "a"))
    return json.dumps(told | more).encode()


def test_what_keeps_to_the_declaration() -> None:
    assert event_problems(frame()) == []
    assert response_problems(operation("get"), 200, msgspec.json.encode(channel())) == []
    assert response_problems(operation("list"), 200, msgspec.json.encode([channel(), channel()])) == []
    assert response_problems(operation("answer"), 204, b"") == []
    assert response_problems(operation("answer"), 412, b'{"message":"Channel in invalid state"}') == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"more": 1}, "more: not declared"),
        ({"args": None}, "NoneType where"),
        ({"args": [1]}, "args[0]: 1 where string"),
        ({"timestamp": "2026-11-22 00:04"}, "timestamp"),
        ({"type": "Nothing"}, "no known type"),
        ({"application": 5}, "application"),
        ({"channel": {"id": "x"}}, "channel.name: missing"),
    ],
)
def test_events_that_do_not(more: dict[str, Any], problem: str) -> None:
    assert any(problem in found for found in event_problems(frame(**more)))


def test_events_that_lack_something() -> None:
    told = json.loads(frame())
    del told["application"]
    assert event_problems(json.dumps(told)) == ["StasisStart: application is missing"]
    assert event_problems(b"{broken")
    assert event_problems(b"[]")


@pytest.mark.parametrize(
    ("nickname", "status", "body", "problem"),
    [
        ("get", 200, b"[]", "list where Channel"),
        ("get", 200, b"{", "truncated"),
        ("list", 200, b"{}", "dict where List[Channel]"),
        ("answer", 204, b"{}", "a body where there is none"),
        ("answer", 422, b'{"message":"x"}', "not declared; declared are"),
        ("answer", 404, b'{"reason":"x"}', "neither a message nor an error"),
        ("answer", 404, b'{"message":5}', "no text"),
        ("answer", 404, b"<html>", "malformed"),
    ],
)
def test_answers_that_do_not(nickname: str, status: int, body: bytes, problem: str) -> None:
    found = response_problems(operation(nickname), status, body)
    assert any(problem in text for text in found), found


def test_a_value_outside_its_list() -> None:
    told = json.loads(msgspec.json.encode(channel())) | {"state": "Sleeping"}
    assert response_problems(operation("get"), 200, json.dumps(told).encode()) == [
        "GET /channels/{channelId} 200.state: 'Sleeping' is none of Down, Rsrved, OffHook, Dialing, Ring, Ringing, "
        "Up, Busy, Dialing Offhook, Pre-ring, Unknown"
    ]
