"""Conference rooms: whoever dials the same number talks together, after the room's PIN.

Callers dial 7020 to 7029, each a room of its own, and enter the PIN (1234) and #. Who is alone hears music, a beep
tells the others of who comes and goes; * mutes and unmutes the caller, # leaves the room.
Lines of extensions.conf:

    exten => _702X,1,Answer()
     same => n,Stasis(conference,${EXTEN})
     same => n,Hangup()

Start it with: python examples/conference.py --url http://127.0.0.1:8088/ari --user asterisk --app conference
"""

from __future__ import annotations

from contextlib import suppress

from arietta.client import Client, Conflict, LiveChannel, program
from arietta.model import events

PIN = "1234"
ATTEMPTS = 3


class Room:
    """One conference, as long as anybody is in it."""

    def __init__(self, ari: Client, bridge_id: str) -> None:
        self.ari, self.bridge_id = ari, bridge_id
        self.members: set[str] = set()

    async def enter(self, call: LiveChannel) -> None:
        """Talk with the others until the caller leaves."""
        self.members.add(call.id)
        try:
            await self.ari.bridges.add_channel(bridge_id=self.bridge_id, channel=[call.id])
            await self.tell()
            await self.keys(call)
        finally:
            self.members.discard(call.id)
            await self.tell()

    async def keys(self, call: LiveChannel) -> None:
        """Follow the caller's keys; # ends it."""
        muted = False
        call.forget_digits()
        while (digit := await call.digit(within=24 * 3600)) != "#":
            if digit == "*":
                change = self.ari.channels.unmute if muted else self.ari.channels.mute
                await change(channel_id=call.id, direction="in")
                muted = not muted

    async def tell(self) -> None:
        """Music for who is alone, a beep for more."""
        if len(self.members) == 1:
            await self.ari.bridges.start_moh(bridge_id=self.bridge_id)
        elif self.members:
            await self.ari.bridges.stop_moh(bridge_id=self.bridge_id)
            await self.ari.bridges.play(bridge_id=self.bridge_id, media=["sound:beep"])


async def serve(ari: Client, app: str) -> None:
    """Open rooms and close them."""
    rooms: dict[str, Room] = {}

    async def knows_pin(call: LiveChannel) -> bool:
        for _ in range(ATTEMPTS):
            typed = digit = await call.ask("sound:conf-getpin")
            while digit not in ("", "#"):
                digit = await call.digit()
                typed += digit
            if typed.rstrip("#") == PIN:
                return True
            await call.play("sound:conf-invalidpin")
        return False

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        call, number = ari.live(event.channel), event.args[0]
        if not await knows_pin(call):
            await call.hang_up()
            return
        room = rooms.setdefault(number, Room(ari, f"conference-{number}"))
        with suppress(Conflict):  # it is there
            await ari.bridges.create_with_id(bridge_id=room.bridge_id, type="mixing")
        print(f"{call.id} enters room {number}")
        try:
            await room.enter(call)
            await call.hang_up()
        finally:
            if not room.members and rooms.get(number) is room:
                del rooms[number]
                await ari.bridges.destroy(bridge_id=room.bridge_id)

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "conference"))
