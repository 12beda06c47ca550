"""LOCK, TRYLOCK and UNLOCK: names that one channel has at a time, until it gives them back or ends."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_LOCKS = 100
"""Of one channel."""
PATIENCE_SECONDS = 3.0
"""That a channel waits which has other locks: two that wait for each other come apart."""


class Locks:
    """Which channel has which lock, and who waits for it, the first one first."""

    KEY = "LOCK"
    """Where a channel keeps how often it took each of its locks."""

    def __init__(self) -> None:
        self._holders: dict[str, Channel] = {}
        self._waiting: dict[str, deque[tuple[Channel, asyncio.Future[None]]]] = {}

    def try_lock(self, channel: Channel, name: str) -> bool:
        """Take a lock if nobody else has it; a channel may take one again."""
        if self._holders.setdefault(name, channel) is not channel:
            return False
        self._count(channel, name)
        return True

    async def lock(self, channel: Channel, name: str) -> bool:
        """Take a lock once it is free; False for a channel with other locks that waited too long."""
        if self.try_lock(channel, name):
            return True
        given: asyncio.Future[None] = channel.registry.loop.create_future()
        entry = (channel, given)
        self._waiting.setdefault(name, deque()).append(entry)
        try:
            await asyncio.wait_for(given, PATIENCE_SECONDS if self._of(channel) else None)
        except TimeoutError:
            return _is_given(given)
        except asyncio.CancelledError:
            if _is_given(given):
                self.unlock(channel, name)
            raise
        finally:
            self._forget(name, entry)
        return True

    def unlock(self, channel: Channel, name: str) -> bool:
        """Give a lock back, once for each time it was taken; False if the channel does not have it."""
        counts = self._of(channel)
        if name not in counts:
            return False
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
            self._pass_on(name)
        return True

    def forget(self, channel: Channel) -> None:
        """Give back all that a channel has."""
        counts = self._of(channel)
        names = tuple(counts)
        counts.clear()
        for name in names:
            self._pass_on(name)

    def _of(self, channel: Channel) -> dict[str, int]:
        counts: dict[str, int] = channel.functions.get(self.KEY, {})
        return counts

    def _count(self, channel: Channel, name: str) -> None:
        if self.KEY not in channel.functions:
            channel.functions[self.KEY] = {}
            channel.on_end.append(self.forget)
        counts = self._of(channel)
        counts[name] = counts.get(name, 0) + 1

    def _pass_on(self, name: str) -> None:
        del self._holders[name]
        for channel, given in self._waiting.get(name, ()):
            if not given.done():
                self._holders[name] = channel
                self._count(channel, name)
                given.set_result(None)
                return

    def _forget(self, name: str, entry: tuple[Channel, asyncio.Future[None]]) -> None:
        waiting = self._waiting[name]
        waiting.remove(entry)
        if not waiting:
            del self._waiting[name]

    def check(self, function: str, channel: Channel, name: str) -> None:
        """Refuse a lock without a name, and one more than a channel may have."""
        counts = self._of(channel)
        if not name:
            raise FunctionError(function, "names no lock")
        if name not in counts and len(counts) >= MAX_LOCKS:
            raise FunctionError(function, f"{channel.name} has {MAX_LOCKS} locks, which is the limit")


def _is_given(given: asyncio.Future[None]) -> bool:
    """Whether the lock was passed on, in the same moment in which its wait ended otherwise."""
    return given.done() and not given.cancelled()


async def _lock(plan: Interpreter, channel: Channel, arguments: str) -> str:
    name = arguments.strip()
    plan.locks.check("LOCK", channel, name)
    return "1" if await plan.locks.lock(channel, name) else "0"


async def _try_lock(plan: Interpreter, channel: Channel, arguments: str) -> str:
    name = arguments.strip()
    plan.locks.check("TRYLOCK", channel, name)
    return "1" if plan.locks.try_lock(channel, name) else "0"


async def _unlock(plan: Interpreter, channel: Channel, arguments: str) -> str:
    return "1" if plan.locks.unlock(channel, arguments.strip()) else "0"


# All of them are for steps alone: a client that reads a variable is not to take a lock in a channel's name.
FUNCTIONS = (
    Function(
        "LOCK",
        "LOCK(name)",
        "Waits for a lock, and takes it: 1, or 0 if the channel has others and this one is not free within 3 seconds. "
        "Locks end with their channel.",
        wait=_lock,
    ),
    Function("TRYLOCK", "TRYLOCK(name)", "Takes a lock if it is free: 1, else 0.", wait=_try_lock),
    Function("UNLOCK", "UNLOCK(name)", "Gives a lock back: 1, or 0 if the channel does not have it.", wait=_unlock),
)
