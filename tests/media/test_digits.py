"""Digits in and out: RFC 4733 events, tones, durations."""

from __future__ import annotations

import itertools

import pytest

from arietta.media.engine import DigitBegan, DigitEnded, DigitOut, EngineSettings, MediaError
from arietta.media.tones import DIGIT_LEVEL, digit_tones, render
from arietta.rtp import DIGITS, TelephoneEvent

from .virtual import Phone, World, loudness, tone


def press(phone: Phone, digit: str, ms: int, *, ends: int = 3) -> None:
    """A key on the phone, packets each 20 ms, all with the timestamp of its beginning."""
    start = phone.timestamp
    code = DIGITS.index(digit)

    def packet(length: int, end: bool) -> None:
        phone.timestamp = start
        phone.send(bytes(TelephoneEvent(code, end, 10, length)), number=101)

    for n in range(ms // 20):
        phone.world.at(20 * n, lambda n=n: packet(160 * (n + 1), False))  # type: ignore[misc]
    for _ in range(ends):
        phone.world.at(ms, lambda: packet(8 * ms, True))


def digits(phone: Phone) -> list[object]:
    return [event for event in phone.events if isinstance(event, DigitBegan | DigitEnded)]


def test_a_key_is_told_when_it_goes_down_and_when_it_comes_up(world: World) -> None:
    phone = world.phone()
    press(phone, "5", 180)
    world.run(100)
    assert digits(phone) == [DigitBegan("5")]
    world.run(200)
    assert digits(phone) == [DigitBegan("5"), DigitEnded("5", 180)]


def test_a_key_whose_end_is_lost_ends_by_itself(world: World) -> None:
    phone = world.phone()
    press(phone, "#", 200, ends=0)
    world.run(1000)
    assert digits(phone) == [DigitBegan("#"), DigitEnded("#", 200)]
    world.run(6000)
    assert world.core.next_deadline_ns is None or world.core.ticks == 0


@pytest.mark.parametrize("silence_ms", [100, 900])
def test_a_key_ends_by_itself_after_the_silence_of_the_settings(each_engine: str, silence_ms: int) -> None:
    world = World(EngineSettings(digit_silence_ms=silence_ms))
    phone = world.phone()
    press(phone, "#", 200, ends=0)
    world.run(180 + silence_ms - 1)
    assert digits(phone) == [DigitBegan("#")]
    world.run(2)
    assert digits(phone) == [DigitBegan("#"), DigitEnded("#", 200)]
    world.core.close()


def test_digits_are_told_while_incoming_audio_is_muted(world: World) -> None:
    phone = world.phone()
    phone.port.mute(incoming=True)
    press(phone, "1", 100)
    world.run(300)
    assert digits(phone) == [DigitBegan("1"), DigitEnded("1", 100)]


def test_digits_out_are_events_with_their_durations_and_gaps(world: World) -> None:
    phone = world.phone()
    done: list[int] = []
    phone.port.send_digits([DigitOut("1", 100, 60), DigitOut("#", 200, 60)], lambda: done.append(world.now))
    began = world.now
    world.run(1000)
    packets = phone.collect()
    assert {packet.payload_type for packet in packets} == {101}
    assert [packet.marker for packet in packets] == [True] + [False] * 7 + [True] + [False] * 12
    first, second = packets[:8], packets[8:]
    for part, event, duration in ((first, 1, 800), (second, 11, 1600)):
        reports = [TelephoneEvent.parse(packet.payload) for packet in part]
        assert {report.event for report in reports} == {event}
        assert [report.duration for report in reports if not report.end] == list(range(160, duration + 1, 160))
        assert [report.duration for report in reports if report.end] == [duration] * 3
        assert len({packet.timestamp for packet in part}) == 1
    assert (second[0].timestamp - first[0].timestamp) % 2**32 == 8 * 160
    assert [(b.sequence - a.sequence) % 2**16 for a, b in itertools.pairwise(packets)] == [1] * 20
    assert 420 <= (done[0] - began) / 1e6 <= 460


@pytest.mark.parametrize(("codec", "rate"), [("g722", 16000), ("slin48", 8000), ("ulaw", 48000)])
def test_digits_may_have_a_clock_of_their_own(world: World, codec: str, rate: int) -> None:
    phone = world.phone(codec, telephone_event_rate=rate)
    phone.port.send_digits([DigitOut("1", 100, 60)])
    world.run(300)
    reports = [TelephoneEvent.parse(packet.payload) for packet in phone.collect()]
    step = rate // 50
    assert [report.duration for report in reports if not report.end] == [n * step for n in range(1, 6)]
    assert [report.duration for report in reports if report.end] == [5 * step] * 3
    began = phone.timestamp
    phone.send(bytes(TelephoneEvent(5, False, 10, step)), number=101)
    phone.timestamp = began
    phone.send(bytes(TelephoneEvent(5, True, 10, 9 * step)), number=101)
    world.run(20)
    assert digits(phone) == [DigitBegan("5"), DigitEnded("5", 180)]


def test_digits_may_arrive_in_several_forms(world: World) -> None:
    """A browser has events of 48 kHz and of 8 kHz; a phone may answer with a number of its own."""
    phone = world.phone(telephone_event_pt=101, receive_events={110: 48000, 126: 16000})
    for number, digit, rate in ((110, 1, 48000), (126, 2, 16000), (101, 3, 8000)):
        began = phone.timestamp
        phone.send(bytes(TelephoneEvent(digit, False, 10, rate // 50)), number=number)
        phone.timestamp = began
        phone.send(bytes(TelephoneEvent(digit, True, 10, rate // 5)), number=number)
    phone.send(bytes(TelephoneEvent(4, True, 10, 800)), number=127)
    world.run(20)
    assert [event for event in digits(phone) if isinstance(event, DigitEnded)] == [
        DigitEnded("1", 200),
        DigitEnded("2", 200),
        DigitEnded("3", 200),
    ]


def test_without_telephone_event_digits_are_tones(world: World) -> None:
    for phone in (world.phone(telephone_event_pt=None), world.phone(dtmf_inband=True)):
        phone.port.send_digits([DigitOut("8", 200, 0)])
        world.run(400)
        heard = phone.heard()
        assert len(heard) == 2 * 1600
        assert loudness(heard, 852) > 0.85 * DIGIT_LEVEL
        assert loudness(heard, 1336) > 0.85 * DIGIT_LEVEL
        assert loudness(heard, 1209) < 0.1 * DIGIT_LEVEL


def test_what_is_played_goes_on_under_the_digits(world: World) -> None:
    from arietta.media.engine import Samples

    phone = world.phone()
    player = phone.port.play(Samples(tone(500, 2000)), on_end=lambda end: None)
    phone.port.send_digits([DigitOut("2", 100, 100)])
    world.run(400)
    assert player.position_ms == 400
    kinds = [packet.payload_type for packet in phone.collect()]
    assert kinds[:5] == [101] * 5
    assert kinds[-10:] == [0] * 10


def test_a_muted_port_sends_no_digit(world: World) -> None:
    phone = world.phone()
    phone.port.mute(outgoing=True)
    phone.port.send_digits([DigitOut("2")])
    world.run(400)
    assert phone.collect() == []


def test_the_queue_of_digits_is_bounded(world: World) -> None:
    phone = world.phone()
    with pytest.raises(MediaError, match="1000"):
        phone.port.send_digits([DigitOut("1")] * 1001)


def test_closing_tells_who_waits_for_digits(world: World) -> None:
    phone = world.phone()
    done: list[bool] = []
    phone.port.send_digits([DigitOut("1", 1000)], lambda: done.append(True))
    world.run(100)
    phone.port.close()
    world.run(0)
    assert done == [True]


@pytest.mark.parametrize("digit", list("0123456789*#ABCD"))
def test_digits_as_tones_are_heard_when_asked_for(world: World, digit: str) -> None:
    phone = world.phone()
    phone.port.detect_digits(True)
    samples, _ = render(digit_tones(digit), 8000, 5000.0)
    phone.say(bytes(3200) + samples[:1920] + bytes(3200))
    world.run(800)
    began, ended = digits(phone)
    assert began == DigitBegan(digit)
    assert isinstance(ended, DigitEnded)
    assert ended.digit == digit
    assert 100 <= ended.duration_ms <= 140


def test_speech_like_sound_and_single_tones_are_no_digits(world: World) -> None:
    import wave
    from pathlib import Path

    with wave.open(str(Path(__file__).parent / "fixtures" / "speech.wav")) as file:
        speech = file.readframes(8000)
    phone = world.phone()
    phone.port.detect_digits(True)
    phone.say(speech + tone(697, 300) + tone(1209, 300))
    world.run(2000)
    assert digits(phone) == []


def test_a_relayed_call_passes_digits(world: World) -> None:
    one, other = world.phone(), world.phone()
    one.port.link(other.port)
    press(one, "9", 160)
    world.run(600)
    reports = [TelephoneEvent.parse(packet.payload) for packet in other.collect()]
    assert {report.event for report in reports} == {9}
    assert reports[-1].duration == 1280
