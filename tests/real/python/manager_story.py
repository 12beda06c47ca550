"""A call that is made, watched and ended with panoramisk: each line it prints is one thing that happened, as JSON.

python manager_story.py 127.0.0.1 5038 admin secret
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from panoramisk import Manager


def tell(what: str, **more: object) -> None:
    """Print one line."""
    print(json.dumps({"what": what, **more}), flush=True)


async def main(host: str, port: str, user: str, password: str) -> None:
    """Log in, originate a call, hang it up when it is answered, log off when it is gone."""
    manager = Manager(loop=asyncio.get_running_loop(), host=host, port=port, username=user, secret=password)
    gone = asyncio.Event()

    def happened(_manager: Manager, event: Any) -> None:
        if "story" in (event.Uniqueid, event.DestUniqueid):
            channel = event.DestChannel or event.Channel
            tell(event.event, channel=channel, cause=event.Cause, status=event.DialStatus)
        if event.event == "Hangup" and event.Uniqueid == "story":
            gone.set()

    manager.register_event("*", happened)
    await manager.connect()
    tell("ping", response=(await manager.send_action({"Action": "Ping"})).response)
    queued, answered = await manager.send_action(
        {
            "Action": "Originate",
            "Channel": "Local/1200@default",
            "Application": "Wait",
            "Data": "30",
            "Async": "true",
            "ChannelId": "story",
            "Variable": ["COLOUR=red", "SIZE=large"],
        }
    )
    tell("originate", response=queued.response)
    tell(answered.event, response=answered.response)
    channels = await manager.send_action({"Action": "CoreShowChannels"})
    tell("channels", names=sorted(one.Channel for one in channels if one.event == "CoreShowChannel"))
    tell("hangup", response=(await manager.send_action({"Action": "Hangup", "Channel": answered.Channel})).response)
    await gone.wait()
    manager.send_action({"Action": "Logoff"})
    manager.close()


asyncio.run(main(*sys.argv[1:]))
