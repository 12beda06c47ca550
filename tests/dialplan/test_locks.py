"""LOCK, TRYLOCK, UNLOCK: two channels on one virtual clock."""

from __future__ import annotations

import asyncio

from arietta.channels.channel import Channel

from .stage import Stage

PLAN = """[default]
exten => first,1,Set(GOT=${LOCK(door)}${LOCK(door)})
same => n,Wait(5)
same => n,Set(BACK=${UNLOCK(door)}${UNLOCK(door)}${UNLOCK(door)})
same => n,Set(AT=${EPOCH})
same => n,Wait(20)
exten => second,1,Wait(1)
same => n,Set(GOT=${TRYLOCK(door)}${UNLOCK(door)})
same => n,Set(GOT=${GOT}${LOCK(door)})
same => n,Wait(1)
exten => busy,1,Wait(1)
same => n,Set(GOT=${LOCK(window)}${LOCK(door)})
exten => patient,1,Wait(2)
same => n,Set(GOT=${LOCK(window)}${LOCK(door)})
same => n,Set(BACK=${UNLOCK(door)})
exten => holder,1,Set(GOT=${LOCK(door)})
same => n,Wait(2)
"""


def run(*extens: str) -> tuple[Stage, list[Channel]]:
    """Channels in these extensions, all at the same time, to their end."""
    stage = Stage(PLAN)
    channels = [stage.channel(exten) for exten in extens]

    async def story() -> None:
        for channel in channels:
            channel.own(stage.plan.run(channel))
        await asyncio.gather(*(channel.task for channel in channels if channel.task is not None))

    stage.do(story())
    return stage, channels


def test_a_lock_is_taken_again_and_given_back_as_often() -> None:
    _, (first,) = run("first")
    assert (first.variables["GOT"], first.variables["BACK"]) == ("11", "110")


def test_who_waits_gets_it_when_it_is_free() -> None:
    _, (_, second) = run("first", "second")
    assert second.variables["GOT"] == "001"


def test_who_has_a_lock_waits_three_seconds_for_another() -> None:
    _, (_, busy) = run("first", "busy")
    assert busy.variables["GOT"] == "10"


def test_a_lock_ends_with_its_channel() -> None:
    stage, (_, second) = run("holder", "second")
    assert second.variables["GOT"] == "001"
    assert stage.plan.locks.try_lock(stage.channel(), "door")


def test_a_lock_that_is_passed_on_in_the_same_moment_in_which_patience_ends_is_not_lost() -> None:
    stage, (_, patient) = run("first", "patient")  # given back at 5 s, when the three seconds are over
    assert patient.variables["GOT"] in ("10", "11")
    assert patient.variables["BACK"] == patient.variables["GOT"][1]
    assert stage.plan.locks.try_lock(stage.channel(), "door")
