"""Listen to the messages of a mailbox, and delete those that are done with.

Dial 7010: the number of messages, then each of them. While one plays, or after it: 1 plays it again, 2 goes on to the
next, 3 deletes it, # ends the call. The argument is the mailbox. Lines of extensions.conf:

    exten => 7010,1,Answer()
     same => n,Stasis(voicemail-review,1001)
     same => n,Hangup()

Start it with: python examples/voicemail_review.py --url http://127.0.0.1:8088/ari --app voicemail-review
voicemail_record.py records them.
"""

from __future__ import annotations

from arietta.client import Client, LiveChannel, program
from arietta.model import events

AGAIN, DELETE, LEAVE = "1", "3", "#"
SECONDS = 4


async def serve(ari: Client, app: str) -> None:
    """Play the recordings called `voicemail/MAILBOX/…`, the oldest first."""

    async def messages(mailbox: str) -> list[str]:
        stored = await ari.recordings.list_stored()
        return sorted(message.name for message in stored if message.name.startswith(f"voicemail/{mailbox}/"))

    async def review(call: LiveChannel, names: list[str]) -> None:
        await call.play("sound:vm-youhave", f"number:{len(names)}", "sound:vm-messages")
        for number, name in enumerate(names, 1):
            digit = AGAIN
            while digit == AGAIN:
                digit = await call.ask("sound:vm-message", f"number:{number}", f"recording:{name}", within=SECONDS)
            if digit == DELETE:
                await ari.recordings.delete_stored(recording_name=name)
                await call.play("sound:vm-deleted")
            if digit == LEAVE:
                return
        await call.play("sound:vm-nomore")

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call, mailbox = ari.live(event.channel), event.args[0]
        try:
            await review(call, await messages(mailbox))
            await call.play("sound:vm-goodbye")
            await call.hang_up()
        finally:
            left = len(await messages(mailbox))
            print(f"mailbox {mailbox}: {left} messages are left, all of them heard")
            await ari.mailboxes.update(mailbox_name=f"{mailbox}@default", old_messages=left, new_messages=0)

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "voicemail-review"))
