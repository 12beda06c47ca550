"""SIP sockets of a virtual phone, UDP or TCP, on whatever loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer
from arietta.sip.transactions import Address, Send, Transport

__all__ = ["Wires", "format_host"]

MAX_PENDING = 1000
"""Messages that wait for a TCP connection to open."""


def format_host(host: str) -> str:
    """The host as URIs write it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


class Wires:
    """The sockets behind one SIP transport. `received(data, source)` and `failed(send)` are the owner's."""

    def __init__(self, received: Callable[[bytes, Address], None], failed: Callable[[Send], None]) -> None:
        self._received = received
        self._failed = failed
        self._datagrams: asyncio.DatagramTransport | None = None
        self._server: asyncio.AbstractServer | None = None
        self._host = ""
        self._streams: dict[Address, _Stream] = {}
        self._connecting: dict[Address, tuple[asyncio.Task[None], list[Send]]] = {}

    async def open(self, protocol: str, host: str, port: int) -> Transport:
        """Bind (port 0: any); raises OSError. `protocol` is UDP or TCP."""
        loop = asyncio.get_running_loop()
        if protocol == "UDP":
            self._datagrams, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._received), local_addr=(host, port)
            )
            name = self._datagrams.get_extra_info("sockname")
        elif protocol == "TCP":
            server = await loop.create_server(lambda: _Stream(self), host, port)
            self._server, self._host = server, host
            name = server.sockets[0].getsockname()
        else:
            raise ValueError(f"virtual phones speak UDP and TCP, not {protocol!r}")
        return Transport(protocol, name[0], name[1])

    def send(self, send: Send) -> None:
        """Send a message; `failed` hears when that is impossible."""
        if self._datagrams is not None:
            self._datagrams.sendto(send.data, send.destination)
            return
        stream = self._streams.get(send.destination)
        if stream is not None and not stream.transport.is_closing():
            stream.transport.write(send.data)
            return
        if send.destination not in self._connecting:
            task = asyncio.get_running_loop().create_task(self._connect(send.destination))
            self._connecting[send.destination] = (task, [])
        pending = self._connecting[send.destination][1]
        if len(pending) < MAX_PENDING:
            pending.append(send)
        else:
            self._failed(send)

    async def close(self) -> None:
        """Close every socket; end what is still connecting."""
        tasks = [task for task, _ in self._connecting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._datagrams is not None:
            self._datagrams.close()
        if self._server is not None:
            self._server.close()
        for stream in tuple(self._streams.values()):
            stream.transport.close()
        await asyncio.sleep(0)

    async def _connect(self, destination: Address) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Stream(self), *destination, local_addr=(self._host, 0)
            )
        except OSError:
            _, pending = self._connecting.pop(destination)
            for send in pending:
                self._failed(send)
            return
        _, pending = self._connecting.pop(destination)
        for send in pending:
            transport.write(send.data)

    def opened(self, stream: _Stream) -> None:
        """A connection is there."""
        self._streams[stream.peer] = stream

    def lost(self, stream: _Stream) -> None:
        """A connection is gone."""
        if self._streams.get(stream.peer) is stream:
            del self._streams[stream.peer]

    def arrived(self, data: bytes, source: Address) -> None:
        """A message was read from a connection."""
        self._received(data, source)


class _Datagrams(asyncio.DatagramProtocol):
    """The UDP socket."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, (addr[0], addr[1]))


class _Stream(asyncio.Protocol):
    """One TCP connection."""

    transport: asyncio.Transport
    peer: Address

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._framer = StreamFramer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        name = transport.get_extra_info("peername")
        self.peer = (name[0], name[1])
        self._wires.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._framer.receive(data)
        except ProtocolError:
            self.transport.close()
            return
        for message in messages:
            self._wires.arrived(message, self.peer)
        if self._framer.pongs:
            self.transport.write(b"\r\n" * self._framer.pongs)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wires.lost(self)
