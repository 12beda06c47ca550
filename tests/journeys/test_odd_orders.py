"""Operations in an order nobody plans, and values nobody means: what a random walk once stumbled over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from arietta.server import Server
from arietta.testing import AriClient, Phone, tone


async def test_a_channel_joins_a_bridge_before_it_is_dialled(alice: Phone, bob: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    caller = (await app.event("StasisStart"))["channel"]["id"]
    await app.post("/channels/create", endpoint="PJSIP/bob", app="hello-world", channelId="callee")
    await app.post("/bridges/early")
    await app.post("/bridges/early/addChannel", channel=f"{caller},callee")
    await app.post("/channels/callee/dial", caller=caller)
    answering = await bob.ringing()
    answering.answer()
    await answering.answered()
    answering.send_tone(600, 500)
    await call.hears(tone(600, 400), at_least=0.8)
    call.send_tone(900, 500)
    await answering.hears(tone(900, 400), at_least=0.8)
    await app.delete("/bridges/early")
    for channel in (caller, "callee"):
        await app.delete(f"/channels/{channel}")
        await app.event("ChannelHangupRequest", channel_id=channel)
    await answering.ended()


async def test_recordings_stay_where_they_are_when_the_files_are_read_again(
    server: Server, alice: Phone, app: AriClient
) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/record", name="kept", format="wav", maxDurationSeconds=1)
    await app.event("RecordingFinished")
    server.reload()
    await app.post(f"/channels/{channel}/play", media="recording:kept")
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    await call.hang_up()
    await app.event("StasisEnd")


async def test_nobody_waits_for_a_tone_that_never_ends(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    playback = (await app.post(f"/channels/{channel}/play", media="tone:ring")).json["id"]
    for operation in ("hold", "moh", "silence", "ring", "progress"):
        await app.post(f"/channels/{channel}/{operation}", expect=204)
    for operation in ("hold", "moh", "silence", "ring"):
        await app.delete(f"/channels/{channel}/{operation}", expect=204)
    answering = asyncio.ensure_future(app.sockets[0].request("POST", f"channels/{channel}/answer"))
    await app.delete(f"/playbacks/{playback}", expect=204)
    assert (await answering)["status_code"] == 204  # this one has its turn
    await call.hang_up()
    await app.event("StasisEnd")


async def test_a_variable_that_is_a_function_nobody_knows_harms_nothing(bob: Phone, app: AriClient) -> None:
    bob.on_invite = lambda call: call.answer()
    variables = {"NOTHING(x)": "1", "A(": {"value": "2", "report_events": True}, "CHANNEL(": "3"}
    await app.post("/channels/c", endpoint="PJSIP/bob", app="hello-world", body={"variables": variables})
    shown = (await app.event("StasisStart"))["channel"]
    assert shown["channelvars"] == {"A(": ""}
    await app.post("/asterisk/variable", variable="NOTHING(x)", value="1", expect=204)
    await app.post("/asterisk/variable", variable="CHANNEL(language)", value="de", expect=204)
    await app.request("GET", "/asterisk/variable", query={"variable": "CHANNEL(language)"}, expect=500)
    await app.delete("/channels/c", expect=204)
    await app.event("StasisEnd")


async def test_snooping_on_a_channel_that_was_not_dialled_yet(
    bob: Phone, app: AriClient, ari: Callable[..., AriClient]
) -> None:
    await app.post("/channels/create", endpoint="PJSIP/bob", app="hello-world", channelId="callee")
    await app.post("/channels/callee/snoop/spy", spy="in", app="hello-world", expect=200)
    await app.event("StasisStart", channel_id="spy")
    await app.delete("/channels/callee", expect=204)
    await app.event("StasisEnd", channel_id="spy")
    await app.event("ChannelDestroyed", channel_id="callee")
