"""Move a call between two applications: a front desk, and a back office behind it.

Dial 7007: the front desk speaks. 1 moves you to the back office, * from there to the front desk again, # ends the
call. This program serves both; they could as well be two programs. Lines of extensions.conf:

    exten => 7007,1,Answer()
     same => n,Stasis(move)
     same => n,Hangup()

Start it with: python examples/move.py --url http://127.0.0.1:8088/ari --user asterisk --app move
"""

from __future__ import annotations

from arietta.client import Client, LiveChannel, program
from arietta.model import events


async def serve(ari: Client, app: str) -> None:
    """Serve the front desk as `app`, the back office as `app`-office."""
    office = f"{app}-office"

    async def front_desk(call: LiveChannel) -> None:
        while (digit := await call.ask("sound:welcome", "sound:press-1", within=10)) not in ("", "#"):
            if digit == "1":
                await ari.channels.move(channel_id=call.id, app=office, app_args="moved,from the front desk")
                return
        await call.hang_up()

    async def back_office(call: LiveChannel) -> None:
        while (digit := await call.ask("sound:connected", within=10)) not in ("", "#"):
            if digit == "*":
                await ari.channels.move(channel_id=call.id, app=app)
                return
        await call.hang_up()

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        is_moved = event.args[:1] == ["moved"]
        print(f"{event.channel.name} is at the {'back office' if is_moved else 'front desk'}")
        await (back_office if is_moved else front_desk)(ari.live(event.channel))

    @ari.on(events.ApplicationMoveFailed)
    async def stayed(event: events.ApplicationMoveFailed) -> None:
        print(f"{event.channel.name} cannot go to {event.destination}: nobody is there")
        await ari.live(event.channel).hang_up()

    await ari.run(app, office)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "move"))
