"""Put a caller on hold with music, and take the caller back.

Dial 7005: music plays. * changes between music and silence, with a word in between; # ends the call.
Lines of extensions.conf:

    exten => 7005,1,Answer()
     same => n,Stasis(hold)
     same => n,Hangup()

Start it with: python examples/hold.py --url http://127.0.0.1:8088/ari --user asterisk --app hold
"""

from __future__ import annotations

from arietta.client import Client, program
from arietta.model import events

LONGEST_SECONDS = 600


async def serve(ari: Client, app: str) -> None:
    """Play music on hold until the caller has enough of it."""

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        is_held = True
        await ari.channels.start_moh(channel_id=call.id, moh_class="default")
        while (digit := await call.digit(within=LONGEST_SECONDS)) not in ("", "#"):
            if digit != "*":
                continue
            if is_held:
                await ari.channels.stop_moh(channel_id=call.id)
                await call.play("sound:connected")
            else:
                await call.play("sound:one-moment-please")
                await ari.channels.start_moh(channel_id=call.id, moh_class="default")
            is_held = not is_held
            print(f"{event.channel.name} is {'on hold' if is_held else 'back'}")
        await call.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "hold"))
