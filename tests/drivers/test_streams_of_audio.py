"""What an endpoint's options make of its packets, and what the dialplan reads of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import pairwise

import pytest

from arietta.drivers.sip.leg_media import MOST_FOLLOWED
from arietta.media.tones import DIGIT_LEVEL, digit_tones, render
from arietta.sdp import sending
from arietta.server import Server
from arietta.testing import AriClient, Phone, tone

from .running import FILES, PJSIP, phone_sections

AFTERWARDS = """
[default](+)
exten => 1600,1,Answer()
 same => n,Set(VOLUME(TX)=0.25)
 same => n,Echo()
exten => h,1,Set(GLOBAL(COUNTED)=${CHANNEL(rtcp,rxcount)})
"""


@pytest.fixture
def files() -> dict[str, str]:
    pjsip = PJSIP.replace("rtp_keepalive=10", "tos_audio=ef\ncos_audio=5")
    return {
        **FILES,
        "rtp.conf": FILES["rtp.conf"] + "media_engine=reference\n",
        "extensions.conf": FILES["extensions.conf"] + AFTERWARDS,
        "pjsip.conf": pjsip.replace(
            phone_sections("bob", "6002"), phone_sections("bob", "6002", "dtmf_mode=inband")
        ).replace(
            phone_sections("carol", "6003"), phone_sections("carol", "6003", "rtp_ipv6=yes\nmedia_address=fd00::1")
        )
        + phone_sections("frank", "6006").replace("allow=ulaw", "allow=ulaw:40")
        + phone_sections("grace", "6007", "allow=alaw")
        + phone_sections("heidi", "6008", "allow=alaw\nasymmetric_rtp_codec=yes"),
    }


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    """A phone whose digits are telephone-events."""
    return registered("alice")


@pytest.fixture
def bob(registered: Callable[[str], Phone]) -> Phone:
    """A phone whose digits are tones."""
    return registered("bob")


@pytest.fixture
def frank(registered: Callable[[str], Phone]) -> Phone:
    """A phone that is sent long packets."""
    return registered("frank")


@pytest.fixture
def phones(registered: Callable[[str], Phone]) -> dict[str, Phone]:
    """Phones with several codecs."""
    return {name: registered(name) for name in ("grace", "heidi")}


@pytest.fixture
def carol(registered: Callable[[str], Phone]) -> Phone:
    """A phone whose media may be IPv6."""
    return registered("carol")


async def read(app: AriClient, channel: str, item: str) -> str:
    answer = await app.get(f"/channels/{channel}/variable", variable=f"CHANNEL({item})", expect=200)
    return str(answer.json["value"])


async def test_packets_have_the_class_of_traffic_of_the_endpoint(
    alice: Phone, app: AriClient, switchboard: Server
) -> None:
    call = await alice.invite("1000")
    await app.event("StasisStart")
    await call.answered()
    (channel,) = switchboard.channels
    settings = channel.port.settings  # type: ignore[union-attr]
    assert (settings.tos, settings.cos) == (46 << 2, 5)
    await call.hang_up()


async def test_packets_are_as_long_as_the_endpoint_wants_them(frank: Phone, app: AriClient) -> None:
    call = await frank.invite("1200")
    await call.answered()
    assert any(b"a=ptime:40\r\n" in seen.data for seen in frank.seen if not seen.was_sent)
    beep = tone(800, 400)
    await call.send_audio(beep)
    await call.hears(beep)
    assert {len(frame.samples) for frame in call.heard.frames} == {2 * 320}
    await call.hang_up()


async def test_media_is_offered_over_ipv6_and_answered_as_it_was_offered(alice: Phone, carol: Phone) -> None:
    waits = await alice.invite("1101")
    rings = await carol.ringing()
    assert b"c=IN IP6 fd00::1\r\n" in rings.request.body
    rings.reject()
    await waits.ended()
    call = await carol.invite("1200")
    await call.answered()
    assert any(b"c=IN IP4 10.0.0.1\r\n" in seen.data for seen in carol.seen if not seen.was_sent)
    beep = tone(800, 400)
    await call.send_audio(beep)
    await call.hears(beep)
    await call.hang_up()


@pytest.mark.parametrize(("name", "follows"), [("grace", True), ("heidi", False)])
async def test_a_phone_that_changes_its_codec_is_followed(
    phones: dict[str, Phone], app: AriClient, name: str, follows: bool
) -> None:
    call = await phones[name].invite("1200")
    await call.answered()
    await call.send_audio(tone(800, 200))
    await call.hears(tone(800, 200))
    call.voice.start(sending(call.voice.negotiated, "alaw"))
    await call.send_audio(tone(500, 400))
    await call.hears(tone(500, 200))
    assert call.heard.frames[-1].codec == ("alaw" if follows else "ulaw")
    await call.hang_up()


async def test_a_phone_that_follows_us_too_is_not_followed_for_ever(phones: dict[str, Phone], app: AriClient) -> None:
    call = await phones["grace"].invite("1200")
    await call.answered()
    assert call.voice.negotiated is not None
    for n in range(20):
        call.voice.start(sending(call.voice.negotiated, "alaw" if n % 2 == 0 else "ulaw"))
        await call.send_audio(tone(500, 100))
    codecs = [frame.codec for frame in call.heard.frames]
    changes = sum(one != other for one, other in pairwise(codecs))
    assert 4 <= changes <= MOST_FOLLOWED
    await call.hang_up()


async def test_the_dialplan_reads_what_is_counted(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    started = await app.event("StasisStart")
    await call.answered()
    channel = started["channel"]["id"]
    await call.send_audio(tone(800, 400))
    packets = await read(app, channel, "rtcp,rxcount")
    assert int(packets) >= 20
    assert await read(app, channel, "RTCP,RxCount,audio") == packets
    assert (await read(app, channel, "rtcp,rxoctetcount")) == str(160 * int(packets))
    assert await read(app, channel, "rtcp,maxrtt") == "0.000000"
    summary = await read(app, channel, "rtcp,all")
    assert [part.partition("=")[0] for part in summary.split(";")] == [
        *("ssrc", "themssrc", "lp", "rxjitter", "rxcount", "txjitter", "txcount", "rlp", "rtt")
    ]
    assert f"rxcount={packets};" in summary
    for item in ("all_jitter", "all_loss", "all_rtt"):
        assert (await read(app, channel, f"rtcp,{item}")).startswith("min")
    assert await read(app, channel, "rtcp,rxcount,video") == ""
    assert await read(app, channel, "rtp,direct") == ""
    assert (await read(app, channel, "rtp,src")).startswith("10.0.0.1:")
    await call.hang_up()


async def test_what_was_counted_is_read_after_the_call(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1200")
    await call.answered()
    await call.send_audio(tone(800, 400))
    await call.hang_up()
    counted = await app.get("/asterisk/variable", variable="COUNTED", expect=200)
    assert int(counted.json["value"]) >= 20


async def test_the_dialplan_makes_a_phone_hear_itself_quieter(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1600")
    await call.answered()
    await call.send_audio(tone(800, 600, 8000))
    await call.hears(tone(800, 400, 2000))
    loudest = max(map(abs, array("h", call.heard.samples)))
    assert 1700 < loudest < 2300
    await call.hang_up()


@pytest.mark.parametrize("item", ["rtcp,nonsense", "rtcp,all,text", "rtp,nonsense"])
async def test_what_is_not_counted_is_no_item(alice: Phone, app: AriClient, item: str) -> None:
    call = await alice.invite("1000")
    started = await app.event("StasisStart")
    await call.answered()
    await app.get(f"/channels/{started['channel']['id']}/variable", variable=f"CHANNEL({item})", expect=500)
    await call.hang_up()


async def test_digits_of_a_phone_without_events_are_tones_both_ways(bob: Phone, app: AriClient) -> None:
    call = await bob.invite("1000")
    started = await app.event("StasisStart")
    await call.answered()
    assert call.voice.negotiated is not None
    assert call.voice.negotiated.event_payload_type is None
    pressed, _ = render(digit_tones("7"), 8000, DIGIT_LEVEL)
    await call.send_audio(pressed[: 2 * 8 * 200])
    await call.send_audio(bytes(2 * 8 * 200))
    event = await app.event("ChannelDtmfReceived")
    assert event["digit"] == "7"
    await app.post(f"/channels/{started['channel']['id']}/dtmf", dtmf="5", expect=204)
    pressed, _ = render(digit_tones("5"), 8000, DIGIT_LEVEL)
    await call.hears(pressed[: 2 * 8 * 100])
    await call.hang_up()
