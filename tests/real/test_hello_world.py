"""The tutorial's story with sipp as the phone, a server process, and REST and events over real sockets."""

from __future__ import annotations

import re

import pytest

from .conftest import needs
from .running import RunningServer, Sipp, assert_nothing_left

pytestmark = needs("sipp")

TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


async def test_the_whole_story(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "caller.xml") as phone:
            start = await app.event("StasisStart")
            channel = start["channel"]
            assert list(start) == ["type", "timestamp", "args", "channel", "asterisk_id", "application"]
            assert TIME.fullmatch(start["timestamp"]) and TIME.fullmatch(channel["creationtime"])
            assert re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", start["asterisk_id"])
            assert (start["args"], start["application"]) == ([], "hello-world")
            assert re.fullmatch(r"\d+\.\d+", channel["id"])
            varying = {name: channel[name] for name in ("id", "creationtime", "protocol_id")}
            assert varying["protocol_id"].endswith("@127.0.0.1")
            place = {"context": "default", "exten": "1000", "priority": 3}
            assert channel == {
                **varying,
                "name": "PJSIP/6002-00000000",
                "state": "Up",
                "caller": {"name": "Bob", "number": "6002"},
                "connected": {"name": "", "number": ""},
                "accountcode": "",
                "dialplan": {**place, "app_name": "Stasis", "app_data": "hello-world"},
                "language": "en",
            }
            await app.post("/applications/hello-world/subscription", eventSource=f"channel:{channel['id']}")

            reply = await app.post(f"/channels/{channel['id']}/play", media="sound:hello-world", expect=201)
            playback = reply.json
            assert reply.reason == "Created"
            assert reply.headers["location"] == f"/ari/playbacks/{playback['id']}"
            assert reply.headers["cache-control"] == "no-cache, no-store"
            assert reply.headers["content-type"] == "application/json"
            assert (playback["media_uri"], playback["state"]) == ("sound:hello-world", "queued")
            assert playback["target_uri"] == f"channel:{channel['id']}"
            assert (await app.event("PlaybackStarted", playback_id=playback["id"]))["playback"]["state"] == "playing"
            assert (await app.event("PlaybackFinished", playback_id=playback["id"]))["playback"]["state"] == "done"

            await app.post(f"/channels/{channel['id']}/dtmf", dtmf="1", expect=204)  # the sign to hang up
            await phone.succeeded()
            asked = await app.event("ChannelHangupRequest")
            assert (asked["channel"]["id"], asked["cause"]) == (channel["id"], 16)
            await app.event("StasisEnd")
            destroyed = await app.event("ChannelDestroyed")
            assert (destroyed["cause"], destroyed["cause_txt"]) == (16, "Normal Clearing")
        await assert_nothing_left(server, app)
    for line in (
        r"Creating Stasis app 'hello-world'",
        r"WebSocket connection from '127\.0\.0\.1:\d+' for protocol 'ari' accepted",
        r"-- Executing \[1000@default:1\] NoOp\(\"PJSIP/6002-00000000\", \"\"\) in new stack",
        r"-- Executing \[1000@default:2\] Answer\(\"PJSIP/6002-00000000\", \"\"\) in new stack",
        r"-- PJSIP/6002-00000000 answered",
        r"-- Executing \[1000@default:3\] Stasis\(\"PJSIP/6002-00000000\", \"hello-world\"\) in new stack",
        r"<PJSIP/6002-00000000> Playing 'hello-world",
    ):
        assert re.search(line, server.log), f"the console did not show {line}"


async def test_delete_sends_the_phone_a_bye(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "ended_by_server.xml") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.delete(f"/channels/{channel}", expect=204)
            await phone.succeeded()
            await app.event("ChannelHangupRequest", soft=True)
            await app.event("StasisEnd")
        await assert_nothing_left(server, app)
        assert "ChannelDestroyed" not in app.types()  # nobody subscribed


async def test_continue_runs_the_hangup_of_the_dialplan(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "ended_by_server.xml") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/continue", expect=204)
            await app.event("StasisEnd")
            await phone.succeeded()
        await assert_nothing_left(server, app)
    assert "-- Executing [1000@default:4] Hangup(" in server.log


async def test_the_application_rings_answers_and_hangs_up(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "rings.xml", service="1001") as phone:
            start = await app.event("StasisStart")
            channel = start["channel"]["id"]
            assert (start["args"], start["channel"]["state"]) == (["early"], "Ring")
            await app.post(f"/channels/{channel}/ring", expect=204)
            await app.post(f"/channels/{channel}/answer", expect=204)
            await app.event("ChannelStateChange", channel_state="Up")
            await app.delete(f"/channels/{channel}")
            await phone.succeeded()
        await assert_nothing_left(server, app)


@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["udp", "tcp"])
async def test_ten_calls_at_once(server: RunningServer, transport: str) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "ended_by_server.xml", "-m", "10", "-r", "50", "-t", transport) as phones:
            channels = [(await app.event("StasisStart"))["channel"]["id"] for _ in range(10)]
            assert sorted(channel["id"] for channel in (await app.get("/channels")).json) == sorted(channels)
            for channel in channels:
                await app.delete(f"/channels/{channel}", expect=204)
            await phones.succeeded()
        await assert_nothing_left(server, app)


async def test_originate_to_a_phone(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "answering.xml", port=server.answering_port) as phone:
            body = {"endpoint": "PJSIP/answering", "app": "hello-world", "appArgs": "out", "channelId": "my-call"}
            assert (await app.post("/channels", body=body, expect=200)).json["state"] == "Down"
            start = await app.event("StasisStart", channel_id="my-call")
            assert (start["args"], start["channel"]["state"]) == (["out"], "Up")
            await app.delete("/channels/my-call", expect=204)
            await phone.succeeded()
            await app.event("ChannelDestroyed", channel_id="my-call")
        await assert_nothing_left(server, app)
