"""Event streams: order, limits, sockets that are lost, taken over, refused, or silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise

import pytest

from arietta.client import CannotConnect, Client, EventStream, Reconnected, TooSlow, Unauthorized
from arietta.model import events
from arietta.testing import VirtualLoop

from .fake import Asked, FakeServer, answer

URL = "http://127.0.0.1:8088/ari"
Serve = Callable[..., Awaitable[tuple[FakeServer, Client]]]


def created(number: int, application: str = "app") -> str:
    """A ChannelVarset with this value."""
    return (
        f'{{"variable":"N","value":"{number}","type":"ChannelVarset","timestamp":"2026-01-01T00:00:00.000+0000",'
        f'"asterisk_id":"x","application":"{application}"}}'
    )


def replaced(application: str) -> str:
    """Another socket took an application over."""
    return (
        '{"type":"ApplicationReplaced","timestamp":"2026-01-01T00:00:00.000+0000","asterisk_id":"x",'
        f'"application":"{application}"}}'
    )


async def values(stream: EventStream, count: int) -> list[object]:
    """The values of the next events, and other events as they are."""
    found: list[object] = []
    for _ in range(count):
        async with asyncio.timeout(100):
            event = await anext(stream)
        found.append(int(event.value) if isinstance(event, events.ChannelVarset) else event)
    return found


@pytest.fixture
def serve(loop: VirtualLoop) -> Iterator[Serve]:
    """Start a server for event sockets, and a client of it."""
    made: list[tuple[FakeServer, Client]] = []

    async def start(answers: Callable[[Asked], bytes | None] = lambda asked: b"101") -> tuple[FakeServer, Client]:
        made.append((await FakeServer(answers).start(8088), Client(URL, "user", "password", within=5)))
        return made[-1]

    yield start
    for server, client in made:
        loop.run(client.close())
        loop.run(server.stop())


async def test_events_come_in_order_whole_or_in_pieces(serve: Serve) -> None:
    server, client = await serve()
    async with client.events("app", "other app", subscribe_all=True) as stream:
        socket = await server.socket()
        assert socket.target == "/ari/events?app=app%2Cother%20app&subscribeAll=true"
        socket.send(created(1))
        socket.send(created(2), pieces=5)
        socket.send(created(3))
        assert await values(stream, 3) == [1, 2, 3]
    await asyncio.sleep(1)
    assert [frame.opcode.name for frame in socket.received] == ["CLOSE"]


async def test_a_lost_socket_is_opened_again_and_told_of(serve: Serve, loop: VirtualLoop) -> None:
    server, client = await serve()
    stream = client.events("app")
    await stream.open()
    (await server.socket(1)).send(created(1))
    assert await values(stream, 1) == [1]
    (await server.socket(1)).drop()
    (await server.socket(2)).send(created(2))
    again, two = await values(stream, 2)
    assert isinstance(again, Reconnected) and again.applications == ["app"] and two == 2
    assert again.lost_seconds == pytest.approx(0.5, abs=0.1)


async def test_pauses_between_attempts_grow_to_half_a_minute(serve: Serve, loop: VirtualLoop) -> None:
    attempts: list[float] = []

    def refuse_after_the_first(asked: Asked) -> bytes:
        attempts.append(loop.time())
        return b"101" if len(attempts) in (1, 10) else answer(503)

    server, client = await serve(refuse_after_the_first)
    stream = client.events("app")
    await stream.open()
    (await server.socket(1)).close()
    async with asyncio.timeout(200):
        reconnected = await anext(stream)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30, 30], abs=0.1)
    assert isinstance(reconnected, Reconnected)


async def test_a_user_who_is_refused_hears_it_at_once_and_again_after_a_loss(serve: Serve) -> None:
    answers = iter([answer(401), b"101", answer(401, b'{"message":"Authentication required"}')])
    server, client = await serve(lambda asked: next(answers))
    with pytest.raises(Unauthorized):
        async for _ in client.events("app"):
            pass
    stream = client.events("app")
    await stream.open()
    socket = await server.socket()
    socket.send(created(1))
    socket.drop()
    assert await values(stream, 1) == [1]
    with pytest.raises(Unauthorized, match="401: Authentication required"):
        await values(stream, 1)


async def test_nobody_there_at_first_is_an_error(loop: VirtualLoop) -> None:
    async with Client(URL, "user", "password") as client:
        with pytest.raises(CannotConnect):
            await client.events("app").open()


async def test_a_taken_over_application_is_left_to_its_new_owner(serve: Serve) -> None:
    server, client = await serve()
    stream = client.events("one", "two")
    await stream.open()
    socket = await server.socket(1)
    socket.send(replaced("one"))
    socket.drop()
    second = await server.socket(2)
    assert second.target == "/ari/events?app=two"
    second.send(replaced("two"))
    second.close()
    async with asyncio.timeout(100):
        kinds = [type(event).__name__ async for event in stream]
    assert kinds == ["ApplicationReplaced", "Reconnected", "ApplicationReplaced"]


async def test_a_consumer_that_is_too_slow_gets_what_waits_and_then_an_error(serve: Serve) -> None:
    server, client = await serve()
    stream = client.events("app", limit=3)
    await stream.open()
    socket = await server.socket()
    for number in range(5):
        socket.send(created(number))
    await asyncio.sleep(1)
    assert await values(stream, 3) == [0, 1, 2]
    with pytest.raises(TooSlow, match="3 events of app wait"):
        await values(stream, 1)


async def test_what_is_no_event_is_passed_over_with_one_warning(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server, client = await serve()
    async with client.events("app") as stream:
        socket = await server.socket()
        for text in ("[]", "{", '{"type":"Tomorrow"}', '{"type":"Tomorrow"}', '{"type":"ChannelVarset"}', created(1)):
            socket.send(text)
        assert await values(stream, 1) == [1]
        assert stream.unknown == 5
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 3


async def test_a_silent_server_is_pinged_and_one_without_pongs_is_left(serve: Serve, loop: VirtualLoop) -> None:
    server, client = await serve()
    stream = client.events("app")
    await stream.open()
    socket = await server.socket(1)
    await asyncio.sleep(100)
    pings = [frame.opcode.name for frame in socket.received]
    assert pings and set(pings) == {"PING"} and len(server.sockets) == 1
    server.pongs = False
    await asyncio.sleep(65)
    assert len(server.sockets) == 2


async def test_a_stream_of_no_application_or_no_place_is_refused(loop: VirtualLoop) -> None:
    client = Client(URL, "user", "password")
    with pytest.raises(ValueError, match="at least one name"):
        client.events()
    with pytest.raises(ValueError, match="limit 0"):
        client.events("app", limit=0)
