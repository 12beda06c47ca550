"""RTP in codecs whose clock is not their sample rate, or whose packets are of any size."""

from __future__ import annotations

from itertools import pairwise

import pytest

from arietta.media.codecs import CODECS, is_codec, opus
from arietta.media.engine import DigitOut, PlayEnd, PlayEndReason, Samples, Side, ToneDetected
from arietta.rtp import RtpPacket, TelephoneEvent

from .virtual import Phone, World, loudness, tone

needs_opus = pytest.mark.skipif(not is_codec("opus"), reason="libopus is missing")
WIDEBAND = ["g722", pytest.param("opus", marks=needs_opus)]


def steps(packets: list[RtpPacket]) -> set[int]:
    """By how much the timestamps of packets in a row differ."""
    return {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)}


def clear_part(phone: Phone) -> bytes:
    heard = phone.heard()
    rate = CODECS[phone.codec].rate
    return heard[rate // 5 * 2 : rate * 2]


@pytest.mark.parametrize(("codec", "step"), [("g722", 160), pytest.param("opus", 960, marks=needs_opus)])
def test_timestamps_advance_by_the_rtp_clock(world: World, codec: str, step: int) -> None:
    phone = world.phone(codec)
    phone.port.play(Samples(tone(500, 400)), on_end=lambda end: None)
    world.run(500)
    packets = phone.collect()
    assert len(packets) == 20
    assert steps(packets) == {step}
    assert [packet.marker for packet in packets] == [True] + [False] * 19


@pytest.mark.parametrize("codec", WIDEBAND)
def test_what_is_played_is_heard_and_its_end_told(world: World, codec: str) -> None:
    ends: list[PlayEnd] = []
    phone = world.phone(codec)
    phone.port.play(Samples(tone(3500, 1000, rate=16000), 16000), offset_ms=100, on_end=ends.append)
    world.run(1100)
    heard = clear_part(phone)
    assert loudness(heard, 3500, rate=CODECS[codec].rate) == pytest.approx(8000, rel=0.15)
    assert ends == [PlayEnd(PlayEndReason.DONE, 1000, None)]


@pytest.mark.parametrize("codec", WIDEBAND)
def test_narrow_and_wide_hear_each_other(world: World, codec: str) -> None:
    wide, narrow = world.phone(codec), world.phone("ulaw")
    wide.port.link(narrow.port)
    wide.say(tone(700, 1200, rate=CODECS[codec].rate))
    narrow.say(tone(1100, 1200))
    world.run(1300)
    assert loudness(clear_part(wide), 1100, rate=CODECS[codec].rate) == pytest.approx(8000, rel=0.15)
    assert loudness(clear_part(narrow), 700) == pytest.approx(8000, rel=0.15)


def test_digits_beside_g722_last_in_the_rtp_clock(world: World) -> None:
    phone = world.phone("g722")
    phone.port.send_digits([DigitOut("5", 100, 0)])
    world.run(200)
    events = [packet for packet in phone.collect() if packet.payload_type == 101]
    assert len({packet.timestamp for packet in events}) == 1
    assert TelephoneEvent.parse(events[-1].payload).duration == 800


def test_g722_in_packets_of_30_ms(world: World) -> None:
    phone = world.phone("g722", ptime_ms=30)
    phone.port.play(Samples(tone(500, 600)), on_end=lambda end: None)
    world.run(700)
    packets = phone.collect()
    assert {len(packet.payload) for packet in packets} == {240}
    assert steps(packets) == {240}


@needs_opus
@pytest.mark.parametrize("count", [480, 1920, 2880])
def test_opus_packets_that_are_not_as_long_as_a_tick(world: World, count: int) -> None:
    phone, other = world.phone("opus"), world.phone("slin16")
    phone.port.link(other.port)
    ms = count // 48
    for n, packet in enumerate(packets_of(tone(900, 1200, rate=48000), count)):
        world.at(ms * n, lambda packet=packet: phone.send(packet))  # type: ignore[misc]
    world.run(1300)
    assert loudness(clear_part(other), 900, rate=16000) == pytest.approx(8000, rel=0.1)
    assert phone.port.statistics().rxcount == 1200 // ms


@needs_opus
def test_opus_makes_up_for_lost_packets(world: World) -> None:
    phone, other = world.phone("opus"), world.phone("slin16")
    phone.port.link(other.port)
    for n, packet in enumerate(packets_of(tone(900, 1200, rate=48000), 960)):
        if n % 10 == 5:
            world.at(20 * n, lambda: setattr(phone, "sequence", (phone.sequence + 1) & 0xFFFF))
        else:
            world.at(20 * n, lambda packet=packet: phone.send(packet))  # type: ignore[misc]
    world.run(1300)
    assert loudness(clear_part(other), 900, rate=16000) > 6500


@pytest.mark.parametrize("codec", ["gsm", *WIDEBAND])
def test_what_is_played_is_overheard(world: World, codec: str) -> None:
    phone = world.phone(codec)
    phone.port.detect_tone(900, 300, side=Side.OUT)
    phone.port.play(Samples(tone(900, 800)), on_end=lambda end: None)
    world.run(900)
    assert [event.frequency_hz for event in phone.events if isinstance(event, ToneDetected)] == [900]


def packets_of(samples: bytes, count: int) -> list[bytes]:
    """Opus packets of so many samples each."""
    encode = opus.OpusEncoder(count).encode
    return [encode(samples[at : at + 2 * count]) for at in range(0, len(samples) - 2 * count + 1, 2 * count)]
