"""Park calls: a call is left at a number, and taken up from there at another phone.

Transfer a call to 7040, or dial 7040 yourself: it is parked at the first free number of 7041 to 7049, which is told to
the phone that parked it. Dial that number at any phone to take the call up. After 45 seconds the call comes back to who
parked it. Lines of extensions.conf:

    exten => 7040,1,Answer()
     same => n,Stasis(park,park,${BLINDTRANSFER})
    exten => _704[1-9],1,Answer()
     same => n,Stasis(park,take,${EXTEN})
     same => n,Hangup()
    exten => _1XXX,1,Dial(PJSIP/${EXTEN})

Start it with: python examples/park.py --url http://127.0.0.1:8088/ari --user asterisk --app park
"""

from __future__ import annotations

from contextlib import suppress

from arietta.client import ApiError, ChannelGone, Client, LiveChannel, program
from arietta.model import events

CALLED = "called"
NUMBERS = tuple(map(str, range(7041, 7050)))
PARKED_SECONDS = 45
RINGING_SECONDS = 20


async def serve(ari: Client, app: str) -> None:
    """Park calls, and give them back."""
    parked: dict[str, LiveChannel] = {}

    async def ring(endpoint: str) -> LiveChannel:
        """A phone that answered; ChannelGone or ApiError if it does not."""
        made = await ari.channels.originate(endpoint=endpoint, app=app, app_args=CALLED, timeout=RINGING_SECONDS)
        phone = ari.live(made)
        await phone.until(events.StasisStart)
        return phone

    async def tell(parker: str, call: LiveChannel, number: str) -> None:
        """Say where a call is: to who parked it, else to the call itself."""
        with suppress(ApiError, ChannelGone):
            listener = await ring(parker) if parker else call
            await listener.play("sound:call-parked", f"digits:{number}")
            if listener is not call:
                await listener.hang_up()

    async def park(call: LiveChannel, transferer: str) -> None:
        free = [number for number in NUMBERS if number not in parked]
        if not free:
            await call.play("sound:pbx-parkingfailed")
            return
        number, parker = free[0], transferer.rpartition("-")[0]
        parked[number] = call
        print(f"{call.id} is parked at {number} by {parker or 'itself'}")
        try:
            await ari.channels.start_moh(channel_id=call.id)
            await tell(parker, call, number)
            await call.until(events.ChannelEnteredBridge, within=PARKED_SECONDS)
            await call.gone()
        except TimeoutError:
            parked.pop(number, None)
            with suppress(ApiError):
                await talk(await call.during(ring(parker)), call)
        finally:
            if parked.get(number) is call:
                del parked[number]

    async def take_up(call: LiveChannel, number: str) -> None:
        other = parked.pop(number, None)
        await (talk(call, other) if other else call.play("sound:pbx-invalidpark"))

    async def talk(one: LiveChannel, other: LiveChannel) -> None:
        """Until one of them is gone."""
        bridge = await ari.bridges.create(type="mixing")
        try:
            await ari.channels.stop_moh(channel_id=other.id)
            await ari.bridges.add_channel(bridge_id=bridge.id, channel=[one.id, other.id])
            await one.during(other.gone())
        finally:
            await ari.bridges.destroy(bridge_id=bridge.id)
            await one.hang_up()
            await other.hang_up()

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        if event.args == [CALLED]:
            return
        with suppress(ChannelGone):
            await (park if event.args[0] == "park" else take_up)(call, event.args[-1])
        await call.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "park"))
