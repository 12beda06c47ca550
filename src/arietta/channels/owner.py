"""The task that owns a channel: what it waits for, and what can interrupt that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Story = Callable[[], Coroutine[Any, Any, None]]
"""What an owner does, until it returns or raises HungUp or Moved."""


class Interruption(Exception):
    """What a wait in the owner of a channel can end with: the channel is to end, or to go elsewhere."""


class HungUp(Interruption):
    """Raised in the owner of a channel that is to end; it cleans up and returns."""


class Moved(Interruption):
    """Raised in the owner when somebody sent the channel elsewhere: it goes on with `story`, or at its new place.

    `dropped` is told if it never comes to that: the channel ended, or was sent elsewhere again, before its owner knew.
    """

    def __init__(self, story: Story | None = None, dropped: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.story = story
        self.dropped = dropped


class Owner:
    """The task, once it has begun, with its one wait and the interruption that it has not been told yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.task: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._interruption: Exception | None = None

    def begin(self, story: Coroutine[Any, Any, None], name: str) -> None:
        """Start the task; once."""
        assert self.task is None, f"{name} has an owner"
        self.task = self._loop.create_task(story, name=name)

    async def until(self, future: asyncio.Future[T], timeout: float | None = None) -> T:
        """Wait in the owner for `future`; HungUp or Moved end the wait, TimeoutError after `timeout` seconds."""
        if self._interruption is not None:
            future.cancel()
            raise self._take_interruption()
        handle = None
        if timeout is not None:
            handle = self._loop.call_later(timeout, _time_out, future)
        self._waiting = future
        try:
            return await future
        except asyncio.CancelledError:
            if self._interruption is None or not future.cancelled():
                raise
        finally:
            self._waiting = None
            if handle is not None:
                handle.cancel()
        raise self._take_interruption()

    def interrupt(self, reason: Exception) -> None:
        """Make the present or next wait raise `reason` (HungUp wins over Moved)."""
        if isinstance(self._interruption, HungUp):
            _drop(reason)
            return
        self._replace(reason)
        if self._waiting is not None:
            self._waiting.cancel()

    def check_interruption(self) -> None:
        """Raise what `interrupt` asked for, between two steps that do not wait."""
        if self._interruption is not None:
            raise self._take_interruption()

    def absorb_hangup(self) -> None:
        """Let the owner wait again although the channel is hung up."""
        self._replace(None)

    def end(self) -> None:
        """The channel is gone: whatever still waits raises HungUp."""
        self._replace(HungUp())

    def _replace(self, reason: Exception | None) -> None:
        _drop(self._interruption)
        self._interruption = reason

    def _take_interruption(self) -> Exception:
        # What travels is never an exception that the channel keeps: its traceback holds the frames of the owner, they
        # hold the channel, and only the garbage collector would end that.
        reason = self._interruption
        if isinstance(reason, HungUp):
            return HungUp()
        assert reason is not None
        self._interruption = None
        return reason


def _drop(reason: Exception | None) -> None:
    """Nobody will ever raise `reason`."""
    if isinstance(reason, Moved) and reason.dropped is not None:
        reason.dropped()


def _time_out(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
