"""The HTTP server: listeners, the set of open connections, and what they share."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from arietta.http.connection import HttpConnection
from arietta.http.messages import Handler, ResponseWriter
from arietta.http.websocket import TurnEnd, WebSocketConnection, WebSocketOptions

log = logging.getLogger("arietta.http")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What http.conf says about connections; durations in milliseconds."""

    server_name: str
    session_limit: int = 100
    session_inactivity_ms: int = 30_000
    session_keep_alive_ms: int = 15_000
    max_head_bytes: int = 32_768
    max_body_bytes: int = 40_960
    websocket: WebSocketOptions = field(default_factory=WebSocketOptions)


class HttpCounters:
    """Counts since the server was made; they only grow."""

    __slots__ = (
        "connections",
        "refused_connections",
        "requests",
        "websockets",
        "websockets_aborted",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.refused_connections = 0
        self.requests = 0
        self.websockets = 0
        self.websockets_aborted = 0


@dataclass(frozen=True, slots=True)
class Address:
    """A bound address."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class HttpServer:
    """Serves one handler on any number of listeners.

    `handler` and `options` may be replaced while it runs: requests that come after see the new ones,
    connections keep the limits they were opened with.
    """

    def __init__(self, handler: Handler, options: HttpOptions, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.handler = handler
        self.counters = HttpCounters()
        self.stopping = False
        self._loop = loop
        self._connections: set[HttpConnection | WebSocketConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[tuple[asyncio.Server, tuple[Address, ...]]] = []
        self._all_gone: asyncio.Event | None = None
        self.configure(options)

    @functools.cached_property
    def turn_end(self) -> TurnEnd:
        """What flushes the sockets."""
        return TurnEnd(self.loop)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop the connections live on."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def configure(self, options: HttpOptions) -> None:
        """Use these options from the next connection on (the server name from the next answer on)."""
        self.options = options
        self.writer = ResponseWriter(options.server_name)

    # Listeners

    async def start(self, host: str | None, port: int, tls: ssl.SSLContext | None = None) -> tuple[Address, ...]:
        """Listen on an address, in the clear or with TLS; port 0 takes a free one. Raises OSError.

        May be called several times. TCP_NODELAY is set by asyncio and uvloop alike.
        """
        server = await self.loop.create_server(self.connection, host, port, ssl=tls, backlog=1024)
        names = [listener.getsockname() for listener in server.sockets]
        bound = tuple(Address(name[0], name[1], tls is not None) for name in names)
        self._listeners.append((server, bound))
        return bound

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the server listens."""
        return tuple(address for _, bound in self._listeners for address in bound)

    async def stop(self, drain_seconds: float = 5.0) -> None:
        """Stop listening, send close frames, wait for pending answers, then drop what is left.

        Operations that are still running at the deadline are cancelled, each with a log line.
        """
        self.stopping = True
        for server, _ in self._listeners:
            server.close()
        self._listeners.clear()
        for connection in tuple(self._connections):
            connection.shut()
        if self._connections:
            self._all_gone = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), drain_seconds)
        for connection in tuple(self._connections):
            connection.abort()
        for task in tuple(self._tasks):
            log.warning("An HTTP operation was still running when the server stopped: %r", task)
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        await asyncio.sleep(0)  # connection_lost of what was aborted

    # Connections

    def connection(self) -> HttpConnection:
        """The protocol of a new connection; tests feed it through a transport of their own."""
        return HttpConnection(self)

    def admit(self, connection: HttpConnection) -> bool:
        """Count a connection in, unless the session limit is reached."""
        if self.stopping or len(self._connections) >= self.options.session_limit:
            self.counters.refused_connections += 1
            return False
        self.counters.connections += 1
        self._connections.add(connection)
        return True

    def exchange(self, connection: HttpConnection, socket: WebSocketConnection) -> None:
        """A connection became a WebSocket; it stays one session."""
        self.counters.websockets += 1
        self._connections.discard(connection)
        self._connections.add(socket)

    def release(self, connection: HttpConnection | WebSocketConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if not self._connections and self._all_gone is not None:
            self._all_gone.set()

    def own_task(self, task: asyncio.Task[None]) -> None:
        """Keep an operation until it is done, whatever becomes of its connection."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def session_count(self) -> int:
        """Open connections, WebSockets included."""
        return len(self._connections)

    @property
    def websocket_count(self) -> int:
        """Open WebSockets."""
        return sum(isinstance(connection, WebSocketConnection) for connection in self._connections)


def tls_context(certificate: Path, private_key: Path | None = None) -> ssl.SSLContext:
    """A server context from PEM files; the key may stand in the certificate's file.

    Raises OSError when a file cannot be read, ssl.SSLError when it does not hold what it should.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, private_key)
    return context
