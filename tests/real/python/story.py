"""The tutorial's story with aioari: each line it prints is one thing that happened, as JSON.

python story.py http://127.0.0.1:8088/ asterisk asterisk
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aioari


def tell(what: str, **more: object) -> None:
    """Print one line."""
    print(json.dumps({"what": what, **more}), flush=True)


async def main(url: str, user: str, password: str) -> None:
    """Answer a call, play hello-world to it, hang it up when that is over, and end with the call."""
    client = await aioari.connect(url, user, password)
    over = asyncio.Event()

    async def started(channels: dict[str, Any], event: dict[str, Any]) -> None:
        channel = channels["channel"]
        tell("StasisStart", args=event["args"], name=channel.json["name"], number=channel.json["caller"]["number"])
        await channel.answer()
        playback = await channel.play(media="sound:hello-world")
        tell("playing", queued=playback.json["state"])
        playback.on_event("PlaybackFinished", finished, channel)

    async def finished(playback: Any, event: dict[str, Any], channel: Any) -> None:
        tell("PlaybackFinished", state=event["playback"]["state"], media=playback.json["media_uri"])
        variable = await channel.getChannelVar(variable="CHANNEL(name)")
        tell("variable", value=variable["value"])
        await channel.hangup()
        tell("hung up")

    async def ended(_channel: Any, _event: dict[str, Any]) -> None:
        tell("StasisEnd")
        tell("channels", count=len(await client.channels.list()))
        over.set()

    client.on_channel_event("StasisStart", started)
    client.on_channel_event("StasisEnd", ended)
    client.on_playback_event("PlaybackStarted", lambda _, event: tell("PlaybackStarted", **event["playback"]))
    client.exception_handler = lambda error: tell("error", message=repr(error))
    tell("ping", answer=(await client.asterisk.ping())["ping"])
    running = asyncio.create_task(client.run("hello-world"))
    while True:
        if any(application["name"] == "hello-world" for application in await client.applications.list()):
            break
        await asyncio.sleep(0.05)
    tell("started")
    await over.wait()
    await client.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


asyncio.run(main(*sys.argv[1:]))
