"""One story for every client: hello world, digits, a recording played back, two phones in a bridge, an error.

Each line it prints is one thing that happened, as JSON; whoever plays the phones reads along.

    python whole_story.py aioari|asyncari|ari_client http://127.0.0.1:8088 asterisk asterisk
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
WITHIN_S = 20
APP = "hello-world"


def tell(what: str, **more: Any) -> None:
    """Print a line."""
    print(json.dumps({"what": what, **more}), flush=True)


class Events:
    """What a client hears, to be waited for; each event is given once."""

    def __init__(self) -> None:
        self._came: list[Event] = []
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        """Keep an event."""
        self._came.append(event)
        self._news.set()

    async def next(self, kind: str, about: Callable[[Event], bool] = lambda event: True) -> Event:
        """Wait for one of a type; TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for event in self._came:
                    if event["type"] == kind and about(event):
                        self._came.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()


async def story(client: Any, events: Events) -> None:
    """What a client does from its connection on."""
    first = (await events.next("StasisStart"))["channel"]
    tell("StasisStart", name=first["name"], number=first["caller"]["number"])
    await client.answer(first["id"])
    hello = await client.play(first["id"], "sound:hello-world")
    await events.next("PlaybackStarted", lambda event: event["playback"]["id"] == hello)
    tell(
        "played", **(await events.next("PlaybackFinished", lambda event: event["playback"]["id"] == hello))["playback"]
    )

    tell("press a digit")
    pressed = await events.next("ChannelDtmfReceived")
    tell("pressed", digit=pressed["digit"], mine=pressed["channel"]["id"] == first["id"])

    await client.record(first["id"], "story", "wav", "#")
    tell("recording", state=(await events.next("RecordingStarted"))["recording"]["state"])
    recorded = (await events.next("RecordingFinished"))["recording"]
    tell("recorded", **{name: recorded[name] for name in ("name", "state", "format")})
    again = await client.play(first["id"], "recording:story")
    back = await events.next("PlaybackFinished", lambda event: event["playback"]["id"] == again)
    tell("played back", **back["playback"])

    tell("call again")
    second = (await events.next("StasisStart"))["channel"]
    bridge = await client.create_bridge("mixing")
    await client.add_channels(bridge, [first["id"], second["id"]])
    await events.next("ChannelEnteredBridge", lambda event: event["channel"]["id"] == second["id"])
    members = await client.members(bridge)
    tell("bridged", members=len(members), both={first["id"], second["id"]} == set(members))

    tell("refused", **await client.refusal("nobody"))

    tell("talk to each other")
    await events.next("ChannelDtmfReceived", lambda event: event["channel"]["id"] == second["id"])
    for channel in (first, second):
        await client.hang_up(channel["id"])
        await events.next("StasisEnd", lambda event, ended=channel: event["channel"]["id"] == ended["id"])
    await client.destroy_bridge(bridge)
    tell("over")


async def main(name: str, url: str, user: str, password: str) -> None:
    """Connect, live the story, disconnect."""
    events = Events()
    client = importlib.import_module(f"clients.with_{name}")
    async with client.connected(url, user, password, APP, events.take) as opened:
        tell("started")
        await story(opened, events)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what a client logs is not part of the story
    try:
        asyncio.run(main(*sys.argv[1:]))
    except Exception as failure:
        tell("failed", message=repr(failure))
        raise
