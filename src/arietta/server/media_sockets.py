"""WebSockets that carry audio: those that programs open at ``/media/CONNECTION_ID``, and those that we open to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from arietta.config.tree import Config
from arietta.drivers.websocket import CannotOpen, WebSocketDriver, WebSocketLeg
from arietta.http.messages import Answer, Request
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found
from arietta.http.websocket import Accept, Handshake, WebSocket, WebSocketConnection, binary_frame, read_handshake
from arietta.http.websocket_client import CannotConnect, WebSocketClient, connect
from arietta.server.outbound import PER_CALL, target_of

SUBPROTOCOL = "media"


class Socket:
    """One of our WebSockets as the driver wants it."""

    def __init__(self, socket: WebSocket, leg: WebSocketLeg) -> None:
        self._socket = socket
        socket.on_text = leg.take_text
        socket.on_binary = leg.take_audio
        socket.on_closed = lambda _code, _by: leg.lost()

    @property
    def unsent_bytes(self) -> int:
        """How much the program has not read."""
        return self._socket.buffered_bytes

    def send_text(self, text: str) -> None:
        """Send an event."""
        self._socket.send_text(text)

    def send_audio(self, data: bytes) -> None:
        """Send audio."""
        self._socket.send_frame(binary_frame(data))

    def close(self, code: int) -> None:
        """Say that it is over."""
        self._socket.on_closed = None
        self._socket.close(code)


class MediaMount(HtmlRefusals):
    """Takes the sockets of programs; who knows the id of a call that waits may have it, as in Asterisk."""

    def __init__(self, driver: WebSocketDriver) -> None:
        self._driver = driver

    def handle(self, request: Request) -> Answer:
        """The handshake, or why there is none."""
        segments = request.segments
        leg = self._driver.waiting(segments[0]) if len(segments) == 1 else None
        if leg is None:
            return not_found()
        if request.method != "GET":
            return method_not_allowed("GET")
        handshake = read_handshake(request, (SUBPROTOCOL,))

        def opened(connection: WebSocketConnection) -> None:
            leg.connected(Socket(connection, leg))

        return handshake.switch(Accept(opened)) if isinstance(handshake, Handshake) else handshake


class MediaClients:
    """The sections of websocket_client.conf, for calls."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    def refusal(self, name: str) -> str | None:
        """Why the section of that name cannot be used; None if it can."""
        client = self._config().websocket_clients.get(name)
        if client is None:
            return f"websocket_client.conf has no section [{name}]"
        if client.connection_type != PER_CALL:
            return f"websocket_client.conf: connection_type of [{name}] is not {PER_CALL}"
        return None

    async def open(self, name: str, query: str, leg: WebSocketLeg) -> None:
        """Connect for one call."""
        config = self._config()
        client = config.websocket_clients.get(name)
        if client is None:
            raise CannotOpen(f"websocket_client.conf has no section [{name}] any more")
        target = target_of(config, client)
        if query:
            target = replace(target, uri=f"{target.uri}{'&' if '?' in target.uri else '?'}{query}")

        def opened(connection: WebSocketClient) -> None:
            leg.connected(Socket(connection, leg))

        try:
            await connect(target, opened)
        except CannotConnect as problem:
            raise CannotOpen(str(problem)) from problem
