"""The features of two who talk: their keys are watched, and what they mean is done, until the talk ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arietta.channels.key_watch import KeyWatch
from arietta.config.features import (
    ATTENDED_TRANSFER,
    AUTO_MIX_MONITOR,
    AUTO_MONITOR,
    DISCONNECT,
    ApplicationFeature,
)
from arietta.dialplan.features.executing import execute
from arietta.dialplan.features.offered import offered, settings_of
from arietta.dialplan.features.recording import TouchRecording
from arietta.dialplan.features.transferring import TransferDialog
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.errands import Errands
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    errands: Errands
    """What its owner waits with."""
    allowed: frozenset[str]
    """The built-in features that it may use."""

    @property
    def channel(self) -> Channel:
        return self.errands.channel


class FeaturesOfTalk:
    """The features of one talk; nothing is watched for a side that may use none."""

    def __init__(self, plan: Interpreter, one: Side, other: Side) -> None:
        self._plan = plan
        self._sides = {side.channel.id: side for side in (one, other)}
        self._meanings: dict[str, dict[str, str | ApplicationFeature]] = {}
        self._watches: dict[str, KeyWatch] = {}
        self._dialogs: dict[str, asyncio.Task[None]] = {}
        self._recording = TouchRecording(plan, one.channel, other.channel)

    def start(self) -> None:
        """Watch the keys, in the bridge where both are."""
        for channel_id, side in self._sides.items():
            meanings = offered(self._plan, side.channel, side.allowed)
            if not meanings:
                continue
            timeout = settings_of(self._plan, side.channel).general.featuredigittimeout / 1000
            watch = KeyWatch(side.channel, meanings, timeout, self._meant)
            self._meanings[channel_id], self._watches[channel_id] = meanings, watch
            watch.start()

    def stop(self) -> None:
        """The talk is over: whatever was asked for ends with it."""
        for watch in self._watches.values():
            watch.end()
        self._watches.clear()
        for dialog in tuple(self._dialogs.values()):
            dialog.cancel()
        self._dialogs.clear()

    def _meant(self, channel: Channel, code: str) -> None:
        feature = self._meanings[channel.id][code]
        name = feature if isinstance(feature, str) else feature.name
        verbose(3, f"{channel.name} asks for feature {name}")
        match feature:
            case ApplicationFeature():
                self._execute(channel, feature)
            case str() if feature == DISCONNECT:
                channel.request_hangup()
            case str() if feature in (AUTO_MIX_MONITOR, AUTO_MONITOR):
                self._recording.toggle(channel)
            case _:
                self._transfer(channel, attended=feature == ATTENDED_TRANSFER)

    def _other(self, channel: Channel) -> Side:
        return next(side for side in self._sides.values() if side.channel is not channel)

    def _execute(self, channel: Channel, feature: ApplicationFeature) -> None:
        here, there = self._sides[channel.id], self._other(channel)
        side, listener = (there, here) if feature.on_peer else (here, there)
        execute(self._plan, feature, side.errands, listener.channel, channel)

    def _transfer(self, channel: Channel, *, attended: bool) -> None:
        watch = self._watches[channel.id]
        watch.paused = True
        other = self._other(channel).channel
        dialog = TransferDialog(self._plan, channel, other, attended=attended, came_back=self._begin_again)
        task = channel.registry.loop.create_task(dialog.run(), name=f"transfer by {channel.name}")
        self._dialogs[channel.id] = task
        task.add_done_callback(self._dialog_ended(channel, watch))

    def _begin_again(self) -> None:
        """Both talk again, as long as their bridge lives; nobody does errands for applications any more."""
        again = FeaturesOfTalk(self._plan, *self._sides.values())
        bridge = next(iter(self._sides.values())).channel.bridge
        if bridge is not None:
            bridge.on_destroyed.append(lambda _bridge: again.stop())
            again.start()

    def _dialog_ended(self, channel: Channel, watch: KeyWatch) -> Callable[[asyncio.Task[None]], None]:
        def ended(task: asyncio.Task[None]) -> None:
            watch.paused = False
            if self._dialogs.get(channel.id) is task:
                del self._dialogs[channel.id]
            if not task.cancelled() and task.exception() is not None:
                log.error("%s: a transfer failed", channel.name, exc_info=task.exception())

        return ended
