"""AGI(agi:async): a client of the manager interface steers a call by the action AGI."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import pytest

from arietta.manager.declared import ACTIONS
from arietta.server import Server

from .conftest import FILES, MANAGER, Connect

PLAN = """
[steered]
exten => s,1,AGI(agi:async,blue)
same => n,Set(AFTER=${AGISTATUS})
same => n,Wait(60)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": MANAGER, "extensions.conf": FILES["extensions.conf"] + PLAN}


async def steered(server: Server, connect: Connect) -> str:
    client = await connect()
    await client.ask(
        "Originate", Channel="Local/s@steered", Application="Wait", Data="60", Async="yes", ChannelId="near",
        OtherChannelId="far",
    )  # fmt: skip
    return "far"


async def test_commands_are_carried_out_in_their_order(server: Server, connect: Connect) -> None:
    client = await connect()
    channel = await steered(server, connect)
    started = await client.event("AsyncAGIStart", Uniqueid=channel)
    environment = unquote(started["Env"])
    assert "agi_request: agi:async\n" in environment and "agi_arg_1: blue\n" in environment
    first = await client.ask("AGI", Channel=started["Channel"], Command='SET VARIABLE COLOUR "red"', CommandID="one")
    assert (first["Response"], first["Message"]) == ("Success", "Added AGI command to queue")
    await client.ask("AGI", Channel=channel, Command="GET VARIABLE COLOUR", CommandID="two")
    assert unquote((await client.event("AsyncAGIExec", CommandID="one"))["Result"]) == "200 result=1\n"
    assert unquote((await client.event("AsyncAGIExec", CommandID="two"))["Result"]) == "200 result=1 (red)\n"
    await client.ask("AGI", Channel=channel, Command="NO SUCH COMMAND")
    unknown = await client.block(lambda block: ("Event", "AsyncAGIExec") in block and "CommandID" not in dict(block))
    assert unquote(dict(unknown)["Result"]).startswith("510 ")


async def test_asyncagi_break_lets_the_dialplan_go_on(server: Server, connect: Connect) -> None:
    client = await connect()
    channel = await steered(server, connect)
    await client.event("AsyncAGIStart", Uniqueid=channel)
    await client.ask("AGI", Channel=channel, Command="ASYNCAGI BREAK")
    await client.event("AsyncAGIEnd", Uniqueid=channel)
    assert (await client.event("VarSet", Variable="AFTER"))["Value"] == "SUCCESS"
    refused = await client.ask("AGI", Channel=channel, Command="ANSWER")
    assert refused["Message"].endswith("is not in AGI(agi:async)")


async def test_a_hangup_ends_the_conversation(server: Server, connect: Connect) -> None:
    client = await connect()
    channel = await steered(server, connect)
    await client.event("AsyncAGIStart", Uniqueid=channel)
    await client.ask("Hangup", Channel=channel)
    await client.event("AsyncAGIEnd", Uniqueid=channel)
    await client.event("Hangup", Uniqueid=channel)
    assert server.dialplan.async_agi == {}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Channel not specified"),
        ({"Channel": "x"}, "Command not specified"),
        ({"Channel": "x", "Command": "ANSWER"}, "Channel x does not exist"),
    ],
)
async def test_what_cannot_be_sent_is_refused(connect: Connect, headers: dict[str, str], message: str) -> None:
    client = await connect()
    reply = await client.ask("AGI", **headers)
    assert (reply["Response"], reply["Message"]) == ("Error", message)


async def test_commands_that_wait_are_bounded(server: Server, connect: Connect) -> None:
    client = await connect()
    channel = await steered(server, connect)
    await client.event("AsyncAGIStart", Uniqueid=channel)
    queue = server.dialplan.async_agi[channel]
    queue.send("EXEC Wait 60", "")
    await asyncio.sleep(1)
    while queue.send("NOOP", ""):
        pass
    reply = await client.ask("AGI", Channel=channel, Command="ANSWER")
    assert reply["Response"] == "Error" and reply["Message"].endswith("which is the limit")


def test_who_may_steer_needs_agi() -> None:
    assert ACTIONS["agi"].write == ("agi",)
