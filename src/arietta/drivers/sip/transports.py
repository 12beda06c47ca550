"""The sockets of SIP: what comes in goes to the user agent, what it puts out goes on the wire.

UDP: one datagram socket per transport. TCP: connections are found by the peer's address, opened when there is none,
and closed after they have been idle. No decision lives here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import Any, cast

from arietta.config.pjsip import PjsipSettings
from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer
from arietta.sip.transactions import Address, Send, Transport

log = logging.getLogger(__name__)

DEFAULT_PORT = 5060
MAX_CONNECTIONS = 10000
MAX_BACKLOG = 64
MAX_UNSENT_BYTES = 1 << 20
CONNECT_TIMEOUT_S = 10.0

Receive = Callable[[bytes, Address, Transport], None]
Failed = Callable[[Send], None]


class SipTransports:
    """Every socket SIP uses."""

    def __init__(self, receive: Receive, failed: Failed) -> None:
        self._receive = receive
        self._failed = failed
        self._datagrams: dict[Transport, asyncio.DatagramTransport] = {}
        self._servers: list[asyncio.AbstractServer] = []
        self._connections: dict[tuple[Transport, Address], StreamConnection] = {}
        self._connecting: dict[tuple[Transport, Address], list[Send]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.transports: dict[str, Transport] = {}
        self.closed = False

    async def open(self, settings: PjsipSettings) -> None:
        """Bind every configured transport; OSError names the one that cannot be bound."""
        loop = asyncio.get_running_loop()
        for name, configured in settings.transports.items():
            bind = configured.bind
            assert bind is not None
            host, port = bind.host, bind.port or DEFAULT_PORT
            shown = configured.external_signaling_address or (host if not _is_any(host) else primary_address(host))
            protocol = configured.protocol.upper()
            if protocol == "UDP":
                bound: list[Transport] = []

                def make(bound: list[Transport] = bound) -> DatagramSkin:
                    return DatagramSkin(self, bound)

                try:
                    carrier, _ = await loop.create_datagram_endpoint(make, local_addr=(host, port))
                except OSError as problem:
                    raise OSError(f"transport [{name}] cannot bind {host}:{port} (udp): {why(problem)}") from problem
                local_port = carrier.get_extra_info("sockname")[1]
                transport = Transport("UDP", shown, configured.external_signaling_port or local_port, name)
                bound.append(transport)
                self._datagrams[transport] = carrier
                _enlarge_buffer(carrier)
            else:
                holder: list[Transport] = []

                def accept(holder: list[Transport] = holder) -> StreamConnection:
                    return StreamConnection(self, holder[0])

                try:
                    server = await loop.create_server(accept, host, port)
                except OSError as problem:
                    raise OSError(f"transport [{name}] cannot bind {host}:{port} (tcp): {why(problem)}") from problem
                local_port = server.sockets[0].getsockname()[1] if server.sockets else port
                transport = Transport("TCP", shown, configured.external_signaling_port or local_port, name)
                holder.append(transport)
                self._servers.append(server)
            self.transports[name] = transport

    async def close(self) -> None:
        """Close every socket."""
        self.closed = True
        for server in self._servers:
            server.close()
        for carrier in self._datagrams.values():
            carrier.close()
        for connection in tuple(self._connections.values()):
            connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def find(self, name: str, protocol: str = "UDP") -> Transport | None:
        """The transport of a name; without one, the first of the protocol."""
        if name:
            return self.transports.get(name)
        return next((t for t in self.transports.values() if t.protocol == protocol), None)

    def send(self, send: Send) -> None:
        """Put a message on the wire; what cannot be sent is told to `failed`, later."""
        carrier = self._datagrams.get(send.transport)
        if carrier is not None:
            if carrier.is_closing():
                self._fail_later(send)
            else:
                carrier.sendto(send.data, send.destination)
            return
        key = (send.transport, send.destination)
        connection = self._connections.get(key)
        if connection is not None:
            connection.send(send.data)
            return
        waiting = self._connecting.get(key)
        if waiting is not None:
            if len(waiting) >= MAX_BACKLOG:
                self._fail_later(send)
            else:
                waiting.append(send)
            return
        if self.closed or len(self._connections) >= MAX_CONNECTIONS:
            self._fail_later(send)
            return
        self._connecting[key] = [send]
        task = asyncio.get_running_loop().create_task(self._connect(key), name=f"SIP connect {send.destination}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, key: tuple[Transport, Address]) -> None:
        transport, address = key
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(lambda: StreamConnection(self, transport), *address)
        except (OSError, TimeoutError) as problem:
            log.warning("no TCP connection to %s:%s: %s", *address, problem)
            for send in self._connecting.pop(key):
                self._failed(send)
            return
        for send in self._connecting.pop(key):
            connection.send(send.data)

    def _fail_later(self, send: Send) -> None:
        asyncio.get_running_loop().call_soon(self._failed, send)

    # -------------------------------------------------------------------------------------------- what skins tell

    def received(self, data: bytes, source: Address, transport: Transport) -> None:
        """One whole message came in."""
        self._receive(data, source, transport)

    def connected(self, connection: StreamConnection) -> bool:
        """A TCP connection is up; False if there are too many."""
        if self.closed or len(self._connections) >= MAX_CONNECTIONS:
            log.warning("TCP connection from %s:%s refused: %d are open", *connection.peer, len(self._connections))
            return False
        self._connections[connection.transport, connection.peer] = connection
        return True

    def disconnected(self, connection: StreamConnection) -> None:
        """A TCP connection is gone."""
        key = (connection.transport, connection.peer)
        if self._connections.get(key) is connection:
            del self._connections[key]


class DatagramSkin(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, owner: SipTransports, bound: list[Transport]) -> None:
        self._owner = owner
        self._bound = bound

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._bound:
            self._owner.received(data, (addr[0], addr[1]), self._bound[0])

    def error_received(self, exc: Exception) -> None:
        log.debug("UDP: %s", exc)


class StreamConnection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, owner: SipTransports, transport: Transport) -> None:
        self.transport = transport
        self.peer: Address = ("", 0)
        self._owner = owner
        self._framer = StreamFramer()
        self._carrier: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._carrier = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = (peer[0], peer[1])
        if not self._owner.connected(self):
            self._carrier.abort()

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._framer.receive(data)
        except ProtocolError as problem:
            log.warning("TCP connection from %s:%s is closed: %s", *self.peer, problem)
            self.close()
            return
        for message in messages:
            self._owner.received(message, self.peer, self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.disconnected(self)
        self._carrier = None

    def send(self, data: bytes) -> None:
        """Write one message."""
        carrier = self._carrier
        if carrier is None:
            return
        if carrier.get_write_buffer_size() > MAX_UNSENT_BYTES:
            log.warning("TCP connection to %s:%s is dropped: it reads nothing", *self.peer)
            carrier.abort()
            return
        carrier.write(data)

    def close(self) -> None:
        """Close the connection."""
        if self._carrier is not None:
            self._carrier.close()


def primary_address(family_of: str) -> str:
    """The address this host would use towards the outside; loopback if it has no way out."""
    family, outside = (socket.AF_INET6, "2001:db8::1") if ":" in family_of else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((outside, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"


def why(problem: OSError) -> str:
    """The system's own words, which uvloop replaces by its."""
    return os.strerror(problem.errno) if problem.errno else str(problem)


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _enlarge_buffer(carrier: asyncio.DatagramTransport) -> None:
    """Room for a burst of requests while the loop does something else."""
    sock = carrier.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        except OSError as problem:
            log.debug("the receive buffer stays as it is: %s", problem)
