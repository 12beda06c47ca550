"""An open WebSocket: frames in, frames out (RFC 6455)."""

from __future__ import annotations

import json
import logging
import struct

import pytest
from http_kit import ACCEPT, Client, World, request, statuses, upgrade
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, Protocol

from arietta.http import Accept, Request, Response, WebSocketConnection, WebSocketOptions, text_frame

MASK = b"\x01\x02\x03\x04"


def masked(opcode: int, payload: bytes = b"", fin: bool = True) -> bytes:
    """A client's frame."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    data = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([opcode | (0x80 if fin else 0)]) + length + MASK + data


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!BBH", 0x88, 2 + len(reason), code) + reason


TEXT, BINARY, CLOSE, PING, PONG, CONT = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0


def opened(**options: int) -> tuple[World, Client]:
    """A world with one socket on the virtual wire."""
    world = World(websocket=WebSocketOptions(**options))
    client = world.client()
    assert client.ask(upgrade()).endswith(f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode())
    return world, client


def frames(data: bytes) -> list[tuple[Opcode, bytes]]:
    """What a client makes of the bytes; they must be whole frames."""
    reader = Protocol(CLIENT)
    reader.receive_data(data)
    assert reader.parser_exc is None
    return [(frame.opcode, bytes(frame.data)) for frame in reader.events_received() if isinstance(frame, Frame)]


# Out


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_frames_are_those_of_the_library(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_frames_of_one_turn_leave_in_one_write() -> None:
    world, client = opened()
    (socket,) = world.api.sockets
    writes = client.transport.writes
    for number in range(100):
        socket.send_text(f"{number}")
    assert socket.buffered_bytes > 0 and client.transport.sent == b""
    assert [int(data) for _, data in frames(client.received())] == list(range(100))
    assert client.transport.writes == writes + 1
    assert socket.buffered_bytes == 0


def test_one_frame_to_many_sockets() -> None:
    world, first = opened()
    second = world.client()
    second.ask(upgrade())
    frame = text_frame('{"ü":1}'.encode())
    for socket in world.api.sockets:
        socket.send_frame(frame)
    assert first.received() == second.received() == frame


def test_what_is_sent_while_opening_follows_the_101() -> None:
    world = World()

    def greet(socket: WebSocketConnection) -> None:
        socket.send_text("hello")

    world.api.websocket = lambda _: Accept(greet)  # type: ignore[method-assign]
    data = world.client().ask(upgrade())
    assert data.startswith(b"HTTP/1.1 101 ") and data.endswith(b"\r\n\r\n\x81\x05hello")


def test_a_fault_while_opening_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    def fail(socket: WebSocketConnection) -> None:
        raise RuntimeError("a fault of ours")

    world.api.websocket = lambda _: Accept(fail)  # type: ignore[method-assign]
    assert world.client().ask(upgrade()).endswith(close_frame(1011, b"Internal error"))
    assert "a fault of ours" in caplog.text


# In


def test_text_messages() -> None:
    world, client = opened()
    client.send(masked(TEXT, "grüß".encode()) + masked(TEXT) + masked(TEXT, b"x" * 70_000))
    assert world.api.said == ["grüß", "", "x" * 70_000]


def test_a_fragmented_message_with_a_ping_inside() -> None:
    world, client = opened()
    whole = "grüß".encode()
    client.send(masked(TEXT, whole[:3], fin=False))
    client.send(masked(PING, b"here?") + masked(CONT, whole[3:4], fin=False) + masked(CONT, whole[4:]))
    assert world.api.said == ["grüß"]
    assert client.received() == b"\x8a\x05here?"


def test_messages_right_behind_the_handshake() -> None:
    world = World()
    client = world.client()
    client.send(upgrade() + masked(TEXT, b"early") + masked(TEXT, b"bird")[:4])
    client.send(masked(TEXT, b"bird")[4:])
    assert world.api.said == ["early", "bird"]


def test_binary_messages_and_pongs_are_ignored() -> None:
    world, client = opened()
    client.send(masked(BINARY, b"\xff") + masked(BINARY, b"a", fin=False) + masked(CONT, b"b") + masked(PONG, b"?"))
    client.send(masked(TEXT, b"t"))
    assert world.api.said == ["t"]
    assert client.received() == b"" and not client.is_over


def test_a_ping_is_answered_with_its_payload() -> None:
    _, client = opened()
    assert client.ask(masked(PING, b"x" * 125)) == b"\x8a\x7d" + b"x" * 125


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4000, 4999])
def test_a_close_frame_is_answered_with_its_code(code: int) -> None:
    world, client = opened()
    assert client.ask(masked(CLOSE, struct.pack("!H", code) + b"bye")) == close_frame(code, b"bye")
    assert client.is_over and world.api.closings == [(code, "client")]
    assert world.server.session_count == 0 and world.loop.timers == 0


def test_a_close_frame_without_a_code() -> None:
    world, client = opened()
    assert client.ask(masked(CLOSE)) == b"\x88\x00"
    assert world.api.closings == [(1005, "client")]


def test_queued_frames_leave_before_the_answer_to_a_close_frame() -> None:
    world, client = opened()
    world.api.sockets[0].send_text("last")
    client.send(masked(CLOSE, b"\x03\xe8"))
    world.api.sockets[0].send_text("too late")
    assert client.received() == b"\x81\x04last" + close_frame(1000)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\xc1\x80" + MASK, 1002),  # a compressed frame nobody agreed upon
        (b"\x83\x80" + MASK, 1002),  # an unknown opcode
        (masked(CONT, b"x"), 1002),
        (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
        (masked(PING, b"a", fin=False), 1002),
        (masked(PING, b"x" * 126), 1002),
        (masked(CLOSE, b"\x00"), 1002),
        (masked(CLOSE, b"\x03\xed"), 1002),  # 1005 must not be sent
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, b"x" * 1001), 1009),
        (masked(TEXT, b"x" * 600, fin=False) + masked(CONT, b"x" * 600), 1009),
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + MASK, 1009),
    ],
)
def test_violations_end_the_socket_with_their_code(data: bytes, code: int) -> None:
    world, client = opened(max_message_bytes=1000)
    (frame,) = frames(client.ask(data + masked(TEXT, b"more")))
    assert frame[0] is Opcode.CLOSE and frame[1][:2] == struct.pack("!H", code)
    assert client.is_over and world.api.closings == [(code, "server")]
    assert world.api.said == []


def test_a_fault_with_a_message_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    world, client = opened()
    world.api.sockets[0].on_text = json.loads
    assert client.ask(masked(TEXT, b"{")) == close_frame(1011, b"Internal error")
    assert world.api.closings == [(1011, "server")] and "JSONDecodeError" in caplog.text


# The end


def test_the_server_closes_and_the_client_agrees() -> None:
    world, client = opened()
    (socket,) = world.api.sockets
    socket.close(1000, "done")
    socket.close(1001)
    socket.send_text("too late")
    assert client.received() == close_frame(1000, b"done") and not client.is_over
    client.send(masked(CLOSE, b"\x03\xe8"))
    assert client.received() == b"" and client.is_over
    assert len(world.api.closings) == 1 and not socket.is_open


def test_a_client_that_does_not_agree_is_dropped() -> None:
    world, client = opened()
    world.api.sockets[0].close(1000)
    world.loop.advance(4.9)
    assert not client.transport.aborted
    world.loop.advance(0.2)
    assert client.transport.aborted and world.api.closings == [(1000, "server")]


def test_a_client_that_vanishes() -> None:
    world, client = opened()
    client.half_close()
    client.received()
    assert world.api.closings == [(1006, "abort")] and world.server.websocket_count == 0


def test_a_stopping_server_says_going_away() -> None:
    world, client = opened()
    world.api.sockets[0].shut()
    assert client.received() == close_frame(1001, b"Server is stopping")


# A socket that stops reading


def fill(world: World, client: Client) -> WebSocketConnection:
    """Stop reading, and send until the transport is full."""
    (socket,) = world.api.sockets
    client.transport.reads = False
    socket.send_text("x" * 70_000)
    world.loop.advance(0)
    return socket


def test_frames_wait_and_none_is_lost() -> None:
    world, client = opened()
    socket = fill(world, client)
    for number in range(1000):
        socket.send_text(f"{number}")
    world.loop.advance(0)
    client.transport.take()
    assert [int(data) for _, data in frames(client.received())[1:]] == list(range(1000))
    assert not client.is_over


@pytest.mark.parametrize("options", [{"max_queued_frames": 10}, {"max_queued_bytes": 30}])
def test_a_full_queue_aborts_the_socket(options: dict[str, int], caplog: pytest.LogCaptureFixture) -> None:
    world, client = opened(**options)
    socket = fill(world, client)
    for _ in range(10):
        socket.send_text("x")
    assert not client.transport.aborted
    socket.send_text("x" * 20)
    assert client.transport.aborted
    socket.send_text("nobody hears it")
    world.loop.advance(0)
    assert world.api.closings == [(1006, "abort")]
    assert world.server.counters.websockets_aborted == 1
    assert "the limits are" in caplog.text


def test_many_frames_in_one_turn_are_no_overflow_for_a_client_that_reads() -> None:
    world, client = opened(max_queued_frames=10)
    for _ in range(1000):
        world.api.sockets[0].send_text("x")
    assert len(frames(client.received())) == 1000


def test_no_progress_for_the_write_timeout_aborts_the_socket(caplog: pytest.LogCaptureFixture) -> None:
    world, client = opened(write_timeout_ms=1000)
    fill(world, client)
    world.loop.advance(0.9)
    client.transport.take(10)
    world.loop.advance(1)
    assert not client.transport.aborted
    world.loop.advance(1)
    assert client.transport.aborted and world.server.counters.websockets_aborted == 1
    assert "for 1000 ms" in caplog.text


def test_a_client_that_reads_again_in_time_stays() -> None:
    world, client = opened(write_timeout_ms=1000)
    fill(world, client)
    world.loop.advance(0.5)
    client.transport.take()
    world.loop.advance(100)
    assert not client.is_over and world.loop.timers == 0


def test_a_stuck_client_cannot_keep_a_closed_socket() -> None:
    world, client = opened(write_timeout_ms=60_000)
    fill(world, client).close(1000)
    world.loop.advance(5.1)
    assert client.transport.aborted and world.server.session_count == 0


# Pings of the server


def test_no_pings_by_default() -> None:
    world, client = opened()
    world.loop.advance(3600)
    assert client.received() == b"" and not client.is_over


def test_a_socket_that_does_not_answer_pings_is_aborted() -> None:
    world, client = opened(ping_interval_ms=10_000)
    world.loop.advance(10)
    assert client.received() == b"\x89\x00"
    client.send(masked(PONG))
    world.loop.advance(10)
    assert client.received() == b"\x89\x00"
    world.loop.advance(10)
    assert client.transport.aborted


# Together with HTTP


def test_a_socket_counts_as_a_session() -> None:
    world = World(session_limit=1)
    client = world.client()
    client.ask(upgrade())
    assert (world.server.session_count, world.server.websocket_count) == (1, 1)
    assert statuses(world.client().received()) == [503]


def test_http_timeouts_do_not_touch_a_socket() -> None:
    world, client = opened()
    world.loop.advance(3600)
    assert client.ask(masked(PING)) == b"\x8a\x00"


def test_requests_before_the_handshake_on_the_same_connection() -> None:
    world = World()
    client = world.client()
    data = client.ask(request("GET /ari/asterisk/ping") + upgrade() + masked(TEXT, b"t"))
    assert statuses(data) == [200, 101] and world.api.said == ["t"]


def test_the_log_tells_of_beginning_and_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "arietta.http")
    _, client = opened()
    client.ask(masked(CLOSE, b"\x03\xe8"))
    assert [record.getMessage() for record in caplog.records] == [
        "WebSocket connection from '127.0.0.1:40000' for protocol '' accepted using version '13'",
        "WebSocket connection from '127.0.0.1:40000' closed by client with code 1000",
    ]


def test_a_client_of_the_library_understands_all_of_it() -> None:
    from websockets.uri import parse_uri

    world = World()
    world.front.users = type(world.front.users)([world.front.users._users["asterisk"]])
    library = ClientProtocol(parse_uri("ws://ari.test/ari/events?app=a&api_key=asterisk:asterisk"))
    client = world.client()
    library.send_request(library.connect())
    library.receive_data(client.ask(b"".join(library.data_to_send())))
    assert library.handshake_exc is None
    library.events_received()
    library.send_text(b"question")
    client.send(b"".join(library.data_to_send()))
    assert world.api.said == ["question"]
    world.api.sockets[0].send_text("answer")
    library.receive_data(client.received())
    (frame,) = library.events_received()
    assert isinstance(frame, Frame) and bytes(frame.data) == b"answer"


@given(st.lists(st.binary(max_size=40), max_size=8))
@settings(max_examples=100, deadline=None)
def test_random_bytes_on_a_socket(pieces: list[bytes]) -> None:
    world, client = opened()
    for piece in pieces:
        client.send(piece)
    frames(client.received())
    client.transport.lose()
    assert len(world.api.closings) == 1 and world.server.session_count == 0 and world.loop.timers == 0


@given(st.lists(st.integers(1, 399), max_size=10))
@settings(max_examples=50, deadline=None)
def test_where_frames_are_cut_makes_no_difference(cuts: list[int]) -> None:
    data = upgrade() + masked(TEXT, b"one") + masked(PING, b"p") + masked(TEXT, b"t", fin=False) + masked(CONT, b"wo")
    world = World()
    client = world.client()
    last = 0
    for cut in [*sorted(cuts), len(data)]:
        client.send(data[last:cut])
        last = max(last, cut)
    assert world.api.said == ["one", "two"]
    assert client.received().endswith(b"\r\n\r\n\x8a\x01p")


def test_an_api_that_decides_later() -> None:
    import asyncio

    from http_kit import SlowClient

    async def story() -> None:
        world = World()

        async def decide(request: Request) -> Accept | Response:
            await asyncio.sleep(0)
            return Accept(world.api._opened)

        world.api.websocket = decide  # type: ignore[method-assign,assignment]
        client = SlowClient(world)
        assert await client.ask_all(upgrade() + masked(TEXT, b"t"), 1) == [101]
        assert world.api.said == ["t"]
        client.transport.lose()

    asyncio.run(story())
