"""One HTTP/1.x connection of a client (RFC 9112): requests in, answers out, in order."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from arietta.http.headers import BadMessage, ChunkedBody, Headers, parse_headers
from arietta.http.messages import (
    Answer,
    Peer,
    Request,
    Response,
    SwitchProtocols,
    html_page,
    switch_bytes,
)
from arietta.http.websocket import WebSocketConnection

if TYPE_CHECKING:
    from arietta.http.server import HttpServer

log = logging.getLogger("arietta.http")

LINGER_SECONDS = 2.0  # how long a client may take to read the answer that ends its connection

_METHODS = {name.encode(): name for name in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH")}
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
_VERSION = re.compile(rb"HTTP/[0-9]{1,3}\.[0-9]{1,3}")
_CONTROLS = re.compile(rb"[\x00-\x20\x7f]")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


class HttpConnection(asyncio.Protocol):
    """The I/O skin of one connection; it parses nothing while an answer is being worked out.

    Unparsed bytes wait in one buffer, which is bounded: reading stops while an answer is pending or the
    client does not read. An operation that has begun finishes even when its client is gone.
    """

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._options = server.options
        self._buffer = b""
        self._needed_bytes = 0  # parsing is of no use before the buffer is this long
        self._block: bytes | None = None
        self._headers: Headers | None = None
        self._chunked: tuple[Request, ChunkedBody] | None = None
        self._told_continue = False
        self._busy = False
        self._write_paused = False
        self._read_paused = False
        self._eof = False
        self._closing = False
        self._receiving = False
        self._deadline = float("inf")

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or answer 503 when the session limit is reached."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = self._server.loop
        address = transport.get_extra_info("peername") or ("", 0)
        if isinstance(address, str):
            address = (address, 0)
        self.peer = Peer(address[0], address[1], transport.get_extra_info("ssl_object") is not None)
        options = self._options
        self._timer_span = min(options.session_inactivity_ms, options.session_keep_alive_ms or 1e9) / 1000
        self._deadline = self._loop.time() + options.session_inactivity_ms / 1000
        self._timer = self._loop.call_later(self._timer_span, self._on_timer)
        if not self._server.admit(self):
            limit = options.session_limit
            log.warning("HTTP session limit of %d reached: %s refused", limit, self.peer)
            self._end_with(html_page(503, f"The limit of {limit} sessions is reached."))

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection; a pending operation goes on without it."""
        self._closing = True
        self._buffer = b""
        self._timer.cancel()
        self._server.release(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; answer every request that is complete."""
        if self._closing:
            return
        if self._buffer:
            data = self._buffer + data
        self._buffer = data
        if self._busy or self._write_paused:
            self._pause_reading()
        elif len(data) >= self._needed_bytes:
            self._process()

    def eof_received(self) -> bool:
        """The client half-closed: what it asked for is still answered (RFC 9112 9.6)."""
        self._eof = True
        owes = self._busy or (self._write_paused and bool(self._buffer))
        return owes and not self._closing and not self.peer.tls

    def pause_writing(self) -> None:
        """The client reads too slowly: ask nothing more of the handler."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._write_paused = False
        self._go_on()

    # Requests

    def _process(self) -> None:
        try:
            self._parse()
        except BadMessage as bad:
            self._end_with(html_page(bad.status, bad.message))

    def _parse(self) -> None:
        """Cut complete requests out of the buffer and answer them, until an answer has to wait."""
        data = self._buffer
        start = 0
        self._needed_bytes = 0
        while start < len(data) and not (self._busy or self._closing or self._write_paused):
            request, start = self._next_request(data, start)
            if request is None:
                break
            self._told_continue = False
            self._buffer = b""
            if request.headers.upgrade is None:
                self._answer(request)
            else:
                self._buffer = data[start:]  # it may be of the protocol that is asked for
                self._answer(request)
                data, start = self._buffer, 0
        if self._closing:
            self._buffer = b""
            return
        self._buffer = data[start:] if start else data
        self._set_deadline()

    def _next_request(self, data: bytes, start: int) -> tuple[Request | None, int]:
        """The request that begins at `start`, None if it is not complete, and where the next bytes begin."""
        if self._chunked is None:
            if data[start] in b"\r\n":  # RFC 9112 2.2: empty lines before a request line are ignored
                start = len(data) - len(data[start:].lstrip(b"\r\n"))
            head_end = data.find(b"\r\n\r\n", start)
            if head_end - start > self._options.max_head_bytes:
                self._refuse_long_head()
            if head_end < 0:
                self._look_at_half_head(data, start)
                return None, start
            request = self._read_head(data, start, head_end)
            if not request.headers.chunked:
                return self._take_body(request, data, start, head_end + 4)
            self._tell_continue(request.headers)
            self._chunked = request, ChunkedBody(self._options.max_body_bytes)
            start = head_end + 4
        request, body = self._chunked
        start = body.feed(data, start)
        if not body.complete:
            return None, start
        self._chunked = None
        request.body = body.body()
        return request, start

    def _take_body(self, request: Request, data: bytes, start: int, body_start: int) -> tuple[Request | None, int]:
        """Give a request the body its Content-Length announces; without all of it, wait from its head on."""
        length = request.headers.content_length
        if not length:
            return request, body_start
        limit = self._options.max_body_bytes
        if length > limit:
            message = f"Body of {length} bytes is longer than {limit} bytes"
            self._end_with(self._server.handler.refuse(request, 413, message), request)
            return None, start
        end = body_start + length
        if len(data) < end:
            self._tell_continue(request.headers)
            self._needed_bytes = end - start
            return None, start
        request.body = data[body_start:end]
        return request, end

    def _read_head(self, data: bytes, start: int, head_end: int) -> Request:
        """Read request line and headers; an unchanged header block is not parsed again."""
        line_end = data.find(b"\r\n", start)
        try:
            method_bytes, target_bytes, version = data[start:line_end].split(b" ")
        except ValueError:
            raise BadMessage(400, "The request line is not METHOD TARGET VERSION") from None
        if version not in _VERSIONS and not _VERSION.fullmatch(version):
            raise BadMessage(400, "The request line does not end with an HTTP version")
        method = _METHODS.get(method_bytes)
        if method is None:
            if not _TOKEN.fullmatch(method_bytes):
                raise BadMessage(400, "The method is not a token of at most 32 characters")
            method = method_bytes.decode("ascii").upper()
        if not target_bytes.isascii():
            if _CONTROLS.search(target_bytes):
                raise BadMessage(400, "The target contains control characters")
            target_bytes = quote(target_bytes, safe=_VISIBLE).encode()
        target = target_bytes.decode("ascii")
        if not target.isprintable():
            raise BadMessage(400, "The target contains control characters")
        path, _, query = target.partition("?")
        if not path.startswith("/"):
            path = _path_of_other_form(path)
        block = data[line_end + 2 : head_end]
        headers = self._headers
        if headers is None or block != self._block:
            headers = parse_headers(block)
            self._headers = headers
            self._block = block
        close = headers.close or not self._options.session_keep_alive_ms
        return Request(method, path, query, headers, b"", self.peer, close)

    def _look_at_half_head(self, data: bytes, start: int) -> None:
        """Refuse at once what can never become a request, rather than at the timeout."""
        if len(data) - start > self._options.max_head_bytes:
            self._refuse_long_head()
        if start < len(data) and not _TOKEN.match(data, start):
            raise BadMessage(400, "The request line does not begin with a method")
        line_end = data.find(b"\n", start)
        if line_end >= 0:
            words = data[start:line_end].split(b" ")
            if data[line_end - 1] != 13 or len(words) != 3 or not _VERSION.fullmatch(words[2][:-1]):
                raise BadMessage(400, "The request line is not METHOD TARGET VERSION")

    def _refuse_long_head(self) -> None:
        limit = self._options.max_head_bytes
        raise BadMessage(431, f"Request line and headers are longer than {limit} bytes")

    def _tell_continue(self, headers: Headers) -> None:
        """RFC 9110 10.1.1."""
        if headers.expects_continue and not self._told_continue:
            self._told_continue = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # Answers

    def _answer(self, request: Request) -> None:
        server = self._server
        server.counters.requests += 1
        try:
            answer = server.handler.handle(request)
        except Exception:
            answer = self._our_fault(request)
        if type(answer) is Response:
            self._send(request, answer)
        elif type(answer) is SwitchProtocols:
            self._switch(request, answer)
        else:
            self._wait_for(request, cast(Awaitable[Answer], answer))

    def _wait_for(self, request: Request, answer: Awaitable[Answer]) -> None:
        self._busy = True
        finishing = self._finish(request, answer)
        if sys.version_info >= (3, 12):
            task = asyncio.Task(finishing, loop=self._loop, eager_start=True)
        else:
            task = self._loop.create_task(finishing)
        if not task.done():
            self._server.own_task(task)

    async def _finish(self, request: Request, awaited: Awaitable[Answer]) -> None:
        """Wait for an answer and send it; the task belongs to the server, so it outlives the client."""
        try:
            answer = await awaited
        except Exception:
            answer = self._our_fault(request)
        self._busy = False
        if type(answer) is SwitchProtocols:
            self._switch(request, answer)
        else:
            self._send(request, cast(Response, answer))
        self._loop.call_soon(self._go_on)

    def _our_fault(self, request: Request) -> Response:
        log.exception("%s %s from %s failed", request.method, request.path, self.peer)
        return self._server.handler.refuse(request, 500, "Internal Server Error")

    def _send(self, request: Request, response: Response) -> None:
        if self._closing:
            log.debug("%s was gone before the answer to %s %s", self.peer, request.method, request.path)
            return
        close = request.close or self._server.stopping
        encode = self._server.writer.encode
        try:
            data = encode(response, request.extra_headers, close, request.method != "HEAD")
        except ValueError:
            data = encode(self._our_fault(request), (), close)
        self._transport.write(data)
        if close:
            self._close()

    def _switch(self, request: Request, switch: SwitchProtocols) -> None:
        """Hand the transport over to a WebSocket; the 101 goes out before anything it sends."""
        if self._closing:
            return
        self._transport.write(switch_bytes(switch))
        early, self._buffer = self._buffer, b""
        self._closing = True
        self._timer.cancel()
        socket = WebSocketConnection(self._server, self._transport, request, switch.subprotocol)
        self._transport.set_protocol(socket)
        self._server.exchange(self, socket)
        self._resume_reading()
        log.info(
            "WebSocket connection from '%s' for protocol '%s' accepted using version '%s'",
            self.peer,
            switch.subprotocol or "",
            switch.version,
        )
        socket.open(switch.opened, early, self._write_paused)

    def _end_with(self, response: Response, request: Request | None = None) -> None:
        """Send a last answer, then wait a little for the client to read it: it may still be writing."""
        extra = request.extra_headers if request is not None else ()
        self._transport.write(self._server.writer.encode(response, extra, True))
        if self._transport.can_write_eof() and not self._eof:
            self._closing = True
            self._buffer = b""
            self._transport.write_eof()
            self._set_linger()
        else:
            self._close()

    def _close(self) -> None:
        self._closing = True
        self._buffer = b""
        self._set_linger()
        self._transport.close()

    def _set_linger(self) -> None:
        self._deadline = self._loop.time() + LINGER_SECONDS
        self._timer.cancel()
        self._timer = self._loop.call_later(LINGER_SECONDS, self._on_timer)

    # Flow and time

    def _go_on(self) -> None:
        """Continue after an answer, or after the client began to read again."""
        if self._closing or self._busy or self._write_paused:
            return
        if self._buffer:
            self._process()
        else:
            self._set_deadline()
        if self._closing or self._busy or self._write_paused:
            return
        self._resume_reading()
        if self._eof:
            self._close()

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused:
            self._read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _set_deadline(self) -> None:
        """Waiting for a request to begin, or for the rest of one; an answer has no deadline of ours.

        The rest of a request has session_inactivity in all, not per packet, so that a client which
        sends one byte at a time does not hold a session.
        """
        if self._busy:
            self._deadline = float("inf")
        elif self._buffer or self._chunked is not None:
            if self._deadline == float("inf") or not self._receiving:
                self._deadline = self._loop.time() + self._options.session_inactivity_ms / 1000
                self._receiving = True
        else:
            self._receiving = False
            self._deadline = self._loop.time() + self._options.session_keep_alive_ms / 1000

    def _on_timer(self) -> None:
        """The one timer of the connection: it looks at the deadline and is set again for what is left."""
        left = self._deadline - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(min(left, self._timer_span), self._on_timer)
        elif self._closing:
            self._transport.abort()
        elif self._receiving:
            self._end_with(html_page(408, "The request did not arrive in time."))
        else:
            self._close()

    # The server's end

    @property
    def is_idle(self) -> bool:
        """Whether no answer is owed."""
        return not self._busy

    def shut(self) -> None:
        """Close now if nothing is owed; otherwise after the answer, which says Connection: close."""
        if not self._busy and not self._closing:
            self._close()

    def abort(self) -> None:
        """Drop the connection without another word."""
        self._transport.abort()


def _path_of_other_form(target: str) -> str:
    """The path of a target in absolute form (RFC 9112 3.2.2); `*` and anything else stays as it is."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        return "/" + rest.partition("/")[2]
    if target == "*":
        return target
    raise BadMessage(400, f"The target {target[:64]!r} is neither a path nor a URL")
