"""WebSocket channels: a program that talks with binary messages, and says what it wants in text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from arietta.drivers.pacing import PacedAudio
from arietta.testing import AriClient, Phone, VirtualLoop, tone

FRAME = b"\x55" * 160


class Program:
    """A program with one WebSocket, of either side."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str | None] = asyncio.Queue()
        self.audio: list[bytes] = []
        self.path = ""
        self.opened = asyncio.Event()
        self.refused: int | None = None
        self._protocol: ClientProtocol | ServerProtocol | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    async def connect(self, path: str) -> None:
        """Open the socket at our HTTP server; the status of a refusal is kept in `refused`."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", 8088)
        protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:8088{path}"))
        protocol.send_request(protocol.connect())
        self._protocol = protocol
        self._task = asyncio.ensure_future(self._read(reader))
        self._flush()
        async with asyncio.timeout(5):
            await self.opened.wait()

    async def listen(self, port: int) -> None:
        """Wait for the server to come."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._protocol, self._writer = ServerProtocol(), writer
        await self._read(reader)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        protocol = self._protocol
        assert protocol is not None
        while data := await reader.read(65536):
            protocol.receive_data(data)
            self._take_events(protocol)
            self._flush()
        protocol.receive_eof()
        self._take_events(protocol)
        self.texts.put_nowait(None)
        assert self._writer is not None
        self._writer.close()

    def _take_events(self, protocol: ClientProtocol | ServerProtocol) -> None:
        for event in protocol.events_received():
            if isinstance(event, Request) and isinstance(protocol, ServerProtocol):
                self.path = event.path
                protocol.send_response(protocol.accept(event))
            elif isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self.texts.put_nowait(bytes(event.data).decode())
                elif event.opcode is Opcode.BINARY:
                    self.audio.append(bytes(event.data))
        if isinstance(protocol, ClientProtocol) and protocol.handshake_exc is not None:
            self.refused = getattr(getattr(protocol.handshake_exc, "response", None), "status_code", 0)
        if protocol.state is not State.CONNECTING or self.refused is not None:
            self.opened.set()

    def _flush(self) -> None:
        assert self._protocol is not None and self._writer is not None
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif isinstance(self._protocol, ServerProtocol):
                self._writer.close()  # RFC 6455 7.1.1: the server closes first

    def say(self, text: str) -> None:
        """Send a command."""
        assert self._protocol is not None
        self._protocol.send_text(text.encode())
        self._flush()

    def speak(self, audio: bytes) -> None:
        """Send a binary message."""
        assert self._protocol is not None
        self._protocol.send_binary(audio)
        self._flush()

    async def hears(self, begins: str, within: float = 5) -> str:
        """The next text, which begins so."""
        async with asyncio.timeout(within):
            text = await self.texts.get()
        assert text is not None and text.startswith(begins), f"{begins!r} was awaited, {text!r} came"
        return text

    async def ended(self) -> None:
        """The connection is over, and no text was left to be heard."""
        async with asyncio.timeout(5):
            assert await self.texts.get() is None
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Close the connection as a program does that ends."""
        if self._writer is not None:
            self._writer.close()
        if self._task is not None:
            await self._task
        if self._server is not None:
            self._server.close()


@pytest.fixture
def program() -> Program:
    return Program()


async def external_media(app: AriClient, **more: object) -> dict[str, Any]:
    """The channel to the program, as the operation shows it."""
    query: dict[str, object] = {
        "app": "app",
        "connection_type": "server",
        "encapsulation": "none",
        "transport": "websocket",
        "format": "ulaw",
        **more,
    }
    made = (await app.post("/channels/externalMedia", expect=200, **query)).json
    assert isinstance(made, dict)
    return made


async def connected(app: AriClient, program: Program, **more: object) -> dict[str, Any]:
    """A channel whose program is there; MEDIA_START was heard, and StasisStart came."""
    made = await external_media(app, **more)
    await program.connect(f"/media/{made['channelvars']['MEDIA_WEBSOCKET_CONNECTION_ID']}")
    await program.hears("MEDIA_START")
    await app.event("StasisStart", channel_id=made["id"])
    return made


async def test_a_program_comes_with_the_id_it_was_told(app: AriClient, program: Program) -> None:
    made = await external_media(app)
    identifier = made["channelvars"]["MEDIA_WEBSOCKET_CONNECTION_ID"]
    assert made["channelvars"]["MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE"] == "160"
    assert made["name"].startswith("WebSocket/INCOMING/0x")
    await app.no_event("StasisStart")
    await program.connect(f"/media/{identifier}")
    start = await program.hears("MEDIA_START ")
    facts = dict(word.split(":", 1) for word in start.split()[1:])
    assert facts == {
        "connection_id": identifier,
        "channel": made["name"],
        "channel_id": made["id"],
        "format": "ulaw",
        "optimal_frame_size": "160",
        "ptime": "20",
    }
    await app.event("StasisStart", channel_id=made["id"])

    program.say("HANGUP")
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 16
    await program.ended()


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


async def test_a_program_talks_with_a_phone(alice: Phone, app: AriClient, program: Program) -> None:
    made = await connected(app, program, format="slin")
    call = await alice.invite("1000")
    phone = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=[made["id"], phone], expect=204)
    words = tone(440, 2000)
    program.say("START_MEDIA_BUFFERING")
    for start in range(0, len(words), 7777):  # pieces that are no frames, all at once
        program.speak(words[start : start + 7777])
    program.say("STOP_MEDIA_BUFFERING one")
    await call.hears(words)
    await program.hears("MEDIA_BUFFERING_COMPLETED one")
    program.audio.clear()
    await call.send_audio(tone(620, 600))
    await asyncio.sleep(0.2)
    assert {len(audio) for audio in program.audio} == {320}
    assert max(abs(sample) for sample in memoryview(b"".join(program.audio)).cast("h")) > 5000
    await call.send_digits("7")
    assert await program.hears("DTMF_END") == "DTMF_END digit:7"
    await call.hang_up()
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.ended()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_flood_is_stopped_and_let_go_on(app: AriClient, program: Program) -> None:
    made = await connected(app, program)
    for _ in range(10):
        program.speak(FRAME * 93)
    await program.hears("MEDIA_XOFF")
    program.say("GET_STATUS")
    status = dict(word.split(":") for word in (await program.hears("STATUS ")).split()[1:])
    assert 900 <= int(status.pop("queue_length")) <= 1000
    assert status == {
        "xon_level": "800", "xoff_level": "900", "queue_full": "false", "bulk_media": "false", "media_paused": "false",
    }  # fmt: skip
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await program.hears("MEDIA_XON")
    assert 1.5 < loop.time() - begun < 4  # 20 ms each
    program.say("REPORT_QUEUE_DRAINED")
    await program.hears("QUEUE_DRAINED", within=30)
    assert 17 < loop.time() - begun < 20
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.ended()


async def test_marks_pause_and_flush(app: AriClient, program: Program) -> None:
    made = await connected(app, program)
    program.say("PAUSE_MEDIA")
    program.speak(FRAME * 100)
    program.say("MARK_MEDIA two")
    with pytest.raises(TimeoutError):
        await program.hears("MEDIA_MARK", within=10)
    program.say("CONTINUE_MEDIA")
    await program.hears("MEDIA_MARK_PROCESSED two")
    program.speak(FRAME * 400)
    program.say("MARK_MEDIA three")
    program.say("REPORT_QUEUE_DRAINED")
    program.say("FLUSH_MEDIA")
    await program.hears("QUEUE_DRAINED", within=0.5)  # the mark went with what it stood behind
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.ended()


async def test_commands_and_events_as_json(app: AriClient, program: Program) -> None:
    made = await external_media(app, transport_data="nf(json)")
    await program.connect(f"/media/{made['channelvars']['MEDIA_WEBSOCKET_CONNECTION_ID']}")
    start = json.loads(await program.hears("{"))
    assert (start["event"], start["channel_id"], start["format"]) == ("MEDIA_START", made["id"], "ulaw")
    assert start["channel_variables"]["MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE"] == "160"
    await app.no_event("StasisStart")  # option n: it is answered when the program says so
    program.say('{"command": "ANSWER"}')
    await app.event("StasisStart", channel_id=made["id"])
    program.say('{"command": "MARK_MEDIA", "correlation_id": "x y"}')
    assert json.loads(await program.hears("{")) == {
        "event": "MEDIA_MARK_PROCESSED",
        "channel_id": made["id"],
        "correlation_id": "x y",
    }
    for wrong in ("{", '{"command": "SING"}', '{"command": "SET_MEDIA_DIRECTION", "direction": "up"}', "[]"):
        program.say(wrong)
        assert json.loads(await program.hears("{"))["event"] == "ERROR"
    program.say('{"command": "HANGUP"}')
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await program.ended()


async def test_a_program_that_only_listens(app: AriClient, program: Program) -> None:
    made = await connected(app, program)
    program.say("SET_MEDIA_DIRECTION in")
    program.speak(FRAME * 100)
    program.say("GET_STATUS")
    assert "queue_length:0 " in await program.hears("STATUS ")
    program.say("SET_MEDIA_DIRECTION sideways")
    await program.hears("ERROR direction")
    await program.stop()
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 16


async def test_a_message_that_is_too_big_ends_the_call(app: AriClient, program: Program) -> None:
    made = await connected(app, program)
    program.speak(bytes(65501))
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await program.ended()


async def test_who_does_not_know_the_id_is_not_let_in(app: AriClient, program: Program) -> None:
    made = await connected(app, program)
    for path in (
        "/media",
        "/media/",
        "/media/nobody",
        f"/media/{made['channelvars']['MEDIA_WEBSOCKET_CONNECTION_ID']}",
    ):
        stranger = Program()
        await stranger.connect(path)
        assert stranger.refused == 404
        await stranger.stop()
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.ended()


async def test_nobody_comes(app: AriClient, program: Program) -> None:
    made = await external_media(app)
    assert (await app.event("ChannelDestroyed", channel_id=made["id"], within=40))["cause"] == 19
    await program.connect(f"/media/{made['channelvars']['MEDIA_WEBSOCKET_CONNECTION_ID']}")
    assert program.refused == 404
    await program.stop()


async def test_we_connect_to_the_program(app: AriClient, program: Program) -> None:
    await program.listen(9100)
    made = await external_media(
        app, connection_type="client", external_host="robot", transport_data="v(call=7,lang=de)"
    )
    assert made["name"].startswith("WebSocket/robot/0x")
    await program.hears("MEDIA_START connection_id:robot ")
    assert program.path == "/robot?call=7&lang=de"
    await app.event("StasisStart", channel_id=made["id"])
    program.say("HANGUP")
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await program.ended()


async def test_the_program_is_not_there(app: AriClient) -> None:
    made = await external_media(app, connection_type="client", external_host="robot")
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 27
    assert "StasisStart" not in app.types()


async def test_what_is_refused(app: AriClient) -> None:
    query = {"app": "app", "encapsulation": "none", "transport": "websocket", "format": "ulaw"}
    client = {"external_host": "robot"}
    for more, status in (
        ({"external_host": "nobody"}, 400),
        ({"external_host": "events"}, 400),  # a persistent one
        ({**client, "format": "opus"}, 500),
        ({**client, "transport_data": "p"}, 400),
        ({**client, "transport_data": "f(xml)"}, 400),
        ({**client, "transport_data": "v(a=b"}, 400),
        ({"connection_type": "server", "channelId": "c" * 150}, 400),
    ):
        await app.post("/channels/externalMedia", expect=status, **{**query, **more})
    assert (await app.get("/channels")).json == []


class Buffer:
    """A port that takes everything."""

    buffered_ms = 0

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def push(self, data: bytes) -> None:
        self.taken.append(data)

    def flush(self) -> None:
        self.taken.clear()


def test_what_was_given_ahead_is_bounded(loop: VirtualLoop) -> None:
    port = Buffer()
    paced = PacedAudio(loop, port, high=50, low=25, on_high=lambda: None, on_low=lambda: None)  # type: ignore[arg-type]
    for number in range(40):
        paced.put(bytes((number,)))
    assert len(port.taken) == 5  # 100 ms
    loop.advance(0.4)
    assert 20 <= len(port.taken) <= 25
    loop.advance(2)
    assert port.taken == [bytes((number,)) for number in range(40)]
    assert paced.frames == 0
