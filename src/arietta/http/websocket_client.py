"""WebSockets that the server opens itself: the client's opening handshake (RFC 6455 4.1), and the open socket."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from arietta.http.messages import Peer
from arietta.http.websocket import TurnEnd, WebSocket, WebSocketOptions

log = logging.getLogger("arietta.http")
frame_log = logging.getLogger("arietta.http.frames")


class CannotConnect(Exception):
    """The socket was not opened: nobody there, no TLS, no WebSocket, a refusal, or not in time."""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How a connection is encrypted; without files the certificates of the operating system are trusted."""

    ca_file: Path | None = None
    ca_folder: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    verify_certificate: bool = True
    verify_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """The context; OSError when a file cannot be read, ssl.SSLError when it does not hold what it should."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.verify_certificate and self.verify_hostname
        context.verify_mode = ssl.CERT_REQUIRED if self.verify_certificate else ssl.CERT_NONE
        if self.ca_file is not None or self.ca_folder is not None:
            context.load_verify_locations(self.ca_file, self.ca_folder)
        else:
            context.load_default_certs()
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.private_key)
        return context


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to say there."""

    uri: str
    subprotocols: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ClientTls | None = None
    """Given also for a ws:// URI, the connection is encrypted; wss:// is always."""
    timeout_ms: int = 500
    """For the connection and the handshake together."""
    options: WebSocketOptions = field(default_factory=WebSocketOptions)

    @property
    def place(self) -> str:
        """The URI without a password that may stand in it."""
        return re.sub(r"//[^/@]*@", "//", self.uri)


class WebSocketClient(WebSocket):
    """One open socket of a client: what `connect` gives to `opened`."""

    def __init__(
        self, frames: ClientProtocol, transport: asyncio.Transport, options: WebSocketOptions, turn_end: TurnEnd
    ) -> None:
        name = transport.get_extra_info("peername") or ("", 0)
        peer = Peer(str(name[0]), int(name[1]), frames.uri.secure)
        super().__init__(frames, transport, peer, options, turn_end, asyncio.get_running_loop())
        self.subprotocol: str | None = frames.subprotocol

    def send_frame(self, frame: bytes) -> None:
        """Send a frame built by text_frame, masked as a client has to (RFC 6455 5.3)."""
        super().send_frame(masked(frame))

    def open(self, opened: Callable[[WebSocketClient], None], early: list[Event]) -> None:
        """Begin: tell the application, then deliver what the server sent right behind its answer."""
        self._begin(lambda: opened(self))
        self._take_events(early)


def masked(frame: bytes) -> bytes:
    """An unmasked frame with a mask of its own (RFC 6455 5.2)."""
    head = {126: 4, 127: 10}.get(frame[1], 2)
    return Frame(Opcode(frame[0] & 0x0F), frame[head:], fin=bool(frame[0] & 0x80)).serialize(mask=True)


async def connect(target: Target, opened: Callable[[WebSocketClient], None]) -> WebSocketClient:
    """Open a socket; `opened` is called once the 101 is in, before anything is delivered. Raises CannotConnect.

    When the waiting task is cancelled the connection is dropped.
    """
    try:
        uri = parse_uri(target.uri)
    except (InvalidURI, ValueError) as problem:
        raise CannotConnect(f"{target.place}: {problem}") from problem
    loop = asyncio.get_running_loop()
    opening = Opening(uri, target, opened, loop)
    try:
        async with asyncio.timeout(target.timeout_ms / 1000):
            if uri.secure or target.tls is not None:
                context = (target.tls or ClientTls()).context()
                await loop.create_connection(lambda: opening, uri.host, uri.port, ssl=context, server_hostname=uri.host)
            else:
                await loop.create_connection(lambda: opening, uri.host, uri.port)
            return await opening.outcome
    except BaseException as problem:
        opening.give_up()
        if isinstance(problem, TimeoutError):
            raise CannotConnect(f"{target.place}: no answer within {target.timeout_ms} ms") from problem
        if isinstance(problem, OSError):
            raise CannotConnect(f"{target.place}: {problem.strerror or problem}") from problem
        if isinstance(problem, UnicodeError):  # of the host's name, by IDNA
            raise CannotConnect(f"{target.place}: {problem}") from problem
        raise


class Opening(asyncio.Protocol):
    """A connection until its handshake is over."""

    def __init__(
        self,
        uri: WebSocketURI,
        target: Target,
        opened: Callable[[WebSocketClient], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.outcome: asyncio.Future[WebSocketClient] = loop.create_future()
        """The open socket, or CannotConnect."""
        self._uri = uri
        self._target = target
        self._opened = opened
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._frames = ClientProtocol(
            uri,
            subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
            max_size=target.options.max_message_bytes,
            logger=frame_log,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = transport = cast(asyncio.Transport, transport)
        request = self._frames.connect()
        if self._target.username:
            pair = f"{self._target.username}:{self._target.password}".encode()
            request.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._frames.send_request(request)
        transport.write(b"".join(self._frames.data_to_send()))

    def data_received(self, data: bytes) -> None:
        """Take the answer; from the 101 on the connection is the socket's."""
        transport = self._transport
        if transport is None or self.outcome.done():
            return
        self._frames.receive_data(data)
        refusal = self._frames.handshake_exc
        if refusal is not None:
            self._fail(str(refusal))
        elif self._frames.state is not State.CONNECTING:
            events: list[Event] = [e for e in self._frames.events_received() if not isinstance(e, Response)]
            socket = WebSocketClient(self._frames, transport, self._target.options, TurnEnd(self._loop))
            transport.set_protocol(socket)
            self._transport = None
            self.outcome.set_result(socket)
            socket.open(self._opened, events)

    def connection_lost(self, error: Exception | None) -> None:
        """The far end closed in the middle of the handshake."""
        self._transport = None
        self._fail(str(error) if error is not None else "the connection was closed before the handshake was answered")

    def give_up(self) -> None:
        """Drop the connection: whoever waited for it does not any more."""
        outcome = self.outcome
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if outcome.done() and not outcome.cancelled() and outcome.exception() is None:
            outcome.result().abort()
        outcome.cancel()

    def _fail(self, reason: str) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(CannotConnect(f"{self._target.place}: {reason}"))
