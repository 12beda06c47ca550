"""Applications that listen to the far end: for silence, for noise, for a tone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, State
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError
from arietta.media.engine import MediaEvent, Side, TalkStarted, TalkStopped, ToneDetected

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

THRESHOLD = 256
WORD_GAP_MS = 60
"""A pause that does not end noise."""
DEFAULT_MS = 1000
MOST_MS = 3_600_000
MOST_TIMES = 1000
TONE_MS, MOST_HZ = 500, 4000
TONE_STATUS = "WAITFORTONESTATUS"


class Ear:
    """A channel's far end, talking or silent; used with ``with``."""

    def __init__(self, channel: Channel, silence_ms: int, threshold: int = THRESHOLD) -> None:
        if channel.port is None:
            raise ApplicationError("the channel has no media")
        self._channel = channel
        self.talking = False
        self._changed: asyncio.Future[None] | None = None
        self._port = channel.registry.engine.open_snoop(
            channel.port, spy=Side.IN, whisper=Side.NONE, on_event=self._hear
        )
        self._port.detect_talk(threshold, silence_ms)

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *failure: object) -> None:
        self._port.close()

    async def change(self, timeout: float) -> bool:
        """Wait until it talks or is silent again; False after `timeout` seconds."""
        self._changed = self._channel.registry.loop.create_future()
        try:
            await self._channel.until(self._changed, timeout)
        except TimeoutError:
            return False
        finally:
            self._changed = None
        return True

    def _hear(self, event: MediaEvent) -> None:
        if isinstance(event, (TalkStarted, TalkStopped)):
            self.talking = isinstance(event, TalkStarted)
            if self._changed is not None and not self._changed.done():
                self._changed.set_result(None)


async def _wait_for(channel: Channel, name: str, arguments: str, run: Run, *, noise: bool) -> None:
    """``NAME([ms[,times[,timeout]]])``: so much silence or noise, so many times."""
    parts = [*split_arguments(arguments), "", "", ""]
    wanted_ms = whole_number(parts[0], DEFAULT_MS)
    times = whole_number(parts[1], 1)
    timeout = whole_number(parts[2], 0)
    if not 0 < wanted_ms <= MOST_MS or not 0 < times <= MOST_TIMES or timeout < 0:
        raise ApplicationError(f"{name}({arguments[:60]}) is outside 1..{MOST_MS} ms, 1..{MOST_TIMES} times")
    loop = channel.registry.loop
    ends_at = loop.time() + (timeout or MOST_MS)
    if channel.state is not State.UP:
        channel.answer()
    status = "TIMEOUT"
    try:
        with Ear(channel, WORD_GAP_MS if noise else wanted_ms) as ear:
            while times and (left := ends_at - loop.time()) > 0:
                if ear.talking is noise:
                    # What is waited for goes on: it has to do so long enough.
                    if not await ear.change(min(left, wanted_ms / 1000)) and left >= wanted_ms / 1000:
                        times -= 1
                elif await ear.change(left) and not noise:
                    times -= 1  # silence is told when it has lasted
            if not times:
                status = "NOISE" if noise else "SILENCE"
    except HungUp:
        channel.set_variable("WAITSTATUS", "HANGUP")
        raise
    channel.set_variable("WAITSTATUS", status)


async def _wait_for_silence(channel: Channel, arguments: str, run: Run) -> None:
    await _wait_for(channel, "WaitForSilence", arguments, run, noise=False)


async def _wait_for_noise(channel: Channel, arguments: str, run: Run) -> None:
    await _wait_for(channel, "WaitForNoise", arguments, run, noise=True)


async def _wait_for_tone(channel: Channel, arguments: str, run: Run) -> None:
    """``WaitForTone(frequency[,ms[,seconds[,times]]])``."""
    parts = [*split_arguments(arguments), *[""] * 5]
    frequency_hz, duration_ms = whole_number(parts[0], -1), whole_number(parts[1], TONE_MS)
    timeout, times = seconds(parts[2]) if parts[2] else 0.0, whole_number(parts[3], 1)
    if parts[4]:
        raise ApplicationError(f"WaitForTone: option {parts[4][:20]!r} is not supported, there are none")
    if not 0 < frequency_hz <= MOST_HZ or not 0 < duration_ms <= MOST_MS or not 0 < times <= MOST_TIMES:
        log.warning("%s: WaitForTone(%s) is outside 1..%d Hz", channel.name, arguments[:60], MOST_HZ)
        channel.set_variable(TONE_STATUS, "ERROR")
        return
    if channel.state is not State.UP:
        channel.answer()
    status = "SUCCESS"
    try:
        await _tone_heard(channel, frequency_hz, duration_ms, times, timeout or None)
    except TimeoutError:
        status = "TIMEOUT"
    except HungUp:
        channel.set_variable(TONE_STATUS, "HANGUP")
        raise
    channel.set_variable(TONE_STATUS, status)


async def _tone_heard(channel: Channel, frequency_hz: int, duration_ms: int, times: int, timeout: float | None) -> None:
    """Wait until the far end sent a tone so many times; TimeoutError after so many seconds."""
    if channel.port is None:
        raise ApplicationError("the channel has no media")
    heard: asyncio.Future[None] = channel.registry.loop.create_future()
    left = times

    def hear(event: MediaEvent) -> None:
        nonlocal left
        if isinstance(event, ToneDetected):
            left -= 1
            if left <= 0 and not heard.done():
                heard.set_result(None)

    ear = channel.registry.engine.open_snoop(channel.port, spy=Side.IN, whisper=Side.NONE, on_event=hear)
    ear.detect_tone(frequency_hz, duration_ms)
    try:
        await channel.until(heard, timeout)
    finally:
        ear.close()


APPLICATIONS = (
    Application(
        "WaitForNoise",
        "WaitForNoise([ms[,times[,seconds]]])",
        "Waits for so much noise, so many times; WAITSTATUS is NOISE, TIMEOUT or HANGUP.",
        _wait_for_noise,
    ),
    Application(
        "WaitForSilence",
        "WaitForSilence([ms[,times[,seconds]]])",
        "Waits for so much silence, so many times; WAITSTATUS is SILENCE, TIMEOUT or HANGUP.",
        _wait_for_silence,
    ),
    Application(
        "WaitForTone",
        "WaitForTone(frequency[,ms[,seconds[,times]]])",
        "Waits for a tone of 500 ms, or so long, so many times; WAITFORTONESTATUS is SUCCESS, TIMEOUT, ERROR "
        "or HANGUP.",
        _wait_for_tone,
        lacks="without the options `d` and `s`",
    ),
)
