"""AudioSocket channels: a program over TCP, and the messages between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.drivers.audiosocket import AUDIO, DIGIT, ERROR, HANGUP, IDENTIFIER, MessageReader, message
from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop, tone

CALL = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
PORT = 9092


class Program:
    """What is at the other end: it takes one connection and keeps what comes."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.audio = b""
        self.writer: asyncio.StreamWriter | None = None
        self.server: asyncio.Server | None = None

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self._take, "127.0.0.1", PORT)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        cut = MessageReader()
        with contextlib.suppress(ConnectionResetError):  # what we do not read is not taken any more
            while data := await reader.read(65536):
                for kind, payload in cut.feed(data):
                    if kind == AUDIO:
                        self.audio += payload
                    else:
                        self.messages.put_nowait((kind, payload))
        self.messages.put_nowait((-1, b""))

    async def next(self) -> tuple[int, bytes]:
        """The next message that is no audio; kind -1 is the end of the connection."""
        async with asyncio.timeout(5):
            return await self.messages.get()

    def send(self, kind: int, payload: bytes = b"") -> None:
        assert self.writer is not None
        self.writer.write(message(kind, payload))

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()


@pytest.fixture
def program(switchboard: Server, loop: VirtualLoop) -> Program:
    one = Program()
    loop.run(one.listen())
    return one


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


async def external_media(app: AriClient, **more: object) -> dict[str, object]:
    """The channel to the program, as the operation shows it."""
    query: dict[str, object] = {
        "app": "app",
        "external_host": f"127.0.0.1:{PORT}",
        "encapsulation": "audiosocket",
        "transport": "tcp",
        "format": "slin",
        "data": str(CALL),
        **more,
    }
    made = (await app.post("/channels/externalMedia", expect=200, **query)).json
    assert isinstance(made, dict)
    return made


async def test_a_program_talks_with_a_phone(alice: Phone, app: AriClient, program: Program) -> None:
    made = await external_media(app)
    assert made["name"] == f"AudioSocket/127.0.0.1:{PORT}-{CALL}"
    assert made["state"] == "Down"
    assert await program.next() == (IDENTIFIER, CALL.bytes)
    await app.event("StasisStart", channel_id=made["id"])
    call = await alice.invite("1000")
    phone = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=[made["id"], phone], expect=204)

    words = tone(440, 600)
    for start in range(0, len(words), 1000):  # pieces that are no frames
        program.send(AUDIO, words[start : start + 1000])
    await call.hears(words)
    program.audio = b""
    await call.send_audio(tone(620, 600))
    await asyncio.sleep(0.2)
    assert max(abs(sample) for sample in memoryview(program.audio).cast("h")) > 5000

    program.send(DIGIT, b"5")
    assert (await app.event("ChannelDtmfReceived", channel_id=made["id"]))["digit"] == "5"
    await call.hears_digits("5")
    await call.send_digits("7")
    assert await program.next() == (DIGIT, b"7")

    await app.delete(f"/channels/{made['id']}", expect=204)
    assert await program.next() == (HANGUP, b"")
    assert (await program.next())[0] == -1
    await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)
    await program.close()


@pytest.mark.parametrize("how", ["hangup", "error", "close"])
async def test_the_program_ends_the_call(app: AriClient, program: Program, how: str) -> None:
    made = await external_media(app, channelId="a-program")
    await program.next()
    await app.event("StasisStart", channel_id="a-program")
    if how == "hangup":
        program.send(HANGUP)
    elif how == "error":
        program.send(ERROR, b"\x01")
    else:
        assert program.writer is not None
        program.writer.close()
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 16
    await program.close()


async def test_a_program_far_ahead_is_held_back(app: AriClient, program: Program) -> None:
    made = await external_media(app)
    await program.next()
    await app.event("StasisStart", channel_id=made["id"])
    assert program.writer is not None
    program.writer.write(message(AUDIO, bytes(32000)) * 100)  # 200 seconds of it
    await asyncio.sleep(30)
    assert program.writer.transport.get_write_buffer_size() > 0  # we do not read what we have no room for
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.close()


async def test_strange_messages_are_ignored(app: AriClient, program: Program) -> None:
    made = await external_media(app)
    await program.next()
    await app.event("StasisStart", channel_id=made["id"])
    for kind, payload in ((0x77, b"?"), (0x12, b"\0\0"), (DIGIT, b"x"), (DIGIT, b""), (AUDIO, b""), (AUDIO, b"\0")):
        program.send(kind, payload)
    program.send(DIGIT, b"#")
    assert (await app.event("ChannelDtmfReceived"))["digit"] == "#"
    await app.delete(f"/channels/{made['id']}", expect=204)
    await program.close()


async def test_nobody_listens(switchboard: Server, app: AriClient) -> None:
    made = await external_media(app, external_host="127.0.0.1:9999")
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 27
    assert "StasisStart" not in app.types()


async def test_what_is_refused(switchboard: Server, app: AriClient) -> None:
    for wrong, status in (
        ({"data": "not-a-uuid"}, 400),
        ({"external_host": "127.0.0.1:99999"}, 400),
        ({"format": "opus"}, 500),
        ({"data": None}, 400),
    ):
        query = {
            "app": "app",
            "external_host": f"127.0.0.1:{PORT}",
            "encapsulation": "audiosocket",
            "transport": "tcp",
            "format": "slin",
            "data": str(CALL),
            **wrong,
        }
        given_ = {name: value for name, value in query.items() if value is not None}
        await app.post("/channels/externalMedia", expect=status, **given_)
    await app.post("/channels", endpoint=f"AudioSocket/127.0.0.1:{PORT}/{CALL}/x", app="app", expect=500)
    assert (await app.get("/channels")).json == []


MESSAGES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8)


@settings(max_examples=60)
@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 2500), max_size=6))
def test_messages_come_out_as_they_went_in_however_they_were_cut(
    messages: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    wire = b"".join(message(kind, payload) for kind, payload in messages)
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    reader = MessageReader()
    found = [one for start, end in pairwise(places) for one in reader.feed(wire[start:end])]
    assert found == messages
