"""What a server still holds of calls that are over: nothing."""

from __future__ import annotations

import asyncio

from arietta.server import Server
from arietta.testing import VirtualLoop


def leftovers(server: Server) -> dict[str, object]:
    """Everything a server holds for calls and clients, by what it is; empty things are left out."""
    agent = server.sip.agent
    media = server.engine.stats()
    held = {
        "channels": [channel.name for channel in server.channels],
        "bridges": [bridge.id for bridge in server.bridges],
        "playbacks": len(server.playbacks),
        "recordings": len(server.recordings),
        "applications": [application.name for application in server.applications],
        "media ports": media.ports,
        "mixers": media.mixers,
        "SIP sessions": len(agent),
        "SIP transactions": len(agent.layer),
        "event sockets": len(server.ari.sockets),
        "HTTP connections": server.http.session_count,
    }
    return {what: count for what, count in held.items() if count}


def assert_nothing_left(server: Server, loop: VirtualLoop) -> None:
    """No channel, bridge, playback, port, socket or task of a call that is over, and no failure on the way."""
    left = leftovers(server)
    assert not left, f"left after the story: {left}"
    owned = [task.get_name() for task in asyncio.all_tasks(loop) if task.get_name().startswith(("channel", "bridge"))]
    assert not owned, f"tasks left after the story: {owned}"


def assert_nothing_open(loop: VirtualLoop, tasks: set[asyncio.Task[object]]) -> None:
    """After the server's stop: no task that was not there before it, no socket bound, no listener, no connection."""
    loop.settle()
    left = asyncio.all_tasks(loop) - tasks
    assert not left, f"tasks left after the stop: {left}"
    assert loop.network.bound() == [], "sockets left after the stop"
