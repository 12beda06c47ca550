"""WebSockets: the server's opening handshake, and one open socket of either side (RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import SEND_EOF, SERVER, Event, State
from websockets.protocol import Protocol as FrameProtocol

from arietta.http.messages import Request, Response, SwitchProtocols, html_page

if TYPE_CHECKING:
    from arietta.http.server import HttpServer

log = logging.getLogger("arietta.http")
frame_log = logging.getLogger("arietta.http.frames")

VERSIONS = ("7", "8", "13")
VERSION_HEADER = (("Sec-WebSocket-Version", ", ".join(VERSIONS)),)
NO_STATUS = 1005  # RFC 6455 7.4.1: the close frame named no code
ABNORMAL = 1006  # RFC 6455 7.4.1: there was no close frame

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT_HEADERS = tuple(bytes((0x81, length)) for length in range(126))


@dataclass(frozen=True, slots=True)
class WebSocketOptions:
    """Limits of a socket.

    Outgoing frames beyond what the transport takes wait in a queue of `max_queued_bytes` and
    `max_queued_frames`. A socket whose queue would overflow, or that took nothing for
    `write_timeout_ms` while frames waited, is aborted: it loses its connection, never a frame in between.
    """

    max_message_bytes: int = 1 << 20
    max_queued_bytes: int = 8 << 20
    max_queued_frames: int = 65_536
    write_timeout_ms: int = 5_000
    close_timeout_ms: int = 5_000
    ping_interval_ms: int = 0  # 0: the server sends no pings


def text_frame(payload: bytes) -> bytes:
    """An unmasked, final text frame; the same bytes go to any number of sockets (RFC 6455 5.2)."""
    size = len(payload)
    if size < 126:
        return _SHORT_HEADERS[size] + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def binary_frame(payload: bytes) -> bytes:
    """The same as a binary frame."""
    frame = text_frame(payload)
    return b"\x82" + frame[1:]


@dataclass(frozen=True, slots=True)
class Accept:
    """The application takes the socket; `opened` is called once the 101 is on its way."""

    opened: Callable[[WebSocketConnection], None]


@dataclass(frozen=True, slots=True)
class Handshake:
    """A valid opening handshake (RFC 6455 4.2.1)."""

    upgrade: str
    key: str
    version: str
    subprotocol: str | None

    def switch(self, accept: Accept) -> SwitchProtocols:
        """The 101 answer (RFC 6455 4.2.2); extensions are declined by saying nothing."""
        digest = hashlib.sha1(self.key.encode("latin-1") + _GUID, usedforsecurity=False).digest()
        headers = [
            ("Upgrade", self.upgrade),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", base64.b64encode(digest).decode()),
        ]
        if self.subprotocol is not None:
            headers.append(("Sec-WebSocket-Protocol", self.subprotocol))
        return SwitchProtocols(tuple(headers), accept.opened, self.subprotocol, self.version)


def read_handshake(request: Request, subprotocols: tuple[str, ...] = ("ari",)) -> Handshake | Response:
    """Check the handshake headers of a GET: the handshake, or the refusal (426, 400).

    A client that offers subprotocols must offer one of ours; one that offers none gets none.
    """
    upgrade = request.headers.upgrade
    if upgrade is None or upgrade.lower() != "websocket":
        # Asterisk names no protocol in an Upgrade header here, though RFC 9110 15.5.22 asks for it.
        return html_page(426, "This resource speaks WebSocket only.")
    key = request.headers.get("sec-websocket-key")
    version = request.headers.get("sec-websocket-version", "") or ""
    offered = request.headers.get("sec-websocket-protocol")
    if not key or version.strip() not in VERSIONS:
        return Response(400, headers=VERSION_HEADER)
    chosen: str | None = None
    if offered is not None:
        names = [name.strip() for name in offered.split(",")]
        chosen = next((name for name in names if name in subprotocols), None)
        if chosen is None:
            return Response(400, headers=VERSION_HEADER)
    return Handshake(upgrade, key, version.strip(), chosen)


def refuse_handshake(response: Response) -> Response:
    """The application's refusal with what every 400 to a handshake says."""
    if response.status != 400:
        return response
    return Response(400, response.body, response.content_type, response.headers + VERSION_HEADER)


class TurnEnd:
    """Flushes, once per turn of the loop, the sockets that were written to."""

    __slots__ = ("_loop", "_sockets")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets: list[WebSocket] = []

    def add(self, socket: WebSocket) -> None:
        """Flush this socket when the turn is over."""
        if not self._sockets:
            self._loop.call_soon(self._flush)
        self._sockets.append(socket)

    def _flush(self) -> None:
        sockets, self._sockets = self._sockets, []
        for socket in sockets:
            socket.flush()


class WebSocket(asyncio.Protocol):
    """One open socket, of the server or of a client.

    `on_text(text)` gets every whole text message, `on_binary(data)` every binary one; those are ignored while it is
    None. `on_closed(code, by)` is called once, with the code of the close
    frame (1006 without one) and "client", "server" or "abort"; nothing is sent after it.
    """

    def __init__(
        self,
        frames: FrameProtocol,
        transport: asyncio.Transport,
        peer: object,
        options: WebSocketOptions,
        turn_end: TurnEnd,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`peer` shows as the far end's address; `frames` is in its open state."""
        self.on_text: Callable[[str], None] | None = None
        self.on_binary: Callable[[bytes], None] | None = None
        self.on_closed: Callable[[int, str], None] | None = None
        self.is_open = True
        self._peer = peer
        self._options = options
        self.write_timeout_ms = options.write_timeout_ms
        """Time it may take nothing while frames wait."""
        self._transport = transport
        self._loop = loop
        self._frames = frames
        self._here, self._there = ("server", "client") if frames.side is SERVER else ("client", "server")
        self._text_parts: list[bytes] | None = None
        self._binary_parts: list[bytes] | None = None
        self._paused = False
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._left_at_last_look = 0
        self._write_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._heard = True
        self._closed: tuple[int, str] | None = None
        self._turn_end = turn_end

    def _begin(self, opened: Callable[[], None]) -> None:
        """Start to watch the far end, and tell the application that the socket is open."""
        if self._options.ping_interval_ms:
            self._ping_timer = self._loop.call_later(self._options.ping_interval_ms / 1000, self._ping)
        try:
            opened()
        except Exception:
            log.exception("opening the WebSocket of %s failed", self.peer)
            self.close(1011, "Internal error")

    @property
    def peer(self) -> str:
        """Address and port of the far end."""
        return str(self._peer)

    @property
    def buffered_bytes(self) -> int:
        """Bytes given to this socket that the kernel has not taken."""
        return self._queued_bytes + self._transport.get_write_buffer_size()

    # Out

    def send_text(self, text: str | bytes) -> None:
        """Send one text message."""
        self.send_frame(text_frame(text.encode() if isinstance(text, str) else text))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame built by text_frame; frames of one turn of the loop leave in one write.

        After the close frame nothing is sent any more (RFC 6455 5.5.1).
        """
        if not self.is_open:
            return
        if not self._queue and not self._paused:
            self._turn_end.add(self)
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        options = self._options
        if self._queued_bytes > options.max_queued_bytes or len(self._queue) > options.max_queued_frames:
            if self._paused:
                self._give_up(
                    f"{len(self._queue)} frames of {self._queued_bytes} bytes wait; the limits are "
                    f"{options.max_queued_frames} frames and {options.max_queued_bytes} bytes"
                )
            else:
                self.flush()

    def flush(self) -> None:
        """Give the transport what is queued, unless it is full."""
        if self._paused or not self._queue:
            return
        frames, self._queue = self._queue, []
        self._queued_bytes = 0
        self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def pause_writing(self) -> None:
        """The transport's buffer is full: hold further frames, and watch whether the client reads."""
        self._paused = True
        self._left_at_last_look = self._transport.get_write_buffer_size()
        self._watch_writing()

    def resume_writing(self) -> None:
        """The client read: give the transport what was held."""
        self._paused = False
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        self.flush()

    def _watch_writing(self) -> None:
        self._write_timer = self._loop.call_later(self.write_timeout_ms / 1000, self._look_at_writing)

    def _look_at_writing(self) -> None:
        left = self._transport.get_write_buffer_size()
        if left and left >= self._left_at_last_look:
            self._give_up(f"nothing of {left} bytes was read for {self.write_timeout_ms} ms")
            return
        self._left_at_last_look = left
        self._watch_writing()

    def _give_up(self, reason: str) -> None:
        if not self.is_open and self._closed is not None:
            return
        log.warning("WebSocket of %s aborted: %s", self.peer, reason)
        self.abort()

    def _ping(self) -> None:
        """RFC 6455 5.5.2: a socket that sends nothing, not even the pong, for a whole interval is dead."""
        if not self.is_open:
            return
        if not self._heard:
            self._give_up(f"no pong within {self._options.ping_interval_ms} ms")
            return
        self._heard = False
        self._frames.send_ping(b"")
        self._drain_frames()
        self._ping_timer = self._loop.call_later(self._options.ping_interval_ms / 1000, self._ping)

    # In

    def pause_reading(self) -> None:
        """Stop taking messages until resume_reading: the application has enough to do."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take messages again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the far end; pings and close frames are answered before messages are delivered."""
        self._heard = True
        self._frames.receive_data(data)
        self._take_events(self._frames.events_received())

    def _take_events(self, events: list[Event]) -> None:
        if self._frames.state is not State.OPEN:
            received = self._frames.close_rcvd
            sent = self._frames.close_sent
            if self._closed is None:
                if received is not None:
                    self._closed = received.code, self._there
                else:
                    self._closed = (sent.code if sent is not None else ABNORMAL), self._here
            self._set_close_timer()
        for event in events:
            if self._on_frame(cast(Frame, event)):
                break
        self._drain_frames()

    def _on_frame(self, frame: Frame) -> bool:
        """Deliver a frame's text; true when the socket is of no use any more."""
        opcode = frame.opcode
        if opcode is Opcode.TEXT:
            if frame.fin:
                return self._deliver(bytes(frame.data))
            self._text_parts = [bytes(frame.data)]
        elif opcode is Opcode.CONT and self._text_parts is not None:
            self._text_parts.append(bytes(frame.data))
            if frame.fin:
                whole = b"".join(self._text_parts)
                self._text_parts = None
                return self._deliver(whole)
        elif self.on_binary is not None:
            return self._on_binary_frame(frame, self.on_binary)
        return False  # binary messages that nobody wants are ignored, control frames were answered

    def _on_binary_frame(self, frame: Frame, deliver: Callable[[bytes], None]) -> bool:
        if frame.opcode is Opcode.BINARY:
            self._binary_parts = []
        parts = self._binary_parts
        if parts is None or frame.opcode not in (Opcode.BINARY, Opcode.CONT):
            return False
        parts.append(bytes(frame.data))
        if frame.fin:
            self._binary_parts = None
            try:
                deliver(parts[0] if len(parts) == 1 else b"".join(parts))
            except Exception:
                log.exception("a message on the WebSocket of %s failed", self.peer)
                self._fail(1011, "Internal error")
                return True
        return False

    def _deliver(self, message: bytes) -> bool:
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._fail(1007, "A text message is not UTF-8")
            return True
        if self.on_text is not None:
            try:
                self.on_text(text)
            except Exception:
                log.exception("a message on the WebSocket of %s failed", self.peer)
                self._fail(1011, "Internal error")
                return True
        return False

    def _fail(self, code: int, reason: str) -> None:
        """RFC 6455 7.1.7."""
        if self._closed is None:
            self._closed = code, self._here
        if self._frames.state is State.OPEN:
            self._frames.fail(code, reason)

    def _drain_frames(self) -> None:
        """Send what the frame protocol answers; b"" at its end says that the connection is over."""
        for data in self._frames.data_to_send():
            if data == SEND_EOF:
                self._finish()
            else:
                WebSocket.send_frame(self, data)
        if self._frames.state is not State.OPEN:
            self.is_open = False

    def _finish(self) -> None:
        """Everything is said: close once the client took it, or after the close timeout anyway."""
        self.is_open = False
        if self._closed is None:
            self._closed = ABNORMAL, self._here
        self._paused = False
        self.flush()
        self._set_close_timer()
        self._transport.close()

    # The end

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame; the connection ends when the far end answers it, or at the close timeout."""
        if not self.is_open or self._frames.state is not State.OPEN:
            return
        self._closed = code, self._here
        self._frames.send_close(code, reason)
        self._drain_frames()
        self._set_close_timer()

    def _set_close_timer(self) -> None:
        if self._close_timer is None:
            self._close_timer = self._loop.call_later(self._options.close_timeout_ms / 1000, self.abort)

    def abort(self) -> None:
        """Drop the connection without a close frame."""
        self.is_open = False
        if self._closed is None:
            self._closed = ABNORMAL, "abort"
        self._queue.clear()
        self._queued_bytes = 0
        self._transport.abort()

    def eof_received(self) -> bool:
        """A WebSocket has no half-closed state: the transport closes itself."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the application, once."""
        self.is_open = False
        for timer in (self._write_timer, self._close_timer, self._ping_timer):
            if timer is not None:
                timer.cancel()
        self._queue.clear()
        code, by = self._closed or (ABNORMAL, "abort")
        log.info("WebSocket connection from '%s' closed by %s with code %d", self.peer, by, code)
        if self.on_closed is not None:
            try:
                self.on_closed(code, by)
            except Exception:
                log.exception("closing the WebSocket of %s failed", self.peer)
        self.on_text = self.on_binary = self.on_closed = None


class WebSocketConnection(WebSocket):
    """One open socket of the server; set `on_text` and `on_closed` in the function given to Accept."""

    def __init__(
        self,
        server: HttpServer,
        transport: asyncio.Transport,
        request: Request,
        subprotocol: str | None,
    ) -> None:
        options = server.options.websocket
        frames = FrameProtocol(SERVER, max_size=options.max_message_bytes, logger=frame_log)
        super().__init__(frames, transport, request.peer, options, server.turn_end, server.loop)
        self.request = request
        self.subprotocol = subprotocol
        self._server = server

    def open(self, opened: Callable[[WebSocketConnection], None], early: bytes, paused: bool) -> None:
        """Begin: tell the application, then read what the client sent right behind its handshake."""
        if paused:
            self.pause_writing()
        self._begin(lambda: opened(self))
        if early:
            self.data_received(early)

    def shut(self) -> None:
        """The server stops (RFC 6455 7.4.1: 1001, going away)."""
        self.close(1001, "Server is stopping")

    def _give_up(self, reason: str) -> None:
        if self.is_open or self._closed is None:
            self._server.counters.websockets_aborted += 1
        super()._give_up(reason)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the socket out, then tell the application."""
        self._server.release(self)
        super().connection_lost(error)
