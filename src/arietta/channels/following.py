"""How it goes with a channel that was sent elsewhere, as SIP statuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arietta.channels.channel import Channel
from arietta.model import events

OF_DIAL = {"RINGING": 180, "PROGRESS": 183, "ANSWER": 200}
FAILURES = {"BUSY": 486, "CONGESTION": 503, "NOANSWER": 480}
"""Statuses of Dial that are not the last word: the dialplan may go on, to a mailbox for instance."""
SOUNDING = frozenset("""
    answer agi background bridge confbridge controlplayback echo milliwatt morsecode musiconhold page park playback
    playtones queue read record sayalpha saydigits saynumber sayphonetic sayunixtime stasis voicemail voicemailmain
""".split())  # fmt: skip
"""Applications that somebody hears who is in a call already: arriving in one is as good as an answer."""


class Following:
    """Tells the statuses of one channel: provisional ones, each when it is news, and then one from 200 on."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.status = 100
        self._tell = tell
        self._failure = 480
        self._channel: Channel | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is a channel whose last status is still to come."""
        return self._channel is not None

    def begin(self, channel: Channel) -> None:
        """Follow a channel that is about to run the dialplan."""
        self._channel = channel
        channel.registry.bus.subscribe(channel.topics[0], self._take)

    def stop(self) -> None:
        """Tell nothing more."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.registry.bus.unsubscribe(channel.topics[0], self._take)

    def _take(self, fact: Any) -> None:
        channel = self._channel
        assert channel is not None
        match fact:
            case events.Dial() if fact.caller and fact.caller.id == channel.id:
                self._failure = FAILURES.get(fact.dialstatus, self._failure)
                self._reach(OF_DIAL.get(fact.dialstatus, self.status))
            case events.ChannelStateChange() if fact.channel.state == "Up":
                self._reach(200)
            case events.ChannelEnteredBridge():
                self._reach(200)
            case events.ChannelDialplan() if fact.dialplan_app.lower() in SOUNDING:
                self._reach(200)
            case events.ChannelDestroyed():
                self._reach(self._failure)
            case _:
                pass

    def _reach(self, status: int) -> None:
        if status == self.status:
            return
        self.status = status
        if status >= 200:
            self.stop()
        self._tell(status)
