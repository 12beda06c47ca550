"""Find somebody who may be at one of several phones, and ask there before the caller is put through.

Dial 7050: the phones in the arguments ring one after the other, each for 15 seconds, while you hear music. Who answers
hears that there is a call, and takes it with 1; 2, or no key, sends it on to the next phone. Lines of extensions.conf:

    exten => 7050,1,Answer()
     same => n,Stasis(followme,PJSIP/1002,PJSIP/1003)
     same => n,Hangup()

Start it with: python examples/followme.py --url http://127.0.0.1:8088/ari --user asterisk --app followme
"""

from __future__ import annotations

from arietta.client import ApiError, ChannelGone, Client, LiveChannel, program
from arietta.model import events

ASKED = "asked"
RINGING_SECONDS = 15
DECIDING_SECONDS = 5


async def serve(ari: Client, app: str) -> None:
    """Follow for each caller. A phone that was called enters the application as well: its argument tells them apart."""

    async def takes(phone: LiveChannel, caller: LiveChannel, endpoint: str) -> bool:
        """Whether somebody answers at the endpoint and takes the call."""
        try:
            await ari.channels.originate(
                endpoint=endpoint,
                app=app,
                app_args=ASKED,
                channel_id=phone.id,
                originator=caller.id,
                timeout=RINGING_SECONDS,
            )
            await phone.until(events.StasisStart)
            return await phone.ask("sound:incoming-call", "sound:press-1", within=DECIDING_SECONDS) == "1"
        except (ApiError, ChannelGone):
            return False

    async def find(caller: LiveChannel, endpoints: list[str]) -> LiveChannel | None:
        """The phone where the call was taken."""
        for number, endpoint in enumerate(endpoints, 1):
            phone = ari.live(f"{caller.id}-phone-{number}")
            try:
                if await caller.during(takes(phone, caller, endpoint)):
                    return phone
            except ChannelGone:  # the caller has hung up
                await phone.hang_up()
                raise
            print(f"not at {endpoint}")
            await phone.hang_up()
        return None

    async def talk(caller: LiveChannel, phone: LiveChannel) -> None:
        """Until one of them is gone."""
        bridge = await ari.bridges.create(type="mixing", name=caller.id)
        try:
            await ari.bridges.add_channel(bridge_id=bridge.id, channel=[caller.id, phone.id])
            await caller.during(phone.gone())
        finally:
            await phone.hang_up()
            await ari.bridges.destroy(bridge_id=bridge.id)

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        if event.args == [ASKED]:
            return
        caller = ari.live(event.channel)
        try:
            await caller.play("sound:pls-hold-while-try")
            await ari.channels.start_moh(channel_id=caller.id)
            phone = await find(caller, event.args)
            await ari.channels.stop_moh(channel_id=caller.id)
            if phone is None:
                await caller.play("sound:vm-isunavail")
            else:
                await talk(caller, phone)
        except ChannelGone as end:
            print(f"{end.channel_id} hung up first")
        await caller.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "followme"))
