"""A trunk of sipp that insists on PRACK (RFC 3262) and session timers (RFC 4028)."""

from __future__ import annotations

from .conftest import needs
from .running import RunningServer, Sipp, assert_nothing_left

pytestmark = needs("sipp")


async def test_ringing_is_acknowledged_and_the_session_refreshed(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "reliable.xml", service="1001") as trunk:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/ring", expect=204)
            await app.post(f"/channels/{channel}/answer", expect=204)
            await trunk.succeeded()
            await app.event("StasisEnd", channel_id=channel)
        await assert_nothing_left(server, app)
