"""https://pypi.org/project/asyncari: objects that change with their events, on anyio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncari
from asyncari.model import OperationError


class Client:
    """What the story asks, in the words of asyncari."""

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
        except OperationError as error:
            response = error.__cause__.response
            return {"status": response.status_code, "message": response.json()["message"]}
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
    async with asyncari.connect(url + "/", app, user, password) as ari:

        async def hear() -> None:
            async for event in ari:
                take(event._orig_msg)

        hearing = asyncio.create_task(hear())
        await asyncio.sleep(0)
        assert (await ari.asterisk.ping())["ping"] == "pong"
        yield Client(ari)
        hearing.cancel()
