"""https://pypi.org/project/asyncari: objects that change with their events, on anyio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncari
from asyncari.model import OperationError

from .words import Words


class Client(Words):
    """What the story asks, in the words of asyncari."""

    async def refusal(self, channel_id: str) -> dict[str, Any]:
        try:
            await self.ari.channels.get(channelId=channel_id)
        except OperationError as error:
            response = error.__cause__.response
            return {"status": response.status_code, "message": response.json()["message"]}
        return {}


@asynccontextmanager
async def connected(
    url: str, user: str, password: str, app: str, take: Callable[[dict[str, Any]], None]
) -> AsyncIterator[Client]:
    """A client that hears the events of an application."""
    async with asyncari.connect(url + "/", app, user, password) as ari:

        async def hear() -> None:
            async for event in ari:
                take(event._orig_msg)

        hearing = asyncio.create_task(hear())
        await asyncio.sleep(0)
        assert (await ari.asterisk.ping())["ping"] == "pong"
        yield Client(ari)
        hearing.cancel()
