"""One HTTP connection: bytes in, bytes out."""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging

import pytest
from http_kit import Client, World, answers, request, statuses
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.http import HttpOptions, Response

PING = request("GET /ari/asterisk/ping")


def test_an_answer_byte_for_byte() -> None:
    assert World().client().ask(PING) == (
        b"HTTP/1.1 200 OK\r\n"
        b"Server: Arietta/1.0\r\n"
        b"Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n"
        b"Cache-Control: no-cache, no-store\r\n"
        b"Content-type: application/json\r\n"
        b"Content-Length: 15\r\n"
        b"\r\n"
        b'{"ping":"pong"}'
    )


def test_headers_in_their_order() -> None:
    data = World().client().ask(request("POST /ari/channels/c/play", "Connection: close"))
    (answer,) = answers(data)
    assert [name for name, _ in answer.headers] == [
        "Server",
        "Date",
        "Connection",
        "Cache-Control",
        "Location",
        "Content-type",
        "Content-Length",
    ]
    assert data.startswith(b"HTTP/1.1 201 Created\r\n")


def test_no_content_has_a_length_and_no_type() -> None:
    (answer,) = answers(World().client().ask(request("DELETE /ari/channels/c")))
    assert (answer.status, answer["Content-Length"], answer["Content-type"]) == (204, "0", None)


def test_the_date_follows_the_clock() -> None:
    world = World()
    client = world.client()
    dates = []
    for now in (1_000_000_000.9, 1_000_000_000.99, 1_000_000_001.0):
        world.server.writer._now = functools.partial(float, now)
        dates.append(answers(client.ask(PING))[0]["Date"])
    assert [date and date[-6:] for date in dates] == ["40 GMT", "40 GMT", "41 GMT"]


def test_pipelined_requests_are_answered_in_order() -> None:
    client = World().client()
    data = client.ask(PING + request("GET /ari/channels/nope") + request("POST /ari/echo", body=b"[1]") + PING)
    assert statuses(data) == [200, 404, 200, 200]
    assert not client.is_over


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.7", "3.2"])
def test_every_version_is_kept_alive(version: str) -> None:
    client = World().client()
    assert statuses(client.ask(request(f"GET /ari/asterisk/ping HTTP/{version}"))) == [200]
    assert statuses(client.ask(PING)) == [200]


def test_kept_alive_after_401_and_404() -> None:
    client = World().client()
    assert statuses(client.ask(request("GET /ari/asterisk/ping", auth=None) + PING)) == [401, 200]
    assert statuses(client.ask(request("GET /elsewhere") + PING)) == [404, 200]


def test_connection_close_is_honoured_and_echoed() -> None:
    client = World().client()
    (answer,) = answers(client.ask(request("GET /ari/asterisk/ping", "Connection: Keep-Alive, Close") + PING))
    assert answer["Connection"] == "close"
    assert client.is_over


def test_without_keep_alive_time_every_answer_closes() -> None:
    client = World(session_keep_alive_ms=0).client()
    assert answers(client.ask(PING))[0]["Connection"] == "close"
    assert client.is_over


def test_a_missing_host_is_accepted() -> None:
    data = b"GET /ari/asterisk/ping?api_key=asterisk:asterisk HTTP/1.1\r\n\r\n"
    assert statuses(World().client().ask(data)) == [200]


def test_the_method_and_header_names_have_no_case() -> None:
    world = World()
    data = request("gEt /ari/asterisk/ping").replace(b"Authorization", b"aUTHORIZATION")
    assert statuses(world.client().ask(data)) == [200]
    assert world.api.seen[0].method == "GET"


def test_methods_nobody_has_are_405_anywhere_in_a_pipeline() -> None:
    client = World().client()
    odd = request("BREW /ari/asterisk/ping", body=b"coffee") + request("patch /ari/asterisk/ping")
    found = answers(client.ask(PING + odd + request("CONNECT /ari/asterisk/ping") + PING))
    assert [answer.status for answer in found] == [200, 405, 405, 405, 200]
    assert found[1]["Allow"] == "OPTIONS,GET"


def test_head_is_405_without_its_body() -> None:
    client = World().client()
    (answer,) = answers(client.ask(request("HEAD /ari/asterisk/ping")), heads=True)
    assert answer.status == 405 and answer["Content-Length"] != "0"
    assert statuses(client.ask(PING)) == [200]


def test_empty_lines_before_a_request() -> None:
    assert statuses(World().client().ask(b"\r\n\r\n" + PING + b"\r\n" + PING)) == [200, 200]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/ari/echo?a=1&b=2?", "/ari/echo", "a=1&b=2?"),
        ("http://ari.test/ari/echo?x", "/ari/echo", "x"),
        ("/ari/a%2Fb/%C3%BC", "/ari/a%2Fb/%C3%BC", ""),
        ("/ari/ü?n=ü", "/ari/%C3%BC", "n=%C3%BC"),
    ],
)
def test_forms_of_the_target(target: str, path: str, query: str) -> None:
    world = World()
    world.client().send(request(f"POST {target}"))
    assert (world.api.seen[0].path, world.api.seen[0].query_string) == (path, query)


def test_segments_are_decoded_one_by_one() -> None:
    world = World()
    world.client().send(request("GET /ari/channels/a%2Fb/%20/"[:-1]))
    assert world.api.seen[0].segments == ("channels", "a/b", " ")
    assert world.api.seen[0].rest == "/channels/a%2Fb/%20"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET / FTP/1.1\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\n\r\n",
        b"GET ?query HTTP/1.1\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\n\r\n",
        b"GET /\n\xff HTTP/1.1\r\n\r\n",
        b"G(T / HTTP/1.1\r\n\r\n",
        b"X" * 40 + b" / HTTP/1.1\r\n\r\n",
        b"hello\n",
        b"GET / HTTP/1.1\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
    ],
)
def test_broken_requests_are_400_in_html_and_the_end(data: bytes) -> None:
    client = World().client()
    (answer,) = answers(client.ask(data))
    assert (answer.status, answer["Content-type"], answer["Connection"]) == (400, "text/html", "close")
    assert client.is_over
    assert client.ask(PING) == b""


def test_what_came_before_a_broken_request_is_answered() -> None:
    assert statuses(World().client().ask(PING + b"rubbish\r\n\r\n" + PING)) == [200, 400]


def test_other_transfer_codings_are_501() -> None:
    client = World().client()
    assert statuses(client.ask(request("POST /ari/echo", "Transfer-Encoding: gzip, chunked"))) == [501]
    assert client.is_over


def test_a_body_over_the_limit_is_413_before_it_came() -> None:
    client = World().client()
    (answer,) = answers(client.ask(request("POST /ari/echo", "Content-Length: 40961")))
    assert (answer.status, answer["Content-type"], answer["Connection"]) == (413, "application/json", "close")
    assert client.is_over
    assert statuses(World().client().ask(request("POST /ari/echo", body=b"1" * 40960))) == [200]


def test_a_chunked_body_over_the_limit_is_413() -> None:
    client = World().client()
    data = request("POST /ari/echo", "Transfer-Encoding: chunked") + b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    assert statuses(client.ask(data + b"8000\r\n" + b"x" * 0x8000 + b"\r\n")) == [413]
    assert client.is_over


@pytest.mark.parametrize("cut", range(1, 13))
def test_where_the_end_of_a_chunked_body_is_cut(cut: int) -> None:
    end = b"1\r\n1\r\n0\r\n\r\n"
    client = World().client()
    client.send(request("POST /ari/echo", "Transfer-Encoding: chunked") + end[:cut])
    assert statuses(client.ask(end[cut:] + request("brew /ari/echo") + PING)) == [200, 405, 200]


def test_an_endless_chunk_extension_is_413() -> None:
    client = World(max_body_bytes=100).client()
    client.send(request("POST /ari/echo", "Transfer-Encoding: chunked") + b"1;")
    assert statuses(client.ask(b"x" * 2000)) == [413]


def test_a_chunked_body_between_other_requests() -> None:
    world = World()
    body = b'5;x=y\r\n{"a"\n\r\n6\r\n:"\r\n"}\r\n0\r\nTrailer: t\r\n\r\n'
    data = request("POST /ari/echo", "Transfer-Encoding: chunked", body=body)
    assert statuses(world.client().ask(PING + data + request("brew /ari/echo"))) == [200, 200, 405]
    assert world.api.seen[1].body == b'{"a"\n:"\r\n"}'


def test_a_head_that_does_not_end_is_431() -> None:
    client = World(max_head_bytes=1000).client()
    assert client.ask(b"GET / HTTP/1.1\r\nA: ") == b""
    assert statuses(client.ask(b"a" * 1000)) == [431]
    assert client.is_over
    assert statuses(World(max_head_bytes=1000).client().ask(request("GET /" + "a" * 1000))) == [431]


def test_expect_continue_is_told_once_and_only_when_the_body_is_awaited() -> None:
    client = World().client()
    body = b'{"a":1}'
    head = request("POST /ari/echo", f"Content-Length: {len(body)}", "Expect: 100-continue")
    assert client.ask(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert client.ask(body[:3]) == b""
    assert answers(client.ask(body[3:]))[0].body == body
    assert statuses(client.ask(head + body)) == [200]


def test_an_upgrade_nobody_asked_for_is_ignored_with_its_body() -> None:
    client = World().client()
    h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    data = request("POST /ari/echo", *h2c, body=b'{"a":1}')
    found = answers(client.ask(data + data + PING))
    assert [answer.body for answer in found] == [b'{"a":1}', b'{"a":1}', b'{"ping":"pong"}']


def test_a_handlers_fault_is_500_and_the_connection_lives(caplog: pytest.LogCaptureFixture) -> None:
    client = World().client()
    found = answers(client.ask(request("GET /ari/broken") + PING))
    assert [answer.status for answer in found] == [500, 200]
    assert found[0].body == b'{"message":"Internal Server Error"}'
    assert "a fault of ours" in caplog.text


def test_a_header_cannot_be_split(caplog: pytest.LogCaptureFixture) -> None:
    data = World().client().ask(request("GET /ari/split"))
    assert statuses(data) == [500] and b"Set-Cookie" not in data


# Time


def test_an_idle_connection_ends_after_the_keep_alive_time() -> None:
    world = World()
    client = world.client()
    client.ask(PING)
    world.loop.advance(14.9)
    assert statuses(client.ask(PING)) == [200] and not client.is_over
    world.loop.advance(14.9)
    assert not client.is_over
    world.loop.advance(0.2)
    assert client.is_over and client.received() == b""
    assert world.server.session_count == 0
    assert world.loop.timers == 0


def test_a_connection_without_a_request_ends_after_the_inactivity_time() -> None:
    world = World()
    client = world.client()
    world.loop.advance(29.9)
    assert not client.is_over
    world.loop.advance(0.2)
    assert client.is_over and client.received() == b""


def test_half_a_request_is_408_however_slowly_it_comes() -> None:
    world = World()
    client = world.client()
    for byte in PING[:29]:
        world.loop.advance(1)
        client.send(bytes([byte]))
    assert not client.is_over
    world.loop.advance(2)
    assert statuses(client.received()) == [408]
    assert client.is_over


def test_one_timer_per_connection() -> None:
    world = World()
    client = world.client()
    for _ in range(50):
        client.ask(PING)
    assert world.loop.timers == 1


def test_a_client_that_does_not_leave_after_the_last_answer_is_dropped() -> None:
    world = World()
    client = world.client()
    client.ask(b"rubbish\r\n\r\n")
    assert not client.transport.closed
    world.loop.advance(2.1)
    assert client.transport.aborted and world.server.session_count == 0


# Limits and flow


def test_the_session_limit_is_503() -> None:
    world = World(session_limit=2)
    first, _, third = world.client(), world.client(), world.client()
    assert statuses(third.received()) == [503] and third.is_over
    assert world.server.counters.refused_connections == 1
    first.transport.lose()
    assert statuses(world.client().ask(PING)) == [200]


def test_a_client_that_stops_reading_is_asked_nothing_more() -> None:
    world = World()
    client = world.client()
    client.transport.reads = False
    client.send(request("GET /ari/big") * 5)
    assert len(world.api.seen) == 1
    client.send(PING)
    assert not client.transport.reading
    client.transport.take()
    assert statuses(client.received()) == [200] * 6
    assert client.transport.reading


def test_a_half_closed_client_gets_its_answers() -> None:
    client = World().client()
    client.send(PING + PING)
    client.half_close()
    assert statuses(client.received()) == [200, 200]
    assert client.is_over


def test_a_half_closed_client_that_does_not_read_gets_its_answers_later() -> None:
    client = World().client()
    client.transport.reads = False
    client.send(request("GET /ari/big") * 3)
    client.half_close()
    assert not client.is_over
    client.transport.take()
    assert statuses(client.received()) == [200] * 3
    assert client.is_over


def test_half_a_request_and_the_end() -> None:
    client = World().client()
    client.send(PING[:20])
    client.half_close()
    assert client.received() == b"" and client.is_over


def test_options_can_change_for_the_next_connection() -> None:
    world = World()
    world.server.configure(HttpOptions("Other/2", session_keep_alive_ms=0))
    assert answers(world.client().ask(PING))[0]["Server"] == "Other/2"


# Answers that take their time


class SlowWorld(World):
    """A world on the real loop, whose API waits for a future."""

    def __init__(self) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()
        self.server._loop = loop
        self.answer: asyncio.Future[Response] = loop.create_future()
        self.finished = False
        self.api.pending = self._operation()

    async def _operation(self) -> Response:
        response = await self.answer
        self.finished = True
        return response

    def client(self, host: str = "127.0.0.1") -> Client:
        return Client(self.server, asyncio.get_running_loop(), host)


async def turn() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def test_what_follows_a_pending_answer_waits_for_it() -> None:
    async def story() -> None:
        world = SlowWorld()
        client = world.client()
        client.send(request("GET /ari/slow") + PING)
        client.send(PING)
        await turn()
        assert client.received() == b"" and not client.transport.reading
        world.answer.set_result(Response(200, b"[]", "application/json"))
        await turn()
        assert [answer.body for answer in answers(client.received())] == [b"[]", *[b'{"ping":"pong"}'] * 2]
        assert client.transport.reading
        client.transport.lose()

    asyncio.run(story())


def test_an_operation_finishes_without_its_client(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = SlowWorld()
        client = world.client()
        client.send(request("GET /ari/slow") + PING)
        await turn()
        client.transport.lose()
        assert len(world.server._tasks) == 1
        world.answer.set_result(Response(200, b"[]", "application/json"))
        await turn()
        assert world.finished and not world.server._tasks
        assert client.received() == b""
        assert len(world.api.seen) == 1  # what had not begun is not begun

    caplog.set_level(logging.DEBUG)
    asyncio.run(story())
    assert "was gone before the answer" in caplog.text


def test_a_client_that_half_closes_while_it_waits() -> None:
    async def story() -> None:
        world = SlowWorld()
        client = world.client()
        client.send(request("GET /ari/slow"))
        await turn()
        client.half_close()
        assert not client.is_over
        world.answer.set_result(Response(200, b"[]", "application/json"))
        await turn()
        assert statuses(client.received()) == [200] and client.is_over

    asyncio.run(story())


def test_a_fault_after_a_while_is_500_too(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = SlowWorld()
        client = world.client()
        client.send(request("GET /ari/slow"))
        await turn()
        world.answer.set_exception(RuntimeError("late fault"))
        await turn()
        assert statuses(client.received()) == [500]
        client.transport.lose()

    asyncio.run(story())
    assert "late fault" in caplog.text


def test_stopping_waits_for_pending_answers() -> None:
    async def story() -> None:
        world = SlowWorld()
        idle, busy = world.client(), world.client()
        busy.send(request("GET /ari/slow"))
        await turn()
        stopping = asyncio.create_task(world.server.stop(1))
        await turn()
        assert idle.is_over and not busy.is_over
        world.answer.set_result(Response(200, b"[]", "application/json"))
        await asyncio.wait_for(stopping, 1)
        (answer,) = answers(busy.received())
        assert answer["Connection"] == "close" and world.server.session_count == 0

    asyncio.run(story())


def test_an_operation_that_does_not_end_is_cancelled_at_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = SlowWorld()
        client = world.client()
        client.send(request("GET /ari/slow"))
        await turn()
        await world.server.stop(0)
        assert client.transport.aborted and world.answer.cancelled() and not world.finished

    asyncio.run(story())
    assert "still running" in caplog.text


# Whatever comes

STREAM = (
    PING
    + request("POST /ari/echo", body=b'{"a": "\r\n\r\n"}')
    + request("brew /ari/echo")
    + request("POST /ari/echo", "Transfer-Encoding: chunked", body=b"3\r\na\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    + b"\r\n"
    + request("DELETE /ari/channels/c")
    + request("GET /ari/asterisk/ping", "Connection: close")
)
WHOLE = World().client().ask(STREAM)


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
@settings(max_examples=60, deadline=None)
def test_where_the_packets_are_cut_makes_no_difference(cuts: list[int]) -> None:
    client = World().client()
    places = [0, *sorted(cuts), len(STREAM)]
    for start, end in itertools.pairwise(places):
        client.send(STREAM[start:end])
    assert client.received() == WHOLE
    assert statuses(WHOLE) == [200, 200, 405, 200, 204, 200] and client.is_over


def test_one_byte_at_a_time() -> None:
    client = World().client()
    for byte in STREAM:
        client.send(bytes([byte]))
    assert client.received() == WHOLE


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([PING, STREAM[:150], b"\r\n", b"\r\n\r\n", b"GET ", b" HTTP/1.1\r\n", b"0\r\n\r\n"]),
            st.sampled_from([b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Upgrade: websocket\r\n"]),
        ),
        max_size=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_random_bytes_neither_crash_nor_leak(pieces: list[bytes]) -> None:
    world = World()
    client = world.client()
    for piece in pieces:
        client.send(piece)
    assert all(status in (100, 200, 204, 400, 401, 404, 405, 413, 431, 501) for status in statuses(client.received()))
    world.loop.advance(40)
    assert client.is_over
    world.loop.advance(40)
    assert client.transport.lost and world.server.session_count == 0 and world.loop.timers == 0


@given(
    st.lists(
        st.tuples(st.integers(0, len(STREAM) - 1), st.integers(0, 12), st.binary(max_size=4) | st.just(b"\r\n\r\n")),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_damaged_requests_are_answered_alike_however_they_are_cut(
    damages: list[tuple[int, int, bytes]], size: int
) -> None:
    data = STREAM
    for place, removed, inserted in damages:
        data = data[:place] + inserted + data[place + removed :]
    found = []
    for step in (len(data) or 1, size):
        world = World()
        client = world.client()
        for start in range(0, len(data), step):
            client.send(data[start : start + step])
        found.append(statuses(client.received()))
        world.loop.advance(100)
        assert client.transport.lost and world.loop.timers == 0
    assert found[0] == found[1]
