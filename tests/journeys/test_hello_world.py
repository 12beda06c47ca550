"""The story every ARI tutorial begins with, from the INVITE to the last event, and its endings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Call, Phone
from arietta.testing.ari import Event

TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


async def test_the_whole_story(server: Server, alice: Phone, app: AriClient, hello: Path) -> None:
    call = await alice.invite("1000")
    await call.expect(200)
    start = await app.event("StasisStart")

    channel = start["channel"]
    assert list(start) == ["type", "timestamp", "args", "channel", "asterisk_id", "application"]
    assert TIME.fullmatch(start["timestamp"]) and TIME.fullmatch(channel["creationtime"])
    assert re.fullmatch(r"\d+\.\d+", channel["id"]) and re.fullmatch(r"PJSIP/alice-[0-9a-f]{8}", channel["name"])
    assert (start["args"], start["application"], start["asterisk_id"]) == ([], "hello-world", server.asterisk_id)
    assert {name: channel[name] for name in channel if name not in ("id", "name", "creationtime")} == {
        "state": "Up",
        "protocol_id": call.call_id,
        "caller": {"name": "Alice", "number": "6001"},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {
            "context": "default",
            "exten": "1000",
            "priority": 3,
            "app_name": "Stasis",
            "app_data": "hello-world",
        },
        "language": "en",
    }
    assert (await app.get(f"/channels/{channel['id']}")).json == channel

    reply = await app.post(f"/channels/{channel['id']}/play", media="sound:hello-world", expect=201)
    playback = reply.json
    assert reply.headers["location"] == f"/ari/playbacks/{playback['id']}"
    assert reply.headers["cache-control"] == "no-cache, no-store"
    queued = {
        "id": playback["id"],
        "media_uri": "sound:hello-world",
        "target_uri": f"channel:{channel['id']}",
        "language": "en",
        "state": "queued",
    }
    assert playback == queued
    assert (await app.event("PlaybackStarted"))["playback"] == {**queued, "state": "playing"}
    assert (await app.event("PlaybackFinished"))["playback"] == {**queued, "state": "done"}
    await call.hears(hello, at_least=0.99)

    await call.hang_up()
    assert (await app.event("ChannelHangupRequest"))["channel"]["id"] == channel["id"]
    assert (await app.event("StasisEnd"))["channel"]["id"] == channel["id"]
    await app.no_event("ChannelDestroyed")
    assert app.types() == [
        "StasisStart",
        "PlaybackStarted",
        "PlaybackFinished",
        "ChannelHangupRequest",
        "StasisEnd",
    ]


async def test_who_subscribes_to_the_channel_hears_how_it_ended(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    await app.post("/applications/hello-world/subscription", eventSource=f"channel:{channel['id']}")
    await call.hang_up(headers=[("Reason", 'Q.850;cause=16;text="Normal call clearing"')])
    destroyed = await app.event("ChannelDestroyed", channel_id=channel["id"])
    assert (destroyed["cause"], destroyed["cause_txt"]) == (16, "Normal Clearing")


async def test_delete_ends_the_phones_call(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    await app.delete(f"/channels/{channel['id']}", expect=204)
    await call.expect("BYE")
    asked = await app.event("ChannelHangupRequest")
    assert (asked["soft"], asked["cause"]) == (True, 32)
    await app.event("StasisEnd")
    await app.get(f"/channels/{channel['id']}", expect=404)


@pytest.mark.parametrize(("reason", "q850"), [("normal", 16), ("busy", 17), ("congestion", 34)])
async def test_the_reason_of_a_delete_reaches_the_phone(alice: Phone, app: AriClient, reason: str, q850: int) -> None:
    call, channel = await dial(alice, app)
    await app.delete(f"/channels/{channel['id']}", expect=204, reason=reason)
    end = await call.ended()
    assert (end.by, [(given.protocol, given.cause) for given in end.reasons]) == ("remote", [("Q.850", q850)])


async def test_continue_returns_to_the_dialplan_where_hangup_runs(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    await app.post(f"/channels/{channel['id']}/continue", expect=204)
    assert (await app.event("StasisEnd"))["channel"]["state"] == "Up"
    await call.expect("BYE")
    await app.no_event("ChannelHangupRequest")


async def test_continue_to_another_extension(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    await app.post(f"/channels/{channel['id']}/continue", context="default", extension="1200", priority=1, expect=204)
    await app.event("StasisEnd")
    await call.send_tone(440, 400)
    await asyncio.sleep(0.5)
    place = (await app.get(f"/channels/{channel['id']}")).json["dialplan"]
    assert (place["exten"], place["priority"], place["app_name"]) == ("1200", 2, "Echo")
    await call.hang_up()


async def test_an_application_answers_by_itself(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1001")
    start = await app.event("StasisStart")
    channel = start["channel"]["id"]
    assert (start["args"], start["channel"]["state"]) == (["early", "bird"], "Ring")
    await app.post(f"/channels/{channel}/ring", expect=204)
    await call.expect(180)
    await app.post(f"/channels/{channel}/answer", expect=204)
    await call.answered()
    assert (await app.event("ChannelStateChange"))["channel"]["state"] == "Up"
    await call.hang_up()


async def test_the_answer_and_the_play_are_ordered_without_waiting(alice: Phone, app: AriClient, hello: Path) -> None:
    call = await alice.invite("1001")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/answer")
    await app.post(f"/channels/{channel}/play", media="sound:hello-world")
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    await call.hears(hello)
    await call.hang_up()


async def test_the_caller_hangs_up_while_the_words_are_spoken(alice: Phone, app: AriClient) -> None:
    call, channel = await dial(alice, app)
    await app.post(f"/channels/{channel['id']}/play", media="sound:hello-world")
    await app.event("PlaybackStarted")
    await call.hang_up()
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "failed"
    await app.event("StasisEnd")


async def test_without_the_application_the_dialplan_goes_on(alice: Phone) -> None:
    call = await alice.invite("1000")
    await call.answered()
    await call.expect("BYE")


async def test_a_phone_without_the_password_is_refused(
    server: Server, phone: Callable[..., Awaitable[Phone]], alice: Phone
) -> None:
    stranger = await phone("10.0.0.9", 5060, username="alice", password="guessed", server=alice.server)
    call = await stranger.invite("1000")
    assert (await call.ended()).status == 401


async def dial(phone: Phone, app: AriClient) -> tuple[Call, Event]:
    """A call that is in the application, and its channel."""
    call = await phone.invite("1000")
    await call.answered()
    channel: Event = (await app.event("StasisStart"))["channel"]
    return call, channel
