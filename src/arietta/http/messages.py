"""Requests and responses of the HTTP layer as values (RFC 9110, RFC 9112)."""

from __future__ import annotations

import http
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

import msgspec

from arietta.http.headers import Headers
from arietta.http.user import User

if TYPE_CHECKING:
    from arietta.http.websocket import WebSocketConnection

JSON = "application/json"
HTML = "text/html"

_REASONS = {status.value: status.phrase for status in http.HTTPStatus}
_REASONS[413] = "Request Entity Too Large"
_REASONS[422] = "Unprocessable Entity"  # the phrase depends on Python's version

HeaderLines = tuple[tuple[str, str], ...]


def reason_of(status: int) -> str:
    """The reason phrase of a status code; "Unknown" for a code nobody registered."""
    return _REASONS.get(status, "Unknown")


class Peer:
    """The far end of one connection."""

    __slots__ = ("host", "port", "tls")

    def __init__(self, host: str, port: int, tls: bool) -> None:
        self.host = host
        self.port = port
        self.tls = tls

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Request:
    """One HTTP request, complete with its body.

    `method` is in upper case whatever the client wrote. `path` is as it came, percent-encoded;
    `rest` is what is left of it below the mount that handles the request. `user` is known once the
    handler has authenticated the request, and `extra_headers` go out with whatever the answer is.
    """

    __slots__ = (
        "body",
        "close",
        "extra_headers",
        "headers",
        "method",
        "path",
        "peer",
        "query_string",
        "rest",
        "user",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str,
        headers: Headers,
        body: bytes,
        peer: Peer,
        close: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.body = body
        self.peer = peer
        self.close = close
        self.rest = path
        self.user: User | None = None
        self.extra_headers: HeaderLines = ()

    @property
    def target(self) -> str:
        """Path and query as they came."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path

    @property
    def decoded_path(self) -> str:
        """The whole path with its percent-escapes resolved."""
        return unquote(self.path)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of `rest`, each decoded by itself, so that %2F does not separate."""
        return tuple(unquote(segment) if "%" in segment else segment for segment in self.rest.split("/")[1:])

    @property
    def host(self) -> str | None:
        """The Host header as the client wrote it."""
        return self.headers.get("host")

    @property
    def is_tls(self) -> bool:
        """Whether the request came over TLS."""
        return self.peer.tls


class Response:
    """One HTTP answer; treat it as immutable, equal answers may share one object.

    `content_type` None leaves the header out (202, 204). `headers` follow Cache-Control in their order.
    """

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        content_type: str | None = None,
        headers: HeaderLines = (),
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.body[:80]!r}, {self.content_type!r}, {self.headers!r})"


class SwitchProtocols:
    """The answer 101: `headers` in their order, then `opened` is called with the socket."""

    __slots__ = ("headers", "opened", "subprotocol", "version")

    def __init__(
        self,
        headers: HeaderLines,
        opened: Callable[[WebSocketConnection], None],
        subprotocol: str | None,
        version: str,
    ) -> None:
        self.headers = headers
        self.opened = opened
        self.subprotocol = subprotocol
        self.version = version


Answer = Response | SwitchProtocols


class Handler(Protocol):
    """What answers requests: the seam between this layer and everything above."""

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer a request; an answer that is ready at once costs no task."""
        ...

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """Word a refusal of the HTTP layer (413, 500) in the form the path's clients expect."""
        ...


def json_message(status: int, message: str, headers: HeaderLines = (), *, pretty: bool = False) -> Response:
    """An ARI error: `{"message": "..."}`, indented by two spaces when `pretty`."""
    body = msgspec.json.encode({"message": message})
    return Response(status, msgspec.json.format(body, indent=2) if pretty else body, JSON, headers)


def html_page(status: int, message: str, headers: HeaderLines = ()) -> Response:
    """An error page of the layer below ARI."""
    title = f"{status} {reason_of(status)}"
    page = (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><h1>{title}</h1><p>{_escape(message)}</p></body></html>\n"
    )
    return Response(status, page.encode(), HTML, headers)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class ResponseWriter:
    """Turns responses into bytes, keeping the first lines of each status until the second is over."""

    __slots__ = ("_closing", "_keeping", "_next_second", "_now", "_server_name")

    def __init__(self, server_name: str, now: Callable[[], float] = time.time) -> None:
        self._server_name = server_name
        self._now = now
        self._next_second = 0.0
        self._keeping: dict[int, bytes] = {}
        self._closing: dict[int, bytes] = {}

    def encode(self, response: Response, extra: HeaderLines, close: bool, with_body: bool = True) -> bytes:
        """The bytes of an answer; without the body for HEAD (RFC 9110 9.3.2)."""
        now = self._now()
        if now >= self._next_second:
            self._next_second = float(int(now) + 1)
            self._keeping.clear()
            self._closing.clear()
        status = response.status
        starts = self._closing if close else self._keeping
        start = starts.get(status)
        if start is None:
            start = starts[status] = self._start(status, close, now)
        if extra or response.headers:
            start += _header_lines(extra + response.headers)
        body = response.body
        content_type = response.content_type
        if content_type is None and not body:
            return start + b"Content-Length: 0\r\n\r\n"
        if content_type == JSON:
            end = b"Content-type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        elif content_type is None:
            end = b"Content-Length: %d\r\n\r\n" % len(body)
        else:
            end = b"Content-type: %b\r\nContent-Length: %d\r\n\r\n" % (content_type.encode(), len(body))
        return start + end + body if with_body else start + end

    def _start(self, status: int, close: bool, now: float) -> bytes:
        server = f"Server: {self._server_name}\r\n" if self._server_name else ""
        connection = "Connection: close\r\n" if close else ""
        return (
            f"HTTP/1.1 {status} {reason_of(status)}\r\n{server}Date: {formatdate(now, usegmt=True)}\r\n"
            f"{connection}Cache-Control: no-cache, no-store\r\n"
        ).encode("latin-1")


def switch_bytes(switch: SwitchProtocols) -> bytes:
    """The 101 answer, which carries nothing but the handshake (RFC 6455 4.2.2)."""
    return b"HTTP/1.1 101 Switching Protocols\r\n" + _header_lines(switch.headers) + b"\r\n"


def _header_lines(headers: HeaderLines) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError(f"header with a line break: {headers!r}")
    return lines.encode("utf-8")
