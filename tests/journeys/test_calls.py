"""Calls that the server makes, and calls that meet in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, tone


async def test_originate_to_a_phone_and_play(bob: Phone, app: AriClient) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", appArgs="a,b", expect=200)).json
    assert (made["state"], made["name"].split("-")[0]) == ("Down", "PJSIP/bob")
    call = await bob.ringing()
    call.ring()
    await app.event("ChannelStateChange", channel_state="Ringing")
    call.answer()
    start = await app.event("StasisStart", channel_id=made["id"])
    assert start["args"] == ["a", "b"]
    await app.post(f"/channels/{made['id']}/play", media="sound:beep")
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    await call.hang_up()
    await app.event("ChannelDestroyed", channel_id=made["id"])


async def test_originate_to_a_phone_that_refuses(bob: Phone, app: AriClient) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json
    (await bob.ringing()).reject(486)
    destroyed = await app.event("ChannelDestroyed", channel_id=made["id"])
    assert (destroyed["cause"], destroyed["tech_cause"]) == (17, 486)
    assert "StasisStart" not in app.types()


async def test_originate_gives_up_after_its_timeout(bob: Phone, app: AriClient) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", timeout=5)).json
    call = await bob.ringing()
    call.ring()
    end = await call.ended(within=6)
    assert end.reason == "CANCEL"
    assert (await app.event("ChannelDestroyed", channel_id=made["id"]))["cause"] == 19


async def test_originate_a_phone_into_the_dialplan(bob: Phone, app: AriClient) -> None:
    await app.post("/channels", endpoint="PJSIP/bob", context="default", extension="1200", priority=1)
    call = await bob.ringing()
    call.answer()
    await call.answered()
    beep = tone(800, 500)
    await call.send_audio(beep)
    await call.hears(beep)  # 1200 is an echo
    await call.hang_up()


async def test_a_local_channel_has_two_halves_and_one_end(app: AriClient) -> None:
    made = (await app.post("/channels", endpoint="Local/1300@default", app="hello-world")).json
    await app.event("StasisStart", channel_id=made["id"])
    names = sorted(channel["name"] for channel in (await app.get("/channels")).json)
    assert [name[-2:] for name in names] == [";1", ";2"]
    await app.delete(f"/channels/{made['id']}", expect=204)
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await asyncio.sleep(1)
    assert (await app.get("/channels")).json == []


async def test_hold_goes_round_once_when_both_halves_of_a_local_channel_are_in_one_bridge(app: AriClient) -> None:
    made = (await app.post("/channels", endpoint="Local/1000@default", app="hello-world")).json
    channels = [(await app.event("StasisStart"))["channel"]["id"] for _ in range(2)]
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=channels, expect=204)
    await app.post(f"/channels/{made['id']}/hold", expect=204)
    await app.event("ChannelHold", channel_name=made["name"].replace(";1", ";2"))
    await app.no_event("ChannelHold")
    await app.delete(f"/channels/{made['id']}", expect=204)
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_two_phones_hear_each_other_in_a_bridge(alice: Phone, bob: Phone, app: AriClient) -> None:
    one, two = await alice.invite("1000"), await bob.invite("1000")
    channels = [(await app.event("StasisStart"))["channel"]["id"] for _ in range(2)]
    await one.answered()
    await two.answered()
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=channels, expect=204)
    words, answer = tone(440, 600), tone(620, 600)
    one.send_audio(words)
    await two.hears(words)
    two.send_audio(answer)
    await one.hears(answer)

    await one.hang_up()
    left = await app.event("ChannelLeftBridge")
    assert left["bridge"]["channels"] == [channels[1]]
    assert (await app.get(f"/channels/{channels[1]}")).json["state"] == "Up"
    await app.delete(f"/bridges/{bridge}", expect=204)
    await two.hang_up()


async def test_dial_connects_two_phones(server: Server, alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1100")
    answering = await bob.ringing()
    answering.ring()
    await call.expect(180)
    answering.answer()
    await call.answered()
    words = tone(440, 600)
    call.send_audio(words)
    await answering.hears(words)
    await answering.hang_up()
    await call.expect("BYE")


async def test_dial_gives_up_when_the_caller_does(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1100")
    answering = await bob.ringing()
    answering.ring()
    await call.expect(180)
    assert (await call.cancel()).status == 487
    assert (await answering.ended()).reason == "CANCEL"


async def test_dial_goes_on_in_the_dialplan_when_nobody_answers(alice: Phone, bob: Phone, app: AriClient) -> None:
    call = await alice.invite("1100")
    answering = await bob.ringing()
    answering.ring()
    assert (await answering.ended(within=25)).reason == "CANCEL"
    await call.ended()
    assert (await app.get("/asterisk/variable", variable="HOW")).json == {"value": "NOANSWER"}


async def test_digits_of_the_phone_become_events(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.send_digits("42#", duration_ms=120)
    digits = [await app.event("ChannelDtmfReceived", channel_id=channel) for _ in range(3)]
    assert [digit["digit"] for digit in digits] == ["4", "2", "#"]
    assert all(100 <= digit["duration_ms"] <= 140 for digit in digits)
    await app.post(f"/channels/{channel}/dtmf", dtmf="7", expect=204)
    await call.hears_digits("7")
    await call.hang_up()


async def test_a_phone_on_tcp(server: Server, phone: Callable[..., Awaitable[Phone]], app: AriClient) -> None:
    trunk = await phone("10.0.1.7", 5060, name="trunk", transport="tcp", server=("10.0.0.1", 5060))
    call = await trunk.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]
    assert channel["name"].startswith("PJSIP/carrier-")
    await app.delete(f"/channels/{channel['id']}")
    await call.expect("BYE")


@pytest.mark.parametrize("silent", [False, True])
async def test_who_is_told_whom_a_bridge_connects(alice: Phone, bob: Phone, app: AriClient, silent: bool) -> None:
    await alice.invite("1000")
    one = (await app.event("StasisStart"))["channel"]["id"]
    await bob.invite("1000")
    two = (await app.event("StasisStart"))["channel"]["id"]
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=one, inhibitConnectedLineUpdates=silent, expect=204)
    await app.post(f"/bridges/{bridge}/addChannel", channel=two, expect=204)

    nobody, alice_there = {"name": "", "number": ""}, {"name": "Alice", "number": "6001"}
    assert (await app.get(f"/channels/{one}")).json["connected"] == {"name": "Bob", "number": "6002"}
    assert (await app.get(f"/channels/{two}")).json["connected"] == (nobody if silent else alice_there)
    for channel in (one, two):
        await app.delete(f"/channels/{channel}")
    await app.delete(f"/bridges/{bridge}")


@pytest.mark.parametrize("absorbed", [False, True])
async def test_whether_digits_pass_a_bridge(alice: Phone, bob: Phone, app: AriClient, absorbed: bool) -> None:
    call = await alice.invite("1000")
    one = (await app.event("StasisStart"))["channel"]["id"]
    answering = await bob.invite("1000")
    two = (await app.event("StasisStart"))["channel"]["id"]
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=one, absorbDTMF=absorbed, expect=204)
    await app.post(f"/bridges/{bridge}/addChannel", channel=two, expect=204)

    await call.send_digits("5")
    assert (await app.event("ChannelDtmfReceived", channel_id=one))["digit"] == "5"
    await asyncio.sleep(1)
    assert answering.digits == ("" if absorbed else "5")
    for channel in (one, two):
        await app.delete(f"/channels/{channel}")
    await app.delete(f"/bridges/{bridge}")


@pytest.mark.parametrize("ends", ["caller", "called"])
async def test_a_call_that_ends_without_a_reason_has_ended_normally(
    alice: Phone, bob: Phone, ari: Callable[..., AriClient], ends: str
) -> None:
    watcher = ari("127.0.0.1", 8088)
    await watcher.connect("watcher", subscribe_all=True)
    call = await alice.invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await (call if ends == "caller" else other).hang_up()
    for _ in range(2):
        assert (await watcher.event("ChannelDestroyed"))["cause"] == 16
