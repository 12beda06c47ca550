"""Requests over kept connections: what is kept, sent again, waited for, and what refusals become."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from arietta.client import (
    ApiError,
    BadRequest,
    CannotConnect,
    Client,
    Conflict,
    ConnectionLost,
    NotFound,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
)
from arietta.client.carrier import Place
from arietta.testing import VirtualLoop

from .fake import Asked, FakeServer, answer

PONG = b'{"ping":"pong","timestamp":"2026-01-01T00:00:00.000+0000","asterisk_id":"x"}'
Answers = Callable[[Asked], bytes | None]
Serve = Callable[..., Awaitable[tuple[FakeServer, Client]]]


@pytest.fixture
def serve(loop: VirtualLoop) -> Iterator[Serve]:
    """Start a server with these answers, and a client of it."""
    made: list[tuple[FakeServer, Client]] = []

    async def start(answers: Answers, **options: float) -> tuple[FakeServer, Client]:
        server = await FakeServer(answers).start(8088)
        made.append((server, Client("http://127.0.0.1:8088/ari", "user", "pass:word", **options)))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for server, client in made:
        loop.run(client.close())
        loop.run(server.stop())


async def test_one_connection_carries_request_after_request(serve: Serve) -> None:
    server, client = await serve(lambda asked: answer(200, PONG))
    for _ in range(3):
        assert (await client.asterisk.ping()).ping == "pong"
    assert [asked.connection for asked in server.asked] == [1, 1, 1]
    assert server.asked[0].fields["authorization"] == "Basic dXNlcjpwYXNzOndvcmQ="
    assert server.asked[0].fields["host"] == "127.0.0.1:8088"


async def test_a_connection_that_was_closed_meanwhile_is_replaced(serve: Serve) -> None:
    server, client = await serve(lambda asked: answer(200, PONG))
    await client.asterisk.ping()
    server.close_idle()
    await asyncio.sleep(1)
    await client.asterisk.ping()
    assert [asked.connection for asked in server.asked] == [1, 2]


@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_only_what_may_be_done_twice_is_sent_twice(serve: Serve, is_idempotent: bool) -> None:
    answers = iter([answer(200, PONG), None, answer(204)])
    server, client = await serve(lambda asked: next(answers))
    await client.asterisk.ping()
    if is_idempotent:
        await client.channels.hangup(channel_id="1")
        assert [asked.method for asked in server.asked] == ["GET", "DELETE", "DELETE"]
    else:
        with pytest.raises(ConnectionLost, match="POST /channels/1/answer: the connection was closed: before the"):
            await client.channels.answer(channel_id="1")
        assert [asked.method for asked in server.asked] == ["GET", "POST"]


async def test_a_first_connection_that_is_closed_is_not_tried_again(serve: Serve) -> None:
    _, client = await serve(lambda asked: None)
    with pytest.raises(ConnectionLost):
        await client.asterisk.ping()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, Unauthorized), (404, NotFound), (409, Conflict), (500, ServerError), (599, ApiError)],
)
async def test_refusals_are_errors_with_the_servers_words(serve: Serve, status: int, kind: type[ApiError]) -> None:
    _, client = await serve(lambda asked: answer(status, b'{"message":"Channel not found"}'))
    with pytest.raises(kind) as refusal:
        await client.channels.get(channel_id="1")
    assert type(refusal.value) is kind
    assert (refusal.value.status, refusal.value.message) == (status, "Channel not found")
    assert str(refusal.value) == f"{status}: Channel not found"


async def test_words_of_refusals_without_a_message(serve: Serve) -> None:
    bodies = iter([b'{"error":"Allocation failed"}', b"<html>", b"", b"[1]"])
    _, client = await serve(lambda asked: answer(500, next(bodies), reason="Internal Error"))
    words = []
    for _ in range(4):
        with pytest.raises(ServerError) as refusal:
            await client.channels.list()
        words.append(refusal.value.message)
    assert words == ["Allocation failed", "Internal Error", "Internal Error", "Internal Error"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(200, b"{}"), "missing required field `ping`"),
        (answer(200, b"pong"), "malformed"),
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "without Content-Length"),
    ],
)
async def test_an_answer_that_is_none(serve: Serve, reply: bytes, words: str) -> None:
    _, client = await serve(lambda asked: reply)
    with pytest.raises(UnexpectedAnswer, match=f"answer to GET /asterisk/ping: .*{words}"):
        await client.asterisk.ping()


async def test_nobody_there_and_nobody_who_answers(loop: VirtualLoop, serve: Serve) -> None:
    async with Client("http://127.0.0.1:9/ari", "user", "password") as nobody:
        with pytest.raises(CannotConnect, match=r"127\.0\.0\.1:9: "):
            await nobody.asterisk.ping()
    _, client = await serve(lambda asked: b"", within=5)
    before = loop.time()
    with pytest.raises(ConnectionLost, match="no answer to GET /asterisk/ping within 5 s"):
        await client.asterisk.ping()
    assert loop.time() - before == pytest.approx(5, abs=0.1)


async def test_more_requests_than_connections_wait_their_turn(serve: Serve) -> None:
    server, client = await serve(lambda asked: answer(200, PONG), connections=2)
    await asyncio.gather(*(client.asterisk.ping() for _ in range(7)))
    assert len(server.asked) == 7 and {asked.connection for asked in server.asked} == {1, 2}


async def test_a_request_that_is_given_up_costs_its_connection_only(serve: Serve) -> None:
    answers = iter([b"", answer(200, PONG)])
    server, client = await serve(lambda asked: next(answers))
    asking = asyncio.ensure_future(client.asterisk.ping())
    await asyncio.sleep(1)
    asking.cancel()
    await asyncio.wait([asking])
    assert (await client.asterisk.ping()).ping == "pong"
    assert [asked.connection for asked in server.asked] == [1, 2]


async def test_a_closed_client_asks_nothing(serve: Serve) -> None:
    server, client = await serve(lambda asked: b"")
    asking = asyncio.ensure_future(client.asterisk.ping())
    await asyncio.sleep(1)
    await client.close()
    with pytest.raises(ConnectionLost):
        await asking
    with pytest.raises(ConnectionLost, match="the client is closed"):
        await client.asterisk.ping()
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["ws://host/ari", "host:8088", "http:///ari", "http://h/ari?x=1", "http://a:b@h/ari"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValueError):
        Place.parse(url, "user", "password")


def test_places() -> None:
    assert Place.parse("https://[::1]/ari/", "u", "p").authority == "[::1]:443"
    assert Place.parse("http://pbx.example/ari", "u", "p").path == "/ari"
    assert "secret" not in repr(Place.parse("http://pbx.example/ari", "u", "secret"))
    with pytest.raises(ValueError, match="colon"):
        Place.parse("http://pbx.example/ari", "u:v", "p")
