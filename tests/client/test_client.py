"""The typed client against the whole server: operations, events, stories."""

from __future__ import annotations

import asyncio
from pathlib import Path

from arietta.client import Client
from arietta.model import events
from arietta.testing import Phone


async def test_smoke(alice: Phone, client: Client, hello: Path) -> None:
    assert (await client.asterisk.ping()).ping == "pong"

    @client.on(events.StasisStart)
    async def greet(event: events.StasisStart) -> None:
        call = client.live(event.channel)
        await call.play("sound:hello-world")
        await call.hang_up()

    running = asyncio.ensure_future(client.run("hello-world"))
    await asyncio.sleep(1)
    call = await alice.invite("1000")
    await call.hears(hello, at_least=0.99)
    await call.ended()
    running.cancel()
    await asyncio.wait([running])
