"""What programs written for Asterisk take for granted, a test for each."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from arietta.model import events
from arietta.server import Server
from arietta.testing import AriClient, Phone
from arietta.testing.ari import Event

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")
HANDSHAKE = (
    "GET /ari/events?app={app}&api_key=asterisk:asterisk HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


def undeclared(value: Any, model: str, models: dict[str, Any]) -> list[str]:
    """The fields of a value that its model, as it is served, does not name."""
    if model not in models or not isinstance(value, dict):
        return []
    declared = dict(models[model]["properties"])
    for parent in ("Message", "Event"):
        if parent == "Message" or model in models["Event"]["subTypes"]:
            declared |= models[parent]["properties"]
    found = [f"{model}.{name}" for name in value if name not in declared]
    for name, held in value.items():
        if name in declared:
            found += undeclared(held, declared[name]["type"], models)
    return found


async def test_no_event_and_no_field_that_the_served_document_does_not_name(
    alice: Phone, bob: Phone, app: AriClient, ari: Callable[..., AriClient]
) -> None:
    models = (await app.get("/api-docs/events.json")).json["models"]
    everything = ari("127.0.0.1", 8088)
    await everything.connect("everything", subscribe_all=True)
    bob.on_invite = lambda call: call.answer()
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/variable", variable="A", value="1", report_events=True)
    await app.post(f"/channels/{channel}/play", media="sound:beep,sound:beep")
    await app.event("PlaybackFinished")
    call.send_digits("1")
    await app.event("ChannelDtmfReceived")
    await app.post(f"/channels/{channel}/record", name="r", format="wav", maxDurationSeconds=1)
    await app.event("RecordingFinished")
    await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", channelId="other")
    await app.event("StasisStart", channel_id="other")
    bridge = (await app.post("/bridges")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=f"{channel},other")
    await call.hold()
    await call.resume()
    await app.post("/events/user/happened", application="hello-world", source=f"channel:{channel}", body={"x": 1})
    await app.request("PUT", "/deviceStates/Stasis:a", query={"deviceState": "BUSY"})
    await app.delete(f"/bridges/{bridge}")
    await app.delete("/channels/other")
    await call.hang_up()
    await everything.event("ChannelDestroyed", channel_id=channel)
    heard = [*app.events, *everything.events]
    assert {event["type"] for event in heard} <= set(models)
    assert len({event["type"] for event in heard}) > 20
    assert [problem for event in heard for problem in undeclared(event, event["type"], models)] == []


def test_every_event_that_can_be_sent_is_declared() -> None:
    from arietta.ari.projections.swagger import api_declaration
    from arietta.ari.resources.events import Events

    declared = api_declaration(Events)["models"]
    assert set(events.CLASSES) <= set(declared)
    assert set(declared["Event"]["subTypes"]) <= set(declared)


async def test_documents_have_what_clients_make_their_methods_of(app: AriClient) -> None:
    listed = (await app.get("/api-docs/resources.json")).json
    assert listed["apiVersion"] == "10.0.0"
    for api in listed["apis"]:
        path = api["path"].replace("{format}", "json")
        document = (await app.get(path)).json
        assert document["resourcePath"] == api["path"]
        assert document["basePath"] == "http://127.0.0.1:8088/ari"
        assert all(name == model["id"] for name, model in document["models"].items())
        for operation in (operation for place in document["apis"] for operation in place["operations"]):
            assert operation["nickname"] and operation["httpMethod"] and operation["responseClass"]
            for error in operation.get("errorResponses", []):
                assert isinstance(error["code"], int) and error["reason"]
            for parameter in operation.get("parameters", []):
                assert parameter["name"] and parameter["paramType"] in ("path", "query", "body")
                assert parameter["paramType"] != "path" or parameter.get("required", True) is True


async def test_the_documents_name_the_host_that_was_asked(app: AriClient) -> None:
    for host in ("pbx.example", "pbx.example:80", "[::1]:8088"):
        reply = await app.request("GET", "/api-docs/channels.json", headers={"Host": host}, expect=200)
        assert reply.json["basePath"] == f"http://{host}/ari"


@pytest.mark.parametrize(
    ("host", "more"),
    [
        ("pbx.example", ""),
        ("127.0.0.1:8088", "Origin: https://somewhere.example\r\n"),
        ("127.0.0.1:8088", "Origin: null\r\n"),
        ("127.0.0.1:8088", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
        ("127.0.0.1:8088", "Sec-WebSocket-Protocol: ari\r\n"),
    ],
)
async def test_any_handshake_of_a_client_is_taken(
    app: AriClient, ari: Callable[..., AriClient], host: str, more: str
) -> None:
    key = base64.b64encode(b"0123456789abcdef").decode()
    opening = ari("127.0.0.1", 8088)
    reply = await opening.raw(HANDSHAKE.format(app="other", host=host, key=key, more=more).encode())
    assert reply.status == 101
    assert reply.headers.get("sec-websocket-protocol") == ("ari" if "Protocol" in more else None)
    assert (await app.get("/applications/other")).json["name"] == "other"


@pytest.mark.parametrize("origin", ["https://somewhere.example", "null", "file://"])
async def test_any_origin_is_answered(app: AriClient, origin: str) -> None:
    await app.request("GET", "/asterisk/ping", headers={"Origin": origin}, expect=200)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/channels", {"Content-Type": "application/json"}, b"", 200),
        ("GET", "/channels", {"Content-Type": "application/json", "Content-Length": "0"}, b"", 200),
        ("DELETE", "/channels/gone", {"Content-Type": "application/json"}, b"", 404),
        ("DELETE", "/channels/gone", {"Content-Type": "application/json", "Content-Length": "0"}, b"", 404),
        ("POST", "/bridges", {"Content-Type": "application/octet-stream"}, b"", 200),
        ("POST", "/bridges", {"Content-Type": "application/json"}, b"null", 200),
        ("POST", "/bridges", {"Content-Type": "application/json; charset=utf-8"}, b"", 200),
        ("POST", "/bridges", {"Content-Type": "text/plain"}, b"{", 200),
        ("PUT", "/mailboxes/m", {"Content-Type": "application/json"}, b"null", 204),
    ],
)
async def test_bodies_that_say_nothing_are_no_mistake(
    app: AriClient, method: str, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    fields = {"Content-Length": str(len(body)), **headers}
    await app.request(method, path, body=body, headers=fields, expect=status)
    for bridge in (await app.get("/bridges")).json:
        await app.delete(f"/bridges/{bridge['id']}")


async def test_parameters_come_in_the_query_the_body_or_both(app: AriClient) -> None:
    for number, (query, body) in enumerate(
        [
            ({"name": "n"}, None),
            ({}, {"name": "n"}),
            ({"name": "other"}, {"name": "n"}),
            ({"name": "n", "x": 1}, {"y": 2}),
        ]
    ):
        made = await app.post(f"/bridges/b{number}", body=body, **query)
        assert made.json["name"] == "n"
        await app.delete(f"/bridges/b{number}")


async def test_lists_come_as_commas_or_as_arrays(app: AriClient) -> None:
    await app.post("/applications/hello-world/subscription", eventSource="deviceState:Stasis:a,deviceState:Stasis:b")
    body = {"eventSource": ["deviceState:Stasis:c", "deviceState:Stasis:d"]}
    subscribed = (await app.post("/applications/hello-world/subscription", body=body)).json
    assert sorted(subscribed["device_names"]) == [f"Stasis:{letter}" for letter in "abcd"]


async def test_of_repeated_keys_the_last_counts(app: AriClient) -> None:
    info = await app.request("GET", "/asterisk/info?only=build&only=status", expect=200)
    assert list(info.json) == ["status"]


async def test_a_plus_in_a_path_is_a_space(app: AriClient) -> None:
    await app.request("PUT", "/mailboxes/my+box", query={"newMessages": 2}, expect=204)
    assert [box["name"] for box in (await app.get("/mailboxes")).json] == ["my box"]
    assert (await app.get("/mailboxes/my%20box")).json["new_messages"] == 2


async def test_clients_choose_every_id(bob: Phone, app: AriClient) -> None:
    bob.on_invite = lambda call: call.answer()
    await app.post("/channels/my-channel", endpoint="PJSIP/bob", app="hello-world")
    await app.event("StasisStart", channel_id="my-channel")
    await app.post("/bridges/my-bridge")
    await app.post("/channels/my-channel/play/my-playback", media="sound:beep", expect=201)
    await app.event("PlaybackFinished", playback_id="my-playback")
    await app.post("/channels/my-channel/snoop/my-snoop", spy="both", app="hello-world")
    await app.event("StasisStart", channel_id="my-snoop")
    await app.post("/bridges/my-bridge/addChannel", channel="my-channel")
    await app.post("/bridges/my-bridge/play/my-announcement", media="sound:beep", expect=201)
    await app.event("PlaybackFinished", playback_id="my-announcement")
    await app.post(
        "/channels", endpoint="Local/1300@default", app="hello-world", channelId="one", otherChannelId="other"
    )
    await app.event("StasisStart", channel_id="one")
    assert {channel["id"] for channel in (await app.get("/channels")).json} == {
        "my-channel",
        "my-snoop",
        "one",
        "other",
    }
    for channel in ("my-channel", "one"):
        await app.delete(f"/channels/{channel}")
    await app.delete("/bridges/my-bridge")
    await asyncio.sleep(1)


async def test_the_id_serves_before_the_answer_came(app: AriClient) -> None:
    """StasisStart may come before the response to the POST: what a client begins there must work already."""
    asking = asyncio.ensure_future(
        app.post("/channels", endpoint="Local/1300@default", app="hello-world", channelId="early")
    )
    await app.event("StasisStart", channel_id="early")
    assert (await app.sockets[0].request("POST", "channels/early/play?media=sound:beep"))["status_code"] == 201
    assert (await asking).json["id"] == "early"
    await app.event("PlaybackFinished")
    await app.delete("/channels/early")
    await app.event("StasisEnd")


async def test_pings_are_answered_with_their_payload_at_once(app: AriClient) -> None:
    reader, writer = await asyncio.open_connection(app.host, app.port)
    key = base64.b64encode(b"0123456789abcdef").decode()
    writer.write(HANDSHAKE.format(app="other", host="x", key=key, more="").encode())
    await reader.readuntil(b"\r\n\r\n")
    asked_at = asyncio.get_running_loop().time()
    writer.write(b"\x89\x84\0\0\0\0beep")  # masked with zeros (RFC 6455 5.5.2)
    assert await reader.readexactly(6) == b"\x8a\x04beep"
    assert asyncio.get_running_loop().time() - asked_at < 0.05
    writer.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/channels/", 404),
        ("GET", "/channels/gone", 404),
        ("PATCH", "/channels", 405),
        ("POST", "/channels", 400),
        ("POST", "/channels/create?endpoint=Nothing/x&app=hello-world", 400),
        ("POST", "/channels?endpoint=Nothing/x&app=hello-world", 500),
        ("GET", "/asterisk/variable?variable=NOTHING()", 500),
        ("POST", "/channels/gone/redirect?endpoint=x", 404),
    ],
)
async def test_errors_are_json_whatever_they_are(app: AriClient, method: str, path: str, status: int) -> None:
    reply = await app.request(method, path)
    assert reply.status in (status, 500) if "create" in path else reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json) in (["message"], ["error"])


async def test_the_refusal_of_a_stranger_is_json(app: AriClient, ari: Callable[..., AriClient]) -> None:
    reply = await ari("127.0.0.1", 8088, password="wrong").get("/channels", expect=401)
    assert (list(reply.json), reply.headers["www-authenticate"][:5]) == (["message"], "Basic")


async def test_times_have_three_decimals_and_an_offset_without_colon(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    start = await app.event("StasisStart")
    for text in (
        start["timestamp"],
        start["channel"]["creationtime"],
        (await app.get("/asterisk/ping")).json["timestamp"],
    ):
        assert TIME.fullmatch(text)
    await call.hang_up()


async def test_who_reconnects_wins_at_once(alice: Phone, app: AriClient, ari: Callable[..., AriClient]) -> None:
    """The old socket is half dead: its client is gone, and TCP has not noticed."""
    app.sockets[0].stop_reading()
    again = ari("127.0.0.1", 8088)
    await again.connect("hello-world")
    call = await alice.invite("1000")
    await call.answered()
    channel = (await again.event("StasisStart", within=1))["channel"]["id"]
    app.sockets[0].go_on_reading()
    await app.event("ApplicationReplaced")
    await app.no_event("StasisStart")
    await app.sockets[0].close()  # it ends nothing of the other's
    await again.delete(f"/channels/{channel}", expect=204)
    await again.event("StasisEnd")
    await call.expect("BYE")


async def test_a_late_delete_is_a_plain_404(server: Server, alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.hang_up()
    await app.event("StasisEnd")
    reply = await app.delete(f"/channels/{channel}", expect=404)
    assert list(reply.json) == ["message"]
    requested: list[Event] = [event for event in app.events if event["type"] == "ChannelHangupRequest"]
    assert len(requested) == 1
    assert json.dumps(reply.json).count(channel) == 1
