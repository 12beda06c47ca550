"""The support queue, written for Asterisk with aioari: who calls hears music until the agent has answered.

python support_queue.py http://127.0.0.1:8088/ USER PASSWORD ENDPOINT_OF_THE_AGENT
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aioari

Objects = dict[str, Any]
Event = dict[str, Any]


class Queue:
    """Callers with their agents, each pair in a bridge."""

    def __init__(self, client: Any, agent: str) -> None:
        self.client = client
        self.agent = agent
        self.callers: dict[str, Any] = {}
        """By the id of the agent's channel."""
        self.bridges: dict[str, Any] = {}

    async def enters(self, objects: Objects, event: Event) -> None:
        """Somebody is in the application: a caller, or the agent who was called for one."""
        channel = objects["channel"]
        if channel.id in self.callers:
            caller = self.callers[channel.id]
            await caller.stopMoh()
            bridge = self.bridges[channel.id] = await self.client.bridges.create(type="mixing")
            await bridge.addChannel(channel=f"{caller.id},{channel.id}")
        else:
            await channel.startMoh()
            agent = await self.client.channels.originate(
                endpoint=self.agent, app="queue", appArgs="agent", originator=channel.id
            )
            self.callers[agent.id] = channel

    async def leaves(self, channel: Any, _event: Event) -> None:
        """One of a pair is gone: so is the other, and their bridge."""
        for agent, caller in list(self.callers.items()):
            if channel.id in (agent, caller.id):
                del self.callers[agent]
                other = caller.id if channel.id == agent else agent
                await self.client.channels.hangup(channelId=other)
                if agent in self.bridges:
                    await self.bridges.pop(agent).destroy()


async def main(url: str, user: str, password: str, agent: str) -> None:
    """Serve callers until the switch stops."""
    client = await aioari.connect(url, user, password)
    queue = Queue(client, agent)
    client.on_channel_event("StasisStart", queue.enters)
    client.on_channel_event("StasisEnd", queue.leaves)
    client.exception_handler = lambda error: print("failed:", repr(error), flush=True)
    await client.run("queue")
    await client.close()


asyncio.run(main(*sys.argv[1:]))
