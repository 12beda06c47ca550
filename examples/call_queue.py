"""A queue: callers wait with music, agents take them in the order they came.

Callers dial 7011, agents 7012. An agent stays on the line for call after call and hears music in between. When an
agent hangs up in the middle of a conversation, the caller is the first to be taken by the next agent.
Lines of extensions.conf:

    exten => 7011,1,Answer()
     same => n,Stasis(call-queue)
     same => n,Hangup()
    exten => 7012,1,Answer()
     same => n,Stasis(call-queue,agent)
     same => n,Hangup()

Start it with: python examples/call_queue.py --url http://127.0.0.1:8088/ari --user asterisk --app call-queue
"""

from __future__ import annotations

import asyncio
import itertools

from arietta.client import ApiError, ChannelGone, Client, LiveChannel, program
from arietta.model import events

Turn = tuple[int, LiveChannel]


async def serve(ari: Client, app: str) -> None:
    """Bring callers and agents together."""
    numbers = itertools.count(1)
    turns: asyncio.PriorityQueue[Turn] = asyncio.PriorityQueue()
    waiting: set[str] = set()

    async def caller(call: LiveChannel) -> None:
        turn, ahead = next(numbers), len(waiting)
        waiting.add(call.id)
        try:
            more = ("sound:queue-thereare", f"number:{ahead}", "sound:queue-callswaiting")
            await call.play(*more if ahead else ("sound:queue-youarenext",))
            await ari.channels.start_moh(channel_id=call.id)
            turns.put_nowait((turn, call))
            print(f"caller {turn} waits behind {ahead}")
            await call.gone()
        finally:
            waiting.discard(call.id)

    async def agent(call: LiveChannel) -> None:
        await call.play("sound:agent-loginok")
        while True:
            await ari.channels.start_moh(channel_id=call.id)
            turn, caller = await call.during(turns.get())
            if caller.is_gone:
                continue
            waiting.discard(caller.id)
            try:
                await talk(call, caller)
            except (ChannelGone, ApiError):
                if not caller.is_gone:
                    waiting.add(caller.id)
                    await ari.channels.start_moh(channel_id=caller.id)
                    turns.put_nowait((turn, caller))

    async def talk(one: LiveChannel, other: LiveChannel) -> None:
        """Until one of them is gone; ChannelGone when it was the first."""
        bridge = await ari.bridges.create(type="mixing")
        try:
            for leg in (one, other):
                await ari.channels.stop_moh(channel_id=leg.id)
            await one.play("sound:beep")
            await ari.bridges.add_channel(bridge_id=bridge.id, channel=[one.id, other.id])
            await one.during(other.gone())
        finally:
            await ari.bridges.destroy(bridge_id=bridge.id)

    @ari.on(events.StasisStart)
    async def came(event: events.StasisStart) -> None:
        await (agent if event.args == ["agent"] else caller)(ari.live(event.channel))

    await ari.run(app)


if __name__ == "__main__":
    raise SystemExit(program(serve, __doc__, "call-queue"))
