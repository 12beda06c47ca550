"""Originate's PreDialGoSub: a subroutine on the new channel, before its call goes out."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone
from journeys.conftest import FILES

from .conftest import MANAGER, Connect

SUBROUTINES = """
[before]
exten => s,1,Set(GLOBAL(SEEN)=${CHANNEL(name):0:12} ${ARG1})
 same => n,Set(PJSIP_HEADER(add,X-Reason)=${ARG1})
 same => n,Return()
exten => ends,1,Hangup()
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": MANAGER, "extensions.conf": FILES["extensions.conf"] + SUBROUTINES}


async def test_a_subroutine_runs_before_the_call(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    waiting = asyncio.get_running_loop().create_task(alice.ringing())
    await client.ask(
        "Originate",
        Channel="PJSIP/alice",
        Application="Wait",
        Data="1",
        Async="yes",
        PreDialGoSub="before,s,1(wake-up)",
    )
    call = await waiting
    assert server.dialplan.globals["SEEN"] == "PJSIP/alice- wake-up"
    assert call.request.headers.get("X-Reason") == ["wake-up"]
    call.answer()
    assert (await client.event("OriginateResponse"))["Response"] == "Success"
    await call.ended()


@pytest.mark.parametrize("place", ["before,ends,1", "nowhere,s,x"])
async def test_who_ends_in_the_subroutine_is_not_called(
    server: Server, connect: Connect, alice: Phone, place: str
) -> None:
    client = await connect()
    await client.ask("Originate", Channel="PJSIP/alice", Application="Wait", Data="1", Async="yes", PreDialGoSub=place)
    done = await client.event("OriginateResponse")
    assert (done["Response"], done["Reason"]) == ("Failure", "1")
    assert len(server.channels) == 0
