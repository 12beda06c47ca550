"""A transfer that is asked for with keys: its goal is dialled while the other one hears music."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.consulting_rules import ConsultingRules
from arietta.channels.driver import Indication
from arietta.dialplan.features.offered import settings_of
from arietta.errors import AriettaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.config.features import FeaturesGeneral
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

CONTEXT = "TRANSFER_CONTEXT"
"""Where the goal of a transfer is dialled, in place of the channel's own context."""
END_KEY = "#"
"""Ends the goal."""
MAX_KEYS = 80


class TransferDialog:
    """What one channel is asked, and does, to transfer the other."""

    def __init__(
        self,
        plan: Interpreter,
        channel: Channel,
        other: Channel,
        *,
        attended: bool,
        came_back: Callable[[], None],
    ) -> None:
        """`came_back` is called if an attended transfer is given up, once both talk again."""
        self._plan = plan
        self._channel = channel
        self._other = other
        self._attended = attended
        self._came_back = came_back
        self._settings = settings_of(plan, channel).general
        self._context = plan.variable(channel, CONTEXT) or channel.context
        self._keys: deque[str] = deque(maxlen=MAX_KEYS)
        self._woken: asyncio.Future[str | None] | None = None
        """What a key ends: a sound, or the wait for it."""

    async def run(self) -> None:
        """Ask, and transfer; where that fails both talk on. Cancelled, it leaves all as it was."""
        channel = self._channel
        bridge = channel.bridge
        if bridge is not None:
            bridge.suspend(channel)
        self._other.indicate(Indication.HOLD)
        channel.listeners.append(self._hear)
        done = False
        try:
            exten = await self._goal()
            done = bool(exten) and self._transfer(exten)
            if exten and not done:
                await self._play(self._settings.xferfailsound)
        finally:
            if self._hear in channel.listeners:
                channel.listeners.remove(self._hear)
            if not done:
                self._other.indicate(Indication.UNHOLD)
                if channel.bridge is not None:
                    channel.bridge.resume(channel)

    def _transfer(self, exten: str) -> bool:
        """Carry it out; False where that cannot be."""
        self._other.indicate(Indication.UNHOLD)
        transfers = self._plan.transferring
        try:
            if self._attended:
                rules = consulting_rules(self._settings)
                transfers.attended_transfer(self._channel, self._context, exten, rules, self._came_back)
            else:
                transfers.blind_transfer(self._channel, self._context, exten, is_external=False)
        except AriettaError as failure:
            log.warning("%s: transfer to %s@%s: %s", self._channel.name, exten, self._context, failure)
            return False
        return True

    # ------------------------------------------------------------------------------------------------- the goal

    async def _goal(self) -> str:
        """The extension that is dialled; "" when all attempts are used up."""
        sound = self._settings.transferannouncesound
        for left in reversed(range(self._settings.transferdialattempts)):
            await self._play(sound)
            exten = await self._dialled()
            if exten and self._plan.exists(self._context, exten, 1, self._channel.caller.number):
                return exten
            log.info(
                "%s dials %r for a transfer, which is no extension of %s", self._channel.name, exten, self._context
            )
            self._keys.clear()
            sound = self._settings.transferretrysound
            if not left:
                await self._play(self._settings.transferinvalidsound)
        return ""

    async def _dialled(self) -> str:
        dialplan, number = self._plan.dialplan, self._channel.caller.number
        digits = ""
        while not digits or dialplan.match_more(self._context, digits, number):
            key = await self._next_key(float(self._settings.transferdigittimeout))
            if not key or (key == END_KEY and not dialplan.can_match(self._context, digits + key, number)):
                break
            digits += key
            if not dialplan.can_match(self._context, digits, number):
                break
        return digits

    async def _next_key(self, timeout: float) -> str:
        if not self._keys:
            self._woken = self._channel.registry.loop.create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._woken
            except TimeoutError:
                return ""
            finally:
                self._woken = None
        return self._keys.popleft()

    async def _play(self, sound: str) -> None:
        """Let the channel hear a sound up to a key."""
        if not sound or self._keys:
            return
        ended = self._woken = self._channel.registry.loop.create_future()

        def end(failure: str | None) -> None:
            if not ended.done():
                ended.set_result(failure)

        stop = self._plan.media.play(self._channel, f"sound:{sound}", end)
        try:
            failure = await ended
            if failure is not None:
                log.warning("%s: %s", self._channel.name, failure)
        finally:
            self._woken = None
            stop()

    def _hear(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded):
            self._keys.append(signal.digit)
            if self._woken is not None and not self._woken.done():
                self._woken.set_result(None)


def consulting_rules(settings: FeaturesGeneral) -> ConsultingRules:
    """How an attended transfer goes by features.conf."""
    return ConsultingRules(
        no_answer_seconds=settings.atxfernoanswertimeout,
        abort_keys=settings.atxferabort,
        complete_keys=settings.atxfercomplete,
        three_way_keys=settings.atxferthreeway,
        swap_keys=settings.atxferswap,
        key_seconds=settings.featuredigittimeout / 1000,
        drops_call=settings.atxferdropcall,
        loop_delay_seconds=settings.atxferloopdelay,
        callback_retries=settings.atxfercallbackretries,
        complete_sound=settings.xfersound,
        fail_sound=settings.xferfailsound,
    )
