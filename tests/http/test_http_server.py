"""Listeners, TLS and files, on real sockets of the loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from http_kit import USERS, SmallApi, answers, request, upgrade

from arietta.http import (
    AriFront,
    HttpOptions,
    HttpServer,
    MountTable,
    Request,
    Response,
    StaticFiles,
    StatusPage,
    Users,
    WebSocketOptions,
    tls_context,
)

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"
PING = request("GET /ari/asterisk/ping", "Connection: close")


def make(tmp_path: Path, **options: object) -> tuple[HttpServer, SmallApi]:
    api = SmallApi()
    page = StatusPage("", ["/ari", "/httpstatus"])
    mounts = {"/ari": AriFront(api, Users(USERS)), "/httpstatus": page, "/static": StaticFiles(tmp_path)}
    server = HttpServer(MountTable(mounts), HttpOptions("Arietta/1.0", **options))  # type: ignore[arg-type]
    page.server = server
    return server, api


def run(story: Callable[[], Awaitable[None]]) -> None:
    """On uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        factory = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop

    async def timed() -> None:
        await asyncio.wait_for(story(), 20)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(timed())


async def ask(host: str, port: int, data: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=name)
    writer.write(data)
    received = await reader.read()
    writer.close()
    return received


def test_several_listeners_in_the_clear_and_with_tls(tmp_path: Path) -> None:
    async def story() -> None:
        server, api = make(tmp_path)
        (plain,) = await server.start("127.0.0.1", 0)
        (secret,) = await server.start("127.0.0.1", 0, tls_context(CERTIFICATE))
        assert server.addresses == (plain, secret) and str(plain) == f"127.0.0.1:{plain.port}"
        trust = ssl.create_default_context(cafile=str(CERTIFICATE))
        for address, context in ((plain, None), (secret, trust)):
            (answer,) = answers(await ask("127.0.0.1", address.port, PING, context))
            assert answer.body == b'{"ping":"pong"}'
        assert [seen.is_tls for seen in api.seen] == [False, True]
        await server.stop()
        assert server.session_count == 0
        with pytest.raises(OSError):
            await ask("127.0.0.1", plain.port, PING)

    run(story)


@pytest.mark.skipif(not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here")
def test_ipv6(tmp_path: Path) -> None:
    async def story() -> None:
        server, api = make(tmp_path)
        (address,) = await server.start("::1", 0)
        (answer,) = answers(await ask("::1", address.port, PING))
        assert answer.status == 200 and str(address) == f"[::1]:{address.port}"
        assert api.seen[0].peer.host == "::1" and str(api.seen[0].peer).startswith("[::1]:")
        await server.stop()

    run(story)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    async def story() -> None:
        server, _ = make(tmp_path)
        (address,) = await server.start("127.0.0.1", 0)
        with pytest.raises(OSError):
            await server.start("127.0.0.1", address.port)
        await server.stop()

    run(story)


def test_small_packets_are_not_held_back(tmp_path: Path) -> None:
    async def story() -> None:
        server, api = make(tmp_path)
        (address,) = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(upgrade())
        await reader.readuntil(b"\r\n\r\n")
        kernel = api.sockets[0]._transport.get_extra_info("socket")
        assert kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await server.stop()

    run(story)


def test_a_refused_body_is_answered_although_the_client_still_writes(tmp_path: Path) -> None:
    async def story() -> None:
        server, _ = make(tmp_path)
        (address,) = await server.start("127.0.0.1", 0)
        (answer,) = answers(await ask("127.0.0.1", address.port, request("POST /ari/echo", body=b"x" * 3_000_000)))
        assert answer.status == 413
        await server.stop()

    run(story)


def test_a_socket_that_stops_reading_is_dropped_and_the_others_live(tmp_path: Path) -> None:
    async def story() -> None:
        limits = WebSocketOptions(max_queued_bytes=1 << 20)
        server, api = make(tmp_path, websocket=limits)
        (address,) = await server.start("127.0.0.1", 0)
        _, stuck = await asyncio.open_connection("127.0.0.1", address.port, limit=1024)
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        for client in (stuck, writer):
            client.write(upgrade())
        await reader.readuntil(b"\r\n\r\n")
        while len(api.closings) == 0:
            for open_socket in api.sockets:
                open_socket.send_text("x" * 60_000)
            await reader.read(1 << 20)
        assert api.closings == [(1006, "abort")] and server.counters.websockets_aborted == 1
        assert sum(each.is_open for each in api.sockets) == 1
        stuck.transport.abort()
        writer.transport.abort()
        await server.stop()

    run(story)


def test_a_stopping_server_closes_its_sockets(tmp_path: Path) -> None:
    async def story() -> None:
        server, api = make(tmp_path)
        (address,) = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(upgrade())
        await reader.readuntil(b"\r\n\r\n")
        stopping = asyncio.create_task(server.stop())
        frame = await reader.readexactly(4)
        assert frame[0] == 0x88 and frame[2:] == b"\x03\xe9"
        writer.write(b"\x88\x82\x00\x00\x00\x00\x03\xe9")
        await stopping
        assert len(api.closings) == 1
        writer.close()

    run(story)


# Pages


def test_the_status_page(tmp_path: Path) -> None:
    async def story() -> None:
        server, _ = make(tmp_path)
        (address,) = await server.start("127.0.0.1", 0)
        data = await ask("127.0.0.1", address.port, request("GET /httpstatus", "Connection: close"))
        (answer,) = answers(data)
        assert answer["Content-type"] == "text/html"
        for text in (b"Arietta/1.0", str(address).encode(), b"/httpstatus", b"Open sessions"):
            assert text in answer.body
        data = await ask(
            "127.0.0.1", address.port, request("POST /httpstatus") + request("GET /httpstatus/x", "Connection: close")
        )
        assert [answer.status for answer in answers(data)] == [405, 404]
        await server.stop()

    run(story)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static" / "sub").mkdir(parents=True)
    (tmp_path / "static" / "index.html").write_text("<p>hello</p>")
    (tmp_path / "static" / "sub" / "ü b.bin").write_bytes(b"\0\1")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "static" / "leak").symlink_to(tmp_path / "secret")
    (tmp_path / "static" / "ring").symlink_to("ring")
    return tmp_path / "static"


def read(folder: Path, method: str, path: str) -> Response:
    from arietta.http import Peer
    from arietta.http.headers import Headers

    asked = Request(method, f"/static{path}", "", Headers({}), b"", Peer("", 0, False))
    asked.rest = path
    found = StaticFiles(folder).handle(asked)
    if isinstance(found, Response):
        return found

    async def wait() -> Response:
        return await found

    return asyncio.run(wait())


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/index.html", "text/html", b"<p>hello</p>"),
        ("/sub/%C3%BC%20b.bin", "application/octet-stream", b"\0\1"),
    ],
)
def test_static_files(folder: Path, path: str, kind: str, body: bytes) -> None:
    response = read(folder, "GET", path)
    assert (response.status, response.content_type, response.body) == (200, kind, body)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/sub",
        "/missing",
        "/../secret",
        "/%2e%2e/secret",
        "/..%2Fsecret",
        "/sub/../../secret",
        "//etc/passwd",
        "/%2Fetc%2Fpasswd",
        "/leak",
        "/ring",
        "/index.html%00",
        "/" + "a" * 5000,
    ],
)
def test_static_paths_that_do_not_exist(folder: Path, path: str) -> None:
    assert read(folder, "GET", path).status == 404


def test_static_files_are_only_read(folder: Path) -> None:
    assert read(folder, "PUT", "/index.html").status == 405
    assert read(folder, "HEAD", "/index.html").status == 200


def test_tls_files_that_are_no_certificates(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        tls_context(tmp_path / "missing.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ssl.SSLError):
        tls_context(tmp_path / "empty.pem")
