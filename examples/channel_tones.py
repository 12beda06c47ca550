"""Hear the tones of a telephone network; a digit chooses the next one.

Dial 7003. 1 is the dial tone, 2 busy, 3 ringing, 4 congestion, 5 the tone for a call that cannot be made; any other
digit, or a minute without one, ends the call. The argument is the country, as a section of indications.conf.
Lines of extensions.conf:

    exten => 7003,1,Stasis(channel-tones,uk)
     same => n,Hangup()

Start it with: python examples/channel_tones.py --url http://127.0.0.1:8088/ari --user asterisk --app channel-tones
"""

from __future__ import annotations

import asyncio

from arietta.client import Client, program
from arietta.model import events

TONES = {"1": "dial", "2": "busy", "3": "ring", "4": "congestion", "5": "info"}
SECONDS = 60


async def serve(ari: Client, app: str) -> None:
    """Play tones, which have no end of their own, until a digit comes."""

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        country = event.args[0] if event.args else "us"
        await call.answer()
        digit = "1"
        while digit in TONES:
            print(f"{event.channel.name} hears {TONES[digit]} of {country}")
            try:
                async with asyncio.timeout(SECONDS):
                    digit = await call.ask(f"tone:{TONES[digit]};tonezone={country}")
            except TimeoutError:
                break
        await call.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "channel-tones"))
