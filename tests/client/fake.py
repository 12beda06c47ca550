"""A server that says what a test tells it to: HTTP answers byte by byte, event sockets frame by frame."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from arietta.testing.waiting import News

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came on, counted from 1."""


def answer(status: int = 200, body: bytes = b"", *fields: str, reason: str = "Words") -> bytes:
    """A response with its length."""
    lines = [f"HTTP/1.1 {status} {reason}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class EventConnection:
    """One event socket, from the server's side."""

    def __init__(self, target: str, protocol: ServerProtocol, writer: asyncio.StreamWriter) -> None:
        self.target = target
        self.received: list[Frame] = []
        self._protocol = protocol
        self._writer = writer
        self._is_closed = False

    def send(self, text: str, *, pieces: int = 1) -> None:
        """Send a text, in so many fragments."""
        data = text.encode()
        size = -(-len(data) // pieces)
        for at in range(0, len(data), size):
            opcode = Opcode.TEXT if at == 0 else Opcode.CONT
            is_last = at + size >= len(data)
            self._writer.write(Frame(opcode, data[at : at + size], fin=is_last).serialize(mask=False))

    def close(self, code: int = 1001) -> None:
        """Say goodbye."""
        self._writer.write(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False))
        self._writer.write_eof()
        self._is_closed = True

    def drop(self) -> None:
        """Break the connection."""
        self._writer.transport.abort()

    def take(self, data: bytes, *, replies: bool) -> None:
        """Bytes of the client."""
        self._protocol.receive_data(data)
        self.received += [frame for frame in self._protocol.events_received() if isinstance(frame, Frame)]
        out = self._protocol.data_to_send()
        if replies and not self._is_closed:
            self._writer.write(b"".join(out))


class FakeServer:
    """Answers requests with what `answers` gives: bytes, or None to close without a word."""

    def __init__(self, answers: Callable[[Asked], bytes | None]) -> None:
        self.answers = answers
        self.asked: list[Asked] = []
        self.sockets: list[EventConnection] = []
        self.pongs = True
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections = 0
        self._news = News()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> FakeServer:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, HOST, port, ssl=tls)
        self.port = port or self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def socket(self, number: int = 1) -> EventConnection:
        """Wait for the event socket of that number."""
        await self._news.find(lambda: len(self.sockets) >= number or None, 100, lambda: f"no socket {number}")
        return self.sockets[number - 1]

    def close_idle(self) -> None:
        """Close every connection, as a server does with those that were idle too long."""
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._connections += 1
        self._writers.append(writer)
        number = self._connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").rstrip().split("\r\n")
                method, target, _ = first.split(" ")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                asked = Asked(method, target, fields, body, number)
                self.asked.append(asked)
                if "upgrade" in fields and (refusal := self.answers(asked)) == b"101":
                    await self._websocket(head, target, reader, writer)
                    return
                reply = refusal if "upgrade" in fields else self.answers(asked)
                if reply is None:
                    writer.close()
                    return
                writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _websocket(
        self, head: bytes, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(head)
        (request,) = protocol.events_received()
        protocol.send_response(protocol.accept(request))
        writer.write(b"".join(protocol.data_to_send()))
        socket = EventConnection(target, protocol, writer)
        self.sockets.append(socket)
        self._news.tell()
        while data := await reader.read(65536):
            socket.take(data, replies=self.pongs)
        writer.close()
