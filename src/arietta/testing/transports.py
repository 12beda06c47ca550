"""Transports and servers of the virtual network, with the manners of asyncio's own."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .network import Network

__all__ = ["SocketAddress", "VirtualDatagrams", "VirtualServer", "VirtualSocket", "VirtualStream"]

SocketAddress = tuple[Any, ...] | str
"""(host, port), with flow and scope for IPv6; the path of a unix socket."""

MAX_DATAGRAM = 65507
SEGMENT = 16384
HIGH_WATER = 65536
STREAM_TIMEOUT = 924.6
"""Seconds after which a stream whose host does not answer fails (Linux, tcp_retries2)."""


class VirtualSocket:
    """What `get_extra_info("socket")` gives: addresses, and options that are taken and have no effect."""

    __slots__ = ("_local", "_remote", "family", "proto", "type")

    def __init__(self, kind: int, local: SocketAddress, remote: SocketAddress | None = None) -> None:
        if isinstance(local, str):
            self.family = socket.AF_UNIX
        else:
            self.family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
        self.type = kind
        self.proto = 0
        self._local = local
        self._remote = remote

    def getsockname(self) -> SocketAddress:
        """The own address."""
        return self._local

    def getpeername(self) -> SocketAddress:
        """The peer's address; raises OSError when there is none."""
        if self._remote is None:
            raise OSError(errno.ENOTCONN, "the socket is not connected")
        return self._remote

    def setsockopt(self, level: int, option: int, value: object) -> None:
        """Take an option."""

    def getsockopt(self, level: int, option: int) -> int:
        """Every option is 0."""
        return 0

    def fileno(self) -> int:
        """There is no file descriptor."""
        return -1


class VirtualDatagrams(asyncio.DatagramTransport):
    """One datagram socket."""

    def __init__(self, network: Network, protocol: Any, key: tuple[str, int], remote: tuple[str, int] | None) -> None:
        sockname = network.sockname(key)
        peername = None if remote is None else network.sockname(remote)
        super().__init__(
            {
                "sockname": sockname,
                "peername": peername,
                "socket": VirtualSocket(socket.SOCK_DGRAM, sockname, peername),
            }
        )
        self.key = key
        self._network = network
        self._protocol = protocol
        self._remote = remote
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram; one that cannot be sent is told to `error_received`, as asyncio does."""
        if self._closing:
            return
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._remote is not None:
            if addr is not None and (addr[0], addr[1]) != self._remote:
                raise ValueError(f"the socket is connected to {self._remote}, not {addr}")
            destination = self._remote
        elif addr is None:
            raise ValueError("a socket that is not connected needs an address to send to")
        else:
            destination = (self._network.resolve(addr[0]), addr[1])
        if (":" in destination[0]) != (":" in self.key[0]):
            self._protocol.error_received(OSError(errno.EAFNOSUPPORT, f"{destination} is of another family"))
        elif len(data) > MAX_DATAGRAM:
            error = OSError(errno.EMSGSIZE, f"datagram of {len(data)} bytes is over the limit of {MAX_DATAGRAM}")
            self._protocol.error_received(error)
        else:
            self._network.send_datagram(self, destination, bytes(data))

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def close(self) -> None:
        """Free the address; `connection_lost` follows."""
        if not self._closing:
            self._closing = True
            self._network.forget(self)
            self._network.loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """The same as close: nothing waits to be sent."""
        self.close()

    def get_write_buffer_size(self) -> int:
        """Datagrams are never held back."""
        return 0

    def set_protocol(self, protocol: Any) -> None:
        """Replace the protocol."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """The protocol."""
        return self._protocol

    def takes_from(self, source: tuple[str, int]) -> bool:
        """Whether a connected socket knows the sender."""
        return self._remote is None or self._remote == source

    def arrive(self, data: bytes, source: SocketAddress) -> None:
        """Take a datagram from the network."""
        if not self._closing:
            self._protocol.datagram_received(data, source)

    def was_refused(self, destination: tuple[str, int]) -> None:
        """Nobody was there (ICMP port unreachable): only a connected socket hears of it."""
        if self._remote == destination and not self._closing:
            error = ConnectionRefusedError(errno.ECONNREFUSED, f"nobody receives at {destination}")
            self._protocol.error_received(error)


class VirtualStream(asyncio.Transport):
    """One end of a stream connection."""

    peer: VirtualStream

    def __init__(self, network: Network, local: tuple[str, int] | str, remote: tuple[str, int] | str) -> None:
        self.is_unix = isinstance(local, str)
        self.host = local if isinstance(local, str) else local[0]
        self.sockname: SocketAddress = local if isinstance(local, str) else network.sockname(local)
        peername: SocketAddress = remote if isinstance(remote, str) else network.sockname(remote)
        super().__init__(
            {
                "sockname": self.sockname,
                "peername": peername,
                "socket": VirtualSocket(socket.SOCK_STREAM, self.sockname, peername),
            }
        )
        self.last_arrival = 0.0
        self.on_lost: Callable[[VirtualStream], None] | None = None
        self._network = network
        self._loop = network.loop
        self._protocol: Any = None
        # Sending: what is not on the way yet, and what the peer has not read yet.
        self._buffer = bytearray()
        self._in_flight = 0
        self._eof_wanted = False
        self._eof_sent = False
        self._writing_paused = False
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._give_up: asyncio.TimerHandle | None = None
        # Receiving
        self._unread: deque[bytes] = deque()
        self._reading = False
        self._paused = False
        self._closing = False
        self._lost = False

    @property
    def is_lost(self) -> bool:
        """Whether the connection is over, `connection_lost` included."""
        return self._lost

    def start(self, protocol: Any) -> None:
        """Give the connection to its protocol."""
        if isinstance(protocol, asyncio.BufferedProtocol):
            raise TypeError(f"the virtual network feeds no BufferedProtocol such as {type(protocol).__name__}")
        self._protocol = protocol
        self._loop.call_soon(protocol.connection_made, self)
        self._loop.call_soon(self._begin_reading)

    def get_protocol(self) -> Any:
        """The protocol."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Replace the protocol."""
        self._protocol = protocol

    # -- writing -------------------------------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Send bytes; dropped when the connection is closing."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._eof_wanted and not self._closing:
            raise RuntimeError("write() after write_eof()")
        if self._closing:
            return
        self._buffer += data
        self.pump()
        if len(self._buffer) > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send several pieces."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Streams close by halves."""
        return True

    def write_eof(self) -> None:
        """Send no more; receiving goes on."""
        if not self._closing and not self._eof_wanted:
            self._eof_wanted = True
            self.pump()

    def get_write_buffer_size(self) -> int:
        """Bytes that are not on their way yet."""
        return len(self._buffer)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Bytes at which writing is resumed and paused."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the bytes at which writing is paused and resumed."""
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        low = high // 4 if low is None else low
        if not high >= low >= 0:
            raise ValueError(f"high ({high}) must be >= low ({low}) must be >= 0")
        self._high, self._low = high, low

    def pump(self) -> None:
        """Put on its way what the peer has room for."""
        if self._lost:
            return
        if not self._network.is_up(self):
            if self._give_up is None and (self._buffer or self._eof_wanted):
                error = TimeoutError(errno.ETIMEDOUT, f"no answer from {self.peer.sockname}")
                self._give_up = self._loop.call_later(STREAM_TIMEOUT, self._lose, error)
            return
        if self._give_up is not None:
            self._give_up.cancel()
            self._give_up = None
        buffer = self._buffer
        while buffer and self._in_flight < self._network.window:
            chunk = bytes(buffer[: min(SEGMENT, self._network.window - self._in_flight)])
            del buffer[: len(chunk)]
            self._in_flight += len(chunk)
            self._network.send_segment(self, chunk)
        if self._writing_paused and len(buffer) <= self._low and not self._closing:
            self._writing_paused = False
            self._protocol.resume_writing()
        if not buffer and self._eof_wanted and not self._eof_sent:
            self._eof_sent = True
            self._network.send_segment(self, b"")
            if self._closing:
                self._loop.call_soon(self._lose, None)

    # -- reading -------------------------------------------------------------------------------------------------

    def is_reading(self) -> bool:
        """Whether the protocol gets what arrives."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Let what arrives wait; when the window is full the peer has to wait too."""
        self._paused = True
        self._reading = False

    def resume_reading(self) -> None:
        """Go on reading."""
        self._paused = False
        if not self._closing and not self._reading:
            self._reading = True
            if self._unread:
                self._loop.call_soon(self._read)

    def arrive(self, data: bytes) -> None:
        """Take a segment from the network; b"" is the end of the stream."""
        if self._lost:
            if data:
                self._network.send_reset(self)
            return
        self._unread.append(data)
        if self._reading:
            self._read()

    def _begin_reading(self) -> None:
        if not self._paused:  # connection_made may have paused it
            self.resume_reading()

    def _read(self) -> None:
        while self._unread and self._reading and not self._lost:
            data = self._unread.popleft()
            if not data:
                self._end_of_input()
                continue
            self.peer.acknowledge(len(data))
            try:
                self._protocol.data_received(data)
            except Exception as error:
                self._fail(error, "Fatal error: protocol.data_received() call failed.")

    def _end_of_input(self) -> None:
        try:
            keep_open = self._protocol.eof_received()
        except Exception as error:
            self._fail(error, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()

    def acknowledge(self, size: int) -> None:
        """The peer has read so many bytes."""
        self._in_flight -= size
        if self._buffer:
            self._loop.call_soon(self.pump)

    # -- the end -------------------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether it was closed, from either side."""
        return self._closing

    def close(self) -> None:
        """Send what was written, then close; `connection_lost` follows."""
        if not self._closing:
            self._closing = True
            self._reading = False
            if self._eof_sent:
                self._loop.call_soon(self._lose, None)
            else:
                self._eof_wanted = True
                self.pump()

    def abort(self) -> None:
        """Drop everything; the peer sees a reset."""
        if not self._lost:
            self._stop()
            self._network.send_reset(self)
            self._loop.call_soon(self._lose, None)

    def was_reset(self) -> None:
        """The peer dropped the connection."""
        if not self._lost:
            self._stop()
            self._lose(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))

    def _fail(self, error: Exception, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )
        self._stop()
        self._network.send_reset(self)
        self._loop.call_soon(self._lose, error)

    def _stop(self) -> None:
        self._closing = True
        self._reading = False
        self._buffer.clear()

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._closing = self._lost = True
        if self._give_up is not None:
            self._give_up.cancel()
        if any(self._unread) and error is None:
            self._network.send_reset(self)  # RFC 2525 2.17: closed with data unread
        self._unread.clear()
        self._buffer.clear()
        self._network.forget(self)
        try:
            if self._protocol is not None:
                self._protocol.connection_lost(error)
        finally:
            self._protocol = None
            if self.on_lost is not None:
                self.on_lost(self)


class VirtualServer(asyncio.AbstractServer):
    """A listener on one or more addresses."""

    def __init__(self, network: Network, protocol_factory: Callable[[], Any]) -> None:
        self.keys: list[tuple[str, int]] = []
        self.path = ""
        self._network = network
        self._factory = protocol_factory
        self._serving = False
        self._closed = False
        self._connections: dict[VirtualStream, None] = {}
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def sockets(self) -> tuple[VirtualSocket, ...]:
        """The listening sockets; none after close."""
        if self._closed:
            return ()
        names: list[SocketAddress] = [self._network.sockname(key) for key in self.keys]
        return tuple(VirtualSocket(socket.SOCK_STREAM, name) for name in names or [self.path])

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop it is on."""
        return self._network.loop

    def is_serving(self) -> bool:
        """Whether it accepts connections."""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections."""
        self._serving = not self._closed

    async def serve_forever(self) -> None:
        """Accept connections until cancelled or closed."""
        await self.start_serving()
        try:
            await self.wait_closed()
        finally:
            self.close()

    def accept(self, stream: VirtualStream) -> None:
        """Give a new connection to a protocol; when none can be made, reset it."""
        self._connections[stream] = None
        stream.on_lost = self._forget
        try:
            stream.start(self._factory())
        except Exception as error:
            context = {"message": "Error on transport creation for incoming connection", "exception": error}
            self._network.loop.call_exception_handler(context)
            stream.abort()

    def close(self) -> None:
        """Accept no more; open connections stay."""
        if not self._closed:
            self._closed = True
            self._serving = False
            self._network.forget(self)
            self._wake()

    def close_clients(self) -> None:
        """Close the open connections."""
        for stream in tuple(self._connections):
            stream.close()

    def abort_clients(self) -> None:
        """Drop the open connections."""
        for stream in tuple(self._connections):
            stream.abort()

    async def wait_closed(self) -> None:
        """Wait until it is closed and its last connection is gone (as Python does since 3.12)."""
        if not self._closed or self._connections:
            waiter = self._network.loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def _forget(self, stream: VirtualStream) -> None:
        self._connections.pop(stream, None)
        self._wake()

    def _wake(self) -> None:
        if self._closed and not self._connections:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()
