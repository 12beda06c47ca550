"""What a caller hears of a call that is not answered yet: early media, ringing, busy; and that it ends in time."""

from __future__ import annotations

import pytest

from arietta.media.tones import parse_tones, render
from arietta.testing import AriClient, Phone, tone
from arietta.testing.waiting import Unexpected

from .conftest import EXTENSIONS, FILES, PJSIP

RINGING = render(parse_tones("440+480/2000,0/4000"), 8000)[0][:8000]
BUSY = render(parse_tones("480+620/500,0/500"), 8000)[0]


@pytest.fixture
def files() -> dict[str, str]:
    more = """
exten => 1101,1,Answer()
 same => n,Dial(PJSIP/bob,20)
 same => n,Busy(5)

exten => 1102,1,Dial(PJSIP/bob,20,r)

exten => 1103,1,Answer()
 same => n,Dial(PJSIP/bob,3)
 same => n,Echo()
"""
    options = 'callerid="Bob" <6002>\nignore_183_without_sdp=yes'
    return {
        **FILES,
        "extensions.conf": EXTENSIONS + more,
        "pjsip.conf": PJSIP.replace(
            "[carrier]\ntype=endpoint", "[carrier]\ntype=endpoint\ninband_progress=yes"
        ).replace('callerid="Bob" <6002>', options),
    }


async def test_a_caller_hears_what_is_said_before_the_answer(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.progress()
    await call.expect(183)
    announcement = tone(800, 500)
    await far.send_audio(announcement)
    await call.hears(announcement)
    far.answer()
    await call.answered()
    voice = tone(500, 400)
    await call.send_audio(voice)
    await far.hears(voice)
    await far.send_audio(voice)
    await call.hears(voice)
    await call.hang_up()


async def test_early_media_end_with_a_refusal(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.progress()
    await call.expect(183)
    await far.send_audio(tone(800, 200))
    far.reject(486)
    assert (await call.ended()).status == 486


async def test_ringing_that_was_asked_for_is_no_early_media(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1102")
    far = await bob.ringing()
    await call.expect(180)
    far.progress()
    await far.send_audio(tone(800, 300))
    assert not call.heard.samples
    far.answer()
    await call.answered()
    await call.hang_up()


async def test_who_was_answered_before_hears_it_ring_and_then_the_other(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1101")
    await call.answered()
    far = await bob.ringing()
    far.ring()
    await call.hears(RINGING)
    far.answer()
    await far.answered()
    voice = tone(800, 500)
    await far.send_audio(voice)
    await call.hears(voice)
    await far.hang_up()


async def test_it_rings_no_longer_than_it_is_called(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1103")
    await call.answered()
    far = await bob.ringing()
    far.ring()
    await call.hears(RINGING)
    await far.ended()
    heard = len(call.heard.samples)
    voice = tone(800, 2500)
    await call.send_audio(voice)  # echoed: ringing in it would be heard
    await call.hears(voice)
    assert len(call.heard.samples) > heard
    await call.hang_up()


async def test_who_was_answered_before_hears_that_it_is_busy(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1101")
    await call.answered()
    (await bob.ringing()).reject(486)
    await call.hears(BUSY)
    await call.ended(within=10)


async def test_an_application_lets_an_answered_channel_ring(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/ring", expect=204)
    await call.hears(RINGING)
    await app.delete(f"/channels/{channel}/ring", expect=204)
    heard = len(call.heard.samples)
    voice = tone(800, 500)
    await call.send_audio(voice)
    assert not any(call.heard.samples[heard + 2000 :])
    await app.post(f"/channels/{channel}/ring", expect=204)
    await app.post(f"/channels/{channel}/play", media="sound:beep", expect=201)
    await app.event("PlaybackFinished")
    heard = len(call.heard.samples)
    await call.send_audio(voice)
    assert not any(call.heard.samples[heard + 2000 :])
    await call.hang_up()


async def test_a_bridge_carries_early_media_both_ways(alice: Phone, bob: Phone, app: AriClient) -> None:
    call = await alice.invite("1001")  # not answered
    caller = (await app.event("StasisStart"))["channel"]["id"]
    callee = (await app.post("/channels/create", endpoint="PJSIP/bob", app="hello-world", originator=caller)).json["id"]
    await app.post("/bridges/early", type="mixing")
    await app.post("/bridges/early/addChannel", channel=[caller, callee], expect=204)
    await app.post(f"/channels/{callee}/dial", caller=caller, expect=204)
    far = await bob.ringing()
    far.progress()
    await app.event("Dial", dialstatus="PROGRESS")
    await app.post(f"/channels/{caller}/progress", expect=204)
    await call.expect(183)
    for one, other in ((far, call), (call, far)):
        voice = tone(800, 500)
        await one.send_audio(voice)
        await other.hears(voice)
    far.answer()
    await app.event("Dial", dialstatus="ANSWER")
    await app.post(f"/channels/{caller}/answer", expect=204)
    await call.answered()
    await call.hang_up()
    await app.delete(f"/channels/{callee}", expect=204)
    await app.delete("/bridges/early", expect=204)


@pytest.mark.parametrize("in_bridge", [False, True], ids=["channel", "bridge"])
async def test_what_is_played_before_the_answer_is_heard(in_bridge: bool, alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1001")  # not answered
    target = f"channels/{(await app.event('StasisStart'))['channel']['id']}"
    if in_bridge:
        await app.post("/bridges/early", type="mixing")
        await app.post("/bridges/early/addChannel", channel=target.partition("/")[2], expect=204)
        target = "bridges/early"
    await app.post(f"/{target}/play", media="tone:440/500", expect=201)
    await call.expect(183)
    await call.hears(tone(440, 400))
    await app.delete(f"/{target}", expect=204)
    if in_bridge:
        await call.cancel()


async def test_a_trunk_without_tones_of_its_own_hears_it_ring(carrier: Phone, bob: Phone) -> None:
    call = await carrier.invite("1100")
    far = await bob.ringing()
    far.ring()
    await call.expect(183)
    await call.hears(RINGING)
    far.answer()
    await call.answered()
    voice = tone(800, 500)
    await far.send_audio(voice)
    await call.hears(voice)
    await call.hang_up()


async def test_a_183_without_media_says_nothing_where_the_endpoint_ignores_it(alice: Phone, bob: Phone) -> None:
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.ring(183)
    far.ring(180)
    await call.expect(180)
    with pytest.raises(Unexpected):
        await call.expect(183, within=1)
    await call.cancel()
