"""The words that aioari and asyncari share: both make their methods of the API documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Words:
    """What the story asks; how each client tells a refusal is its own."""

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

    async def hang_up(self, channel_id: str) -> None:
        await self.ari.channels.hangup(channelId=channel_id)

    async def destroy_bridge(self, bridge_id: str) -> None:
        await self.ari.bridges.destroy(bridgeId=bridge_id)
