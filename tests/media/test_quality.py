"""How it sounds, measured: gains, samples that must all be there, concealment, joins without clicks."""

from __future__ import annotations

import itertools
import math
import random
import wave
from array import array
from pathlib import Path

import pytest

from arietta.media.codecs import CODECS, resample
from arietta.media.engine import (
    DigitBegan,
    DigitEnded,
    Files,
    MixerMode,
    PlayEnd,
    PlayEndReason,
    RecordEnd,
    RecordOptions,
    Side,
)
from arietta.media.reference.frame import level
from arietta.media.reference.plc import Plc

from .impairments import Network, say_over
from .virtual import Phone, World, loudness, tone

LOUD = 8000
"""Amplitude of the tones: -9 dBm0."""
SPOKEN = ("ulaw", "alaw", "gsm", "g722", "slin16")
TOLERANCE_DB = {"ulaw": 0.5, "alaw": 0.5, "slin16": 0.5, "g722": 0.5, "gsm": 1.5}
"""Of a tone of 1 kHz; GSM is made for voices, and its loss depends on where its frames begin."""


def tolerance(*codecs: str) -> float:
    return max(TOLERANCE_DB[codec] for codec in codecs)


def gain_db(samples: bytes, codec: str, frequency: float = 1000) -> float:
    """Of the tone, from LOUD to the middle of what was heard."""
    rate = CODECS[codec].rate
    middle = samples[len(samples) // 4 // 2 * 2 : len(samples) * 3 // 4 // 2 * 2]
    assert len(middle) > rate // 4, "there is too little to measure"
    return 20 * math.log10(max(1e-9, loudness(middle, frequency, rate=rate)) / LOUD)


def hum(phone: Phone, ms: int, frequency: float = 1000, *, after_ms: float = 0, level: float = LOUD) -> None:
    phone.say(tone(frequency, ms, rate=CODECS[phone.codec].rate, level=level), after_ms=after_ms)


def frames(samples: bytes, rate: int = 8000) -> list[bytes]:
    size = rate // 50 * 2
    return [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]


# -- gain --


@pytest.mark.parametrize(("one", "other"), list(itertools.product(SPOKEN, SPOKEN)))
def test_two_phones_hear_each_other_as_loud_as_they_are(world: World, one: str, other: str) -> None:
    speaker, listener = world.phone(one), world.phone(other)
    speaker.port.link(listener.port)
    hum(speaker, 1000)
    world.run(1300)
    assert abs(gain_db(listener.heard(), other)) < tolerance(one, other)


@pytest.mark.parametrize("codecs", [("ulaw", "ulaw", "alaw"), ("slin16", "ulaw", "gsm"), ("g722", "slin16", "ulaw")])
def test_a_conference_keeps_the_loudness(world: World, codecs: tuple[str, str, str]) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone(codec) for codec in codecs]
    for phone in phones:
        phone.port.link(mixer)
    hum(phones[0], 1000)
    for silent in phones[1:]:
        hum(silent, 1000, level=0)
    world.run(1300)
    assert mixer.mode is MixerMode.MIX
    for phone in phones[1:]:
        assert abs(gain_db(phone.heard(), phone.codec)) < tolerance(codecs[0], phone.codec)


@pytest.mark.parametrize("codec", SPOKEN)
@pytest.mark.parametrize("format", ["wav", "wav16", "ulaw", "gsm"])
def test_a_recording_keeps_the_loudness(world: World, tmp_path: Path, codec: str, format: str) -> None:
    phone, listener = world.phone(codec), world.phone(codec)
    recorder = phone.port.record(str(tmp_path / "tone"), format, on_end=lambda end: None)
    hum(phone, 1000)
    world.run(1040)
    recorder.stop()
    world.run(20)
    listener.port.play(Files((recorded(tmp_path, "tone"),)), on_end=lambda end: None)
    world.run(1100)
    assert abs(gain_db(listener.heard(), codec)) < tolerance(codec) + (1.5 if format == "gsm" else 0)


def recorded(folder: Path, name: str) -> str:
    (path,) = folder.glob(f"{name}.*")
    return str(path)


@pytest.mark.parametrize("codec", SPOKEN)
def test_a_snoop_hears_both_sides_as_loud_as_they_are(world: World, codec: str) -> None:
    one, other, spy = world.phone(codec), world.phone(codec), world.phone("slin16")
    one.port.link(other.port)
    snoop = world.core.open_snoop(one.port, spy=Side.BOTH, whisper=Side.NONE, on_event=lambda event: None)
    snoop.link(spy.port)
    hum(one, 1000, 1000)
    hum(other, 1000, 600)
    world.run(1300)
    heard = spy.heard()
    assert abs(gain_db(heard, "slin16", 1000)) < tolerance(codec)
    assert abs(gain_db(heard, "slin16", 600)) < tolerance(codec)


def test_three_in_a_conference_hear_each_other_and_not_themselves(world: World) -> None:
    """Each hears the others within 1 dB, and its own voice 30 dB below them."""
    mixer = world.core.open_mixer()
    phones = {frequency: world.phone(codec) for frequency, codec in ((500, "ulaw"), (850, "alaw"), (1300, "slin16"))}
    for frequency, phone in phones.items():
        phone.port.link(mixer)
        hum(phone, 1000, frequency)
    world.run(1300)
    for own, phone in phones.items():
        heard = phone.heard()
        others = [gain_db(heard, phone.codec, frequency) for frequency in phones if frequency != own]
        assert max(map(abs, others)) < 1
        assert gain_db(heard, phone.codec, own) < min(others) - 30


# -- completeness --


@pytest.mark.parametrize("codec", ["slin", "slin16", "ulaw", "alaw"])
def test_a_minute_is_played_without_a_sample_lost_or_doubled(world: World, tmp_path: Path, codec: str) -> None:
    rate = CODECS[codec].rate
    noise = array("h", random.Random(60).choices(range(-9000, 9000), k=60 * rate))
    suffix = {"slin": "sln", "slin16": "sln16"}.get(codec, codec)
    coded = noise.tobytes() if suffix.startswith("sln") else CODECS[codec].encoder()(noise.tobytes())
    path = tmp_path / f"noise.{suffix}"
    path.write_bytes(coded)
    phone = world.phone(codec)
    ends: list[PlayEnd] = []
    phone.port.play(Files((str(path),)), on_end=ends.append)
    world.run(61_000)
    assert ends == [PlayEnd(PlayEndReason.DONE, 60_000)]
    packets = phone.collect()
    assert b"".join(packet.payload for packet in packets) == CODECS[codec].encoder()(noise.tobytes())
    steps = {
        ((b.sequence - a.sequence) % 2**16, (b.timestamp - a.timestamp) % 2**32) for a, b in itertools.pairwise(packets)
    }
    assert steps == {(1, CODECS[codec].clock_rate // 50)}


@pytest.mark.parametrize("format", ["wav", "gsm", "ulaw", "wav16"])
def test_a_recording_is_as_long_as_its_event_says(world: World, tmp_path: Path, format: str) -> None:
    phone = world.phone()
    ends: list[RecordEnd] = []
    recorder = phone.port.record(str(tmp_path / "said"), format, on_end=ends.append)
    hum(phone, 3000)
    world.run(3333)
    recorder.stop()
    world.run(20)
    (end,) = ends
    player: list[PlayEnd] = []
    phone.port.play(Files((recorded(tmp_path, "said"),)), on_end=player.append)
    world.run(5000)
    assert abs(end.duration_ms - 3333) <= 20
    assert abs(player[0].position_ms - end.duration_ms) <= 20


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "slin16", "g722"])
@pytest.mark.parametrize("offset", [0, 7, 13])
def test_a_digit_of_40_ms_in_the_audio_is_told(world: World, codec: str, offset: int) -> None:
    phone = world.phone(codec)
    phone.port.detect_digits(True)
    rate = CODECS[codec].rate
    low, high = tone(770, 40, rate=rate, level=4000), tone(1336, 40, rate=rate, level=4000)
    key = array("h", map(sum, zip(array("h", low), array("h", high), strict=True))).tobytes()
    silence = bytes(rate * 2 * (60 + offset) // 1000 // 2 * 2)
    phone.say((silence + key).ljust(rate // 50 * 2 * 20, b"\0"))
    world.run(700)
    told = [event for event in phone.events if isinstance(event, DigitBegan | DigitEnded)]
    assert told[0] == DigitBegan("5")
    assert isinstance(told[1], DigitEnded)
    assert told[1].duration_ms == pytest.approx(40, abs=10)
    assert len(told) == 2


# -- loss and disorder --


def speech() -> bytes:
    """Ten seconds of a voice at 8 kHz."""
    with wave.open(str(Path(__file__).parent / "fixtures" / "speech.wav")) as file:
        samples, rate = file.readframes(file.getnframes()), file.getframerate()
    samples = resample(samples, rate, 8000)
    return (samples * (160_000 // len(samples) + 1))[:160_000]


def snr_db(wanted: bytes, got: bytes) -> float:
    """Of one frame, from 0 (as bad as silence, or worse) to 35 dB."""
    signal = sum(value * value for value in array("h", wanted))
    noise = sum((a - b) ** 2 for a, b in zip(array("h", wanted), array("h", got), strict=True))
    return min(35.0, max(0.0, 10 * math.log10(signal / max(noise, 1)))) if signal else 35.0


def segmental_snr(sent: list[bytes], heard: list[bytes]) -> list[tuple[float, bool]]:
    """Of each sent frame with speech (root mean square over 150): its SNR as heard, and whether it came through.

    Frames that came through are found by being the same, up to 25 places later or earlier than the one before them
    would have it; what is heard between two of them is compared in order; a frame that is not heard at all has 0 dB.
    """
    place, found = 0, {}
    for n, frame in enumerate(heard):
        same = [k for k in range(max(0, place - 25), min(len(sent), place + 26)) if sent[k] == frame]
        if same and level(frame) > 150:
            place = min(same, key=lambda k: abs(k - place))
            found[place] = n
        place += 1
    measured = []
    before = 0
    for k, frame in enumerate(sent):
        through = k in found
        before = found.get(k, before + 1)
        if level(frame) > 150:
            measured.append((snr_db(frame, heard[before]) if before < len(heard) else 0.0, through))
    return measured


NETWORKS = {
    "5 % lost at random": (Network(seed=5, loss=0.05), 31.0),
    "5 % lost in bursts": (Network(seed=6, loss=0.05, burst=3), 31.0),
    "jitter of 40 ms": (Network(seed=7, jitter_ms=40), 33.0),
    "2 % reordered": (Network(seed=8, reordered=0.02), 34.0),
    "10 % doubled": (Network(seed=9, doubled=0.1), 34.5),
    "all of it": (Network(seed=10, loss=0.03, burst=2, jitter_ms=30, reordered=0.02, doubled=0.05), 29.0),
}
"""And the mean segmental SNR that is to remain, in dB; undisturbed it is 35."""


@pytest.mark.parametrize("kind", NETWORKS)
def test_speech_survives(world: World, kind: str) -> None:
    network, least = NETWORKS[kind]
    coded = CODECS["ulaw"].decoder()(CODECS["ulaw"].encoder()(speech()))
    speaker, listener = world.phone("ulaw"), world.phone("alaw")
    listener.configure(send_codec="ulaw", send_payload_type=0)
    mixer = world.core.open_mixer()
    for phone in (speaker, listener):
        phone.port.link(mixer)
    spy = world.core.open_snoop(speaker.port, spy=Side.IN, whisper=Side.NONE, on_event=lambda event: None)
    say_over(network, speaker, speech())
    world.run(10_500)
    spy.close()
    heard = b"".join(CODECS["ulaw"].decoder()(packet.payload) for packet in listener.collect())
    measured = segmental_snr(frames(coded), frames(heard))
    assert len(measured) > 250
    assert sum(snr for snr, _ in measured) / len(measured) > least


def test_an_undisturbed_network_changes_nothing(world: World) -> None:
    coded = CODECS["ulaw"].decoder()(CODECS["ulaw"].encoder()(speech()))
    assert {snr for snr, _ in segmental_snr(frames(coded), frames(bytes(640) + coded))} == {35.0}


def voiced(frame: bytes) -> bool:
    return level(frame) > 800


def test_what_is_made_up_resembles_what_was_lost() -> None:
    """Every eighth frame of speech lost: of those with a voice, 4 dB on average, where silence has 0 by definition."""
    spoken = frames(speech())
    plc = Plc(8000)
    measured, repeated = [], []
    for n, frame in enumerate(spoken):
        if n % 8 != 7:
            plc.hear(frame)
            continue
        made = plc.conceal(160)
        if voiced(frame):
            measured.append(snr_db(frame, made))
            repeated.append(snr_db(frame, spoken[n - 1]))
    assert len(measured) > 20
    assert sum(measured) / len(measured) > 4
    assert sum(measured) > 2 * sum(repeated)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_long_loss_fades_to_silence_and_comes_back_without_a_click(rate: int) -> None:
    """A tone of 210 Hz: no step of it is larger than 1.5 times its own largest, at any lost frame or after it."""
    sound = frames(tone(210, 1000, rate=rate), rate)
    plc = Plc(rate)
    heard = [plc.hear(frame) if not 20 <= n < 27 else plc.conceal(rate // 50) for n, frame in enumerate(sound)]
    assert level(heard[20]) == pytest.approx(LOUD / 2**0.5, rel=0.1)
    assert [level(frame) for frame in heard[24:27]] == [0, 0, 0]
    assert heard[28:] == sound[28:]
    assert largest_step(b"".join(heard)) < 1.5 * largest_step(b"".join(sound))


def test_a_burst_does_not_hum(world: World) -> None:
    """After 80 ms of loss nothing is left of the voice before it."""
    speaker, listener = world.phone("ulaw"), world.phone("alaw")
    speaker.port.link(listener.port)
    payloads = frames(tone(300, 800))
    for n, frame in enumerate(payloads):
        if 10 <= n < 16:
            world.at(20 * n, speaker_skips(speaker))
        else:
            world.at(20 * n, lambda frame=frame: speaker.send(CODECS["ulaw"].encoder()(frame)))  # type: ignore[misc]
    world.run(1200)
    levels = [level(frame) for frame in frames(listener.heard())]
    assert max(levels[14:16]) < 300
    assert levels[10] > 3000


def speaker_skips(phone: Phone) -> object:
    def skip() -> None:
        phone.sequence = (phone.sequence + 1) & 0xFFFF
        phone.timestamp = (phone.timestamp + 160) & 0xFFFFFFFF

    return skip


@pytest.mark.parametrize("dbov", [40, 60])
def test_comfort_noise_is_heard_until_the_voice_comes_back(world: World, dbov: int) -> None:
    speaker, listener = world.phone("ulaw"), world.phone("alaw")
    speaker.port.link(listener.port)
    hum(speaker, 200)
    world.at(200, lambda: speaker.send(bytes([dbov]), number=13))
    hum(speaker, 200, after_ms=600)
    world.run(1000)
    heard = frames(listener.heard())
    quiet = [level(frame) for frame in heard[14:28]]
    assert sum(quiet) / len(quiet) == pytest.approx(32768 * 10 ** (-dbov / 20), rel=0.15)
    assert max(level(frame) for frame in heard[34:38]) > 5000
    world.run(2000)
    assert frames(listener.heard()) == []


@pytest.mark.parametrize("payload", [b"", b"\xff" * 40])
def test_any_comfort_noise_is_survived(world: World, payload: bytes) -> None:
    speaker, listener = world.phone("ulaw"), world.phone("alaw")
    speaker.port.link(listener.port)
    hum(speaker, 100)
    world.at(100, lambda: speaker.send(payload, number=13))
    world.run(400)
    speaker.port.link(None)
    world.run(100)
    assert max(level(frame) for frame in frames(listener.heard())) > 5000


# -- joins --


def largest_step(samples: bytes) -> int:
    values = array("h", samples)
    return max(abs(b - a) for a, b in itertools.pairwise(values))


HUM_HZ = 243
"""No frame of 20 ms holds whole periods of it, so a frame that is left out makes a step."""
LARGEST_STEP = 2100
"""Of a tone of 243 Hz at LOUD, in G.711: 1530 by itself, the rest is the codec's."""


def settled(samples: bytes) -> bytes:
    return samples[640:-640]


@pytest.mark.parametrize("third", ["ulaw", "gsm", "slin16", "g722", "slin48"])
def test_a_third_member_comes_and_goes_without_a_click(world: World, third: str) -> None:
    speaker, listener, guest = world.phone("ulaw"), world.phone("alaw"), world.phone(third)
    mixer = world.core.open_mixer()
    speaker.port.link(mixer)
    listener.port.link(mixer)
    hum(speaker, 2000, HUM_HZ)
    hum(guest, 2000, level=0)
    world.at(500, lambda: guest.port.link(mixer))
    world.at(1200, lambda: guest.port.link(None))
    world.run(2300)
    heard = listener.heard()
    assert len(heard) >= 2 * 8 * 1980
    assert largest_step(settled(heard)) < LARGEST_STEP


@pytest.mark.parametrize("third", ["slin16", "g722", "slin48"])
def test_a_wideband_member_falls_silent_and_speaks_again_without_a_click(
    world: World, tmp_path: Path, third: str
) -> None:
    """The mix follows two seconds later; who listens, and who records what is heard, notices neither."""
    speaker, listener, guest = world.phone("ulaw"), world.phone("alaw"), world.phone(third)
    mixer = world.core.open_mixer()
    for phone in (speaker, listener, guest):
        phone.port.link(mixer)
    ends: list[object] = []
    recorders = [
        listener.port.record(str(tmp_path / "out"), "wav", RecordOptions(side=Side.OUT), on_end=ends.append),
        mixer.port().record(str(tmp_path / "mix"), "wav", on_end=ends.append),
    ]
    spy = world.phone("slin16")
    snoop = world.core.open_snoop(listener.port, spy=Side.OUT, whisper=Side.NONE, on_event=lambda event: None)
    snoop.link(spy.port)
    hum(speaker, 4500, HUM_HZ)
    hum(guest, 400, level=0, after_ms=200)
    hum(guest, 400, level=0, after_ms=3600)
    world.run(4400)
    for recorder in recorders:
        recorder.stop()
    world.run(20)
    heard = listener.heard()
    assert len(heard) >= 2 * 8 * 4380
    assert largest_step(settled(heard)) < LARGEST_STEP
    assert largest_step(settled(spy.heard())) < LARGEST_STEP
    for name in ("out", "mix"):
        assert largest_step(recorded_samples(tmp_path / f"{name}.wav")[1600:-1600]) < LARGEST_STEP


@pytest.mark.parametrize(("one", "other"), [("ulaw", "slin16"), ("slin16", "ulaw"), ("slin", "slin48")])
def test_two_with_other_rates_are_joined_and_left_without_a_click(world: World, one: str, other: str) -> None:
    speaker, listener, guest = world.phone(one), world.phone(other), world.phone("alaw")
    mixer = world.core.open_mixer()
    speaker.port.link(mixer)
    listener.port.link(mixer)
    hum(speaker, 2000, HUM_HZ)
    hum(listener, 2000, level=0)
    hum(guest, 2000, level=0)
    world.at(500, lambda: guest.port.link(mixer))
    world.at(1200, lambda: guest.port.link(None))
    world.run(2300)
    assert largest_step(settled(listener.heard())) < LARGEST_STEP


@pytest.mark.parametrize("third", ["alaw", "slin16", "g722", "slin48"])
def test_a_third_member_joins_two_who_were_relayed_without_a_click(world: World, third: str) -> None:
    """When it leaves again the delay of the mix ends, which is one step."""
    speaker, listener, guest = world.phone("ulaw"), world.phone("ulaw"), world.phone(third)
    mixer = world.core.open_mixer()
    speaker.port.link(mixer)
    listener.port.link(mixer)
    assert mixer.mode is MixerMode.RELAY
    hum(speaker, 2000, HUM_HZ)
    hum(guest, 2000, level=0)
    world.at(500, lambda: guest.port.link(mixer))
    world.at(1200, lambda: guest.port.link(None))
    world.run(2300)
    steps = [abs(b - a) for a, b in itertools.pairwise(array("h", settled(listener.heard())))]
    assert max(steps[: 8 * 1100]) < LARGEST_STEP
    assert sum(step > LARGEST_STEP for step in steps) <= 1


@pytest.mark.parametrize("other", ["alaw", "gsm"])
def test_who_listens_in_comes_and_goes_without_a_click(world: World, tmp_path: Path, other: str) -> None:
    speaker, listener = world.phone("ulaw"), world.phone(other)
    speaker.port.link(listener.port)
    hum(speaker, 2000, HUM_HZ)
    ends: list[object] = []
    begun: list[object] = []
    world.at(400, lambda: begun.append(speaker.port.record(str(tmp_path / "in"), "wav", on_end=ends.append)))
    world.at(700, lambda: begun[0].stop())  # type: ignore[attr-defined]
    world.at(
        900,
        lambda: begun.append(
            world.core.open_snoop(listener.port, spy=Side.BOTH, whisper=Side.NONE, on_event=lambda event: None)
        ),
    )
    world.at(1200, lambda: begun[1].close())  # type: ignore[attr-defined]
    world.run(2300)
    heard = listener.heard()
    assert len(heard) >= 2 * 8 * 1980
    assert largest_step(settled(heard)) < (LARGEST_STEP if other == "alaw" else 2 * LARGEST_STEP)
    assert largest_step(recorded_samples(tmp_path / "in.wav")[640:-640]) < LARGEST_STEP


def recorded_samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


def test_a_relayed_call_loses_at_most_what_waits_when_a_recording_ends(world: World, tmp_path: Path) -> None:
    """Relayed packets do not wait, decoded ones do: they go on 40 ms later, and three frames at most are left out at
    the return, since the packet that comes then is sent before those that wait."""
    speaker, listener = world.phone("ulaw"), world.phone("ulaw")
    speaker.port.link(listener.port)
    hum(speaker, 2000, HUM_HZ)
    ends: list[object] = []
    recorders: list[object] = []
    options = RecordOptions(side=Side.IN)
    world.at(
        600, lambda: recorders.append(speaker.port.record(str(tmp_path / "in"), "wav", options, on_end=ends.append))
    )
    world.at(1200, lambda: recorders[0].stop())  # type: ignore[attr-defined]
    world.run(2300)
    heard = listener.heard()
    assert len(heard) >= 2 * 8 * (2000 - 60)
    steps = [abs(b - a) for a, b in itertools.pairwise(array("h", heard))]
    assert sum(step > LARGEST_STEP for step in steps) <= 1
