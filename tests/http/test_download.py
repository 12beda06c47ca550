"""Files of other servers: honest ones, slow ones, and those that lie, on the virtual network; https on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.http import HttpOptions, HttpServer, Request, Response, tls_context
from arietta.http.download import Answer, DownloadFailed, DownloadOptions, Url, download
from arietta.http.messages import SwitchProtocols
from arietta.testing import VirtualLoop

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"
HOST, PORT = "10.9.0.2", 80
OK = b"HTTP/1.1 200 OK\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Kept:
    """Takes a file."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.data = b""

    def begins(self, answer: Answer) -> None:
        self.answer = answer

    async def take(self, piece: bytes) -> None:
        self.data += piece


async def get(url: str = f"http://{HOST}/a.wav", **options: object) -> bytes:
    """The file, or DownloadFailed."""
    kept = Kept()
    await download(url, kept, {}, DownloadOptions(**options))  # type: ignore[arg-type]
    return kept.data


async def serve(talk: Talk | bytes, host: str = HOST) -> list[bytes]:
    """Answer every request on a host with these bytes, then close; gives the requests that came."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(talk, bytes):
                writer.write(talk)
            else:
                await talk(reader, writer)
        writer.close()

    await asyncio.start_server(answer, host, PORT)
    return asked


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (OK + b"Content-Length: 5\r\n\r\nhello, and more than it said", b"hello"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n", b"hello"),
        (OK + b"\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
        (OK + b"Content-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    ],
)
async def test_bodies_of_every_kind(loop: VirtualLoop, answer: bytes, body: bytes) -> None:
    await serve(answer)
    assert await get() == body


async def test_what_is_asked(loop: VirtualLoop) -> None:
    asked = await serve(OK + b"Content-Length: 0\r\n\r\n")
    url = f"http://ann:p%40ss@{HOST}/über uns/x.wav?q=a b#part"
    await download(url, Kept(), {"If-None-Match": '"1"'}, DownloadOptions("Test/1"))
    line, *headers = asked[0].decode().split("\r\n")
    assert line == "GET /%C3%BCber%20uns/x.wav?q=a%20b HTTP/1.1"
    credentials = base64.b64encode(b"ann:p@ss").decode()
    assert f"Authorization: Basic {credentials}" in headers and 'If-None-Match: "1"' in headers
    assert f"Host: {HOST}" in headers and "User-Agent: Test/1" in headers and "Connection: close" in headers


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "answered 304"),  # nobody asked whether it has changed
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx", "answered 206"),
        (OK + b"Content-Length: 50\r\n\r\nhello", "before the answer was whole"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "before the answer was whole"),
        (OK + b"Content-Length: 5", "before the answer was whole"),
        (b"", "before the answer was whole"),
        (b"220 smtp.example.com ESMTP\r\n\r\n", "malformed"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "malformed"),
        (OK + b"Content-Length: 1001\r\n\r\n", "1001 bytes, over the limit"),
        (OK + b"\r\n" + b"x" * 1001, "over the limit"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", "over the limit"),
        (OK + b"X: " + b"y" * 40_000, "head of the answer is over"),
        (OK + b"Content-Encoding: gzip\r\n\r\nxx", "encoded as 'gzip'"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "another protocol"),
    ],
)
async def test_answers_that_are_no_file(loop: VirtualLoop, answer: bytes, why: str) -> None:
    await serve(answer)
    with pytest.raises(DownloadFailed, match=why):
        await get(max_bytes=1000)


async def test_a_server_that_stops_talking_or_talks_for_ever(loop: VirtualLoop) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(4)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    await serve(drip)
    await serve(silent, "10.9.0.3")
    begun = loop.time()
    with pytest.raises(DownloadFailed, match="not done within 60000 ms"):
        await get(timeout_ms=60_000, idle_ms=5_000)
    assert loop.time() - begun == pytest.approx(60)
    with pytest.raises(DownloadFailed, match="silent for 5000 ms"):
        await get("http://10.9.0.3/", timeout_ms=60_000, idle_ms=5_000)
    with pytest.raises(DownloadFailed, match="no connection"):
        await get("http://10.9.0.99/")


async def test_chunks_that_carry_nothing_end(loop: VirtualLoop) -> None:
    await serve(OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000)
    with pytest.raises(DownloadFailed):
        await get()


async def test_redirects_are_followed_within_limits(loop: VirtualLoop) -> None:
    there = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 3\r\n\r\nxyz"
    first = await serve(there % b"http://10.9.0.3/b.wav")
    second = await serve(OK + b"Content-Length: 2\r\n\r\nhi", "10.9.0.3")
    assert await get(f"http://ann:secret@{HOST}/") == b"hi"
    assert b"Authorization" in first[0] and b"Authorization" not in second[0]  # they are others

    await serve(there % b"/again", "10.9.0.4")
    with pytest.raises(DownloadFailed, match="more than 3 redirects"):
        await get("http://10.9.0.4/", max_redirects=3)
    for number, target in enumerate((b"file:///etc/passwd", b"ftp://10.9.0.3/", b"gopher://x", b"http://", b"")):
        await serve(there % target, f"10.9.1.{number}")
        with pytest.raises(DownloadFailed):
            await get(f"http://10.9.1.{number}/", max_redirects=1)


def test_a_redirect_leaves_https_for_nothing_less() -> None:
    url = Url.parse("https://u:p@[::1]:444/a?b=1")
    assert (url.host, url.port, url.authority, url.target) == ("::1", 444, "[::1]:444", "/a?b=1")
    assert url.redirected("../c") == Url("https", "::1", 444, "/c", url.authorization)
    with pytest.raises(DownloadFailed, match="from https to http"):
        url.redirected("http://[::1]/c")
    assert Url.parse("http://a.example/").redirected("//b.example/x").authority == "b.example"
    assert Url.parse("http://a.example/").redirected("https://a.example/x").scheme == "https"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a/b", "http://", "http://a:99999/", "http://a b/", "x", ""]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(DownloadFailed):
        Url.parse(url)


@given(st.text())
def test_no_url_adds_a_line_to_the_request(text: str) -> None:
    try:
        url = Url.parse(f"http://{text}")
    except DownloadFailed:
        return
    for part in (url.target, url.authority, url.authorization):
        assert part.isascii() and part.isprintable()
    assert " " not in url.target + url.authority


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_any_bytes_are_an_answer_or_a_failure(data: bytes, size: int) -> None:
    loop = VirtualLoop()

    async def pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])

    async def story() -> None:
        await serve(pieces)
        with contextlib.suppress(DownloadFailed):
            await get()

    loop.run(story())
    assert not loop.failures
    loop.close()


def test_https_proves_who_the_server_is() -> None:
    class Site:
        def handle(self, request: Request) -> Response | SwitchProtocols:
            return Response(200, b"sound", "audio/wav")

        def refuse(self, request: Request, status: int, message: str) -> Response:
            return Response(status)

    async def story() -> None:
        server = HttpServer(Site(), HttpOptions("site"))
        (address,) = await server.start("127.0.0.1", 0, tls_context(CERTIFICATE, None))
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        url = f"https://localhost:{address.port}/a.wav"
        assert await get(url, tls=trusting) == b"sound"
        with pytest.raises(DownloadFailed, match="no connection"):
            await get(url)
        await server.stop(0)

    asyncio.run(story())
