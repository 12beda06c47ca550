"""https://pypi.org/project/aioari: its methods are made of the API documents that the server gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aioari
from aiohttp.web import HTTPException

from .words import Words


class Client(Words):
    """What the story asks, in the words of aioari."""

    async def refusal(self, channel_id: str) -> dict[str, Any]:
        try:
            await self.ari.channels.get(channelId=channel_id)
        except HTTPException as error:
            return {"status": error.status, "message": channel_id}  # the body is lost on the way
        return {}


@asynccontextmanager
async def connected(
    url: str, user: str, password: str, app: str, take: Callable[[dict[str, Any]], None]
) -> AsyncIterator[Client]:
    """A client that hears the events of an application."""
    ari = await aioari.connect(url + "/", user, password)
    ari.on_event("*", take)
    assert (await ari.asterisk.ping())["ping"] == "pong"
    running = asyncio.create_task(ari.run(apps=app))
    while not ari.websockets:  # noqa: ASYNC110 - it does not say when its socket is open
        await asyncio.sleep(0.01)
    try:
        yield Client(ari)
    finally:
        await ari.close()
        await asyncio.wait_for(running, 5)
