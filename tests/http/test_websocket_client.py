"""Sockets that we open, against our own front and against peers that misbehave, on the virtual network."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.protocol import SERVER, Protocol

from arietta.http import (
    Accept,
    HttpOptions,
    HttpServer,
    Request,
    Response,
    WebSocketConnection,
    text_frame,
    tls_context,
)
from arietta.http.messages import SwitchProtocols
from arietta.http.websocket import WebSocketOptions, read_handshake
from arietta.http.websocket_client import CannotConnect, ClientTls, Target, WebSocketClient, connect, masked
from arietta.testing import VirtualLoop

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"
HOST, PORT = "10.9.0.1", 8787
URI = f"ws://{HOST}:{PORT}/out?x=1"


class FarEnd:
    """A program that takes sockets, and remembers how they came."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.sockets: list[WebSocketConnection] = []
        self.said: list[str] = []
        self.closings: list[tuple[int, str]] = []
        self.greeting = b""
        self.refusal: Response | None = None
        self.server = HttpServer(self, HttpOptions("far end"))

    def handle(self, request: Request) -> Response | SwitchProtocols:
        self.requests.append(request)
        handshake = read_handshake(request)
        if self.refusal is not None or isinstance(handshake, Response):
            return self.refusal or Response(400)
        return handshake.switch(Accept(self._opened))

    def refuse(self, request: Request, status: int, message: str) -> Response:
        return Response(status)

    def _opened(self, socket: WebSocketConnection) -> None:
        self.sockets.append(socket)
        socket.on_text = self.said.append
        socket.on_closed = lambda code, by: self.closings.append((code, by))
        if self.greeting:
            socket.send_frame(text_frame(self.greeting))


class Ours:
    """Our end of a socket, and what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closings: list[tuple[int, str]] = []

    def take(self, socket: WebSocketClient) -> None:
        socket.on_text = self.heard.append
        socket.on_closed = lambda code, by: self.closings.append((code, by))


@pytest.fixture
def far_end(loop: VirtualLoop) -> FarEnd:
    end = FarEnd()
    loop.run(end.server.start(HOST, PORT))
    return end


def raw_server(
    loop: VirtualLoop, talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    loop.run(asyncio.start_server(talk, HOST, PORT))


async def test_a_socket_is_opened_used_and_closed(loop: VirtualLoop, far_end: FarEnd) -> None:
    ours = Ours()
    socket = await connect(Target(URI, ("ari",), "kit", "kitpw"), ours.take)
    asked = far_end.requests[0]
    assert (asked.method, asked.target, socket.subprotocol) == ("GET", "/out?x=1", "ari")
    assert asked.headers.get("authorization") == "Basic " + base64.b64encode(b"kit:kitpw").decode()
    assert asked.headers.get("sec-websocket-protocol") == "ari"

    socket.send_frame(text_frame(b'{"a":"\xc3\xa9"}'))
    socket.send_text("x" * 70_000)
    far_end.sockets[0].send_frame(text_frame(b"from there"))
    await asyncio.sleep(0.1)
    assert far_end.said == ['{"a":"é"}', "x" * 70_000]
    assert ours.heard == ["from there"]

    socket.close(1000)
    assert not socket.is_open
    socket.send_text("too late")
    await asyncio.sleep(0.1)
    assert (far_end.closings, ours.closings) == ([(1000, "client")], [(1000, "client")])
    assert far_end.said[2:] == []


async def test_what_comes_right_behind_the_101_is_heard(loop: VirtualLoop, far_end: FarEnd) -> None:
    far_end.greeting = b"hello"
    ours = Ours()
    await connect(Target(URI), ours.take)
    await asyncio.sleep(0.1)
    assert ours.heard == ["hello"]
    far_end.sockets[0].close(4000, "enough")
    await asyncio.sleep(0.1)
    assert (ours.closings, far_end.closings) == ([(4000, "server")], [(4000, "server")])


async def test_no_credentials_no_header(loop: VirtualLoop, far_end: FarEnd) -> None:
    await connect(Target(URI), Ours().take)
    headers = far_end.requests[0].headers
    assert headers.get("authorization") is None and headers.get("sec-websocket-protocol") is None


async def test_refusals_say_why(loop: VirtualLoop, far_end: FarEnd) -> None:
    far_end.refusal = Response(401)
    with pytest.raises(CannotConnect, match=r"ws://10\.9\.0\.1:8787/out\?x=1: .*401"):
        await connect(Target(URI), Ours().take)
    with pytest.raises(CannotConnect, match="nobody listens"):
        await connect(Target("ws://10.9.0.1:1/"), Ours().take)
    for uri in ("http://10.9.0.1/", "ws://", "ws://10.9.0.1:99999999/"):
        with pytest.raises(CannotConnect, match=uri):
            await connect(Target(uri), Ours().take)


async def test_a_101_that_proves_nothing_is_refused(loop: VirtualLoop, far_end: FarEnd) -> None:
    far_end.refusal = Response(101, headers=(("Upgrade", "websocket"), ("Connection", "Upgrade")))
    with pytest.raises(CannotConnect, match="Sec-WebSocket-Accept"):
        await connect(Target(URI), Ours().take)


def test_a_peer_that_never_answers_costs_its_time_and_no_more(loop: VirtualLoop) -> None:
    ended = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            while await reader.read(1000):
                pass
        ended.append(loop.time())
        writer.close()

    raw_server(loop, silent)
    begun = loop.time()

    async def story() -> None:
        with pytest.raises(CannotConnect, match="no answer within 300 ms"):
            await connect(Target(URI, timeout_ms=300), Ours().take)

    loop.run(story())
    assert loop.time() - begun == pytest.approx(0.3)
    loop.advance(1)
    assert len(ended) == 1


def test_a_peer_that_hangs_up_or_talks_nonsense(loop: VirtualLoop) -> None:
    answer = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    raw_server(loop, talk)

    async def story() -> None:
        nonlocal answer
        with pytest.raises(CannotConnect, match="closed before the handshake"):
            await connect(Target(URI), Ours().take)
        answer = b"220 smtp.example.com ESMTP\r\n\r\n"
        with pytest.raises(CannotConnect, match="valid HTTP response"):
            await connect(Target(URI), Ours().take)

    loop.run(story())


async def test_who_gives_up_waiting_leaves_no_connection(loop: VirtualLoop, far_end: FarEnd) -> None:
    task = loop.create_task(connect(Target(URI), Ours().take))
    for _ in range(100):
        await asyncio.sleep(0.0005)
        if far_end.sockets:
            break
    assert not task.done()  # the 101 is on its way
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.1)
    assert far_end.server.session_count == 0


async def test_a_peer_that_is_gone_without_a_word_is_found_out(loop: VirtualLoop, far_end: FarEnd) -> None:
    ours = Ours()
    options = WebSocketOptions(ping_interval_ms=1000)
    await connect(Target(URI, options=options), ours.take)
    await asyncio.sleep(10)
    assert ours.closings == []
    loop.network.cut("10.0.0.1", HOST)
    await asyncio.sleep(2.5)
    assert ours.closings == [(1006, "abort")]


async def test_a_close_that_nobody_answers_ends_at_its_timeout(loop: VirtualLoop, far_end: FarEnd) -> None:
    ours = Ours()
    socket = await connect(Target(URI, options=WebSocketOptions(close_timeout_ms=700)), ours.take)
    loop.network.cut("10.0.0.1", HOST)
    socket.close(1000)
    await asyncio.sleep(0.6)
    assert ours.closings == []
    await asyncio.sleep(0.2)
    assert ours.closings == [(1000, "client")]


def test_tls_checks_what_it_is_told_to_check(tmp_path: Path) -> None:
    strict = ClientTls().context()
    assert strict.verify_mode is ssl.CERT_REQUIRED and strict.check_hostname
    any_name = ClientTls(verify_hostname=False).context()
    assert any_name.verify_mode is ssl.CERT_REQUIRED and not any_name.check_hostname
    blind = ClientTls(verify_certificate=False).context()
    assert blind.verify_mode is ssl.CERT_NONE and not blind.check_hostname
    with pytest.raises(OSError):
        ClientTls(ca_file=tmp_path / "missing.pem").context()


def test_an_encrypted_socket_to_the_host_that_its_certificate_names() -> None:
    async def story() -> None:
        far_end, ours = FarEnd(), Ours()
        (bound,) = await far_end.server.start("127.0.0.1", 0, tls_context(CERTIFICATE))
        trusting = ClientTls(ca_file=CERTIFICATE)
        for uri in (f"wss://localhost:{bound.port}/", f"ws://localhost:{bound.port}/"):
            socket = await connect(Target(uri, tls=trusting, timeout_ms=5000), ours.take)
            socket.close()
        assert [request.peer.tls for request in far_end.requests] == [True, True]
        with pytest.raises(CannotConnect, match="CERTIFICATE_VERIFY_FAILED"):
            await connect(Target(f"wss://localhost:{bound.port}/", timeout_ms=5000), ours.take)
        await far_end.server.stop(5)

    asyncio.run(story())


async def test_a_password_in_the_uri_is_used_and_not_told(loop: VirtualLoop, far_end: FarEnd) -> None:
    target = Target(f"ws://kit:secret@{HOST}:{PORT}/")
    await connect(target, Ours().take)
    assert far_end.requests[0].headers.get("authorization") == "Basic " + base64.b64encode(b"kit:secret").decode()
    far_end.refusal = Response(403)
    with pytest.raises(CannotConnect) as failure:
        await connect(target, Ours().take)
    assert "secret" not in str(failure.value)


async def test_a_missing_certificate_is_a_failed_attempt(loop: VirtualLoop, tmp_path: Path) -> None:
    target = Target("wss://10.9.0.1/", tls=ClientTls(certificate=tmp_path / "missing.pem"))
    with pytest.raises(CannotConnect, match="No such file"):
        await connect(target, Ours().take)


@settings(max_examples=60)
@given(st.integers(0, 3).flatmap(lambda scale: st.binary(max_size=(20, 125, 126, 70_000)[scale])))
def test_masking_keeps_the_payload(payload: bytes) -> None:
    frame = masked(text_frame(payload))
    receiver = Protocol(SERVER)
    receiver.receive_data(frame)
    (received,) = receiver.events_received()
    assert isinstance(received, Frame)
    assert (bytes(received.data), received.fin, received.opcode) == (payload, True, 1)
