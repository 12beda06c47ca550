"""The reference engine on virtual time, heard by a virtual phone's voice."""

from __future__ import annotations

import asyncio
import itertools
from random import Random

import pytest

from arietta.media.engine import (
    DigitBegan,
    DigitEnded,
    EngineSettings,
    MediaError,
    MediaStopped,
    NoPortsLeft,
    PlayEnd,
    PlayEndReason,
    RtpPort,
    RtpSettings,
    Samples,
)
from arietta.sdp import Direction, Negotiated
from arietta.testing.audio import compare, tone
from arietta.testing.loop import VirtualLoop
from arietta.testing.media import VirtualEngine
from arietta.testing.voice import Voice


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()
    assert loop.failures == []


async def talk_to(port: RtpPort) -> Voice:
    """A phone's voice, connected to a port of the engine."""
    voice = await Voice.open("10.0.0.2", Random(1), talks=True)
    port.configure(RtpSettings(voice.address, "ulaw", 0, {0: "ulaw"}, telephone_event_pt=101))
    agreed = Negotiated(
        address="10.0.0.1",
        port=port.local_port,
        codec="ulaw",
        payload_type=0,
        receive={0: "ulaw"},
        event_payload_type=101,
        receive_events={101: 8000},
        direction=Direction.SENDRECV,
    )
    voice.start(agreed)
    return voice


def test_what_the_engine_plays_is_heard_and_digits_come_back(loop):
    async def story() -> None:
        engine = VirtualEngine(loop)
        engine.start(loop)
        events: list[object] = []
        port = engine.open_rtp(bind="0.0.0.0", on_event=events.append)
        voice = await talk_to(port)
        ends: list[PlayEnd] = []
        sound = tone(440, 1000)
        port.play(Samples(sound), on_end=ends.append)
        voice.send_digit("5", 100, 100)
        start = loop.time()
        await asyncio.sleep(2)
        assert ends == [PlayEnd(PlayEndReason.DONE, 1000)]
        assert compare(voice.heard.samples, sound).correlation > 0.99
        frames = list(voice.heard.frames)
        gaps = {round(later.time - earlier.time, 6) for earlier, later in itertools.pairwise(frames)}
        assert gaps == {0.02}
        assert frames[0].time - start < 0.03
        assert [type(event) for event in events][-2:] == [DigitBegan, DigitEnded]
        port.close()
        engine.stop()
        voice.close()
        assert engine.stats().late_ticks == 0

    loop.run(story())


def test_ports_are_taken_and_freed(loop):
    async def story() -> None:
        engine = VirtualEngine(loop, EngineSettings(rtp_start=10000, rtp_end=10001))
        port = engine.open_rtp(bind="10.0.0.1", on_event=lambda event: None)
        assert port.local_port == 10000
        with pytest.raises(NoPortsLeft):
            engine.open_rtp(bind="10.0.0.1", on_event=lambda event: None)
        port.close()
        engine.open_rtp(bind="10.0.0.1", on_event=lambda event: None)
        with pytest.raises(MediaError, match="loop"):
            engine.start(None)
        engine.stop()

    loop.run(story())


def test_silence_is_counted_from_the_moment_it_is_waited_for(loop):
    async def story() -> None:
        engine = VirtualEngine(loop)
        engine.start(loop)
        await asyncio.sleep(100)  # nothing is to be done: the engine sleeps
        events: list[object] = []
        port = engine.open_rtp(bind="0.0.0.0", on_event=events.append)
        port.configure(RtpSettings(("10.0.0.9", 4000), "ulaw", 0, {0: "ulaw"}, timeout_ms=5000))
        await asyncio.sleep(4.9)
        assert events == []
        await asyncio.sleep(0.2)
        assert events == [MediaStopped(5000)]
        port.close()
        engine.stop()

    loop.run(story())
