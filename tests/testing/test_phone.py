"""Virtual phones that call each other: ladders on a virtual network, one on real sockets."""

from __future__ import annotations

import asyncio
from array import array
from random import Random

import pytest
import uvloop

from arietta.sip.auth import Credentials, DigestServer, Outcome
from arietta.sip.message import parse
from arietta.testing.audio import RATE, compare, read_sound, tone
from arietta.testing.call import Call
from arietta.testing.loop import VirtualLoop
from arietta.testing.phone import Phone, Unexpected


@pytest.fixture
def loop():
    loop = VirtualLoop(seed=3)
    yield loop
    loop.close()
    assert loop.failures == []


async def two_phones(seed: int = 1, **options) -> tuple[Phone, Phone]:
    """Alice, and Bob whom she calls by his address."""
    alice = await Phone.open("10.0.0.2", 5060, name="alice", seed=seed, server=("10.0.0.3", 5060), **options)
    bob = await Phone.open("10.0.0.3", 5060, name="bob", seed=seed + 1, server=("10.0.0.2", 5060), **options)
    return alice, bob


async def call_up(alice: Phone, bob: Phone, **options) -> tuple[Call, Call]:
    """Both ends of a call that is up."""
    calling = await alice.invite("1000", **options)
    ringing = await bob.ringing()
    ringing.ring()
    await asyncio.sleep(0.5)
    ringing.answer()
    await calling.answered()
    await ringing.answered()
    return calling, ringing


def speech(seconds: float, seed: int = 1) -> bytes:
    """Something with the ups and downs of speech."""
    random, out, level, last = Random(seed), array("h"), 0, 0.0
    for index in range(round(seconds * RATE)):
        if index % 1600 == 0:
            level = random.choice((0, 1500, 4000, 9000))
        last = 0.7 * last + 0.3 * random.uniform(-level, level)
        out.append(int(last))
    return out.tobytes()


def test_a_call_from_ringing_to_bye(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling = await alice.invite("1000")
        ringing = await bob.ringing()
        assert ringing.request.uri_text == "sip:1000@10.0.0.3:5060"
        ringing.ring()
        await calling.expect(180)
        await asyncio.sleep(3)
        ringing.answer()
        assert (await calling.expect(200)).message.sdp
        await ringing.expect("ACK")
        await asyncio.sleep(1)
        assert 48 <= calling.voice.counters["received"] <= 52
        await calling.hang_up()
        bye = await ringing.expect("BYE")
        assert bye.message.method == "BYE"
        assert (await ringing.ended()).by == "remote"
        assert (await calling.ended()).by == "local"
        await alice.close()
        await bob.close()

    loop.run(story())
    lines = [sent.data.split(b" sip:")[0].split(b"\r\n")[0] for sent in loop.network.record if b"SIP/" in sent.data]
    assert lines == [
        b"INVITE",
        b"SIP/2.0 100 Trying",
        b"SIP/2.0 180 Ringing",
        b"SIP/2.0 200 OK",
        b"ACK",
        b"BYE",
        b"SIP/2.0 200 OK",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_call_sets_up_and_ends_over_a_bad_network(seed):
    loop = VirtualLoop(seed=seed)
    loop.network.link(loss=0.1, reordering=0.2, reorder_by=0.06, jitter=0.03, delay=0.04, duplication=0.1)
    sound = speech(3)

    async def story() -> float:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        ringing.send_audio(sound)
        match = await calling.hears(sound, at_least=0.85)
        await calling.hang_up()
        await ringing.ended(within=64)
        return match.correlation

    assert loop.run(story()) < 0.9999
    loop.close()
    assert loop.failures == []


def test_a_bad_network_plays_the_same_story_for_the_same_seed():
    def play(seed: int) -> list[tuple]:
        loop = VirtualLoop(seed=seed)
        loop.network.link(loss=0.2, jitter=0.02)

        async def story() -> None:
            alice, bob = await two_phones()
            calling, ringing = await call_up(alice, bob)
            await calling.hang_up()
            await ringing.ended(within=64)

        loop.run(story())
        loop.close()
        return [(sent.time, sent.fate, sent.data) for sent in loop.network.record]

    assert play(4) == play(4)
    assert play(4) != play(5)


def test_words_arrive_in_order_and_whole(loop, tmp_path):
    first, second = speech(2, seed=5), speech(1, seed=6)

    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        calling.send_audio(first)
        assert await calling.send_audio(second)
        match = await ringing.hears(first, at_least=0.99)
        later = await ringing.hears(second, at_least=0.99)
        assert later.offset_ms - match.offset_ms == pytest.approx(2000, abs=1)
        with pytest.raises(Unexpected, match="did not hear the sound"):
            await ringing.hears(speech(1, seed=7), within=3)
        ringing.heard_wav(tmp_path / "heard.wav")

    loop.run(story())
    assert compare(read_sound(tmp_path / "heard.wav"), first).correlation > 0.99


def test_a_tone_is_told_from_another(loop):
    async def story() -> None:
        alice, bob = await two_phones(codecs=("alaw",))
        calling, ringing = await call_up(alice, bob)
        assert ringing.negotiated.codec == "alaw"
        await calling.send_tone(440, 500)
        await ringing.hears(tone(440, 500), at_least=0.98)
        with pytest.raises(Unexpected):
            await ringing.hears(tone(480, 500), within=1)

    loop.run(story())


def test_digits_as_events_and_as_info(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        calling.send_audio(tone(440, 200))
        await calling.send_digits("12#*A0", duration_ms=80, gap_ms=60)
        await ringing.hears_digits("12#*A0")
        await ringing.send_digits("99")
        await calling.hears_digits("99")
        await calling.send_info("5")
        info = await ringing.expect("INFO")
        assert info.message.body == b"Signal=5\r\nDuration=160\r\n"
        with pytest.raises(ValueError, match="'x'"):
            calling.send_digits("x")

    loop.run(story())


def test_digits_survive_loss_and_duplication(loop):
    loop.network.link(loss=0.08, duplication=0.2, jitter=0.03)

    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        await calling.send_digits("0123456789", duration_ms=120)
        await ringing.hears_digits("0123456789")

    loop.run(story())


def test_hold_and_resume(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        await calling.hold()
        await ringing.expect("INVITE")
        assert ringing.negotiated.held
        before = calling.voice.counters["received"]
        await asyncio.sleep(1)
        assert calling.voice.counters["received"] <= before + 2
        await calling.resume()
        await ringing.expect("INVITE")
        assert not ringing.negotiated.held
        await asyncio.sleep(1)
        assert calling.voice.counters["received"] > before + 40
        ringing.takes_reinvites = False
        again = asyncio.ensure_future(calling.reinvite(expect=488))
        await ringing.expect("INVITE")
        ringing.reject(488)
        await again
        assert calling.end is None
        await ringing.hang_up()
        assert (await calling.ended()).reason == "BYE"

    loop.run(story())


def test_the_callee_makes_the_offer_when_the_invite_has_none(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob, sdp=b"")
        await calling.send_tone(500, 300)
        await ringing.hears(tone(500, 300))
        await ringing.send_tone(600, 300)
        await calling.hears(tone(600, 300))

    loop.run(story())


def test_a_refusal_and_a_cancel(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling = await alice.invite("1000")
        (await bob.ringing()).reject(486)
        with pytest.raises(Unexpected, match="expected 180, got 486 Busy Here"):
            await calling.expect(180)
        assert (await calling.ended()).status == 486

        calling = await alice.invite("1000")
        ringing = await bob.ringing()
        ringing.ring()
        await calling.expect(180)
        end = await calling.cancel()
        assert (end.by, end.status) == ("local", 487)
        await ringing.expect("CANCEL")

    loop.run(story())


def test_a_cancel_that_crosses_the_200(loop):
    loop.network.link(delay=0.2)

    async def story() -> None:
        alice, bob = await two_phones()
        calling = await alice.invite("1000")
        ringing = await bob.ringing()
        ringing.ring()
        await calling.expect(180)
        ringing.answer()
        await calling.cancel()
        assert (await ringing.ended()).reason == "BYE"
        assert ringing.is_confirmed

    loop.run(story())


def test_no_ack_comes(loop):
    async def story() -> float:
        alice, bob = await two_phones()
        calling = await alice.invite("1000", ack=False)
        ringing = await bob.ringing()
        ringing.answer()
        await calling.expect(200)
        start = loop.time()
        end = await ringing.ended(within=40)
        assert end.by == "timeout"
        await calling.expect("BYE")
        assert (
            sum(seen.first_line == "SIP/2.0 200 OK" and not seen.was_sent for seen in alice.seen) == 11
        )  # RFC 3261 13.3.1.4
        return loop.time() - start

    assert loop.run(story()) == pytest.approx(32, abs=0.1)


def test_bye_before_ack(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling = await alice.invite("1000", ack=False)
        ringing = await bob.ringing()
        ringing.answer()
        await calling.expect(200)
        calling.bye_before_ack()
        assert (await ringing.ended()).reason == "BYE"
        sent = [seen.first_line.split()[0] for seen in alice.seen if seen.was_sent]
        assert sent == ["INVITE", "BYE", "ACK"]

    loop.run(story())


def test_a_late_cancel_changes_nothing(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling, ringing = await call_up(alice, bob)
        calling.cancel_late()
        await asyncio.sleep(1)
        assert calling.end is None and ringing.end is None
        assert "CANCEL" in [seen.first_line.split()[0] for seen in bob.seen]

    loop.run(story())


def test_messages_options_and_raw_bytes(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        await alice.message("bob", "hello")
        assert (await bob.next_message()).body == b"hello"
        assert "INVITE" in (await alice.options()).get("Allow")
        calling, _ = await call_up(alice, bob)
        await calling.send_message("in the call")
        assert (await bob.next_message()).body == b"in the call"
        alice.send_raw(b"NONSENSE\r\n\r\n")
        alice.send_raw(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
        await bob.sees("NONSENSE")
        with pytest.raises(Unexpected, match="no message"):
            await bob.sees("NOTHING", within=1)

    loop.run(story())


def test_an_incoming_call_may_be_answered_by_itself(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        bob.on_invite = Call.answer
        calling = await alice.invite("1000")
        await calling.answered()
        await bob.calls[0].hang_up()
        await calling.expect("BYE")

    loop.run(story())


def test_nobody_is_there(loop):
    async def story() -> None:
        alice = await Phone.open("10.0.0.2", name="alice", server=("10.0.0.9", 5060))
        calling = await alice.invite("1000")
        end = await calling.ended(within=40)
        assert end.status == 408
        with pytest.raises(Unexpected, match="no answer to OPTIONS"):
            await alice.options()

    loop.run(story())


class Registrar(asyncio.DatagramProtocol):
    """A registrar that asks for a password."""

    def __init__(self) -> None:
        self.digest = DigestServer("arietta")
        self.outcomes: list[Outcome] = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        request = parse(data)
        verdict = self.digest.check(request, lambda user: Credentials(user, "secret"), 0.0)
        self.outcomes.append(verdict.outcome)
        if verdict.outcome is Outcome.ACCEPTED:
            response = request.create_response(200, to_tag="1", headers=[("Contact", request.get("Contact"))])
        else:
            response = self.digest.create_challenge(request, 0.0, to_tag="1")
        self.transport.sendto(bytes(response), addr)


def test_register_with_and_without_the_password(loop):
    async def story() -> None:
        _, registrar = await loop.create_datagram_endpoint(Registrar, local_addr=("10.0.0.1", 5060))
        phone = await Phone.open("10.0.0.2", username="6001", password="secret")
        response = await phone.register("sip:10.0.0.1:5060", expires=60)
        assert response.get("Contact") == f"<{phone.uri}>"
        await phone.unregister()
        assert registrar.outcomes == [Outcome.MISSING, Outcome.ACCEPTED, Outcome.MISSING, Outcome.ACCEPTED]
        wrong = await Phone.open("10.0.0.3", username="6001", password="guess")
        with pytest.raises(Unexpected, match=r"expected 200 to REGISTER, got SIP/2\.0 401"):
            await wrong.register("sip:10.0.0.1:5060")
        await wrong.register(expect=401)

    loop.run(story())


def test_a_call_over_tcp(loop):
    async def story() -> None:
        alice, bob = await two_phones(transport="tcp")
        calling, ringing = await call_up(alice, bob)
        await ringing.send_tone(440, 200)
        await calling.hears(tone(440, 200))
        await ringing.hang_up()
        await calling.expect("BYE")
        await alice.close()
        await bob.close()

    loop.run(story())
    assert {sent.protocol for sent in loop.network.record if b"SIP/2.0" in sent.data} == {"tcp"}


def test_a_call_over_ipv6(loop):
    async def story() -> None:
        bob = await Phone.open("::1", 5060, name="bob")
        alice = await Phone.open("::1", 5061, name="alice", server=("::1", 5060))
        calling, _ = await call_up(alice, bob)
        await calling.hang_up()

    loop.run(story())


def test_an_expectation_that_fails_shows_the_ladder(loop):
    async def story() -> None:
        alice, bob = await two_phones()
        calling = await alice.invite("1000")
        await bob.ringing()
        with pytest.raises(Unexpected) as caught:
            await calling.expect(180, within=2)
        text = str(caught.value)
        assert text.startswith("alice: 180 did not come (waited 2 s)\n")
        assert "INVITE 1000" in text
        assert "100 Trying" in text

    loop.run(story())


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_same_phones_on_real_sockets(transport, new_loop):
    async def story() -> None:
        async with (
            await Phone.open(name="bob", transport=transport) as bob,
            await Phone.open(name="alice", transport=transport, server=(bob.host, bob.port)) as alice,
        ):
            calling, ringing = await call_up(alice, bob)
            await calling.send_tone(440, 200)
            await calling.send_digits("7", duration_ms=60, gap_ms=0)
            await ringing.hears(tone(440, 200), within=2)
            await ringing.hears_digits("7", within=2)
            await calling.hang_up()
            await ringing.ended()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(story())
