"""Operations over the event socket."""

import json
from typing import Any

import pytest

from arietta.ari.domain import Download
from arietta.ari.over_socket import RestOverSocket
from arietta.ari.validate import event_problems
from arietta.errors import NotFound

from .asking import Server, channel, playback, run


class Socket:
    """One client's end of an event socket."""

    def __init__(self, *, pretty: bool = False) -> None:
        self.server = Server(pretty=pretty)
        self.server.system.answers |= {"now": 0.0, "entity_id": "00:11"}
        self.rest = RestOverSocket(self.server.api, "00:11", lambda: 0.0)

    def send(self, message: str, read_only: bool = False) -> dict[str, Any]:
        frame = run(self.rest.answer(message, "conf", read_only=read_only))
        assert event_problems(frame) == []
        found: dict[str, Any] = json.loads(frame)
        return found

    def ask(self, request: str, read_only: bool = False, **more: Any) -> dict[str, Any]:
        method, _, uri = request.partition(" ")
        message = {"type": "RESTRequest", "transaction_id": "tx", "request_id": "rq", "method": method, "uri": uri}
        return self.send(json.dumps(message | more), read_only)


@pytest.fixture
def socket() -> Socket:
    return Socket()


def test_an_answer_with_a_body(socket: Socket) -> None:
    told = socket.ask("GET asterisk/ping?x=y")
    assert list(told) == [
        "type",
        "transaction_id",
        "request_id",
        "status_code",
        "reason_phrase",
        "uri",
        "content_type",
        "message_body",
        "application",
        "timestamp",
        "asterisk_id",
    ]
    assert (told["transaction_id"], told["request_id"]) == ("tx", "rq")
    assert (told["status_code"], told["reason_phrase"], told["uri"]) == (200, "OK", "asterisk/ping")
    assert json.loads(told["message_body"])["ping"] == "pong"
    assert told["application"] == "conf"


def test_an_answer_without_a_body(socket: Socket) -> None:
    told = socket.ask("DELETE channels/c1")
    assert (told["status_code"], told["reason_phrase"]) == (204, "No Content")
    assert "message_body" not in told
    assert "content_type" not in told


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /channels", 405),
        ("GET channels/", 404),
        ("GET nothing", 404),
        ("PUT channels", 405),
        ("OPTIONS channels", 204),
        ("get channels", 400),
        ("BREW channels", 400),
        ("GET events?app=x", 400),
        ("GET ", 400),
        ("POST channels/c1/play?media=x", 201),
    ],
)
def test_statuses(socket: Socket, request_line: str, status: int) -> None:
    socket.server.channels.answers |= {"list": [], "play": playback()}
    told = socket.ask(request_line)
    assert told["status_code"] == status
    assert "Location" not in told


def test_a_refusal(socket: Socket) -> None:
    socket.server.channels.answers["get"] = NotFound("Channel not found: nobody")
    told = socket.ask("GET channels/nobody")
    assert (told["status_code"], told["reason_phrase"]) == (404, "Not Found")
    assert json.loads(told["message_body"]) == {"message": "Channel not found: nobody"}


def test_a_stored_file_is_not_acceptable(socket: Socket) -> None:
    socket.server.recordings.answers["stored_file"] = Download(b"RIFF", "audio/wav")
    assert socket.ask("GET recordings/stored/r/file")["status_code"] == 406


def test_later_sources_of_parameters_win(socket: Socket) -> None:
    channels = socket.server.channels
    pairs = [{"name": "variable", "value": "W"}, {"name": "value", "value": "a&b=c d"}]
    socket.ask("POST channels/c1/variable?value=uri", query_strings=pairs)
    assert channels.last()[2]["W"].value == "a&b=c d"
    form = {"content_type": "application/x-www-form-urlencoded", "message_body": "variable=W&value=form"}
    socket.ask("POST channels/c1/variable?value=uri", query_strings=pairs, **form)
    assert channels.last()[2]["W"].value == "form"
    body = {"content_type": "application/json", "message_body": '{"value": "json"}'}
    socket.ask("POST channels/c1/variable?value=uri", query_strings=pairs, **body)
    assert channels.last()[2]["W"].value == "json"
    assert socket.ask("POST channels/c1/variable?variable=W", query_strings="no list")["status_code"] == 204
    assert socket.ask("POST channels/c1/variable?variable=W", query_strings=[5, {"name": 1}])["status_code"] == 204


@pytest.mark.parametrize("content_type", [None, "text/plain", 5])
def test_a_body_of_no_known_type(socket: Socket, content_type: Any) -> None:
    told = socket.ask("POST channels/c1/variable?variable=A", content_type=content_type, message_body="x")
    assert told["status_code"] == 400


def test_a_request_without_ids(socket: Socket) -> None:
    told = socket.send('{"type":"RESTRequest","method":"GET","uri":"asterisk/ping"}')
    assert (told["transaction_id"], told["request_id"], told["status_code"]) == ("", "", 200)


@pytest.mark.parametrize(
    "message", ["{broken", "[]", '"text"', "null", "{}", '{"type":"Other"}', '{"type":"RESTRequest"}']
)
def test_messages_that_are_no_requests(socket: Socket, message: str) -> None:
    told = socket.send(message)
    assert (told["status_code"], told["transaction_id"], told["request_id"], told["uri"]) == (400, "", "", "")


def test_a_user_who_may_only_read(socket: Socket) -> None:
    socket.server.channels.answers["get"] = channel()
    assert socket.ask("GET channels/c1", read_only=True)["status_code"] == 200
    assert socket.ask("DELETE channels/c1", read_only=True)["status_code"] == 403


def test_a_pretty_answer() -> None:
    frame = run(Socket(pretty=True).rest.answer("{}", "conf"))
    assert frame.startswith(b'{\n  "type": "RESTResponse",')
