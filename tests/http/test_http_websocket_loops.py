"""Event sockets on loops with real sockets: asyncio's own and uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from http_kit import USERS, SmallApi, upgrade
from websockets.frames import Frame
from websockets.protocol import CLIENT, Protocol

from arietta.http import AriFront, HttpOptions, HttpServer, MountTable, Users, WebSocketConnection, WebSocketOptions

Story = Callable[[WebSocketConnection, asyncio.StreamReader, SmallApi], Awaitable[None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a story with one open socket."""
    factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_it(story: Story, **options: int) -> None:
        async def main() -> None:
            api = SmallApi()
            settings = HttpOptions("loops", websocket=WebSocketOptions(**options))
            server = HttpServer(MountTable({"/ari": AriFront(api, Users(USERS))}), settings)
            (address,) = await server.start("127.0.0.1", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
            writer.write(upgrade())
            await reader.readuntil(b"\r\n\r\n")
            (socket,) = api.sockets
            await asyncio.wait_for(story(socket, reader, api), 20)
            writer.transport.abort()
            await server.stop(0)

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return run_it


async def messages(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """What a client reads: so many whole frames, nothing behind them."""
    frames, found = Protocol(CLIENT), []
    while len(found) < count:
        frames.receive_data(await reader.read(1 << 16))
        found += [bytes(frame.data) for frame in frames.events_received() if isinstance(frame, Frame)]
    assert len(found) == count
    return found


def test_every_event_arrives_in_order(run: Callable[..., None]) -> None:
    async def story(socket: WebSocketConnection, reader: asyncio.StreamReader, api: SmallApi) -> None:
        sent = [f"{number} ".encode() * 100 for number in range(20_000)]  # more than any buffer takes
        for message in sent:
            socket.send_text(message)
        assert await messages(reader, len(sent)) == sent
        socket.send_text("the last one")
        socket.close(1000)
        assert (await messages(reader, 2))[0] == b"the last one"

    run(story, max_queued_bytes=64 << 20)


def test_who_does_not_read_is_cut_off_at_the_limit(run: Callable[..., None]) -> None:
    async def story(socket: WebSocketConnection, reader: asyncio.StreamReader, api: SmallApi) -> None:
        closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        socket.on_closed = lambda code, by: closed.set_result((code, by))
        for _ in range(1000):
            socket.send_text(b"x" * 65_000)
            if not socket.is_open:
                break
            await asyncio.sleep(0)
        assert not socket.is_open
        assert await closed == (1006, "abort")

    run(story, max_queued_bytes=1 << 20)
