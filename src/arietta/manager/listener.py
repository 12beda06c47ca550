"""The skin of manager connections: asyncio over TCP and TLS. It feeds, sends, awaits, arms one timer; nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable
from typing import cast

from arietta.manager.connection import Connection
from arietta.manager.declared import Reply
from arietta.manager.hub import Hub

log = logging.getLogger(__name__)

LEAST_GOODBYE_S = 0.1
"""Time that a closing connection has to send what waits."""


class Listener:
    """The sockets that are listened on, and their connections."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._servers: list[asyncio.Server] = []
        self.connections: set[ManagerProtocol] = set()
        self.addresses: list[tuple[str, int, bool]] = []
        """Where is listened: host, port, TLS."""

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Listen on an address, all of them for an empty host; OSError names it."""
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: ManagerProtocol(self, self._hub, is_tls=tls is not None), host or None, port, ssl=tls
            )
        except OSError as problem:
            where = f"{host or 'all addresses'}:{port}"
            raise OSError(f"the manager interface cannot listen on {where}: {problem.strerror or problem}") from problem
        self._servers.append(server)
        self.addresses += [(*entry.getsockname()[:2], tls is not None) for entry in server.sockets]

    async def stop(self) -> None:
        """Listen no more and close every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.addresses.clear()
        for connection in tuple(self.connections):
            connection.close()


class ManagerProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, listener: Listener, hub: Hub, *, is_tls: bool) -> None:
        self._listener = listener
        self._hub = hub
        self._is_tls = is_tls
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_flushing = self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        host, port = (transport.get_extra_info("peername") or ("unknown", 0))[:2]
        refusal = self._hub.refuses(host)
        if refusal:
            log.info("a manager connection from %s is refused: %s", host, refusal)
            self._transport.abort()
            return
        own = transport.get_extra_info("socket")
        if own is not None:
            with contextlib.suppress(OSError, AttributeError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        session = self._hub.open(host, port, "TLS" if self._is_tls else "TCP", self._wake)
        self._listener.connections.add(self)
        self._connection = Connection(self._hub, session, self._hub.clock())
        self._after_input()

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.receive(data)
            self._after_input()

    def connection_lost(self, _reason: Exception | None) -> None:
        self._listener.connections.discard(self)
        for handle in (self._timer, self._task):
            if handle is not None:
                handle.cancel()
        if self._connection is not None:
            self._connection.closing = True
            self._connection.session.end()

    def close(self) -> None:
        """End the session, and the connection when what waits is sent."""
        if self._connection is not None:
            self._connection.session.end()
            self._connection.closing = True
            self._flush()

    def _wake(self) -> None:
        """Something waits: all that comes in this turn of the loop leaves in one piece."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        connection, transport = self._connection, self._transport
        assert connection is not None
        assert transport is not None
        if transport.is_closing():
            return
        session = connection.session
        if session.waiting:
            transport.write(session.take())
            if transport.get_write_buffer_size() > self._hub.settings.general.queue_bytes:
                session.waiting_bytes = transport.get_write_buffer_size()
                session.overflowed = True
                session.end()
        if session.overflowed:
            transport.abort()
        elif connection.closing or session.ended:
            session.end()
            transport.close()
            goodbye = max(LEAST_GOODBYE_S, session.user.writetimeout / 1000)
            self._arm(self._hub.clock() + goodbye, transport.abort)

    def _after_input(self) -> None:
        connection, transport = self._connection, self._transport
        assert connection is not None
        assert transport is not None
        work = connection.work()
        if work is not None:
            self._task = self._loop.create_task(self._await(work), name=f"manager action of {connection.session}")
        if connection.congested != self._is_paused and not transport.is_closing():
            self._is_paused = connection.congested
            (transport.pause_reading if self._is_paused else transport.resume_reading)()
        if connection.closing or connection.session.ended:
            self._wake()
        due = connection.next_timeout()
        if due is None and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif due is not None and self._timer is None:
            self._arm(due, self._time_out)

    def _arm(self, due: float, then: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        assert callable(then)
        self._timer = self._loop.call_later(max(0.0, due - self._hub.clock()), then)

    def _time_out(self) -> None:
        self._timer = None
        assert self._connection is not None
        self._connection.handle_timeout(self._hub.clock())
        self._after_input()

    async def _await(self, work: Awaitable[Reply]) -> None:
        reply = await work
        assert self._connection is not None
        self._connection.finish(reply)
        self._after_input()
