"""The loudness of a port: what it is heard with, what it sends with, and that nobody pays who does not use it."""

from __future__ import annotations

import math

import pytest

from arietta.media.engine import DigitBegan, MediaError, MixerMode, Samples, Side

from .virtual import World, loudness, tone

pytestmark = pytest.mark.usefixtures("each_engine")

LEVEL = 4000


@pytest.mark.parametrize("codec", ["ulaw", "slin16", "g722"])
@pytest.mark.parametrize("factor", [0.25, 3])
def test_what_is_played_is_sent_as_loud_as_asked_for(world: World, codec: str, factor: float) -> None:
    phone, rate = world.phone(codec), 16000 if codec != "ulaw" else 8000
    phone.port.volume(Side.OUT, factor)
    phone.port.play(Samples(tone(500, 1000, rate=rate, level=LEVEL), rate), on_end=lambda end: None)
    world.run(1000)
    assert loudness(phone.heard(), 500, rate=rate) == pytest.approx(LEVEL * factor, rel=0.1)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_others_hear_it_as_loud_as_asked_for(world: World, mixed: bool) -> None:
    speaker, listener = world.phone(), world.phone()
    mixer = world.core.open_mixer()
    for port in (speaker.port, listener.port, *([world.phone().port] if mixed else [])):
        port.link(mixer)
    speaker.port.volume(Side.IN, 0.5)
    speaker.say(tone(500, 1000, level=LEVEL))
    world.run(1200)
    assert loudness(listener.heard()[3200:-3200], 500) == pytest.approx(LEVEL / 2, rel=0.15)


def test_packets_are_relayed_again_once_it_is_back_to_what_it_was(world: World) -> None:
    speaker, listener = world.phone(), world.phone()
    mixer = world.core.open_mixer()
    speaker.port.link(mixer)
    listener.port.link(mixer)
    assert mixer.mode is MixerMode.RELAY
    speaker.port.volume(Side.OUT, 2)
    assert mixer.mode is MixerMode.PAIR
    speaker.port.volume(Side.OUT, 1)
    assert mixer.mode is MixerMode.RELAY


def test_what_is_too_loud_is_cut_off_and_not_turned_over(world: World) -> None:
    phone = world.phone("slin")
    phone.port.volume(Side.OUT, 10)
    phone.port.play(Samples(tone(500, 400, level=20000)), on_end=lambda end: None)
    world.run(400)
    heard = phone.heard()
    square = 4 / math.pi * 32767
    assert loudness(heard, 500) == pytest.approx(square, rel=0.05)


def test_digits_are_heard_however_quiet_it_is_made(world: World) -> None:
    phone = world.phone()
    phone.port.detect_digits(True)
    phone.port.volume(Side.IN, 0)
    both = [one + other for one, other in zip(_samples(770), _samples(1336), strict=True)]
    phone.say(b"".join(value.to_bytes(2, "little", signed=True) for value in both))
    world.run(400)
    assert DigitBegan("5") in phone.events


def _samples(frequency: float) -> list[int]:
    data = tone(frequency, 200, level=LEVEL)
    return [int.from_bytes(data[n : n + 2], "little", signed=True) for n in range(0, len(data), 2)]


@pytest.mark.parametrize(("side", "factor"), [(Side.BOTH, 1), (Side.NONE, 1), (Side.IN, -1), (Side.OUT, 100.5)])
def test_a_volume_that_cannot_be_is_refused_by_name(world: World, side: Side, factor: float) -> None:
    with pytest.raises(MediaError, match=side.value if side in (Side.BOTH, Side.NONE) else f"{factor:g}"):
        world.phone().port.volume(side, factor)
