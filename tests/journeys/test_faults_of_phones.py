"""Phones that break the rules, and networks that break the packets: the call suffers, the server does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arietta.channels.admission import Limits
from arietta.server import Server
from arietta.testing import AriClient, Call, Network, Phone, tone

SERVER = ("10.0.0.1", 5060)
TORTURE = Path(__file__).parents[1] / "sip" / "torture"
OPENING = "v=0\r\no=- 1 1 IN IP4 10.0.1.9\r\ns=-\r\nc=IN IP4 10.0.1.9\r\nt=0 0\r\n"
ULAW = "RTP/AVP 0\r\n"

OpenPhone = Callable[..., Awaitable[Phone]]


@pytest.mark.parametrize("host", ["10.0.0.66", "10.0.1.66"], ids=["a stranger", "a trunk"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_torture_messages_leave_the_server_answering(
    server: Server, phone: OpenPhone, app: AriClient, host: str, transport: str
) -> None:
    messages = sorted(TORTURE.glob("*.dat"))
    assert len(messages) > 40
    for message in messages:
        hostile = await phone(host, 0, name=message.stem, transport=transport, server=SERVER)
        hostile.send_raw(message.read_bytes())
        await asyncio.sleep(0.05)
        await hostile.close()
    await asyncio.sleep(70)
    await serves_a_call(phone, app)


async def test_pieces_of_messages_leave_the_server_answering(server: Server, phone: OpenPhone, app: AriClient) -> None:
    hostile = await phone("10.0.1.66", 5060, name="hostile", server=SERVER)
    call = await hostile.invite("1000")
    await call.answered()
    await call.hang_up()
    invite = next(seen.data for seen in hostile.seen if seen.data.startswith(b"INVITE"))
    for length in range(0, len(invite), 7):
        hostile.send_raw(invite[:length])
        hostile.send_raw(invite[length:])
    hostile.send_raw(bytes(range(256)) * 200)
    await asyncio.sleep(70)
    await serves_a_call(phone, app)


async def test_truncated_rtp_is_counted_and_the_sound_goes_on(alice: Phone, server: Server) -> None:
    call = await alice.invite("1200")
    await call.answered()
    packet = bytes.fromhex("9080000100000000deadbeef0001000400000000000000000000000000000000") + bytes(160)
    for length in range(len(packet)):
        call.voice.send_raw(packet[:length])
    call.voice.send_raw(b"\xff" * 4000)
    before = server.engine.stats().packets_received
    beep = tone(700, 600)
    await call.send_audio(beep)
    await call.hears(beep)
    assert server.engine.stats().packets_received > before
    await call.hang_up()


async def test_a_description_without_media_is_refused(carrier: Phone, server: Server) -> None:
    call = await carrier.invite("1000", sdp=OPENING.encode())
    assert (await call.ended()).status == 488


async def test_a_description_with_ten_media_gets_an_answer_to_each(carrier: Phone) -> None:
    media = "".join(f"m={'audio' if at == 4 else 'video'} {7000 + 2 * at} {ULAW}" for at in range(10))
    call = await carrier.invite("1300", sdp=(OPENING + media).encode())
    await call.answered()
    answer = message_of(call, 200).decode()
    lines = [line.split()[:2] for line in answer.splitlines() if line.startswith("m=")]
    assert len(lines) == 10
    assert [at for at, (_, port) in enumerate(lines) if port != "0"] == [4]
    await call.hang_up()


async def test_a_description_that_is_none_is_refused(carrier: Phone) -> None:
    call = await carrier.invite("1000", sdp=b"\x00\xff this is not SDP")
    assert (await call.ended()).status in (400, 488)


async def test_a_phone_that_never_acknowledges_is_hung_up(alice: Phone, server: Server) -> None:
    call = await alice.invite("1300", ack=False)
    answered = await call.expect(200)
    ended = await call.expect("BYE", within=40)
    assert ended.time - answered.time == pytest.approx(32, abs=0.2)  # RFC 3261 13.3.1.4: 64*T1
    repeated = [
        seen for seen in alice.seen if seen.first_line.startswith("SIP/2.0 200") and b"CSeq: 2 INVITE" in seen.data
    ]
    assert len(repeated) == 11
    await asyncio.sleep(1)
    assert len(server.channels) == 0


async def test_bye_before_ack_ends_the_call(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000", ack=False)
    await call.expect(200)
    call.bye_before_ack()
    await call.ended()
    await asyncio.sleep(2)
    assert (await app.get("/channels")).json == []


async def test_a_cancel_that_crosses_the_200_changes_nothing(alice: Phone, app: AriClient, server: Server) -> None:
    call = await alice.invite("1000")
    await call.expect(200)
    call.cancel_late()
    await alice.sees("SIP/2.0 200 OK")  # to the REGISTER
    await alice.sees("SIP/2.0 200 OK")  # to the INVITE
    assert b"CANCEL" in (await alice.sees("SIP/2.0 200 OK")).data
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await asyncio.sleep(2)
    assert (await app.get(f"/channels/{channel}")).json["state"] == "Up"
    await call.hang_up()


async def test_our_cancel_that_crosses_the_phones_200_ends_in_bye(bob: Phone, app: AriClient, network: Network) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", timeout=5)).json
    call = await bob.ringing()
    call.ring()
    begun = call.story[0].time
    network.link(SERVER[0], bob.host, delay=0.5, both_ways=False)
    await asyncio.sleep(begun + 5.2 - bob.now)  # the CANCEL is on its way
    assert call.end is None
    call.answer()
    await call.expect("BYE")
    destroyed = await app.event("ChannelDestroyed", channel_id=made["id"])
    assert destroyed["cause"] == 19
    assert "StasisStart" not in app.types()


@pytest.mark.parametrize("number", [pytest.param(seed, marks=pytest.mark.seed(seed)) for seed in range(1, 5)])
async def test_a_call_survives_a_network_that_loses_doubles_and_overtakes(
    alice: Phone, app: AriClient, network: Network, number: int
) -> None:
    assert network.seed == number
    network.link(alice.host, SERVER[0], loss=0.3, duplication=0.1, reordering=0.1, jitter=0.02)
    call = await alice.invite("1000")
    await call.answered(within=64)
    channel = (await app.event("StasisStart", within=64))["channel"]["id"]
    await app.post(f"/channels/{channel}/play", media="sound:hello-world")
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    await call.hang_up(within=64)
    await app.event("StasisEnd")


async def test_a_phone_that_vanishes_is_noticed_when_it_is_spoken_to(
    alice: Phone, app: AriClient, network: Network, server: Server
) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    network.cut(alice.host, SERVER[0])
    await app.delete(f"/channels/{channel}", expect=204)
    await app.event("StasisEnd")
    await asyncio.sleep(40)
    assert len(server.sip.agent) == 0
    await alice.close()


async def test_requests_out_of_order_and_to_calls_that_never_were(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1300")
    await call.answered()
    bye = b"\r\n".join(
        (
            b"BYE sip:1000@10.0.0.1:5060 SIP/2.0",
            b"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKnever",
            b"From: <sip:alice@10.0.0.2>;tag=never",
            b"To: <sip:1000@10.0.0.1>;tag=was",
            b"Call-ID: never-was",
            b"CSeq: 7 BYE",
            b"Max-Forwards: 70",
            b"Content-Length: 0",
            b"",
            b"",
        )
    )
    alice.send_raw(bye)
    await alice.sees("SIP/2.0 481 ")
    alice.send_raw(next(seen.data for seen in alice.seen if seen.data.startswith(b"ACK")))
    assert call.end is None
    await call.hang_up()
    alice.send_raw(next(seen.data for seen in alice.seen if seen.data.startswith(b"BYE")))
    await alice.options()


def message_of(call: Call, status: int) -> bytes:
    """The message that carried a status."""
    return next(bytes(beat.message) for beat in call.story if beat.what == status and beat.message is not None)


async def serves_a_call(phone: OpenPhone, app: AriClient) -> None:
    """A phone that keeps the rules has its call."""
    honest = await phone("10.0.1.5", 5060, name="honest", server=SERVER)
    assert (await honest.options()).status == 200
    for _ in range(2):
        call = await honest.invite("1000")
        await call.answered()
        channel = (await app.event("StasisStart", channel_protocol_id=call.call_id))["channel"]["id"]
        await app.delete(f"/channels/{channel}", expect=204)
        await call.expect("BYE")


async def test_no_more_calls_are_taken_than_maxcalls(alice: Phone, bob: Phone, server: Server) -> None:
    server.channels.limits = Limits(calls=1)
    first = await alice.invite("1300")
    await first.answered()
    second = await bob.invite("1300")
    assert (await second.ended()).status == 503
    await first.hang_up()
    third = await bob.invite("1300")
    await third.answered()
    await third.hang_up()
