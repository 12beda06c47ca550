"""What is heard of recordings by keys: that one begins, ends, or cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arietta.channels.channel import Channel
from arietta.config.features import FeatureSettings, FeaturesGeneral
from arietta.dialplan.applications import mixmonitor
from arietta.dialplan.features.recording import TouchRecording
from arietta.dialplan.ports import Folders

from .stage import Stage, leg_of


class Recorder:
    """A recorder that records nothing."""

    def stop(self) -> None:
        return

    def pause(self) -> None:
        return


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[tuple[Stage, Channel, Channel]]:
    """Two who talk, with sounds for their recordings."""
    stage = Stage("")
    stage.plan.folders = Folders(monitor=tmp_path)
    general = FeaturesGeneral(courtesytone="beep", recordingfailsound="beeperr")
    stage.plan.features = FeatureSettings(general=general)
    yield stage, stage.channel(), stage.channel(number="6002")
    stage.loop.close()


def give_recorder(channel: Channel) -> None:
    port: Any = channel.port
    port.record = lambda *_args, **_more: Recorder()


def test_both_hear_that_it_begins_and_ends(talk: tuple[Stage, Channel, Channel]) -> None:
    stage, one, other = talk
    give_recorder(one)
    one.set_variable("TOUCH_MIXMONITOR_PREFIX", "call")
    one.set_variable("TOUCH_MIXMONITOR_MESSAGE_START", "begins")
    recording = TouchRecording(stage.plan, one, other)
    recording.toggle(one)
    file = "call-1800000000-6001-6002.wav"
    assert one.variables["TOUCH_MIXMONITOR_OUTPUT"] == other.variables["TOUCH_MIXMONITOR_OUTPUT"] == file
    assert leg_of(other).said == leg_of(one).said == ["sound:beep", "sound:begins"]
    recording.toggle(other)
    assert leg_of(other).said[2:] == ["sound:beep"]
    assert not mixmonitor.monitors_of(one)


def test_who_asks_hears_that_it_cannot_be(talk: tuple[Stage, Channel, Channel]) -> None:
    stage, one, other = talk
    one.set_variable("TOUCH_MIXMONITOR_FORMAT", "")
    one.set_variable("TOUCH_MIXMONITOR", "../x\0")
    TouchRecording(stage.plan, one, other).toggle(one)
    assert (leg_of(one).said, leg_of(other).said) == (["sound:beeperr"], [])
