"""Phones of sipp that watch: an extension while it is called, and a mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import needs
from .running import RunningServer, Sipp, assert_nothing_left, eventually

pytestmark = needs("sipp")

HINTS = "\n[watched]\nexten => 6500,hint,PJSIP/answering\n"
LAMP = """
[lamp]
type=endpoint
context=default
subscribe_context=watched
aors=lamp
disallow=all
allow=ulaw
[lamp]
type=aor
mailboxes=lamp@default
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    """The configuration of all, with something to watch."""
    for name, more in (("extensions.conf", HINTS), ("pjsip.conf", LAMP)):
        (folder / name).write_text((folder / name).read_text() + more)
    return folder


def is_subscribed(server: RunningServer) -> bool:
    return "Objects found: 1" in server.console("pjsip show subscriptions inbound")


@pytest.mark.parametrize(
    ("scenario", "talking"), [("watches_calls.xml", "On the phone"), ("watches_lamp.xml", "confirmed")]
)
async def test_a_phone_sees_another_ring_talk_and_hang_up(server: RunningServer, scenario: str, talking: str) -> None:
    """It is told the state of the moment when it has answered the NOTIFY before: each state lasts until it is seen."""
    async with server.ari() as app, Sipp(server, scenario, service="6500") as watcher:
        await app.connect("hello-world")
        await eventually(lambda: is_subscribed(server), "the subscription")
        assert "Watchers  1" in server.console("core show hint 6500@watched")
        async with Sipp(server, "answering.xml", "-d", "1000", port=server.answering_port) as phone:
            await app.post("/channels", endpoint="PJSIP/answering", app="hello-world")
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await eventually(lambda: talking in watcher.told(), "the NOTIFY of the conversation")
            await app.delete(f"/channels/{channel}", expect=204)
            await phone.succeeded()
        await watcher.succeeded()
        assert "No objects found." in server.console("pjsip show subscriptions inbound")
        await assert_nothing_left(server, app)


async def test_a_phone_sees_that_messages_wait(server: RunningServer) -> None:
    async with server.ari() as app, Sipp(server, "watches_messages.xml", service="lamp") as watcher:
        await eventually(lambda: is_subscribed(server), "the subscription")
        await app.put("/mailboxes/lamp%40default", oldMessages=1, newMessages=2, expect=204)
        await watcher.succeeded()
