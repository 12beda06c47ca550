"""Connections that carry SIP: TCP and TLS streams, and WebSockets.

They are dull: bytes are framed, whole messages handed over, and whoever keeps a connection and says nothing, says half
of something, or reads nothing is sent away.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from arietta.sip.errors import ProtocolError
from arietta.sip.framing import StreamFramer
from arietta.sip.message import MAX_MESSAGE
from arietta.sip.tls import TlsStream, certificate_is_for, explain
from arietta.sip.transactions import Address, Transport

log = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 1 << 20
HANDSHAKE_S = 10.0
MESSAGE_S = 30.0
"""Time from the first byte of a message to its last."""
STRANGER_IDLE_S = 60.0
"""Silence after which a connection is closed that nobody has registered, called or been called through."""
CLOSE_S = 5.0
LOOK_EVERY_S = 5.0
PING = b"\r\n\r\n"  # RFC 5626 3.5.1
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)
DEAD_AFTER_MS = 60_000
"""Time for which the kernel may repeat to a peer that acknowledges nothing."""


class ConnectionOwner(Protocol):
    """What connections tell."""

    keep_alive_s: float

    def connected(self, connection: Connection) -> bool: ...

    def disconnected(self, connection: Connection) -> None: ...

    def received(self, data: bytes, source: Address, transport: Transport) -> None: ...

    def turned_away(self, connection: Connection, why: str) -> None: ...


class Connection(Protocol):
    """One open connection."""

    transport: Transport
    peer: Address
    kept: bool
    """True once somebody who may has used it: it is no stranger's."""
    aors: set[str]
    """Addresses of record whose contacts are reached through it."""

    def send(self, data: bytes) -> bool: ...

    def close(self) -> None: ...


class StreamConnection(asyncio.Protocol):
    """One TCP or TLS connection, of either side."""

    def __init__(
        self,
        owner: ConnectionOwner,
        towards: Callable[[Address], Transport],
        *,
        context: ssl.SSLContext | None = None,
        server_name: str = "",
        must_be: str = "",
        wildcards: bool = False,
        is_client: bool = False,
        options: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """`must_be` is the domain that the peer's certificate has to be of."""
        self.peer: Address = ("", 0)
        self.kept = is_client
        self.aors: set[str] = set()
        self.is_client = is_client
        self.silence_s = 0.0
        """The longest silence of the peer that is borne, keepalives counted; 0 for any."""
        self.transport = towards(self.peer)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when messages can be sent, or with the OSError that says why they cannot."""
        self._owner = owner
        self._towards = towards
        self._tls = TlsStream(context, server_side=not is_client, server_name=server_name) if context else None
        self._must_be, self._wildcards = must_be, wildcards
        self._options = options
        self._framer = StreamFramer()
        self._carrier: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._opened_at = self._heard_at = self._fed_at = self._pinged_at = 0.0
        self._began_at: float | None = None
        self._ending = False

    # ------------------------------------------------------------------------------------------- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._carrier = carrier = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("", 0)
        self.peer = (name[0], name[1])
        self.transport = self._towards(self.peer)
        self._opened_at = self._heard_at = self._fed_at = self._pinged_at = self._now()
        if not self._owner.connected(self):
            carrier.abort()
            return
        self._set_options(carrier)
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
        if self._tls is None:
            self.ready.set_result(None)
        elif self.is_client:
            self._tls.begin()
            self._flush()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        if self._tls is not None:
            found = self._decrypt(self._tls, data)
            if found is None:
                return
            data = found
        if data:
            self._take(data)
        if self._tls is not None and self._tls.ended:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.ready.done():
            self.ready.set_exception(ConnectionResetError("the peer closed the connection"))
            self.ready.exception()  # nobody may be waiting
        self._carrier = None
        self._owner.disconnected(self)

    # ----------------------------------------------------------------------------------------------------- messages

    def send(self, data: bytes) -> bool:
        """Write one message; False when it cannot be."""
        carrier = self._carrier
        if carrier is None or self._ending or carrier.is_closing() or not self.ready.done():
            return False
        if carrier.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._end("it reads nothing")
            return False
        if self._tls is None:
            carrier.write(data)
            return True
        try:
            self._tls.write(data)
        except ssl.SSLError as problem:
            self._end(explain(problem))
            return False
        self._flush()
        return True

    def close(self) -> None:
        """Close the connection, once what was written is sent."""
        carrier = self._carrier
        if carrier is None or self._ending:
            return
        self._ending = True
        if self._tls is not None:
            self._tls.close()
            self._flush()
        carrier.close()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_S, self._abort)

    def _take(self, data: bytes) -> None:
        framer = self._framer
        try:
            messages = framer.receive(data)
        except ProtocolError as problem:
            self._end(str(problem))
            return
        self._fed_at = now = self._now()
        if messages or framer.pongs:
            self._heard_at = now
        if not framer.is_midway:
            self._began_at = None
        elif messages or self._began_at is None:
            self._began_at = now
        for message in messages:
            self._owner.received(message, self.peer, self.transport)
        if framer.pongs:
            self.send(b"\r\n" * framer.pongs)

    # --------------------------------------------------------------------------------------------------------- TLS

    def _decrypt(self, tls: TlsStream, data: bytes) -> bytes | None:
        """What the peer's bytes mean; None when the connection has ended over them."""
        try:
            plain = tls.receive(data)
        except ssl.SSLError as problem:
            self._flush()  # the alert that tells the peer
            self._end(explain(problem), problem)
            return None
        self._flush()
        if tls.established and not self.ready.done() and not self._accept_certificate(tls):
            return None
        return plain

    def _accept_certificate(self, tls: TlsStream) -> bool:
        if self._must_be and not certificate_is_for(tls.certificate, self._must_be, wildcards=self._wildcards):
            self._end(f"its certificate is not for {self._must_be}")
            return False
        self.ready.set_result(None)
        return True

    def _flush(self) -> None:
        if self._tls is not None and self._carrier is not None:
            data = self._tls.outputs()
            if data:
                self._carrier.write(data)

    # ---------------------------------------------------------------------------------------------------- patience

    def _look(self) -> None:
        """Look whether the peer behaves, and ping it when it is time."""
        now, interval = self._now(), self._owner.keep_alive_s
        if not self.ready.done() and now - self._opened_at >= HANDSHAKE_S:
            self._end(f"no TLS handshake within {HANDSHAKE_S:g} s")
        elif self._began_at is not None and now - self._began_at >= MESSAGE_S:
            self._end(f"a message was not whole after {MESSAGE_S:g} s")
        elif not self.kept and now - self._heard_at >= STRANGER_IDLE_S:
            self.close()
        elif self.silence_s and now - self._fed_at >= self.silence_s:
            self._end(f"nothing was heard for {self.silence_s:g} s, which is over its Flow-Timer")
        elif interval and self.ready.done() and now - self._pinged_at >= interval:
            self._pinged_at = now
            self.send(PING)
        if not self._ending:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _end(self, why: str, problem: OSError | None = None) -> None:
        """Drop the connection for a reason."""
        if self._ending:
            return
        if not (self.is_client and not self.ready.done()):  # else who waits for it says so
            self._owner.turned_away(self, why)
        if not self.ready.done():
            self.ready.set_exception(problem or OSError(why))
            self.ready.exception()
        if self._carrier is not None and self._carrier.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._abort()
        self.close()

    def _abort(self) -> None:
        if self._carrier is not None:
            self._carrier.abort()

    def _set_options(self, carrier: asyncio.Transport) -> None:
        sock = carrier.get_extra_info("socket")
        if sock is None:
            return
        try:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_AFTER_MS)
            if self._options is not None:
                self._options(sock)
        except OSError as problem:
            log.debug("options of the connection with %s:%s: %s", *self.peer, problem)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class MessageSocket(Protocol):
    """A WebSocket as SIP wants it (RFC 7118): a message of the one is a message of the other."""

    @property
    def unsent_bytes(self) -> int: ...

    def send(self, data: bytes) -> None: ...

    def ping(self) -> None: ...

    def close(self, code: int) -> None: ...


TOO_BIG, POLICY, GOING_AWAY = 1009, 1008, 1001  # RFC 6455 7.4.1


class SocketConnection:
    """One WebSocket of a client."""

    def __init__(self, owner: ConnectionOwner, transport: Transport, peer: Address, socket: MessageSocket) -> None:
        self.transport, self.peer = transport, peer
        self.kept = False
        self.aors: set[str] = set()
        self._owner, self._socket = owner, socket
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._pinged_at = self._loop.time()
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    def take(self, data: bytes) -> None:
        """Take one message."""
        if not self._open:
            return
        if len(data) > MAX_MESSAGE:
            self._end(f"message of {len(data)} bytes is over the limit of {MAX_MESSAGE}", TOO_BIG)
            return
        self._heard_at = self._loop.time()
        if data.strip(b"\r\n"):
            self._owner.received(data, self.peer, self.transport)
        elif data == PING:  # what streams do, some do here too
            self._socket.send(b"\r\n")

    def lost(self) -> None:
        """The WebSocket is gone."""
        if self._open:
            self._open = False
            self._timer.cancel()
            self._owner.disconnected(self)

    def send(self, data: bytes) -> bool:
        """Send one message; False when it cannot be."""
        if not self._open:
            return False
        if self._socket.unsent_bytes > MAX_UNSENT_BYTES:
            self._end("it reads nothing", POLICY)
            return False
        self._socket.send(data)
        return True

    def close(self) -> None:
        """Close it."""
        if self._open:
            self._socket.close(GOING_AWAY)
            self.lost()

    def _look(self) -> None:
        now, interval = self._loop.time(), self._owner.keep_alive_s
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)
        if not self.kept and now - self._heard_at >= STRANGER_IDLE_S:
            self.close()
        elif interval and now - self._pinged_at >= interval:
            self._pinged_at = now
            self._socket.ping()

    def _end(self, why: str, code: int) -> None:
        self._owner.turned_away(self, why)
        self._socket.close(code)
        self.lost()
