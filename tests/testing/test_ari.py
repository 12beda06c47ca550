"""The ARI client, against the project's own HTTP front on the virtual network."""

from __future__ import annotations

import asyncio
import json

import pytest

from arietta.http import Accept, AriFront, HttpOptions, HttpServer, MountTable, Response, User, Users, text_frame
from arietta.http.messages import Request
from arietta.testing.ari import AriClient, Unexpected, find
from arietta.testing.ladder import Ladder
from arietta.testing.loop import VirtualLoop


class Api:
    """Operations that say what they were asked, and sockets that get one event."""

    def __init__(self) -> None:
        self.sockets = []

    def handle(self, request: Request) -> Response | None:
        if request.rest == "/gone":
            return None
        asked = {"method": request.method, "path": request.rest, "query": request.query_string}
        asked["body"] = request.body.decode()
        return Response(200, json.dumps(asked).encode(), "application/json")

    def allowed_methods(self, path: str) -> tuple[str, ...] | None:
        return None

    def websocket(self, request: Request) -> Accept | Response:
        if "app=" not in request.query_string:
            return Response(400)

        def opened(socket) -> None:
            self.sockets.append(socket)
            socket.send_frame(text_frame(b'{"type":"ApplicationReplaced","application":"a"}'))

        return Accept(opened)


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()
    assert loop.failures == []


async def serve(**limits) -> tuple[Api, HttpServer]:
    """The front on the home address."""
    api = Api()
    users = Users([User("asterisk", "secret")])
    server = HttpServer(MountTable({"/ari": AriFront(api, users)}), HttpOptions("Arietta", **limits))
    await server.start("0.0.0.0", 8088)
    return api, server


def client(**options) -> AriClient:
    return AriClient("10.0.0.1", 8088, "asterisk", "secret", **options)


def test_requests_carry_query_and_body(loop):
    async def story() -> None:
        await serve()
        async with client() as ari:
            reply = await ari.post("/channels", body={"variables": {"a": 1}}, endpoint="PJSIP/6", mute=True, x=[1, 2])
            asked = reply.json
            assert asked["method"] == "POST"
            assert asked["query"] == "endpoint=PJSIP%2F6&mute=true&x=1%2C2"
            assert json.loads(asked["body"]) == {"variables": {"a": 1}}
            assert reply.headers["content-type"] == "application/json"
            with pytest.raises(Unexpected, match="expected 200 to GET /gone, got 404"):
                await ari.get("/gone")
            ari.password = "wrong"
            assert (await ari.get("/x", expect=401)).json["message"] == "Authentication required"

    loop.run(story())


def test_a_kept_connection_that_the_server_closed_is_opened_again(loop):
    async def story() -> None:
        _, server = await serve(session_keep_alive_ms=1000)
        async with client() as ari:
            await ari.get("/one")
            await ari.get("/two")
            assert server.counters.connections == 1
            await asyncio.sleep(5)
            await ari.get("/three")
            assert server.counters.connections == 2

    loop.run(story())


def test_events_come_in_order_and_each_once(loop):
    async def story() -> None:
        api, server = await serve()
        ladder = Ladder({"app": "ari", "arietta": "10.0.0.1:8088"})
        ari = client(name="app", ladder=ladder)
        socket = await ari.connect("hello-world", subscribe_all=True)
        await ari.event("ApplicationReplaced")
        for number in range(3):
            event = {"type": "StasisStart", "channel": {"id": str(number), "dialplan": {"exten": "1000"}}}
            api.sockets[0].send_frame(text_frame(json.dumps(event).encode()))
        assert (await ari.event("StasisStart", channel_id="1"))["channel"]["id"] == "1"
        assert (await ari.event("StasisStart", channel_dialplan_exten="1000"))["channel"]["id"] == "0"
        await ari.event("StasisStart")
        await ari.no_event("StasisStart", within=5)
        assert ari.types() == ["ApplicationReplaced"] + ["StasisStart"] * 3
        with pytest.raises(Unexpected, match=r"StasisEnd did not come.*waited 1 s.*\n.*ApplicationReplaced"):
            await ari.event("StasisEnd", within=1)
        api.sockets[0].on_text = lambda text: api.sockets[0].send_text(
            json.dumps({"type": "RESTResponse", "request_id": json.loads(text)["request_id"], "status_code": 204})
        )
        assert (await socket.request("DELETE", "channels/1"))["status_code"] == 204
        await ari.close()
        assert socket.closed_with == 1000
        assert server.websocket_count == 0
        assert "StasisStart" in ladder.render() and "GET /events hello" in ladder.render()

    loop.run(story())


def test_a_refused_socket_says_why(loop):
    async def story() -> None:
        await serve()
        ari = client()
        ari.password = "wrong"
        with pytest.raises(Unexpected, match="401"):
            await ari.connect("a")
        with pytest.raises(ConnectionRefusedError):
            await AriClient("10.0.0.1", 1).connect("a")

    loop.run(story())


def test_a_client_that_stops_reading_and_one_that_dies(loop):
    async def story() -> None:
        api, server = await serve()
        ari = client()
        socket = await ari.connect("a")
        await ari.event("ApplicationReplaced")
        socket.stop_reading()
        event = b'{"type":"X","text":"' + b"x" * 10_000 + b'"}'
        for _ in range(2000):
            api.sockets[0].send_frame(text_frame(event))
        await asyncio.sleep(30)
        assert server.counters.websockets_aborted == 1
        other = await ari.connect("b")
        other.drop()
        await asyncio.sleep(1)
        assert server.websocket_count == 0
        await ari.get("/x")
        ari.drop_connection()
        await asyncio.sleep(1)
        assert server.session_count == 0

    loop.run(story())


def test_fields_are_found_by_their_path():
    event = {"playback": {"media_uri": "sound:x", "id": "7"}, "channel_id": "plain"}
    assert find(event, "playback_media_uri") == "sound:x"
    assert find(event, "playback_id") == "7"
    assert find(event, "channel_id") == "plain"
    assert find(event, "bridge_id") is None


def test_the_same_client_on_real_sockets():
    async def story() -> None:
        api = Api()
        server = HttpServer(
            MountTable({"/ari": AriFront(api, Users([User("asterisk", "secret")]))}), HttpOptions("Arietta")
        )
        (address,) = await server.start("127.0.0.1", 0)
        async with AriClient("127.0.0.1", address.port, "asterisk", "secret") as ari:
            await ari.connect("a")
            await ari.event("ApplicationReplaced")
            assert (await ari.get("/x")).json["path"] == "/x"
        await server.stop()

    asyncio.run(story())
