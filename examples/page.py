"""Page a group of phones: they answer by themselves, as far as they can, and hear who calls.

Dial 7030: after the beep you speak, and every phone in the arguments hears you, without being heard. When you hang up,
or the last of them has, the page is over. Who does not answer in 10 seconds is left out. Lines of extensions.conf:

    exten => 7030,1,Answer()
     same => n,Stasis(page,PJSIP/1002,PJSIP/1003)
     same => n,Hangup()

Start it with: python examples/page.py --url http://127.0.0.1:8088/ari --user asterisk --app page
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from arietta.client import ApiError, ChannelGone, Client, LiveChannel, program
from arietta.model import events

LISTENS = "listens"
RINGING_SECONDS = 10
ANSWER_BY_YOURSELF = {"PJSIP_HEADER(add,Alert-Info)": "<http://127.0.0.1>;info=alert-autoanswer;delay=0"}
"""What most phones take for that; it is a setting of each phone."""


async def serve(ari: Client, app: str) -> None:
    """Page for each caller. A phone that was called enters the application as well: its argument tells them apart."""

    async def call(caller: LiveChannel, number: int, endpoint: str) -> LiveChannel | None:
        """A phone that rings; None if it cannot be called."""
        phone = ari.live(f"{caller.id}-phone-{number}")
        try:
            await ari.channels.originate(
                endpoint=endpoint,
                app=app,
                app_args=LISTENS,
                channel_id=phone.id,
                originator=caller.id,
                timeout=RINGING_SECONDS,
                variables=ANSWER_BY_YOURSELF,
            )
        except ApiError as refusal:
            print(f"{endpoint} is not paged: {refusal}")
            return None
        return phone

    async def listen_all(phones: list[LiveChannel], bridge_id: str) -> None:
        await asyncio.gather(*(listen(phone, bridge_id) for phone in phones))

    async def listen(phone: LiveChannel, bridge_id: str) -> None:
        """Be in the bridge, once it has answered, to the end of its call."""
        with suppress(ChannelGone):
            await phone.until(events.StasisStart)
            await ari.bridges.add_channel(bridge_id=bridge_id, channel=[phone.id], mute=True)
            await phone.gone()

    async def page(caller: LiveChannel, endpoints: list[str]) -> None:
        called = await asyncio.gather(*(call(caller, number, name) for number, name in enumerate(endpoints, 1)))
        phones = [phone for phone in called if phone is not None]
        bridge = await ari.bridges.create(type="mixing", name=caller.id)
        try:
            await caller.play("sound:beep")
            await ari.bridges.add_channel(bridge_id=bridge.id, channel=[caller.id])
            print(f"{caller.id} pages {len(phones)} phones")
            await caller.during(listen_all(phones, bridge.id))
        finally:
            for phone in phones:
                await phone.hang_up()
            await ari.bridges.destroy(bridge_id=bridge.id)

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        if event.args == [LISTENS]:
            return
        caller = ari.live(event.channel)
        with suppress(ChannelGone):
            await page(caller, event.args)
        await caller.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "page"))
