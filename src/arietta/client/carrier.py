"""How operations travel: requests over kept HTTP/1.1 connections, answers as models."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec.json import Decoder

from .errors import CannotConnect, ConnectionLost, UnexpectedAnswer, api_error
from .responses import Response, ResponseReader

Answer = TypeVar("Answer")
Given = Mapping[str, Any]

IDEMPOTENT = frozenset({"GET", "PUT", "DELETE", "HEAD", "OPTIONS"})
"""RFC 9110 9.2.2: what may be sent again when a kept connection was closed meanwhile."""
READ_BYTES = 65536


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is, and who asks there."""

    host: str
    port: int
    path: str
    """What comes before every path of an operation: `/ari`."""
    is_secure: bool
    username: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str, username: str, password: str) -> Place:
        """Read `http://HOST[:PORT]/ari` or `https://…`; ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not http://HOST[:PORT]/ari or https://HOST[:PORT]/ari")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"{url!r} has more than a scheme, a host, a port and a path")
        if ":" in username:
            raise ValueError(f"user name {username!r} has a colon (RFC 7617 2)")
        is_secure = parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        return cls(parts.hostname, port, parts.path.rstrip("/"), is_secure, username, password)

    @property
    def authority(self) -> str:
        """The host with its port, as a URI has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class Connection:
    """One kept connection: one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def is_usable(self) -> bool:
        """Whether the far end has not closed it."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def exchange(self, request: bytes) -> tuple[Response, bool]:
        """Send a request and read its response; whether the connection may be kept. OSError, EOFError, ValueError."""
        self._writer.write(request)
        response = ResponseReader()
        while not response.is_complete:
            data = await self._reader.read(READ_BYTES)
            if not data:
                raise EOFError("in the middle of the answer" if response.has_begun else "before the answer")
            response.feed(data)
        return response.result(), response.may_keep

    def close(self) -> None:
        """Close it at once; nothing is under way."""
        self._writer.transport.abort()


async def open_streams(
    place: Place, tls: ssl.SSLContext | None, within: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; raises CannotConnect."""
    context = (tls or ssl.create_default_context()) if place.is_secure else None
    try:
        async with asyncio.timeout(within):
            return await asyncio.open_connection(place.host, place.port, ssl=context)
    except TimeoutError:
        raise CannotConnect(f"{place.authority}: no connection within {within:g} s") from None
    except OSError as problem:
        raise CannotConnect(f"{place.authority}: {problem.strerror or problem}") from problem


class Carrier:
    """Requests of one user. Up to `most` travel at a time, each on a connection of its own; others wait their turn."""

    def __init__(self, place: Place, *, tls: ssl.SSLContext | None, within: float, most: int) -> None:
        """`within` is how many seconds a connection, and a response, may take."""
        self.place = place
        self._tls = tls
        self._within = within
        self._idle: deque[Connection] = deque(maxlen=most)
        self._busy: set[Connection] = set()
        self._turns = asyncio.Semaphore(most)
        self._is_closed = False
        self._fields = (
            f"Host: {place.authority}\r\nAuthorization: {place.authorization}\r\nAccept: application/json\r\n"
        )

    def close(self) -> None:
        """Close every connection; who still waits for an answer gets ConnectionLost."""
        self._is_closed = True
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()

    async def ask(
        self,
        method: str,
        path: str,
        decoder: Decoder[Answer],
        *,
        query: Given | None = None,
        body: Given | None = None,
        whole: Given | None = None,
    ) -> Answer:
        """Do an operation that answers with a model.

        `query` and `body` are parameters, of which those that are None are left out; `whole` is a JSON body as it is.
        """
        response = await self._request(method, path, query, body, whole)
        try:
            return decoder.decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise UnexpectedAnswer(f"answer to {method} {path}: {problem}") from problem

    async def tell(self, method: str, path: str, *, query: Given | None = None, body: Given | None = None) -> None:
        """Do an operation whose answer is that it was done."""
        await self._request(method, path, query, body)

    async def fetch(self, method: str, path: str, *, query: Given | None = None, body: Given | None = None) -> bytes:
        """Do an operation that answers with a file."""
        return (await self._request(method, path, query, body)).body

    async def _request(
        self, method: str, path: str, query: Given | None, body: Given | None, whole: Given | None = None
    ) -> Response:
        request = self._encode(method, path, query, body, whole)
        async with self._turns:
            try:
                async with asyncio.timeout(self._within):
                    response = await self._exchange(method, request)
            except TimeoutError:
                raise ConnectionLost(f"no answer to {method} {path} within {self._within:g} s") from None
            except (OSError, EOFError) as problem:
                raise ConnectionLost(f"{method} {path}: the connection was closed: {problem}") from problem
            except ValueError as problem:
                raise UnexpectedAnswer(f"answer to {method} {path}: {problem}") from problem
        if not 200 <= response.status < 300:
            raise api_error(response.status, response.reason, response.body)
        return response

    async def _exchange(self, method: str, request: bytes) -> Response:
        while self._idle and not self._is_closed:
            connection = self._idle.pop()
            if not connection.is_usable:
                connection.close()
                continue
            try:
                return await self._use(connection, request)
            except (OSError, EOFError):
                if method not in IDEMPOTENT:
                    raise
        if self._is_closed:
            raise ConnectionLost("the client is closed")
        return await self._use(Connection(*await open_streams(self.place, self._tls, self._within)), request)

    async def _use(self, connection: Connection, request: bytes) -> Response:
        self._busy.add(connection)
        may_keep = False
        try:
            response, may_keep = await connection.exchange(request)
            return response
        finally:
            self._busy.discard(connection)
            if may_keep and not self._is_closed:
                self._idle.append(connection)
            else:
                connection.close()

    def _encode(self, method: str, path: str, query: Given | None, body: Given | None, whole: Given | None) -> bytes:
        target = self.place.path + path
        pairs = {name: as_text(value) for name, value in (query or {}).items() if value is not None}
        if pairs:
            target += "?" + urlencode(pairs, quote_via=quote)
        members = {name: value for name, value in (body or {}).items() if value is not None} or whole
        data = b"" if members is None else msgspec.json.encode(members)
        kind = "Content-Type: application/json\r\n" if data else ""
        length = f"Content-Length: {len(data)}\r\n" if data or method in ("POST", "PUT") else ""
        return f"{method} {target} HTTP/1.1\r\n{self._fields}{kind}{length}\r\n".encode("latin-1") + data


def as_text(value: object) -> str:
    """A value as a query has it; lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list | tuple):
        return ",".join(as_text(each) for each in value)
    raise TypeError(f"a query carries texts, numbers, booleans and lists of them, not {type(value).__name__}")
