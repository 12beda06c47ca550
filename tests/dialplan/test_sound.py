"""VOLUME, JITTERBUFFER and MUTEAUDIO: what they make of a channel's port, and what they refuse."""

import pytest

from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.dialplan.errors import FunctionError

from .stage import Stage, leg_of


@pytest.fixture
def stage() -> Stage:
    stage = Stage("[default]\nexten => s,1,NoOp()\n")
    stage.loop.close()
    return stage


@pytest.fixture
def channel(stage: Stage) -> Channel:
    return stage.channel()


@pytest.mark.parametrize(
    ("name", "value", "said", "read"),
    [
        ("VOLUME(TX)", "3", "volume out 3", "3"),
        ("VOLUME(rx)", "-4", "volume in 0.25", "-4"),
        ("VOLUME(RX)", "1.5", "volume in 1.5", "1.5"),
        ("VOLUME(TX,p)", "0", "volume out 1", "0"),
    ],
)
def test_a_volume_multiplies_or_divides(
    stage: Stage, channel: Channel, name: str, value: str, said: str, read: str
) -> None:
    stage.plan.write(channel, name, value)
    assert leg_of(channel).said == [said]
    assert stage.plan.read(channel, name) == read


def test_a_volume_is_nothing_before_it_is_set(stage: Stage, channel: Channel) -> None:
    assert stage.plan.read(channel, "VOLUME(TX)") == "0"


def test_keys_change_the_directions_that_obey_them(stage: Stage, channel: Channel) -> None:
    stage.plan.write(channel, "VOLUME(TX,p)", "2")
    stage.plan.write(channel, "VOLUME(RX)", "5")
    for digit in "*1*#":
        channel.receive(signals.DigitEnded(digit, 100))
    assert leg_of(channel).said[2:] == ["volume out 3", "volume out 4", "volume out 3"]
    stage.plan.write(channel, "VOLUME(TX)", "2")
    channel.receive(signals.DigitEnded("*", 100))
    assert stage.plan.read(channel, "VOLUME(TX)") == "2"


def test_keys_stop_at_the_loudest(stage: Stage, channel: Channel) -> None:
    stage.plan.write(channel, "VOLUME(RX,p)", "100")
    channel.receive(signals.DigitEnded("*", 100))
    assert stage.plan.read(channel, "VOLUME(RX)") == "100"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("fixed", "default", "buffer True 200 200 1000"),
        ("fixed", "60,1500", "buffer True 60 200 1500"),
        ("adaptive", "default", "buffer False 40 200 1000"),
        ("adaptive", "300,,60", "buffer False 60 300 1000"),
        ("adaptive", "20,,60,no", "buffer False 20 20 1000"),
        ("adaptive", "100,,0", "buffer False 20 100 1000"),
        ("disabled", "", "buffer False 40 200 0"),
    ],
)
def test_a_jitter_buffer_by_its_four_numbers(stage: Stage, channel: Channel, kind: str, value: str, said: str) -> None:
    stage.plan.write(channel, f"JITTERBUFFER({kind})", value)
    assert leg_of(channel).said == [said]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MUTEAUDIO(in)", "on", "mute True None"),
        ("MUTEAUDIO(out)", "off", "mute None False"),
        ("MUTEAUDIO(all)", "on", "mute True True"),
    ],
)
def test_a_channel_is_muted(stage: Stage, channel: Channel, name: str, value: str, said: str) -> None:
    stage.plan.write(channel, name, value)
    assert leg_of(channel).said == [said]


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("VOLUME(up)", "1", "'up'"),
        ("VOLUME(TX,q)", "1", "'q'"),
        ("VOLUME(TX)", "loud", "'loud'"),
        ("VOLUME(TX)", "nan", "nan"),
        ("VOLUME(TX)", "101", "101 is outside"),
        ("VOLUME(TX)", "-0.001", "1000 is outside"),
        ("JITTERBUFFER(bouncy)", "default", "'bouncy'"),
        ("JITTERBUFFER(fixed)", "10", "10 ms"),
        ("JITTERBUFFER(fixed)", "600", "600 ms"),
        ("JITTERBUFFER(adaptive)", "100,5", "5 ms"),
        ("JITTERBUFFER(adaptive)", "100,,,yes", "sync_video 'yes'"),
        ("JITTERBUFFER(fixed)", "much", "max_size 'much'"),
        ("MUTEAUDIO(up)", "on", "'up'"),
        ("MUTEAUDIO(in)", "perhaps", "'perhaps'"),
        ("AGC(rx)", "8000", "automatic gain control"),
        ("DENOISE(rx)", "on", "noise reduction"),
    ],
)
def test_what_cannot_be_is_refused_by_name(stage: Stage, channel: Channel, name: str, value: str, wrong: str) -> None:
    with pytest.raises(FunctionError, match=wrong):
        stage.plan.write(channel, name, value)
    assert leg_of(channel).said == []


def test_a_port_without_jitter_says_so(stage: Stage, channel: Channel) -> None:
    leg_of(channel).port.buffer = None  # type: ignore[assignment, method-assign]
    with pytest.raises(FunctionError, match="has no jitter"):
        stage.plan.write(channel, "JITTERBUFFER(fixed)", "default")
