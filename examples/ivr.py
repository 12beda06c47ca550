"""Ask callers what they want, and send them on: the menu every company has.

Dial 7004. 1 is for sales, 2 for support, * says the menu again. Digits may be dialled while the menu speaks. After
three answers that are none the call ends. Lines of extensions.conf:

    exten => 7004,1,Stasis(ivr)
     same => n,Hangup()
    exten => sales,1,Playback(thank-you-for-calling)
     same => n,Hangup()
    exten => support,1,Playback(pls-wait-connect-call)
     same => n,Hangup()

Start it with: python examples/ivr.py --url http://127.0.0.1:8088/ari --user asterisk --app ivr
"""

from __future__ import annotations

from arietta.client import Client, LiveChannel, program
from arietta.model import events

MENU = [
    "sound:main-menu",
    *("sound:for-sales", "sound:press-1"),
    *("sound:for-tech-support", "sound:press-2"),
    *("sound:to-hear-again", "sound:press-star"),
]
DEPARTMENTS = {"1": "sales", "2": "support"}
ATTEMPTS = 3


async def choice(call: LiveChannel) -> str:
    """Say the menu until a department is chosen; empty after too many wrong answers."""
    wrong = 0
    while wrong < ATTEMPTS:
        digit = await call.ask(*MENU, within=5)
        if digit in DEPARTMENTS:
            return DEPARTMENTS[digit]
        if digit != "*":
            wrong += 1
            await call.play("sound:option-is-invalid" if digit else "sound:please-try-again")
    return ""


async def serve(ari: Client, app: str) -> None:
    """Lead each caller through the menu."""

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call = ari.live(event.channel)
        await call.answer()
        department = await choice(call)
        print(f"{event.channel.caller.number or 'somebody'} chose {department or 'nothing'}")
        if department:
            await ari.channels.continue_in_dialplan(channel_id=call.id, extension=department, priority=1)
            return
        await call.play("sound:goodbye")
        await call.hang_up()

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "ivr"))
