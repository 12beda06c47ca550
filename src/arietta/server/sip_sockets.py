"""WebSockets that carry SIP (RFC 7118): those that phones open at ``/ws``, as at Asterisk."""

from __future__ import annotations

import logging

from arietta.config.safety import is_loopback
from arietta.config.tree import Config
from arietta.drivers.sip.transports import SipTransports
from arietta.http.messages import Answer, Request, Response, html_page
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found
from arietta.http.websocket import Accept, WebSocketConnection, binary_frame, read_handshake, text_frame

log = logging.getLogger(__name__)

SUBPROTOCOL = "sip"
PING_FRAME = b"\x89\x00"  # RFC 6455 5.5.2, without data
TRY_AGAIN_LATER = 1013
DEFAULT_HTTPS_PORT = 8089


class Socket:
    """One of the HTTP server's WebSockets as SIP wants it."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection

    @property
    def unsent_bytes(self) -> int:
        """How much the phone has not read."""
        return self._connection.buffered_bytes

    def send(self, data: bytes) -> None:
        """Send a message: as text where it is some, else as bytes (RFC 7118 4.2)."""
        try:
            data.decode()
        except UnicodeDecodeError:
            self._connection.send_frame(binary_frame(data))
        else:
            self._connection.send_frame(text_frame(data))

    def ping(self) -> None:
        """Ask whether it is there; its pong keeps NATs open (RFC 7118 6)."""
        self._connection.send_frame(PING_FRAME)

    def close(self, code: int) -> None:
        """Say that it is over."""
        self._connection.on_closed = None
        self._connection.close(code)


class SipMount(HtmlRefusals):
    """Takes the sockets of phones; who they are is asked by SIP."""

    def __init__(self, transports: SipTransports) -> None:
        self._transports = transports

    def handle(self, request: Request) -> Answer:
        """The handshake, or why there is none."""
        if request.rest not in ("", "/"):
            return not_found()
        if request.method != "GET":
            return method_not_allowed("GET")
        handshake = read_handshake(request, (SUBPROTOCOL,))
        if isinstance(handshake, Response):
            return handshake
        if handshake.subprotocol is None:
            return html_page(400, "This resource speaks the WebSocket subprotocol sip only.")
        peer = request.peer
        transport = self._transports.for_socket(peer.tls, is_loopback(peer.host))
        if transport is None:
            log.warning("SIP over a WebSocket in the clear from %s is refused: no transport has protocol=ws", peer)
            return html_page(403, "SIP is spoken over secure WebSockets only.")

        def opened(socket: WebSocketConnection) -> None:
            socket.write_timeout_ms = self._transports.write_timeout_ms(transport) or socket.write_timeout_ms
            connection = self._transports.accept_socket(transport, (peer.host, peer.port), Socket(socket))
            if connection is None:
                socket.close(TRY_AGAIN_LATER)
                return
            socket.on_text = lambda text: connection.take(text.encode())
            socket.on_binary = connection.take
            socket.on_closed = lambda _code, _by: connection.lost()

        return handshake.switch(Accept(opened))


def has_sockets(config: Config) -> bool:
    """Whether a transport of pjsip.conf wants them."""
    return any(transport.protocol in ("ws", "wss") for transport in config.pjsip.transports.values())


def socket_ports(config: Config) -> dict[str, int]:
    """The ports phones connect to, by protocol."""
    http = config.http
    secure = http.tlsbindaddr.port if http.tlsbindaddr is not None else 0
    return {"WS": http.bindport, "WSS": secure or DEFAULT_HTTPS_PORT}
