"""A small ARI client for tests: REST over a kept connection, events over a WebSocket, on whatever loop runs.

async with AriClient("127.0.0.1", 8088, "asterisk", "asterisk") as ari:
    await ari.connect("hello-world")
    start = await ari.event("StasisStart")
    reply = await ari.post(f"/channels/{start['channel']['id']}/play", media="sound:hello-world", expect=201)
    await ari.event("PlaybackFinished", playback_id=reply.json["id"])
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlencode

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from .ladder import Ladder
from .waiting import News, Unexpected

__all__ = ["AriClient", "Event", "EventSocket", "Reply", "Unexpected"]

Event = dict[str, Any]
"""One event as JSON."""

WITHIN = 10.0
"""Seconds to wait for an answer or an event, unless told otherwise."""
MAX_EVENTS = 100_000
MAX_HEAD = 65536


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case; of repeated ones the last."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


class AriClient:
    """One ARI user: REST requests one after the other, event sockets side by side."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8088,
        username: str = "asterisk",
        password: str = "asterisk",
        *,
        prefix: str = "/ari",
        name: str = "ari",
        ladder: Ladder | None = None,
        within: float = WITHIN,
    ) -> None:
        """`within` is how many seconds each request and event may take; `ladder` gets a row for each."""
        self.host = host
        self.port = port
        self.username = username
        self.password = password
        self.prefix = prefix
        self.name = name
        self.within = within
        self.ladder = ladder
        self.sockets: list[EventSocket] = []
        """Every event socket, the oldest first."""
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        """Every event of every socket, in order."""
        self.news = News()
        """Told when an event came or a socket closed."""
        self.requests = 0
        """REST requests sent over sockets."""
        self._unclaimed: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection and the sockets."""
        for socket in self.sockets:
            await socket.close()
        self._drop()

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    # -- REST ------------------------------------------------------------------------------------------------------

    async def get(self, path: str, *, expect: int | None = 200, **query: object) -> Reply:
        """GET; `path` is below the prefix. None for `expect` takes any status."""
        return await self.request("GET", path, query=query, expect=expect)

    async def post(self, path: str, *, body: object = None, expect: int | None = None, **query: object) -> Reply:
        """POST, with a JSON body when given; any 2xx unless `expect` says which status."""
        return await self.request("POST", path, query=query, body=body, expect=expect or range(200, 300))

    async def put(self, path: str, *, body: object = None, expect: int | None = None, **query: object) -> Reply:
        """PUT."""
        return await self.request("PUT", path, query=query, body=body, expect=expect or range(200, 300))

    async def delete(self, path: str, *, expect: int | None = None, **query: object) -> Reply:
        """DELETE."""
        return await self.request("DELETE", path, query=query, expect=expect or range(200, 300))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        expect: int | range | None = None,
    ) -> Reply:
        """Send any request; a body that is not bytes goes as JSON. Unexpected for another status than `expect`."""
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        target = (
            self.prefix + path + (("&" if "?" in path else "?") + urlencode(given, quote_via=quote) if given else "")
        )
        fields = {"Host": f"{self.host}:{self.port}", "Authorization": self.authorization}
        data = b""
        if isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        if data or method in ("POST", "PUT"):
            fields["Content-Length"] = str(len(data))
        fields.update(headers or {})
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._draw(f"{method} {path}", out=True)
        reply = await self.raw(head.encode() + b"\r\n" + data, is_head=method == "HEAD")
        self._draw(f"{reply.status} {reply.reason}", out=False)
        if expect is not None and reply.status not in (expect if isinstance(expect, range) else (expect,)):
            wanted = "2xx" if isinstance(expect, range) else expect
            raise Unexpected(f"expected {wanted} to {method} {path}, got {reply.status}: {reply.body[:500]!r}")
        return reply

    async def raw(self, request: bytes, *, is_head: bool = False) -> Reply:
        """Send bytes as a request and read the answer; Unexpected when none comes."""
        async with self._turn, asyncio.timeout(self.within):
            for attempt in (1, 2):
                kept = self._connection is not None
                reader, writer = self._connection or await asyncio.open_connection(self.host, self.port, limit=MAX_HEAD)
                self._connection = reader, writer
                try:
                    writer.write(request)
                    reply = await _read_reply(reader, is_head)
                except (asyncio.IncompleteReadError, ConnectionError) as error:
                    self._drop()
                    if kept and attempt == 1:
                        continue  # the server closed the kept connection meanwhile
                    raise Unexpected(f"no answer to {request[:100]!r}: {error!r}") from error
                except BaseException:
                    self._drop()
                    raise
                if reply.headers.get("connection", "").lower() == "close":
                    self._drop()
                return reply
        raise AssertionError("the second attempt returns or raises")

    def drop_connection(self) -> None:
        """Reset the REST connection, as a client that dies."""
        if self._connection is not None:
            self._connection[1].transport.abort()
            self._connection = None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None

    # -- events ----------------------------------------------------------------------------------------------------

    async def connect(self, *apps: str, subscribe_all: bool = False) -> EventSocket:
        """Open an event socket for applications; Unexpected when the server refuses it."""
        query = {"app": ",".join(apps), "api_key": f"{self.username}:{self.password}"}
        if subscribe_all:
            query["subscribeAll"] = "true"
        path = f"{self.prefix}/events?{urlencode(query)}"
        socket = EventSocket(self)
        self._draw(f"GET /events {','.join(apps)}", out=True)
        async with asyncio.timeout(self.within):
            await socket.open(f"ws://{_bracketed(self.host)}:{self.port}{path}")
        self._draw("101 Switching Protocols", out=False)
        self.sockets.append(socket)
        return socket

    async def event(self, kind: str, *, within: float | None = None, **fields: object) -> Event:
        """Wait for an event of a type whose fields are so: `channel_id="1"` is `event["channel"]["id"] == "1"`.

        Each event is given once. Others that came before stay for later calls.
        """

        def look() -> Event | None:
            for index, event in enumerate(self._unclaimed):
                if event.get("type") == kind and all(find(event, name) == value for name, value in fields.items()):
                    del self._unclaimed[index]
                    return event
            return None

        def missing() -> str:
            wanted = "".join(f", {name}={value!r}" for name, value in fields.items())
            got = "\n  ".join(_summary(event) for event in list(self.events)[-30:]) or "nothing"
            return f"{kind}{wanted} did not come; the last events were:\n  {got}\n"

        return await self.news.find(look, self.within if within is None else within, missing)

    async def no_event(self, kind: str, *, within: float = 1.0, **fields: object) -> None:
        """Make sure that no such event comes for a while."""
        try:
            event = await self.event(kind, within=within, **fields)
        except Unexpected:
            return
        raise Unexpected(f"{kind} came: {_summary(event)}")

    def types(self) -> list[str]:
        """The types of all events so far, in order."""
        return [event.get("type", "") for event in self.events]

    def take(self, event: Event) -> None:
        """Keep an event; for the sockets."""
        self.events.append(event)
        self._unclaimed.append(event)
        if self.ladder is not None:
            time = asyncio.get_running_loop().time()
            self.ladder.event(time, f"{self.host}:{self.port}", self.name, str(event.get("type")))
        self.news.tell()

    def _draw(self, text: str, *, out: bool) -> None:
        if self.ladder is not None:
            ends = (self.name, f"{self.host}:{self.port}")
            self.ladder.rest(asyncio.get_running_loop().time(), *(ends if out else ends[::-1]), text)


class EventSocket:
    """One WebSocket of a client. ARI sends whole text frames: fragments and binary frames are passed over."""

    def __init__(self, client: AriClient) -> None:
        self.closed_with: int | None = None
        """The close code once it is closed; 1006 without one."""
        self._client = client
        self._protocol: ClientProtocol | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._may_read = asyncio.Event()
        self._may_read.set()

    async def open(self, uri: str) -> None:
        """Connect and shake hands; for the client."""
        client = self._client
        reader, writer = await asyncio.open_connection(client.host, client.port)
        protocol = ClientProtocol(parse_uri(uri), max_size=1 << 24)
        protocol.send_request(protocol.connect())
        self._protocol, self._writer = protocol, writer
        self._flush()
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            data = await reader.read(65536)
            if data:
                protocol.receive_data(data)
            else:
                protocol.receive_eof()
        if protocol.handshake_exc is not None:
            writer.close()
            text = str(protocol.handshake_exc) if isinstance(protocol.handshake_exc, InvalidHandshake) else "EOF"
            raise Unexpected(f"the event socket was refused: {text}")
        self._task = asyncio.get_running_loop().create_task(self._read(reader, protocol))
        self._take_frames(protocol)

    async def close(self, code: int = 1000) -> None:
        """Close it and wait for the server's close frame."""
        protocol = self._protocol
        if protocol is None or self._task is None:
            return
        self._may_read.set()
        if protocol.state is State.OPEN:
            protocol.send_close(code)
            self._flush()
        done, _ = await asyncio.wait({self._task}, timeout=self._client.within)
        if not done:
            self.drop()
        elif not self._task.cancelled():  # it is when the socket was dropped
            self._task.result()

    def drop(self) -> None:
        """Reset the connection, as a client that dies."""
        if self._writer is not None:
            self._writer.transport.abort()
        if self._task is not None:
            self._task.cancel()

    def stop_reading(self) -> None:
        """Read nothing more, as a client that hangs; `close` or `go_on_reading` read on."""
        self._may_read.clear()

    def go_on_reading(self) -> None:
        """Read again."""
        self._may_read.set()

    def send_text(self, text: str) -> None:
        """Send a text frame, such as a RESTRequest."""
        if self._protocol is None:
            raise ValueError("the event socket is not open")
        self._protocol.send_text(text.encode())
        self._flush()

    async def request(self, method: str, uri: str, **fields: object) -> Event:
        """Send a REST request over the socket; gives its RESTResponse. `fields` are further keys of the request."""
        client = self._client
        client.requests += 1
        request_id = f"request-{client.requests}"
        message = {"type": "RESTRequest", "request_id": request_id, "transaction_id": request_id}
        self.send_text(json.dumps({**message, "method": method, "uri": uri, **fields}))
        return await client.event("RESTResponse", request_id=request_id)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping."""
        if self._protocol is None:
            raise ValueError("the event socket is not open")
        self._protocol.send_ping(payload)
        self._flush()

    async def _read(self, reader: asyncio.StreamReader, protocol: ClientProtocol) -> None:
        try:
            while True:
                await self._may_read.wait()
                data = await reader.read(65536)
                if data:
                    protocol.receive_data(data)
                else:
                    protocol.receive_eof()
                self._flush()
                self._take_frames(protocol)
                if not data:
                    break
        except ConnectionError:
            pass
        finally:
            if self._writer is not None:
                self._writer.close()
            self.closed_with = protocol.close_rcvd.code if protocol.close_rcvd is not None else 1006
            self._client.news.tell()

    def _take_frames(self, protocol: ClientProtocol) -> None:
        for frame in protocol.events_received():
            if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                self._client.take(json.loads(bytes(frame.data)))

    def _flush(self) -> None:
        protocol, writer = self._protocol, self._writer
        if protocol is None or writer is None:
            return
        for data in protocol.data_to_send():
            if data:
                writer.write(data)
            elif writer.can_write_eof() and not writer.transport.is_closing():
                writer.write_eof()


def find(event: object, name: str) -> object:
    """A field by its path with underscores: `channel_dialplan_exten`, `playback_media_uri`; None when absent."""
    if not isinstance(event, dict):
        return None
    if name in event:
        return event[name]
    for key, value in event.items():
        if name.startswith(f"{key}_") and (found := find(value, name[len(key) + 1 :])) is not None:
            return found
    return None


async def _read_reply(reader: asyncio.StreamReader, is_head: bool) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    _, status, reason = [*first.split(" ", 2), "", ""][:3]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    number = int(status) if status.isdigit() else 0
    body = b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif "content-length" in headers and not (is_head or number in (204, 304)):
        body = await reader.readexactly(int(headers["content-length"]))
    return Reply(number, reason, headers, body)


def _summary(event: Event) -> str:
    text = json.dumps(event)
    return text if len(text) <= 200 else text[:197] + "..."


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
