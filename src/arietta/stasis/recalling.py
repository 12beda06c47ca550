"""Attended transfers whose channel hung up before their goal answered: those that wait are never left alone for long.

Who does not answer is followed by the other one: the goal, the channel that transferred, after a pause the goal again,
as often as the rules say; then all is over.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels.channel import Channel, Moved
from arietta.channels.dialing import Attempt
from arietta.channels.driver import CannotRequest, DialRequest, Indication
from arietta.model import causes

if TYPE_CHECKING:
    from arietta.bridges.bridge import Bridge
    from arietta.channels.channel import Story
    from arietta.channels.consulting_rules import ConsultingRules
    from arietta.channels.registry import ChannelRegistry
    from arietta.stasis.places import Places

log = logging.getLogger(__name__)


class Recall:
    """One of them, from the hangup until somebody talks to those that wait."""

    def __init__(
        self, channels: ChannelRegistry, places: Places, waiting: Bridge, rules: ConsultingRules, transferer: str
    ) -> None:
        """`transferer` is called back as ``TECHNOLOGY/RESOURCE``."""
        self._channels = channels
        self._places = places
        self._waiting = waiting
        self._rules = rules
        self._transferer = transferer
        self._decided: asyncio.Future[bool] = channels.loop.create_future()
        self._task: asyncio.Task[None] | None = None

    def start(self, attempt: Attempt, take_place: Story, goal: str) -> None:
        """Go on with the call to the goal that was placed already."""
        self._task = self._channels.loop.create_task(self._run(attempt, take_place, goal), name=f"recall for {goal}")
        self._waiting.on_destroyed.append(self._stop)

    def changed(self, attempt: Attempt) -> None:
        """A new status of the call that is placed."""
        if not self._decided.done() and (attempt.answered or attempt.over):
            self._decided.set_result(attempt.answered)

    def _stop(self, _waiting: Bridge) -> None:
        """Nobody waits any more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, attempt: Attempt, take_place: Story, goal: str) -> None:
        self._indicate(Indication.RINGING)
        reached = await self._reach(attempt, take_place)
        tries = 0 if self._rules.drops_call else self._rules.callback_retries
        while not reached and tries:
            tries -= 1
            reached = await self._call(self._transferer)
            if not reached and tries:
                await asyncio.sleep(self._rules.loop_delay_seconds)
                reached = await self._call(goal)
        self._waiting.on_destroyed.remove(self._stop)
        self._task = None
        self._indicate(Indication.STOP_RINGING)
        if not reached and not self._waiting.destroyed:
            self._waiting.destroy()

    async def _call(self, destination: str) -> bool:
        """Call somebody for those that wait; whether there was an answer."""
        technology, _, resource = destination.partition("/")
        driver = self._channels.driver(technology)
        if driver is None or not self._channels.accepting:
            return False
        waiting = [channel for channel in self._waiting.channels if not channel.internal]
        caller = waiting[0].caller if waiting else None
        try:
            channel = driver.request(DialRequest(resource=resource, caller=None, connected=caller))
        except CannotRequest as problem:
            log.info("%s cannot be called back: %s", destination, problem)
            return False
        channel.own(_live(channel))
        attempt = Attempt(channel, dialstring=resource, on_change=self.changed)
        self._decided = self._channels.loop.create_future()
        attempt.start()
        return await self._reach(attempt, self._places.stay(channel, self._waiting))

    async def _reach(self, attempt: Attempt, take_place: Story) -> bool:
        """Wait for the answer; who answers takes the place, who does not is let go."""
        answered = False
        try:
            async with asyncio.timeout(self._rules.no_answer_seconds):
                answered = await self._decided
        except TimeoutError:
            pass
        finally:
            peer = attempt.peer
            attempt.forget()
            if answered:
                peer.interrupt(Moved(take_place))
            elif not peer.hangup_requested:
                peer.request_hangup(causes.NO_ANSWER)
        return answered

    def _indicate(self, indication: Indication) -> None:
        if not self._waiting.destroyed:
            for channel in self._waiting.channels:
                channel.indicate(indication)


async def _live(channel: Channel) -> None:
    """The story of who is called: until it takes the place, or ends."""
    await channel.until(channel.registry.loop.create_future())
