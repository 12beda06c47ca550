"""Call somebody for a caller, and let the two talk in a bridge.

Dial 7008: the endpoint in the argument rings for up to 30 seconds. When it answers, you are answered too; when one
of the two hangs up, the other call ends with it. Lines of extensions.conf:

    exten => 7008,1,Stasis(bridge-dial,PJSIP/1001)
     same => n,Hangup()

Start it with: python examples/bridge_dial.py --url http://127.0.0.1:8088/ari --user asterisk --app bridge-dial
"""

from __future__ import annotations

from arietta.client import ChannelGone, Client, LiveChannel, program
from arietta.model import events

DIALED = "dialed"
RINGING_SECONDS = 30


async def serve(ari: Client, app: str) -> None:
    """Dial for each caller. A dialled channel enters the application as well: its argument tells them apart."""

    async def dial(caller: LiveChannel, callee: LiveChannel, endpoint: str) -> None:
        """Ring the endpoint until it answers; ChannelGone when it does not, or the caller has hung up."""
        await ari.channels.ring(channel_id=caller.id)
        await ari.channels.originate(
            endpoint=endpoint,
            app=app,
            app_args=DIALED,
            channel_id=callee.id,
            originator=caller.id,
            timeout=RINGING_SECONDS,
        )
        await caller.during(callee.until(events.StasisStart))
        await caller.answer()

    async def talk(caller: LiveChannel, callee: LiveChannel) -> None:
        """Keep both in a bridge until one of them is gone."""
        bridge = await ari.bridges.create(type="mixing", name=caller.id)
        try:
            await ari.bridges.add_channel(bridge_id=bridge.id, channel=[caller.id, callee.id])
            await caller.during(callee.gone())
        finally:
            await ari.bridges.destroy(bridge_id=bridge.id)

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        if event.args == [DIALED]:
            return
        caller, callee = ari.live(event.channel), ari.live(f"{event.channel.id}-callee")
        try:
            await dial(caller, callee, event.args[0])
            print(f"{event.channel.name} talks to {event.args[0]}")
            await talk(caller, callee)
        except ChannelGone as end:
            print(f"{end.channel_id} hung up first")
        finally:
            await callee.hang_up()
            await caller.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "bridge-dial"))
