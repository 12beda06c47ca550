"""Paths, methods and answers, before and after the operations."""

import asyncio
import logging

import pytest

from arietta.ari.domain import Download
from arietta.ari.projections import documents
from arietta.errors import AllocationFailed, NotFound
from arietta.model import snapshots
from arietta.model.wire import Encoded

from .asking import Asked, Server, body_of, bridge, channel, playback, recording


@pytest.fixture
def server() -> Server:
    server = Server(documents())
    server.system.answers |= {"now": 0.0, "entity_id": "00:11:22:33:44:55"}
    server.channels.answers |= {"list": [], "get": channel(), "play": playback(), "record": recording()}
    return server


def header(answer: object, name: str) -> str | None:
    return dict(answer.headers).get(name)  # type: ignore[attr-defined]


def test_ping(server: Server) -> None:
    answer = server.ask("GET /asterisk/ping?x=y")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.body == (
        b'{"ping":"pong","timestamp":"1970-01-01T00:00:00.000+0000","asterisk_id":"00:11:22:33:44:55"}'
    )


@pytest.mark.parametrize(
    "path", ["/nothing", "/channels/", "/applications/a/what", "/channels/c/what", "/Channels", "/"]
)
def test_paths_that_are_not_there(server: Server, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = server.ask(f"{method} {path}")
        assert answer.status == 404
        assert body_of(answer)["message"]
    assert server.api.allowed_methods(path) is None


@pytest.mark.parametrize(
    ("request_line", "allow"),
    [
        ("PUT /channels", {"OPTIONS", "GET", "POST"}),
        ("PATCH /channels", {"OPTIONS", "GET", "POST"}),
        ("HEAD /channels", {"OPTIONS", "GET", "POST"}),
        ("PUT /channels/nope", {"OPTIONS", "GET", "POST", "DELETE"}),
        ("GET /channels/create", {"OPTIONS", "POST"}),
        ("GET /channels/externalMedia", {"OPTIONS", "POST"}),
        ("PUT /channels/nope/moh", {"OPTIONS", "POST", "DELETE"}),
        ("DELETE /events", {"OPTIONS"}),
        ("GET /asterisk", {"OPTIONS"}),
        ("GET /asterisk/config", {"OPTIONS"}),
        ("GET /recordings", {"OPTIONS"}),
        ("GET /playbacks", {"OPTIONS"}),
        ("GET ", {"OPTIONS"}),
    ],
)
def test_methods_that_are_not_there(server: Server, request_line: str, allow: set[str]) -> None:
    answer = server.ask(request_line)
    assert answer.status == 405
    listed = (header(answer, "Allow") or "").split(",")
    assert listed[0] == "OPTIONS"
    assert set(listed) == allow
    options = server.ask("OPTIONS " + request_line.partition(" ")[2])
    assert (options.status, options.body, options.content_type) == (204, b"", None)
    assert header(options, "Allow") == ",".join(listed)


def test_an_escaped_letter_is_the_letter(server: Server) -> None:
    assert server.ask("GET /%63hannels").body == b"[]"


def test_events_want_an_upgrade(server: Server) -> None:
    answer = server.ask("GET /events?app=a")
    assert (answer.status, answer.content_type) == (426, "text/html")


def test_what_is_made_has_a_location(server: Server) -> None:
    server.channels.answers["play"] = playback("a/b c")
    answer = server.ask("POST /channels/c1/play?media=sound:hello-world")
    assert (answer.status, header(answer, "Location")) == (201, "/ari/playbacks/a%2Fb%20c")
    server.channels.answers["record"] = recording("folder/name")
    answer = server.ask("POST /channels/c1/record?name=folder/name&format=wav")
    assert (answer.status, header(answer, "Location")) == (201, "/ari/recordings/live/folder%2Fname")
    server.channels.answers["originate"] = channel()
    answer = server.ask("POST /channels?endpoint=Local/a@b&app=x")
    assert (answer.status, answer.headers) == (200, ())


def test_no_content(server: Server) -> None:
    answer = server.ask("POST /channels/c1/answer")
    assert (answer.status, answer.body, answer.content_type, answer.headers) == (204, b"", None, ())
    answer = server.ask("PUT /endpoints/sendMessage?to=pjsip:a&from=sip:b&body=c")
    assert (answer.status, answer.body, answer.content_type) == (202, b"", None)


def test_kept_json_is_sent_as_it_is(server: Server) -> None:
    server.channels.answers["get"] = Encoded(b'{"kept":true}')
    assert server.ask("GET /channels/c1").body == b'{"kept":true}'
    server.channels.answers["list"] = [Encoded(b"1"), Encoded(b"2")]
    assert server.ask("GET /channels").body == b"[1,2]"


def test_a_file_has_its_own_type(server: Server) -> None:
    server.recordings.answers["stored_file"] = Download(b"RIFF", "audio/wav")
    answer = server.ask("GET /recordings/stored/r1/file")
    assert (answer.status, answer.content_type, answer.body) == (200, "audio/wav", b"RIFF")


def test_an_operation_that_waits(server: Server) -> None:
    async def later(*_: object) -> snapshots.Playback:
        await asyncio.sleep(0)
        return playback("late")

    async def refused(*_: object) -> None:
        await asyncio.sleep(0)
        raise NotFound("Channel not found: c1")

    server.channels.answers |= {"play": later, "answer": refused}
    answer = server.ask("POST /channels/c1/play?media=sound:x")
    assert (answer.status, header(answer, "Location")) == (201, "/ari/playbacks/late")
    answer = server.ask("POST /channels/c1/answer")
    assert (answer.status, body_of(answer)) == (404, {"message": "Channel not found: c1"})


def test_what_cannot_be_made(server: Server) -> None:
    server.channels.answers["originate"] = AllocationFailed()
    answer = server.ask("POST /channels?endpoint=Nope/1&app=a")
    assert (answer.status, body_of(answer)) == (500, {"error": "Allocation failed"})


def test_a_fault_of_our_own_is_a_500_with_a_traceback(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def late(*_: object) -> None:
        raise KeyError("late")

    def now(*_: object) -> None:
        raise KeyError("now")

    server.channels.answers |= {"answer": late, "ring": now}
    with caplog.at_level(logging.ERROR, "arietta.ari.dispatch"):
        for step in ("answer", "ring"):
            answer = server.ask(f"POST /channels/c1/{step}")
            assert (answer.status, body_of(answer)) == (500, {"message": "Internal Server Error"})
    assert [record.getMessage() for record in caplog.records] == [
        "POST /channels/c1/answer failed",
        "POST /channels/c1/ring failed",
    ]
    assert all(record.exc_info for record in caplog.records)


def test_pretty_bodies_are_indented_by_two() -> None:
    server = Server(pretty=True)
    server.channels.answers |= {"list": [], "get": NotFound("none")}
    server.bridges.answers["get"] = bridge()
    assert server.ask("GET /bridges/b1").body.startswith(b'{\n  "id": "b1",\n  "technology"')
    assert server.ask("GET /channels/c1").body == b'{\n  "message": "none"\n}'


def test_documents_say_where_they_are(server: Server) -> None:
    answer = server.ask("GET /api-docs/resources.json")
    assert answer.status == 200
    assert body_of(answer)["basePath"] == "http://pbx.example:8088/ari"
    secure = Asked("GET", "/api-docs/channels.json", "", None, b"")
    secure.is_tls = True  # type: ignore[attr-defined]
    assert body_of(server.api.handle(secure))["basePath"] == "https://pbx.example:8088/ari"
    assert body_of(server.ask("GET /openapi.json"))["servers"] == [{"url": "http://pbx.example:8088/ari"}]
    assert body_of(server.ask("GET /asyncapi.json"))["servers"]["arietta"] == {
        "host": "pbx.example:8088",
        "pathname": "/ari",
        "protocol": "ws",
    }


@pytest.mark.parametrize("path", ["/api-docs", "/api-docs/nothing.json", "/api-docs/../../sounds/en", "/api-docs/"])
def test_documents_that_are_not_there(server: Server, path: str) -> None:
    assert server.ask(f"GET {path}").status == 404


def test_documents_are_not_written(server: Server) -> None:
    assert server.ask("POST /api-docs/resources.json").status == 405
