"""Sockets that the server opens to applications: one that is kept, and one for each call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from arietta.config.conf import ConfigError
from arietta.http import Accept, HttpOptions, HttpServer, Request, Response, WebSocketConnection, text_frame
from arietta.http.messages import SwitchProtocols
from arietta.http.websocket import read_handshake
from arietta.server import Server, outbound
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.plugin import Switch

HOST, KEPT_PORT, CALL_PORT = "10.9.0.1", 8787, 8788

ARI = """
[general]
enabled=yes
[asterisk]
type=user
password=asterisk
[reader]
type=user
password=reader
read_only=yes
[kept]
type=outbound_websocket
websocket_client_id=kept
apps=kept,second
local_ari_user=asterisk
[calls]
type=outbound_websocket
websocket_client_id=calls
apps=call
local_ari_user=reader
"""
CLIENTS = f"""
[kept]
type=websocket_client
uri=ws://{HOST}:{KEPT_PORT}/kept
protocols=ari
username=kit
password=kitpw
connection_type=persistent
reconnect_interval=1000
[calls]
type=websocket_client
uri=ws://{HOST}:{CALL_PORT}/call
protocols=ari
connection_type=per_call_config
reconnect_interval=300
reconnect_attempts=2
"""
PJSIP = """
[udp]
type=transport
protocol=udp
bind=10.0.0.1:5060
[carrier]
type=endpoint
context=default
disallow=all
allow=ulaw
[carrier]
type=identify
endpoint=carrier
match=10.0.1.0/24
"""
EXTENSIONS = """
[default]
exten => 1,1,Stasis(call,first)
 same => n,Set(GLOBAL(HOW)=${STASISSTATUS})
 same => n,Hangup()
exten => 2,1,Stasis(kept)
 same => n,Hangup()
"""
FILES = {
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\n",
    "ari.conf": ARI,
    "websocket_client.conf": CLIENTS,
    "pjsip.conf": PJSIP,
    "extensions.conf": EXTENSIONS,
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10099\n",
}


class Program:
    """A program that takes the sockets of the server on one port, and what it heard on them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[Request] = []
        self.sockets: list[WebSocketConnection] = []
        self.events: list[dict[str, Any]] = []
        self.closings: list[tuple[int, str]] = []
        self._server = HttpServer(self, HttpOptions("program"))

    async def listen(self) -> None:
        await self._server.start(HOST, self.port)

    async def go(self) -> None:
        """End, sockets and all."""
        for socket in self.sockets:
            socket.abort()
        await self._server.stop(0)
        self._server = HttpServer(self, HttpOptions("program"))
        await asyncio.sleep(0.01)

    def handle(self, request: Request) -> Response | SwitchProtocols:
        self.requests.append(request)
        handshake = read_handshake(request)
        return handshake if isinstance(handshake, Response) else handshake.switch(Accept(self._opened))

    def refuse(self, request: Request, status: int, message: str) -> Response:
        return Response(status)

    def _opened(self, socket: WebSocketConnection) -> None:
        self.sockets.append(socket)
        socket.on_text = lambda text: self.events.append(json.loads(text))
        socket.on_closed = lambda code, by: self.closings.append((code, by))

    def take(self) -> list[tuple[str, str]]:
        """Type and application of each event since the last look."""
        taken, self.events = self.events, []
        return [(event["type"], event["application"]) for event in taken]

    async def until(self, kind: str) -> dict[str, Any]:
        """Wait for an event of a type."""
        for _ in range(1000):
            for event in self.events:
                if event["type"] == kind:
                    return event
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind} came, but {[event['type'] for event in self.events]}")

    async def ask(self, method: str, uri: str) -> dict[str, Any]:
        """Ask for an operation over the socket."""
        message = {"type": "RESTRequest", "request_id": f"{method} {uri}", "method": method, "uri": uri}
        self.sockets[-1].send_frame(text_frame(json.dumps(message).encode()))
        answer = await self.until("RESTResponse")
        self.events.remove(answer)
        return answer


@pytest.fixture
def kept() -> Program:
    return Program(KEPT_PORT)


@pytest.fixture
def calls() -> Program:
    return Program(CALL_PORT)


@pytest.fixture
def start(switch: Switch, loop: VirtualLoop) -> Callable[[], Any]:
    """The server; after its stop no task of an outbound socket may be left."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Server]:
        async with switch(FILES) as server:
            assert isinstance(server, Server)
            yield server
        assert [task for task in asyncio.all_tasks(loop) if task.get_name().startswith("outbound")] == []

    return running


@pytest.fixture
def carrier(loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    return loop.run(phone("10.0.1.9", 5060, name="carrier", server=("10.0.0.1", 5060)))


def rewrite(server: Server, name: str, old: str, new: str) -> None:
    """Change one configuration file and reload."""
    path = server.config.directory / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    server.reload(("res_ari.so",))


async def test_a_kept_socket_announces_its_applications_and_carries_a_call(
    start: Any, kept: Program, carrier: Phone
) -> None:
    await kept.listen()
    async with start():
        await asyncio.sleep(0.1)
        assert kept.take() == [("ApplicationRegistered", "kept"), ("ApplicationRegistered", "second")]
        assert kept.requests[0].target == "/kept"
        assert kept.requests[0].headers.get("authorization") == "Basic a2l0OmtpdHB3"

        call = await carrier.invite("2")
        channel = (await kept.until("StasisStart"))["channel"]["id"]
        answer = await kept.ask("DELETE", f"channels/{channel}")
        assert (answer["status_code"], answer["application"]) == (204, "kept")
        await call.ended()
        await kept.until("StasisEnd")
    await asyncio.sleep(0.1)
    assert kept.closings == [(1001, "client")]


async def test_while_it_is_down_the_application_exists_and_events_wait(
    start: Any, kept: Program, carrier: Phone, ari: Callable[..., AriClient]
) -> None:
    async with start():
        client = ari("127.0.0.1", 8088)
        assert (await client.get("/applications/kept")).json["channel_ids"] == []
        call = await carrier.invite("2")
        await asyncio.sleep(0.5)
        await kept.listen()
        await kept.until("StasisStart")
        registered = [("ApplicationRegistered", "kept"), ("ApplicationRegistered", "second")]
        assert kept.take() == [*registered, ("StasisStart", "kept")]

        await kept.go()
        await call.cancel()
        await kept.listen()
        await kept.until("StasisEnd")
        assert kept.take() == [*registered, ("ChannelHangupRequest", "kept"), ("StasisEnd", "kept")]
        assert len(kept.requests) == 2


async def test_the_oldest_of_too_many_events_are_dropped_with_a_word(
    start: Any,
    kept: Program,
    ari: Callable[..., AriClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(outbound, "MAX_WAITING_EVENTS", 3)
    async with start():
        client = ari("127.0.0.1", 8088)
        for number in range(5):
            await client.post(f"/events/user/news-{number}", application="kept", expect=204)
        await kept.listen()
        await kept.until("ChannelUserevent")
        assert [event["eventname"] for event in kept.events[2:]] == ["news-2", "news-3", "news-4"]
        assert "outbound WebSocket 'kept': 2 events were dropped" in caplog.text


async def test_attempts_keep_their_interval_and_are_reported_once(
    start: Any, kept: Program, loop: VirtualLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async with start():
        await asyncio.sleep(10)
        told = [record for record in caplog.records if record.name == "arietta.server.outbound"]
        assert len(told) == 1 and "nobody listens" in told[0].getMessage()
        await kept.listen()
        begun = loop.time()
        await kept.until("ApplicationRegistered")
        assert loop.time() - begun < 1.1


async def test_another_socket_may_take_an_application_and_gives_it_back(
    start: Any, kept: Program, ari: Callable[..., AriClient]
) -> None:
    await kept.listen()
    async with start():
        await asyncio.sleep(0.1)
        kept.take()
        client = ari("127.0.0.1", 8088)
        socket = await client.connect("kept")
        await asyncio.sleep(0.1)
        assert kept.take() == [("ApplicationReplaced", "kept")]
        await socket.close()
        await asyncio.sleep(0.1)
        assert kept.take() == [("ApplicationRegistered", "kept")]
        await client.post("/events/user/news", application="kept", expect=204)
        await asyncio.sleep(0.1)
        assert kept.take() == [("ChannelUserevent", "kept")]


async def test_a_reload_changes_applications_on_the_open_socket(start: Any, kept: Program) -> None:
    await kept.listen()
    async with start() as server:
        await asyncio.sleep(0.1)
        kept.take()
        rewrite(server, "ari.conf", "apps=kept,second", "apps=kept,third")
        await asyncio.sleep(0.1)
        assert kept.take() == [
            ("ApplicationUnregistered", "second"),
            ("ApplicationReplaced", "kept"),
            ("ApplicationRegistered", "third"),
        ]
        assert sorted(application.name for application in server.applications) == ["kept", "third"]

        rewrite(server, "ari.conf", "local_ari_user=asterisk", "local_ari_user=reader")
        assert (await kept.ask("DELETE", "channels/x"))["status_code"] == 403
        assert (len(kept.requests), kept.closings) == (1, [])


async def test_a_reload_that_moves_or_ends_the_socket(start: Any, kept: Program) -> None:
    await kept.listen()
    async with start() as server:
        await asyncio.sleep(0.1)
        kept.take()
        rewrite(server, "websocket_client.conf", "/kept", "/moved")
        await asyncio.sleep(0.1)
        assert [request.target for request in kept.requests] == ["/kept", "/moved"]
        assert kept.closings == [(1000, "client")]
        assert sorted(kept.take()) == sorted(
            [(kind, app) for kind in ("ApplicationUnregistered", "ApplicationRegistered") for app in ("kept", "second")]
        )

        rewrite(server, "ari.conf", ARI.partition("[kept]")[2], "")
        await asyncio.sleep(0.1)
        assert kept.closings == [(1000, "client")] * 2
        assert list(server.applications) == []


async def test_each_call_has_a_socket_and_an_application_of_its_own(start: Any, calls: Program, carrier: Phone) -> None:
    await calls.listen()
    async with start() as server:
        call = await carrier.invite("1")
        begun = await calls.until("StasisStart")
        name = begun["channel"]["name"]
        own = f"call:{name}"
        assert calls.take() == [("ApplicationRegistered", own), ("StasisStart", own)]
        assert begun["args"] == ["first"]
        assert server.applications.get(own) is not None and server.applications.get("call") is None
        assert (await calls.ask("GET", f"channels/{begun['channel']['id']}"))["status_code"] == 200
        assert (await calls.ask("DELETE", f"channels/{begun['channel']['id']}"))["status_code"] == 403

        other = await carrier.invite("1")
        for _ in range(100):
            await asyncio.sleep(0.01)
        assert len(calls.sockets) == 2
        await other.cancel()
        await call.cancel()
        await asyncio.sleep(0.1)
        assert calls.closings == [(1000, "client")] * 2
        assert [(kind, app) for kind, app in calls.take() if app == own][-1] == ("StasisEnd", own)
        assert [application.name for application in server.applications] == ["kept", "second"]


async def test_a_call_whose_socket_nobody_takes_goes_on_as_failed(
    start: Any, carrier: Phone, loop: VirtualLoop
) -> None:
    async with start() as server:
        begun = loop.time()
        call = await carrier.invite("1")
        await call.expect(603)
        assert server.dialplan.globals["HOW"] == "FAILED"
        assert 0.3 <= loop.time() - begun < 0.5  # two attempts, the interval between them


async def test_a_caller_who_hangs_up_while_the_socket_is_opened(start: Any, carrier: Phone) -> None:
    async with start() as server:
        call = await carrier.invite("1")
        await asyncio.sleep(0.1)
        await call.cancel()
        await call.ended()
        assert len(server.channels) == 0
        await asyncio.sleep(1)
        assert [task for task in asyncio.all_tasks() if "calls" in task.get_name()] == []


async def test_a_call_whose_socket_breaks_waits_for_it_and_then_goes_on_as_failed(
    start: Any, calls: Program, carrier: Phone
) -> None:
    await calls.listen()
    async with start() as server:
        call = await carrier.invite("1")
        channel = (await calls.until("StasisStart"))["channel"]
        await calls.go()
        server.channels.get(channel["id"]).set_variable("MEANWHILE", "1")
        await calls.listen()
        await calls.until("ChannelVarset")
        own = f"call:{channel['name']}"
        assert calls.take()[2:] == [("ApplicationRegistered", own), ("ChannelVarset", own)]

        await calls.go()
        await call.expect(603)
        assert server.dialplan.globals["HOW"] == "FAILED"
        assert server.applications.get(own) is None


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("ari.conf", "apps=call", "apps=call,kept", r"app kept of \[calls\] is served by \[kept\] already"),
        ("websocket_client.conf", "persistent", "per_call", "connection_type per_call is not persistent or per_call_"),
        ("websocket_client.conf", "connection_type=persistent\n", "", r"connection_type of \[kept\] is not persistent"),
    ],
)
async def test_sockets_that_cannot_be_kept_are_errors_of_the_configuration(
    switch: Switch, name: str, old: str, new: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        async with switch({**FILES, name: FILES[name].replace(old, new, 1)}):
            pass
