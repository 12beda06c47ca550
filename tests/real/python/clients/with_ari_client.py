"""https://pypi.org/project/ari_client: models on pydantic, REST on httpx, events on websockets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from ari_client import AriClient

KINDS = (
    "StasisStart StasisEnd PlaybackStarted PlaybackFinished ChannelDtmfReceived RecordingStarted RecordingFinished "
    "ChannelEnteredBridge"
).split()


class Client:
    """What the story asks, in the words of ari_client."""

    def __init__(self, ari: Any) -> None:
        self.ari = ari

    async def answer(self, channel_id: str) -> None:
        await self.ari.answer_channel(channel_id)

    async def play(self, channel_id: str, media: str) -> str:
        playback = await self.ari.play_channel(channel_id, media)
        return str(playback.id)

    async def record(self, channel_id: str, name: str, file_format: str, terminate_on: str) -> None:
        await self.ari.record_channel(channel_id, name, file_format, terminate_on=terminate_on)

    async def create_bridge(self, kind: str) -> str:
        bridge = await self.ari.create_bridge(kind)
        return str(bridge.id)

    async def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        for channel_id in channel_ids:
            await self.ari.bridge_add_channel(bridge_id, channel_id)

    async def members(self, bridge_id: str) -> list[str]:
        bridge = await self.ari.get_bridge(bridge_id)
        return list(bridge.channels)

    async def refusal(self, channel_id: str) -> dict[str, Any]:
        try:
            await self.ari.get_channel(channel_id)
        except Exception as error:  # it raises Exception itself, with status and body as text
            status = re.search(r"\b\d{3}\b", str(error))
            return {"status": int(status[0]) if status else None, "message": str(error)}
        return {}

    async def hang_up(self, channel_id: str) -> None:
        await self.ari.stop_channel(channel_id)

    async def destroy_bridge(self, bridge_id: str) -> None:
        await self.ari.stop_bridge(bridge_id)


@asynccontextmanager
async def connected(
    url: str, user: str, password: str, app: str, take: Callable[[dict[str, Any]], None]
) -> AsyncIterator[Client]:
    """A client that hears the events of an application."""
    place = urlsplit(url)
    client = AriClient(place.hostname or "", place.port or 0, user, password)

    async def hear(event: Any) -> None:
        take(event.model_dump(mode="json"))

    for kind in KINDS:
        client.on_event(kind)(hear)
    await client.connect(app)
    try:
        yield Client(client.ari)
    finally:
        await client.disconnect()
