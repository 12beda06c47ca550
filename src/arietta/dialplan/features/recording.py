"""Recordings that begin and end with keys, by MixMonitor."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.dialplan.applications import mixmonitor
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.features.offered import settings_of

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

VARIABLE = "TOUCH_MIXMONITOR"
"""The name of the file without its format, and the beginning of the names of the other variables."""
OUTPUT = "TOUCH_MIXMONITOR_OUTPUT"
"""Both channels learn the file."""


class TouchRecording:
    """The recording of one talk: whoever asks first begins it, whoever asks next ends it."""

    def __init__(self, plan: Interpreter, one: Channel, other: Channel) -> None:
        self._plan = plan
        self._both = (one, other)
        self._monitor: mixmonitor.Monitor | None = None

    def toggle(self, channel: Channel) -> None:
        """Begin a recording of the channel that asks, or end the one that there is."""
        monitor = self._monitor
        if monitor is not None and monitor.id in mixmonitor.monitors_of(monitor.channel):
            self._monitor = None
            monitor.stop()
            self._say(channel, "STOP")
            return
        try:
            self._monitor = self._begin(channel)
        except ApplicationError as failure:
            log.warning("%s cannot be recorded: %s", channel.name, failure)
            sound = settings_of(self._plan, channel).general.recordingfailsound
            if sound:
                self._play(channel, sound)
            return
        self._say(channel, "START")

    def _begin(self, channel: Channel) -> mixmonitor.Monitor:
        name, form, beep = (self._plan.variable(channel, VARIABLE + end) for end in ("", "_FORMAT", "_BEEP"))
        file = f"{name or self._name(channel)}.{form or 'wav'}"
        monitor, _ = mixmonitor.start(self._plan, channel, f"{file},b{f'B({beep})' if beep else ''}")
        for one in self._both:
            one.set_variable(OUTPUT, file)
        return monitor

    def _name(self, channel: Channel) -> str:
        """``auto-TIME-NUMBER-NUMBER``."""
        prefix = self._plan.variable(channel, f"{VARIABLE}_PREFIX") or "auto"
        numbers = (one.caller.number or one.name.replace("/", "-") for one in self._both)
        return "-".join((prefix, str(int(self._plan.now())), *numbers))

    def _say(self, channel: Channel, what: str) -> None:
        """Let both hear that it begins or ends."""
        message = self._plan.variable(channel, f"{VARIABLE}_MESSAGE_{what}")
        for sound in (settings_of(self._plan, channel).general.courtesytone, message):
            for one in self._both if sound else ():
                self._play(one, sound)

    def _play(self, channel: Channel, sound: str) -> None:
        def ended(failure: str | None) -> None:
            if failure is not None:
                log.warning("%s: %s", channel.name, failure)

        self._plan.media.play(channel, f"sound:{sound}", ended)
