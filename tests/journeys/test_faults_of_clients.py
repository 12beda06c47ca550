"""Clients that hang, die or ask for what is not there: the others go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from arietta.config.conf import ConfigError
from arietta.server import Server
from arietta.testing import AriClient, Call, Phone
from arietta.testing.ari import Event

OpenClient = Callable[..., AriClient]


async def test_a_socket_that_stops_reading_is_dropped_and_the_others_go_on(
    server: Server, alice: Phone, app: AriClient, ari: OpenClient
) -> None:
    stuck = ari(name="stuck")
    socket = await stuck.connect("watcher", subscribe_all=True)
    socket.stop_reading()
    call, channel = await dial(alice, app)
    waiting = 0
    for number in range(600):
        body = {"variable": f"LOUD{number}", "value": "x" * 20_000}
        await app.post(f"/channels/{channel}/variable", body=body, expect=204)
        waiting = max(waiting, *(each._connection.buffered_bytes for each in server.ari.sockets))
    assert 1 << 20 < waiting <= 9 << 20  # 12 MB of events went out, 8 MiB may wait
    for number in range(600):
        await app.event("ChannelVarset", variable=f"LOUD{number}")
    await asyncio.sleep(10)
    assert len(server.ari.sockets) == 1
    await app.get("/applications/watcher", expect=404)
    socket.go_on_reading()
    await asyncio.sleep(1)
    assert socket.closed_with == 1006
    await call.hang_up()
    await app.event("StasisEnd")


async def test_a_client_that_dies_between_request_and_response(server: Server, bob: Phone, app: AriClient) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection(app.host, app.port)
        line = "POST /ari/channels?endpoint=PJSIP/bob&app=hello-world HTTP/1.1"
        head = f"{line}\r\nAuthorization: {app.authorization}\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        writer.transport.abort()
    calls = [await bob.ringing() for _ in range(20)]
    for call in calls:
        call.reject(486)
    await asyncio.sleep(1)
    assert (await app.get("/channels")).json == []
    assert server.http.session_count == 2  # this client's connection and its socket


async def test_half_requests_leave_nothing(server: Server, app: AriClient) -> None:
    request = (
        b"POST /ari/channels HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    for length in range(1, len(request), 3):
        _, writer = await asyncio.open_connection(app.host, app.port)
        writer.write(request[:length])
        await asyncio.sleep(0.01)
        writer.transport.abort()
    await asyncio.sleep(60)
    await app.get("/asterisk/ping")
    assert server.http.session_count == 2


async def test_the_application_dies_in_a_call_and_comes_back(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    app.sockets[0].drop()
    await asyncio.sleep(1)
    assert call.end is None
    assert (await app.get(f"/channels/{channel}")).json["state"] == "Up"
    await app.connect("hello-world")
    await app.post(f"/channels/{channel}/play", media="sound:beep")
    await app.event("PlaybackFinished")
    await call.hang_up()
    await app.event("StasisEnd")


async def test_a_play_of_a_missing_file_fails_and_the_next_one_plays(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    missing = (await app.post(f"/channels/{channel}/play", media="sound:there-is-no-such-sound", expect=201)).json
    finished = await app.event("PlaybackFinished", playback_id=missing["id"])
    assert finished["playback"]["state"] == "failed"
    await app.get(f"/playbacks/{missing['id']}", expect=404)
    played = (await app.post(f"/channels/{channel}/play", media="sound:beep")).json
    assert (await app.event("PlaybackFinished", playback_id=played["id"]))["playback"]["state"] == "done"
    await call.hang_up()


@pytest.mark.parametrize(
    "body", [b"{", b'{"a":', b'"text"', b"\xff\xfe", b'{"variables": [1}', b"nul", b"[" * 5000], ids=repr
)
async def test_a_body_that_is_not_json_is_refused(app: AriClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = await app.request("POST", "/channels?endpoint=PJSIP/bob&app=x", body=body, headers=headers, expect=400)
    assert list(reply.json) == ["message"]


async def test_broken_text_on_the_socket_is_answered(app: AriClient) -> None:
    for text in ("{", "null", "[]", '{"type": 7}', json.dumps({"type": "RESTRequest"}), "x" * 100_000):
        app.sockets[0].send_text(text)
        assert (await app.event("RESTResponse"))["status_code"] == 400
    reply = await app.sockets[0].request("GET", "asterisk/ping")
    assert reply["status_code"] == 200


@pytest.mark.parametrize(
    ("name", "addition", "place"),
    [
        ("pjsip.conf", "[broken\n", "pjsip.conf"),
        ("http.conf", "bindport=99999\n", "http.conf"),
        ("extensions.conf", "exten => 1,one,NoOp()\n", "extensions.conf"),
    ],
)
async def test_a_broken_file_is_refused_whole_and_the_call_stays(
    server: Server, alice: Phone, app: AriClient, name: str, addition: str, place: str
) -> None:
    call, channel = await dial(alice, app)
    file = server.config.directory / name
    good = file.read_text()
    line = good.count("\n") + 1
    file.write_text(good + addition)
    plan = server.config.directory / "extensions.conf"
    plan.write_text(plan.read_text().replace("exten => 1000", "exten => 2000"))
    with pytest.raises(ConfigError) as refusal:
        server.reload()
    assert f"{place} line {line}:" in str(refusal.value)
    assert (await app.get(f"/channels/{channel}")).json["state"] == "Up"
    other, _ = await dial(alice, app)  # 1000 still leads where it led
    await other.hang_up()

    file.write_text(good)
    plan.write_text(plan.read_text().replace("exten => 1000", "exten => 2000"))
    server.reload()
    assert (await (await alice.invite("1000")).ended()).status == 404
    assert call.end is None
    await call.hang_up()


async def test_the_stop_hangs_up_fifty_calls(server: Server, alice: Phone, app: AriClient) -> None:
    calls = [await alice.invite("1000") for _ in range(50)]
    for call in calls:
        await call.answered()
    begun = alice.now
    await server.stop(drain_seconds=2)
    ends = [await call.ended() for call in calls]
    assert {(end.by, end.reason) for end in ends} == {("remote", "BYE")}
    assert alice.now - begun < 4


async def test_no_call_is_taken_while_the_server_stops(server: Server, alice: Phone, app: AriClient) -> None:
    call, _ = await dial(alice, app)
    stopping = asyncio.ensure_future(server.stop(drain_seconds=5))
    await asyncio.sleep(1)
    assert (await (await alice.invite("1000")).ended()).status == 503
    await call.hang_up()
    await stopping


async def dial(phone: Phone, app: AriClient) -> tuple[Call, str]:
    """A call that is in the application, and its channel's id."""
    call = await phone.invite("1000")
    await call.answered()
    start: Event = await app.event("StasisStart")
    return call, start["channel"]["id"]
