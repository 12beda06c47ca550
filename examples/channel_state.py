"""Watch a call change its state: it rings for two seconds, is answered, and is hung up after five more.

Dial 7002 and listen to your phone: ringing, then silence, then the end. The program prints each state.
Lines of extensions.conf (no Answer: the program answers):

    exten => 7002,1,Stasis(channel-state)
     same => n,Hangup()

Start it with: python examples/channel_state.py --url http://127.0.0.1:8088/ari --user asterisk --app channel-state
"""

from __future__ import annotations

import asyncio

from arietta.client import Client, program
from arietta.model import events

RINGING_SECONDS = 2
TALKING_SECONDS = 5


async def serve(ari: Client, app: str) -> None:
    """Ring, answer, hang up, and print what becomes of each channel."""

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        print(f"{event.channel.name} came in, state {event.channel.state}")
        await ari.channels.ring(channel_id=call.id)
        await asyncio.sleep(RINGING_SECONDS)
        await call.answer()
        await ari.channels.start_silence(channel_id=call.id)
        await asyncio.sleep(TALKING_SECONDS)
        await call.hang_up()

    @ari.on(events.ChannelStateChange)
    def changed(event: events.ChannelStateChange) -> None:
        print(f"{event.channel.name} is {event.channel.state} now")

    @ari.on(events.StasisEnd)
    def left(event: events.StasisEnd) -> None:
        print(f"{event.channel.name} left")

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "channel-state"))
