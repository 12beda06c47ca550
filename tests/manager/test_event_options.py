"""How manager.conf lets events be told: with times, with numbers, filtered, and some not at all."""

from __future__ import annotations

import pytest

from arietta.server import Server
from journeys.conftest import FILES

from .conftest import MANAGER, Connect

CHANGED = (
    MANAGER.replace(
        "enabled = yes\n", "enabled = yes\ntimestampevents = yes\ndebug = yes\ndisabledevents = varset\n", 1
    )
    + """
[picky]
secret = s3cr3t-words
read = all
write = all
eventfilter = Event: User
eventfilter = !Colour: (red|blue)
"""
)


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": CHANGED}


async def test_events_have_times_and_numbers(server: Server, connect: Connect) -> None:
    client = await connect()
    for colour in ("red", "green"):
        await client.ask("UserEvent", UserEvent="Paint", Colour=colour)
    told = [await client.event("UserEvent", Colour=colour) for colour in ("red", "green")]
    assert all(float(event["Timestamp"]) > 1e9 for event in told)
    assert int(told[1]["SequenceNumber"]) == int(told[0]["SequenceNumber"]) + 1


async def test_a_user_hears_what_its_filters_let_through(connect: Connect) -> None:
    admin, picky = await connect(), await connect("picky")
    for colour in ("red", "green", "blue"):
        await admin.ask("UserEvent", UserEvent="Paint", Colour=colour)
    await admin.ask("Setvar", Variable="A", Value="1")
    await picky.event("UserEvent", Colour="green")
    await admin.event("UserEvent", Colour="blue")
    assert picky.events() == ["FullyBooted", "UserEvent"]


async def test_what_is_disabled_is_told_to_nobody(connect: Connect) -> None:
    client = await connect()
    await client.ask("Setvar", Variable="A", Value="1")
    await client.ask("UserEvent", UserEvent="After")
    await client.event("UserEvent")
    assert "VarSet" not in client.events()
