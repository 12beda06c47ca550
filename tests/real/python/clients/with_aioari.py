"""https://pypi.org/project/aioari: its methods are made of the API documents that the server gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aioari
from aiohttp.web import HTTPException


class Client:
    """What the story asks, in the words of aioari."""

    def __init__(self, ari: Any) -> None:
        self.ari = ari

    async def answer(self, channel_id: str) -> None:
        await self.ari.channels.answer(channelId=channel_id)

    async def play(self, channel_id: str, media: str) -> str:
        playback = await self.ari.channels.play(channelId=channel_id, media=media)
        return str(playback.id)

    async def record(self, channel_id: str, name: str, file_format: str, terminate_on: str) -> None:
        await self.ari.channels.record(channelId=channel_id, name=name, format=file_format, terminateOn=terminate_on)

    async def create_bridge(self, kind: str) -> str:
        bridge = await self.ari.bridges.create(type=kind)
        return str(bridge.id)

    async def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        await self.ari.bridges.addChannel(bridgeId=bridge_id, channel=",".join(channel_ids))

    async def members(self, bridge_id: str) -> list[str]:
        bridge = await self.ari.bridges.get(bridgeId=bridge_id)
        return list(bridge.json["channels"])

    async def refusal(self, channel_id: str) -> dict[str, Any]:
        try:
            await self.ari.channels.get(channelId=channel_id)
        except HTTPException as error:
            return {"status": error.status, "message": channel_id}  # the body is lost on the way
        return {}

    async def hang_up(self, channel_id: str) -> None:
        await self.ari.channels.hangup(channelId=channel_id)

    async def destroy_bridge(self, bridge_id: str) -> None:
        await self.ari.bridges.destroy(bridgeId=bridge_id)


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
