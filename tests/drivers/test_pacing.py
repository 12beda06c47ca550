"""Audio of programs at its own pace: what is ahead waits, what is late for ever is dropped."""

from __future__ import annotations

import pytest

from arietta.drivers.pacing import KEPT_FRAMES, LATE_FRAMES, MOST_INSIDE_MS, PacedAudio
from arietta.testing import VirtualLoop


class Buffer:
    """A port that takes everything, and hears nothing while it is stuck."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.buffered_ms = 0

    def push(self, data: bytes) -> None:
        self.taken.append(data)

    def flush(self) -> None:
        self.taken.clear()


def paced_audio(loop: VirtualLoop, port: Buffer, *, live: bool) -> PacedAudio:
    return PacedAudio(
        loop,
        port,  # type: ignore[arg-type]
        high=1000,
        low=750,
        on_high=lambda: None,
        on_low=lambda: None,
        live=live,
    )


def speak(loop: VirtualLoop, audio: PacedAudio, seconds: float, frames_at_a_time: int, speed: float = 1.0) -> None:
    """Frames in pieces, as a program sends them."""
    for _ in range(round(seconds * 50 * speed / frames_at_a_time)):
        for _ in range(frames_at_a_time):
            audio.put(b"x")
        loop.advance(0.02 * frames_at_a_time / speed)


@pytest.mark.parametrize("piece", [1, 5, 12])
def test_a_live_program_that_was_stuck_is_heard_in_time_again(loop: VirtualLoop, piece: int) -> None:
    audio = paced_audio(loop, Buffer(), live=True)
    speak(loop, audio, 3, piece)
    loop.advance(3)
    for _ in range(150):  # what was held back by the network comes at once
        audio.put(b"x")
    assert audio.frames >= 145
    speak(loop, audio, 6, piece)
    assert audio.frames <= KEPT_FRAMES + piece
    assert 130 <= audio.dropped <= 150
    speak(loop, audio, 60, piece)
    assert audio.dropped <= 150


@pytest.mark.parametrize(("seconds", "speed"), [(1, 60), (10, 1.4), (20, 3)])
def test_a_program_that_is_ahead_of_time_is_heard_to_the_end(loop: VirtualLoop, seconds: float, speed: float) -> None:
    port = Buffer()
    audio = paced_audio(loop, port, live=True)
    speak(loop, audio, seconds, 10, speed)
    loop.advance(120)
    assert audio.dropped == audio.frames == 0
    assert len(port.taken) == round(seconds * 50 * speed / 10) * 10


def test_a_little_lead_stays(loop: VirtualLoop) -> None:
    audio = paced_audio(loop, Buffer(), live=True)
    for _ in range(LATE_FRAMES):
        audio.put(b"x")
    speak(loop, audio, 20, 1)
    assert audio.dropped == 0


def test_where_the_protocol_has_its_own_rules_nothing_is_dropped(loop: VirtualLoop) -> None:
    audio = paced_audio(loop, Buffer(), live=False)
    for _ in range(150):
        audio.put(b"x")
    speak(loop, audio, 20, 1)
    assert audio.dropped == 0
    assert audio.frames >= 140


def test_a_port_whose_clock_falls_behind_gets_no_more(loop: VirtualLoop) -> None:
    port = Buffer()
    audio = paced_audio(loop, port, live=False)
    port.buffered_ms = MOST_INSIDE_MS + 20
    for _ in range(10):
        audio.put(b"x")
    loop.advance(1)
    assert port.taken == []
    port.buffered_ms = 0
    loop.advance(1)
    assert len(port.taken) == 10
