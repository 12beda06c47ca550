"""Keep callers waiting together in a holding bridge: music, and from time to time a word for all of them.

Dial 7006 from as many phones as there are. The bridge is made for the first caller and ends with the last.
Lines of extensions.conf:

    exten => 7006,1,Answer()
     same => n,Stasis(infinite-wait)
     same => n,Hangup()

Start it with: python examples/infinite_wait.py --url http://127.0.0.1:8088/ari --user asterisk --app infinite-wait
"""

from __future__ import annotations

import asyncio

from arietta.client import Client, NotFound, program
from arietta.model import events

BRIDGE = "waiting-room"
WORD_EVERY_SECONDS = 30


async def serve(ari: Client, app: str) -> None:
    """Keep the room while somebody is in it."""
    inside: set[str] = set()
    door = asyncio.Lock()

    @ari.on(events.StasisStart)
    async def enter(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        async with door:
            if not inside:
                await ari.bridges.create_with_id(bridge_id=BRIDGE, type="holding", name="Waiting room")
                await ari.bridges.start_moh(bridge_id=BRIDGE)
            inside.add(call.id)
        try:
            await ari.bridges.add_channel(bridge_id=BRIDGE, channel=[call.id])
            print(f"{event.channel.name} waits, one of {len(inside)}")
            await call.gone()
        finally:
            async with door:
                inside.discard(call.id)
                print(f"{event.channel.name} gave up, {len(inside)} still wait")
                if not inside:
                    await ari.bridges.destroy(bridge_id=BRIDGE)

    async def speak() -> None:
        while True:
            await asyncio.sleep(WORD_EVERY_SECONDS)
            try:
                if inside:
                    await ari.bridges.play(bridge_id=BRIDGE, media=["sound:queue-thankyou"])
            except NotFound:
                print("everybody left at the last moment")

    async with asyncio.TaskGroup() as group:
        group.create_task(speak())
        group.create_task(ari.run(app))


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "infinite-wait"))
