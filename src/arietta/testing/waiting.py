"""Waiting for what a test expects, with a time-out on the loop's clock and words for when it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["News", "Unexpected"]

T = TypeVar("T")


class Unexpected(AssertionError):
    """Something else happened than the story says, or nothing did."""


class News:
    """A bell for those who wait until something can be found."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def tell(self) -> None:
        """Something happened: let everybody look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def find(self, look: Callable[[], T | None], within: float, missing: Callable[[], str]) -> T:
        """Look now and after each news until something is found; Unexpected with `missing()` after `within` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (found := look()) is None:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.append(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                first, _, rest = missing().partition("\n")
                raise Unexpected(f"{first} (waited {within:g} s)\n{rest}".rstrip()) from None
        return found
