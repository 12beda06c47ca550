"""A virtual loop, a virtual transport and a small API to ask."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from arietta.http import (
    Accept,
    AriFront,
    FrontOptions,
    HttpOptions,
    HttpServer,
    MountTable,
    Request,
    Response,
    User,
    Users,
    WebSocketConnection,
    html_page,
)

HASH = "$6$conformancekit$VdF33nnHvOswZSFxqQqGxqRTFejbki/0P2kFLxzxSpbwEKGlA9LTxT2nVItV5GIHFw.8gf7qiQDFZ1QLVPfgb/"
USERS = (
    User("asterisk", "asterisk"),
    User("reader", "readerpw", read_only=True),
    User("crypted", HASH, "crypt"),
)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the sample of RFC 6455 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class VirtualLoop:
    """Time that only advances when told to, and calls in its order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._calls: list[VirtualTimer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> VirtualTimer:
        timer = VirtualTimer(self.now + delay, callback, args)
        self._calls.append(timer)
        return timer

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> VirtualTimer:
        return self.call_later(0, callback, *args)

    def advance(self, seconds: float) -> None:
        """Run everything that falls due, the turn that is over included."""
        end = self.now + seconds
        while True:
            due = [timer for timer in self._calls if timer.when <= end and not timer.cancelled]
            if not due:
                break
            timer = min(due, key=lambda timer: timer.when)
            self._calls.remove(timer)
            self.now = max(self.now, timer.when)
            timer.callback(*timer.args)
        self.now = end

    @property
    def timers(self) -> int:
        """How many calls are outstanding."""
        return sum(not timer.cancelled for timer in self._calls)


class VirtualTimer:
    def __init__(self, when: float, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.when = when
        self.callback = callback
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualTransport(asyncio.Transport):
    """A client that reads everything at once, until it is told to stop reading."""

    def __init__(self, loop: Any, host: str = "127.0.0.1") -> None:
        super().__init__()
        self.loop = loop
        self.protocol: Any = None
        self.sent = b""
        self.writes = 0
        self.wrote = asyncio.Event()
        self.ended = False  # the server half-closed
        self.closed = False
        self.aborted = False
        self.lost = False
        self.reading = True
        self.stuck = b""  # what a client that does not read has not taken
        self.reads = True
        self._host = host

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self._host, 40000) if name == "peername" else default

    def write(self, data: Any) -> None:
        assert not self.lost and not self.ended, "write after the end"
        self.writes += 1
        self.wrote.set()
        if self.reads:
            self.sent += data
        else:
            self.stuck += data
            if len(self.stuck) > 65_536:
                self.protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return len(self.stuck)

    def take(self, count: int | None = None) -> None:
        """The client reads some of what waits, or all of it and everything that follows."""
        count = len(self.stuck) if count is None else count
        self.reads = count == len(self.stuck)
        self.sent += self.stuck[:count]
        self.stuck = self.stuck[count:]
        if not self.stuck:
            self.protocol.resume_writing()

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if not self.stuck:
                self.loop.call_soon(self.lose)

    def abort(self) -> None:
        self.closed = self.aborted = True
        self.stuck = b""
        self.loop.call_soon(self.lose)

    def lose(self) -> None:
        if not self.lost:
            self.lost = self.closed = True
            self.protocol.connection_lost(None)


class Client:
    """One connection to a server in memory."""

    def __init__(self, server: HttpServer, loop: Any, host: str = "127.0.0.1") -> None:
        self.loop = loop
        self.transport = VirtualTransport(loop, host)
        self.transport.protocol = server.connection()
        self.transport.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        if not self.transport.lost and self.transport.reading:
            self.transport.protocol.data_received(data)

    def half_close(self) -> None:
        if not self.transport.protocol.eof_received():
            self.transport.close()

    def received(self) -> bytes:
        """What came since the last look."""
        if isinstance(self.loop, VirtualLoop):
            self.loop.advance(0)
        data, self.transport.sent = self.transport.sent, b""
        return data

    def ask(self, data: bytes) -> bytes:
        self.send(data)
        return self.received()

    @property
    def is_over(self) -> bool:
        """Whether the client sees the end of the stream."""
        return self.transport.ended or self.transport.closed


class SmallApi:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.sockets: list[WebSocketConnection] = []
        self.said: list[str] = []
        self.closings: list[tuple[int, str]] = []
        self.pending: Awaitable[Response] | None = None

    def handle(self, request: Request) -> Response | Awaitable[Response] | None:
        self.seen.append(request)
        match request.method, request.segments:
            case "GET", ("asterisk", "ping"):
                return Response(200, b'{"ping":"pong"}', "application/json")
            case "POST", ("echo",):
                return Response(200, request.body, "application/json")
            case "DELETE", ("channels", _):
                return Response(204)
            case "POST", ("channels", _, "play"):
                headers = (("Location", "/ari/playbacks/a%2Fb"),)
                return Response(201, b'{"state":"queued"}', "application/json", headers)
            case "GET", ("slow",):
                assert self.pending is not None
                return self.pending
            case "GET", ("broken",):
                raise RuntimeError("a fault of ours")
            case "GET", ("split",):
                return Response(200, b"", None, (("Location", "a\r\nSet-Cookie: b"),))
            case "GET", ("big",):
                return Response(200, b"x" * 70_000, "application/json")
        return None

    def allowed_methods(self, path: str) -> tuple[str, ...] | None:
        return {
            "": (),
            "/asterisk": (),
            "/asterisk/ping": ("GET",),
            "/echo": ("POST",),
            "/channels": ("GET", "POST"),
            "/events": (),
        }.get(path)

    def websocket(self, request: Request) -> Accept | Response:
        if "app=" not in request.query_string:
            return html_page(400, "HTTP request is missing param: [app]")
        return Accept(self._opened)

    def _opened(self, socket: WebSocketConnection) -> None:
        self.sockets.append(socket)
        socket.on_text = self.said.append
        socket.on_closed = lambda code, by: self.closings.append((code, by))


class World:
    """A server in memory, its API and its time."""

    def __init__(self, front: FrontOptions | None = None, users: tuple[User, ...] = USERS, **options: Any) -> None:
        self.loop = VirtualLoop()
        self.api = SmallApi()
        self.front = AriFront(self.api, Users(users), front or FrontOptions())
        self.server = HttpServer(
            MountTable({"/ari": self.front}),
            HttpOptions("Arietta/1.0", **options),
            self.loop,  # type: ignore[arg-type]
        )
        self.server.writer._now = lambda: 1_000_000_000.5

    def client(self, host: str = "127.0.0.1") -> Client:
        return Client(self.server, self.loop, host)


def basic(credentials: str = "asterisk:asterisk") -> str:
    return f"Authorization: Basic {base64.b64encode(credentials.encode()).decode()}"


def request(line: str, *headers: str, body: bytes = b"", auth: str | None = "asterisk:asterisk") -> bytes:
    """The bytes of a request; the version may be left out of the line."""
    if " HTTP/" not in line:
        line += " HTTP/1.1"
    lines = [line, "Host: ari.test", *([basic(auth)] if auth is not None else []), *headers]
    if body and not any(header.lower().startswith(("content-length", "transfer-")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def upgrade(*more: str, target: str = "/ari/events?app=a", without: str = "", auth: str = "asterisk:asterisk") -> bytes:
    """An opening handshake."""
    headers = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
    ]
    headers = [header for header in headers if not without or not header.startswith(without)]
    return request(f"GET {target}", *headers, *more, auth=auth)


class Answer:
    """A response taken apart."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __getitem__(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) < 2
        return found[0] if found else None


def answers(data: bytes, heads: bool = False) -> list[Answer]:
    """Take a stream of responses apart; every byte must belong to one."""
    found = []
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator
        first, *lines = head.decode().split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        answer = Answer(int(status), headers, b"")
        if answer.status >= 200 and not heads:
            size = int(answer["Content-Length"] or "")
            answer.body, data = data[:size], data[size:]
            assert len(answer.body) == size
        found.append(answer)
    return found


def statuses(data: bytes) -> list[int]:
    return [answer.status for answer in answers(data)]


class SlowClient(Client):
    """A client of a server on the real loop."""

    def __init__(self, world: World) -> None:
        loop = asyncio.get_running_loop()
        world.server._loop = loop
        super().__init__(world.server, loop)

    async def ask_all(self, data: bytes, count: int) -> list[int]:
        """Send, and wait until so many answers came."""
        self.send(data)
        while self.transport.sent.count(b"HTTP/1.1 ") < count:
            self.transport.wrote.clear()
            await self.transport.wrote.wait()
        return statuses(self.received())
