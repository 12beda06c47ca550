"""HTTP/1.1 responses (RFC 9112) on httptools' parser: bytes go in, one response comes out."""

from __future__ import annotations

from dataclasses import dataclass

import httptools

MAX_HEAD_BYTES = 65536
MAX_BODY_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Response:
    """One response."""

    status: int
    reason: str
    body: bytes


class ResponseReader:
    """Reads one response. An interim one (1xx) is passed over; one that has no length is refused."""

    def __init__(self) -> None:
        self.has_begun = False
        self.is_complete = False
        self.may_keep = False
        """Whether the connection can carry another request; known when it is complete."""
        self._parser = httptools.HttpResponseParser(self)
        self._reason = b""
        self._head_bytes = 0
        self._head_is_over = False
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._status = 0
        self._has_length = False

    def feed(self, data: bytes) -> None:
        """Take bytes; ValueError when they are no response, or one over the limits."""
        self.has_begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ValueError("the server changed the protocol without being asked") from None
        except httptools.HttpParserCallbackError as problem:
            cause = problem.__context__
            raise (cause if isinstance(cause, ValueError) else ValueError(str(problem))) from None
        except httptools.HttpParserError as problem:
            raise ValueError(f"not HTTP: {problem}") from problem
        if not self._head_is_over:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                raise ValueError(f"a head over the limit of {MAX_HEAD_BYTES} bytes")

    def result(self) -> Response:
        """The response, once it is complete."""
        return Response(self._status, self._reason.decode("latin-1"), b"".join(self._pieces))

    # -- what httptools calls ----------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A response begins; a second one was not asked for."""
        if self.is_complete:
            raise ValueError("a second answer to one request")

    def on_status(self, status: bytes) -> None:
        """A piece of the reason phrase."""
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._head_is_over = True
        self._status = self._parser.get_status_code()
        if self._status >= 200 and self._status not in (204, 304) and not self._has_length:
            raise ValueError(f"status {self._status} without Content-Length")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            raise ValueError(f"a body over the limit of {MAX_BODY_BYTES} bytes")
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """A response is over; an interim one is forgotten."""
        if self._status < 200:
            self._reason, self._head_is_over, self._has_length = b"", False, False
            return
        self.is_complete = True
        self.may_keep = bool(self._parser.should_keep_alive())
