"""Header blocks and chunked bodies of requests, read by llhttp (RFC 9112 5 and 7)."""

from __future__ import annotations

import httptools

from arietta.http.user import User

MAX_CHUNK_OVERHEAD = 16  # raw bytes of a chunked body may be this many times the body limit

_REQUEST_LINE = b"POST / HTTP/1.1\r\n"
_CHUNKED_HEAD = _REQUEST_LINE + b"Transfer-Encoding: chunked\r\n\r\n"


class BadMessage(Exception):
    """The peer broke HTTP; the connection ends with `status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Headers:
    """The header block of a request; requests with equal blocks on one connection share it.

    `verified` remembers who these headers authenticated as, with the user table that said so.
    """

    __slots__ = (
        "authorization",
        "chunked",
        "close",
        "content_length",
        "expects_continue",
        "fields",
        "origin",
        "upgrade",
        "verified",
    )

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self.authorization = fields.get("authorization")
        self.origin = fields.get("origin")
        self.verified: tuple[object, User] | None = None
        connection = fields.get("connection")
        if connection is None:
            self.close = False
            self.upgrade = None
        else:
            options = [option.strip() for option in connection.lower().split(",")]
            self.close = "close" in options
            self.upgrade = fields.get("upgrade") if "upgrade" in options else None
        self.content_length = int(fields.get("content-length", "0") or "0")
        self.chunked = "transfer-encoding" in fields
        self.expects_continue = fields.get("expect", "").lower() == "100-continue"

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of a header, its name without case; repeated headers are joined with commas."""
        return self.fields.get(name.lower(), default)


class _Fields:
    """Collects header fields from llhttp."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key in self.fields:
            text = f"{self.fields[key]}, {text}"
        self.fields[key] = text


def parse_headers(block: bytes) -> Headers:
    """Parse the lines after the request line, without the empty line at their end.

    Raises BadMessage (400; 501 for a transfer coding other than chunked).
    """
    collector = _Fields()
    parser = httptools.HttpRequestParser(collector)
    try:
        parser.feed_data(_REQUEST_LINE + block + (b"\r\n\r\n" if block else b"\r\n"))
    except httptools.HttpParserUpgrade:
        pass  # whether the protocol changes is decided by whoever answers
    except httptools.HttpParserError as error:
        raise BadMessage(400, f"Bad header: {error}") from error
    headers = Headers(collector.fields)
    if headers.chunked and headers.fields["transfer-encoding"].strip().lower() != "chunked":
        coding = headers.fields["transfer-encoding"]
        raise BadMessage(501, f"Transfer-Encoding {coding!r} is not supported, only 'chunked' is")
    return headers


class ChunkedBody:
    """A chunked body as it arrives (RFC 9112 7.1); feed it until `complete`."""

    __slots__ = ("_limit", "_parser", "_parts", "_raw_size", "_size", "complete")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._raw_size = 0
        self.complete = False
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_CHUNKED_HEAD)

    def feed(self, data: bytes, start: int) -> int:
        """Take bytes from `start` on; return where the first byte behind the body is.

        Cut at every empty line, because llhttp does not say where a message ended, and a body ends with
        one, which may have begun in the packet before. Raises BadMessage: 400 for broken chunks, 413 for
        a body over the limit.
        """
        first = start
        while not self.complete and start < len(data):
            end = data.find(b"\n", start, first + 3) + 1
            if not end:
                empty_line = data.find(b"\r\n\r\n", max(first, start - 3))
                end = empty_line + 4 if empty_line >= 0 else len(data)
            try:
                self._parser.feed_data(data[start:end])
            except httptools.HttpParserError as error:
                raise BadMessage(400, f"Broken chunk: {error}") from error
            self._raw_size += end - start
            start = end
            if self._size > self._limit or self._raw_size > self._limit * MAX_CHUNK_OVERHEAD:
                raise BadMessage(413, f"Body is longer than {self._limit} bytes")
        return start

    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self._parts)

    def on_body(self, data: bytes) -> None:
        """llhttp: a piece of the body."""
        self._parts.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        """llhttp: the last chunk and its trailers are over."""
        self.complete = True
