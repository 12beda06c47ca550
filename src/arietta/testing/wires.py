"""SIP sockets of a virtual phone, UDP, TCP, TLS or WebSocket, on whatever loop runs."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.protocol import SEND_EOF
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer
from arietta.sip.tls import TlsStream
from arietta.sip.transactions import Address, Send, Transport

__all__ = ["Wires", "format_host"]

MAX_PENDING = 1000
"""Messages that wait for a connection to open."""
STREAMS = ("TCP", "TLS", "WS", "WSS")


def format_host(host: str) -> str:
    """The host as URIs write it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


class Wires:
    """The sockets behind one SIP transport. `received(data, source)` and `failed(send)` are the owner's."""

    def __init__(
        self,
        received: Callable[[bytes, Address], None],
        failed: Callable[[Send], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` is for TLS and WSS; with a context for servers connections are taken, with one for clients made."""
        self._received = received
        self._failed = failed
        self._tls = tls
        self._protocol = "UDP"
        self._datagrams: asyncio.DatagramTransport | None = None
        self._server: asyncio.AbstractServer | None = None
        self._host = ""
        self._streams: dict[Address, _Stream] = {}
        self._connecting: dict[Address, tuple[asyncio.Task[None], list[Send]]] = {}

    async def open(self, protocol: str, host: str, port: int) -> Transport:
        """Bind (port 0: any); raises OSError. A WebSocket takes no connections, so its port is but a name."""
        loop = asyncio.get_running_loop()
        self._protocol, self._host = protocol, host
        if protocol == "UDP":
            self._datagrams, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._received), local_addr=(host, port)
            )
            name = self._datagrams.get_extra_info("sockname")
        elif protocol in ("TCP", "TLS"):
            self._server = await loop.create_server(lambda: self._stream(None), host, port)
            name = self._server.sockets[0].getsockname()
        elif protocol in ("WS", "WSS"):
            name = (host, port or 5060)
        else:
            raise ValueError(f"virtual phones speak UDP, TCP, TLS, WS and WSS, not {protocol!r}")
        return Transport(protocol, name[0], name[1])

    def send(self, send: Send) -> None:
        """Send a message; `failed` hears when that is impossible."""
        if self._datagrams is not None:
            self._datagrams.sendto(send.data, send.destination)
            return
        stream = self._streams.get(send.destination)
        if stream is not None and stream.ready.done() and not stream.transport.is_closing():
            stream.send(send.data)
            return
        if send.destination not in self._connecting:
            task = asyncio.get_running_loop().create_task(self._connect(send.destination))
            self._connecting[send.destination] = (task, [])
        pending = self._connecting[send.destination][1]
        if len(pending) < MAX_PENDING:
            pending.append(send)
        else:
            self._failed(send)

    def write(self, data: bytes) -> None:
        """Put bytes on every connection, past all framing."""
        for stream in self._streams.values():
            stream.write(data)

    def hang_up(self) -> None:
        """Lose every connection."""
        for stream in tuple(self._streams.values()):
            stream.transport.abort()

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
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: self._stream(destination), *destination, local_addr=(self._host, 0)
            )
            await stream.ready
        except OSError:
            _, pending = self._connecting.pop(destination)
            for send in pending:
                self._failed(send)
            return
        _, pending = self._connecting.pop(destination)
        for send in pending:
            stream.send(send.data)

    def _stream(self, destination: Address | None) -> _Stream:
        tls = None
        if self._protocol in ("TLS", "WSS") and self._tls is not None:
            name = destination[0] if destination is not None else ""
            tls = TlsStream(self._tls, server_side=destination is None, server_name=name)
        if self._protocol in ("WS", "WSS"):
            assert destination is not None
            return _WebSocket(self, tls, destination)
        return _Stream(self, tls, is_client=destination is not None)

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
    """One TCP or TLS connection."""

    transport: asyncio.Transport
    peer: Address

    def __init__(self, wires: Wires, tls: TlsStream | None, *, is_client: bool) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wires = wires
        self._tls = tls
        self._is_client = is_client
        self._framer = StreamFramer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        name = transport.get_extra_info("peername")
        self.peer = (name[0], name[1])
        self._wires.opened(self)
        if self._tls is None:
            self.begin()
        elif self._is_client:
            self._tls.begin()
            self.transport.write(self._tls.outputs())

    def data_received(self, data: bytes) -> None:
        tls = self._tls
        if tls is None:
            self.take(data)
            return
        established = tls.established
        try:
            data = tls.receive(data)
        except ssl.SSLError as problem:
            self.transport.write(tls.outputs())
            self._fail(problem)
            self.transport.close()
            return
        self.transport.write(tls.outputs())
        if tls.established and not established:
            self.begin()
        if data:
            self.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionResetError("the connection is lost"))
        self._wires.lost(self)

    def begin(self) -> None:
        """The connection carries our bytes from now on."""
        self.ready.set_result(None)

    def take(self, data: bytes) -> None:
        """Take what the far end wrote."""
        try:
            messages = self._framer.receive(data)
        except ProtocolError:
            self.transport.close()
            return
        for message in messages:
            self._wires.arrived(message, self.peer)
        if self._framer.pongs:
            self.write(b"\r\n" * self._framer.pongs)

    def send(self, message: bytes) -> None:
        """Send a message."""
        self.write(message)

    def write(self, data: bytes) -> None:
        """Write bytes."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._tls.outputs()
        self.transport.write(data)

    def _fail(self, problem: OSError) -> None:
        if not self.ready.done():
            self.ready.set_exception(problem)
            self.ready.exception()  # nobody may be waiting


class _WebSocket(_Stream):
    """One connection to the /ws of a web server (RFC 7118)."""

    def __init__(self, wires: Wires, tls: TlsStream | None, destination: Address) -> None:
        super().__init__(wires, tls, is_client=True)
        host, port = destination
        uri = parse_uri(f"{'ws' if tls is None else 'wss'}://{format_host(host)}:{port}/ws")
        self._frames = ClientProtocol(uri, subprotocols=[Subprotocol("sip")])

    def begin(self) -> None:
        self._frames.send_request(self._frames.connect())
        self._flush()

    def take(self, data: bytes) -> None:
        self._frames.receive_data(data)
        for event in self._frames.events_received():
            if isinstance(event, Response):
                self._take_response()
            elif isinstance(event, Frame) and event.data and event.opcode in (event.opcode.TEXT, event.opcode.BINARY):
                self._wires.arrived(bytes(event.data), self.peer)
        self._flush()

    def send(self, message: bytes) -> None:
        self._frames.send_text(message)
        self._flush()

    def _take_response(self) -> None:
        if self._frames.handshake_exc is None:
            self.ready.set_result(None)
        else:
            self._fail(ConnectionRefusedError(str(self._frames.handshake_exc)))
            self.transport.close()

    def _flush(self) -> None:
        for data in self._frames.data_to_send():
            if data == SEND_EOF:
                self.transport.close()
            else:
                self.write(data)
