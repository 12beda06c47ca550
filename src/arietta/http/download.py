"""GET or POST of what another server has, over http or https: HTTP/1.1, one request a connection, redirects followed.

The body is handed over piece by piece, and nothing more is read while a piece is not taken: a file needs no room here.
Not done: proxies, cookies, compression, connections used again.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import httptools

__all__ = ["Answer", "DownloadFailed", "DownloadOptions", "Receiver", "Url", "download"]

PORTS = {"http": 80, "https": 443}
FORM = "application/x-www-form-urlencoded"
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MAX_URL = 8192
MAX_HEAD = 32 * 1024
"""Bytes of status line and headers, interim answers included."""
MAX_FRAMING = 64 * 1024
"""Bytes that may come without one of the body among them: sizes of chunks, their extensions, trailers."""
READ_BYTES = 64 * 1024
# RFC 3986 2.2 and 2.3, and the percent sign of what is encoded already: all else is encoded.
_KEPT = "/?:@!$&'()*+,;=-._~%[]"
_HOST = re.compile(r"[A-Za-z0-9._~:%-]+")

T = TypeVar("T")


class DownloadFailed(Exception):
    """The file did not come; says why, without the URL, in which there may be a password."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What is asked of every download, and borne."""

    user_agent: str = "Arietta"
    timeout_ms: int = 180_000
    """For the whole of it, redirects included."""
    idle_ms: int = 20_000
    """For the connection, and between two pieces of the answer."""
    max_redirects: int = 8
    max_bytes: int = 64 << 20
    """Of one file."""
    schemes: tuple[str, ...] = ("http", "https")
    redirect_schemes: tuple[str, ...] = ("http", "https")
    tls: ssl.SSLContext | None = None
    """None: the certificates of the operating system are trusted."""
    body: bytes | None = None
    """What to POST; a redirect is followed by a GET (RFC 9110 15.4)."""
    every_status: bool = False
    """Whether an answer of any status is taken like a 200."""


@dataclass(frozen=True, slots=True)
class Url:
    """Where a file is."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query as they go into the request."""
    authorization: str = field(default="", repr=False)
    """Value of the header that user and password of the URL make (RFC 7617)."""

    @classmethod
    def parse(cls, text: str) -> Url:
        """The parts of a URL, what may not stand in one encoded; DownloadFailed if it is none of http or https."""
        if len(text) > MAX_URL:
            raise DownloadFailed(f"the URL has {len(text)} characters, over the limit of {MAX_URL}")
        try:
            parts = urlsplit(text)
            port = parts.port
            host = (parts.hostname or "").encode("idna" if "[" not in parts.netloc else "ascii").decode()
        except ValueError:  # UnicodeError is one
            raise DownloadFailed("the URL is malformed") from None
        if parts.scheme not in PORTS:
            raise DownloadFailed(f"the scheme {parts.scheme[:20]!r} is neither http nor https")
        if not _HOST.fullmatch(host):
            raise DownloadFailed("the URL names no host")
        target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
        authorization = ""
        if parts.username is not None:
            pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
            authorization = f"Basic {base64.b64encode(pair).decode()}"
        return cls(parts.scheme, host, PORTS[parts.scheme] if port is None else port, target, authorization)

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def redirected(self, location: str) -> Url:
        """Where a Location header leads; from https only to https (RFC 9110 10.2.2, 15.4)."""
        following = Url.parse(urljoin(f"{self.scheme}://{self.authority}{self.target}", location))
        if self.scheme == "https" and following.scheme == "http":
            raise DownloadFailed("it redirects from https to http")
        if following.authorization or (following.scheme, following.authority) != (self.scheme, self.authority):
            return following  # to another server the password does not go
        return Url(following.scheme, following.host, following.port, following.target, self.authorization)


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of a final answer."""

    status: int
    """200, or 304 if the request was conditional."""
    headers: Mapping[str, str]
    """By lower-case names; several of one name are joined by commas (RFC 9110 5.3)."""


class Receiver(Protocol):
    """Who takes the file. What either raises ends the download."""

    def begins(self, answer: Answer) -> None:
        """The head is in, the body follows."""
        ...

    async def take(self, piece: bytes) -> None:
        """A piece of the body, in order."""
        ...


async def download(url: str, receiver: Receiver, headers: Mapping[str, str], options: DownloadOptions) -> Answer:
    """Get a file; returns when all of it was taken. DownloadFailed for anything else than 200, or 304 if asked for."""
    place = Url.parse(url)
    _allow(place, options.schemes)
    try:
        async with asyncio.timeout(options.timeout_ms / 1000):
            for _ in range(options.max_redirects + 1):
                answer = await _ask(place, receiver, headers, options)
                if answer.status not in REDIRECTS:
                    return answer
                place = place.redirected(answer.headers.get("location", ""))
                options = replace(options, body=None)
                _allow(place, options.redirect_schemes)
    except TimeoutError:
        raise DownloadFailed(f"not done within {options.timeout_ms} ms") from None
    raise DownloadFailed(f"more than {options.max_redirects} redirects")


def _allow(place: Url, schemes: tuple[str, ...]) -> None:
    if place.scheme not in schemes:
        raise DownloadFailed(f"the scheme {place.scheme!r} is not allowed here")


async def _ask(url: Url, receiver: Receiver, headers: Mapping[str, str], options: DownloadOptions) -> Answer:
    """One request and its answer, whose body is taken if it is a 200."""
    try:
        reader, writer = await _within(options, _connect(url, options.tls))
    except OSError as problem:
        raise DownloadFailed(f"no connection: {problem.strerror or type(problem).__name__}") from None
    try:
        writer.write(_request(url, headers, options))
        return await _receive(reader, receiver, options, conditional=bool(headers))
    except OSError as problem:
        raise DownloadFailed(f"the connection broke: {problem.strerror or type(problem).__name__}") from None
    finally:
        writer.transport.abort()  # what may still come is of no use, and nothing of ours is unsent


async def _within(options: DownloadOptions, step: Coroutine[Any, Any, T]) -> T:
    """Do one step; DownloadFailed if the far end is idle for too long."""
    try:
        async with asyncio.timeout(options.idle_ms / 1000):
            return await step
    except TimeoutError:
        raise DownloadFailed(f"the server was silent for {options.idle_ms} ms") from None


async def _connect(url: Url, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if url.scheme == "http":
        return await asyncio.open_connection(url.host, url.port, limit=READ_BYTES)
    if tls is None:  # it reads the system's certificates, which takes tens of milliseconds
        tls = await asyncio.get_running_loop().run_in_executor(None, ssl.create_default_context)
    return await asyncio.open_connection(url.host, url.port, limit=READ_BYTES, ssl=tls, server_hostname=url.host)


def _request(url: Url, headers: Mapping[str, str], options: DownloadOptions) -> bytes:
    body = options.body
    posted = {} if body is None else {"Content-Type": FORM, "Content-Length": str(len(body))}
    lines = {
        "Host": url.authority,
        "User-Agent": options.user_agent,
        "Accept": "audio/*, */*;q=0.5",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **({"Authorization": url.authorization} if url.authorization else {}),
        **posted,
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    method = "GET" if body is None else "POST"
    return f"{method} {url.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


async def _receive(
    reader: asyncio.StreamReader, receiver: Receiver, options: DownloadOptions, *, conditional: bool
) -> Answer:
    parsing = _Parsing()
    length = framing = 0
    answer: Answer | None = None
    while not parsing.done:
        data = await _within(options, reader.read(READ_BYTES))
        if data:
            parsing.feed(data)
        else:
            parsing.end()
        if answer is None:
            answer = parsing.answer
            if answer is None:
                continue
            if answer.status in REDIRECTS or (answer.status == 304 and conditional):
                return answer
            _judge(answer, options)
            receiver.begins(answer)
        piece = parsing.taken()
        length += len(piece)
        framing = 0 if piece else framing + len(data)
        if length > options.max_bytes or framing > MAX_FRAMING:
            raise DownloadFailed(f"it is over the limit of {options.max_bytes} bytes")
        if piece:
            await receiver.take(piece)
    assert answer is not None, "an answer that is done has begun"
    return answer


def _judge(answer: Answer, options: DownloadOptions) -> None:
    """Refuse what is no file, or one that cannot be taken."""
    if answer.status != 200 and not options.every_status:
        raise DownloadFailed(f"the server answered {answer.status}")
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise DownloadFailed(f"it is encoded as {encoding[:20]!r}, which was not asked for")
    length = answer.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > options.max_bytes:
        raise DownloadFailed(f"it has {length[:20]} bytes, over the limit of {options.max_bytes}")


class _Parsing:
    """An answer while it comes in: what httptools calls, and what became of it."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.done = False
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection; DownloadFailed if they are no HTTP answer."""
        if self.answer is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise DownloadFailed("the server wants to speak another protocol") from None
        except httptools.HttpParserError:
            if not self.done:  # what comes behind the whole of an answer is nobody's
                raise DownloadFailed("the answer is malformed") from None
        if self.answer is None and self._head_bytes > MAX_HEAD:
            raise DownloadFailed(f"the head of the answer is over the limit of {MAX_HEAD} bytes")

    def end(self) -> None:
        """The far end closed, which ends a body of no announced length (RFC 9112 6.3)."""
        if self.answer is None or not self.answer.headers.keys().isdisjoint(("content-length", "transfer-encoding")):
            raise DownloadFailed("the connection was closed before the answer was whole")
        self.done = True

    def taken(self) -> bytes:
        """What came of the body since it was asked last."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece

    # -- what httptools calls ------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.answer is not None:
            return  # a trailer
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.answer is None and status >= 200:
            self.answer = Answer(status, self._headers)
        self._headers = {}

    def on_body(self, body: bytes) -> None:
        if not self.done:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        self.done = self.answer is not None  # not behind an interim answer
