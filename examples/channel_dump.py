"""Show everything there is to know about channels: those that live, and each one that comes in.

Dial 7001: the program prints the channel of your call, and the call goes on in the dialplan, which says hello.
Lines of extensions.conf:

    exten => 7001,1,Answer()
     same => n,Stasis(channel-dump,one,two)
     same => n,Playback(hello-world)
     same => n,Hangup()

Start it with: python examples/channel_dump.py --url http://127.0.0.1:8088/ari --user asterisk --app channel-dump
"""

from __future__ import annotations

from arietta.client import Client, program
from arietta.model import events, snapshots

FUNCTIONS = ("CALLERID(all)", "CHANNEL(audioreadformat)", "CHANNEL(channeltype)")


def show(channel: snapshots.Channel) -> None:
    """Print a channel, a line for each of its facts."""
    print(f"channel {channel.name}")
    for field in channel.__struct_fields__:
        print(f"    {field}: {getattr(channel, field)}")


async def serve(ari: Client, app: str) -> None:
    """Print the channels there are, then each that enters the application."""

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        show(event.channel)
        print(f"    arguments: {', '.join(event.args)}")
        for function in FUNCTIONS:
            answer = await ari.channels.get_channel_var(channel_id=event.channel.id, variable=function)
            print(f"    {function}: {answer.value}")
        await ari.channels.continue_in_dialplan(channel_id=event.channel.id)

    for channel in await ari.channels.list():
        show(channel)
    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "channel-dump"))
