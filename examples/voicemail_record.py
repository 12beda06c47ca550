"""Take a message, let the caller check it, and light the lamp of the mailbox.

Dial 7009, speak after the beep, end with #. Then 1 keeps the message, 2 plays it, 3 begins again. Who just hangs up
after speaking leaves the message as it is. The argument is the mailbox. Lines of extensions.conf:

    exten => 7009,1,Answer()
     same => n,Stasis(voicemail-record,1001)
     same => n,Hangup()

Start it with: python examples/voicemail_record.py --url http://127.0.0.1:8088/ari --app voicemail-record
voicemail_review.py plays what this one records.
"""

from __future__ import annotations

import time

from arietta.client import Client, LiveChannel, program
from arietta.model import events

LONGEST_SECONDS = 120
SILENCE_SECONDS = 10
ATTEMPTS = 5


async def serve(ari: Client, app: str) -> None:
    """Record a message from each caller as `voicemail/MAILBOX/TIME`."""

    async def leave_message(call: LiveChannel, name: str) -> bool:
        """Record and check, as often as the caller likes; whether there is a message to keep."""
        await call.play("sound:vm-intro")
        for _ in range(ATTEMPTS):
            recording = await call.record(
                name, max_duration_seconds=LONGEST_SECONDS, max_silence_seconds=SILENCE_SECONDS
            )
            if recording.state != "done":
                return False
            digit = await call.ask("sound:vm-review")
            while digit == "2":
                digit = await call.ask(f"recording:{name}", "sound:vm-review")
            if digit != "3":
                break
        return True

    async def count_messages(mailbox: str) -> None:
        """Tell the server how many messages there are, and with it whoever subscribed to the mailbox."""
        stored = await ari.recordings.list_stored()
        count = sum(message.name.startswith(f"voicemail/{mailbox}/") for message in stored)
        print(f"mailbox {mailbox} has {count} messages")
        await ari.mailboxes.update(mailbox_name=f"{mailbox}@default", old_messages=0, new_messages=count)

    @ari.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call, mailbox = ari.live(event.channel), event.args[0]
        try:
            if await leave_message(call, f"voicemail/{mailbox}/{time.time():.3f}"):
                await call.play("sound:vm-msgsaved")
            await call.play("sound:vm-goodbye")
            await call.hang_up()
        finally:
            await count_messages(mailbox)

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "voicemail-record"))
