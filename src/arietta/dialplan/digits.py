"""Keys that the far end presses while a step waits for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from arietta.channels import signals

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

MAX_WAITING = 80


class DigitInput:
    """The digits of a channel from here on, one after the other; used with ``with``."""

    __slots__ = ("_channel", "_digits", "_waiting")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._digits: deque[str] = deque(maxlen=MAX_WAITING)
        self._waiting: asyncio.Future[None] | None = None

    def __enter__(self) -> DigitInput:
        self._channel.listeners.append(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._hear in self._channel.listeners:
            self._channel.listeners.remove(self._hear)

    async def next(self, timeout: float | None) -> str | None:
        """The next digit; None after `timeout` seconds without one."""
        if not self._digits:
            self._waiting = self._channel.registry.loop.create_future()
            try:
                await self._channel.until(self._waiting, timeout)
            except TimeoutError:
                return None
            finally:
                self._waiting = None
        return self._digits.popleft()

    def wake_by(self, future: asyncio.Future[str | None], wakes: Callable[[str], bool] = lambda digit: True) -> None:
        """Let the first digit from here on that `wakes` also end `future`, with None as its result."""
        channel = self._channel

        def hear(signal: signals.Signal) -> None:
            if isinstance(signal, signals.DigitEnded) and not future.done() and wakes(signal.digit):
                future.set_result(None)

        channel.listeners.append(hear)
        future.add_done_callback(lambda _: channel.listeners.remove(hear) if hear in channel.listeners else None)

    @property
    def has_digit(self) -> bool:
        """Whether a digit is there already."""
        return bool(self._digits)

    def take(self) -> str | None:
        """A digit that is there already."""
        return self._digits.popleft() if self._digits else None

    def _hear(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded):
            self._digits.append(signal.digit)
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(None)
