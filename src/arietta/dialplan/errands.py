"""What others have a channel's owner do while it waits: a subroutine, an application of a feature."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TypeVar

from arietta.channels.channel import Channel, Story
from arietta.dialplan.errors import DialplanError

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING = 8


class Errands:
    """The errands of one wait, done one after the other in the owner of the channel."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._asked: deque[tuple[Story, asyncio.Future[bool]]] = deque()
        self._turn: asyncio.Future[None] | None = None
        self._over = False

    def ask(self, story: Story) -> asyncio.Future[bool]:
        """Have the owner do something; the future tells whether it was done to its end."""
        done: asyncio.Future[bool] = self.channel.registry.loop.create_future()
        if self._over or len(self._asked) >= MAX_WAITING:
            done.set_result(False)
        else:
            self._asked.append((story, done))
            self._wake()
        return done

    async def until(self, future: asyncio.Future[T], timeout: float | None = None) -> T:
        """In the owner: wait for `future` as `Channel.until` does, and do what is asked for meanwhile."""
        loop = self.channel.registry.loop
        deadline = None if timeout is None else loop.time() + timeout
        future.add_done_callback(self._wake)
        try:
            while not future.done():
                if self._asked:
                    await self._do(*self._asked.popleft())
                    continue
                self._turn = loop.create_future()
                await self.channel.until(self._turn, None if deadline is None else max(0.0, deadline - loop.time()))
            return future.result()
        finally:
            future.remove_done_callback(self._wake)
            self._end()

    async def _do(self, story: Story, done: asyncio.Future[bool]) -> None:
        finished = False
        try:
            await story()
            finished = True
        except DialplanError as failure:
            log.error("%s: %s", self.channel.name, failure)
        finally:
            if not done.done():
                done.set_result(finished)

    def _wake(self, _future: object = None) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    def _end(self) -> None:
        """Nobody waits any more: what was not done never will be."""
        self._over, self._turn = True, None
        while self._asked:
            _, done = self._asked.popleft()
            if not done.done():
                done.set_result(False)
