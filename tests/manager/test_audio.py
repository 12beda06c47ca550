"""Actions that record a call, and move in what it plays."""

from __future__ import annotations

import asyncio

import pytest

from arietta.dialplan.applications.mixmonitor import monitors_of
from arietta.server import Server
from arietta.testing import Phone
from journeys.conftest import FILES

from .conftest import MANAGER, Connect

PLAN = """
[default]
exten => 1,1,Answer()
 same => n,ControlPlayback(demo-instruct)
 same => n,Set(GLOBAL(HOW)=${CPLAYBACKSTATUS})
 same => n,Wait(60)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": MANAGER, "extensions.conf": PLAN}


async def test_a_call_is_recorded_muted_and_no_more(server: Server, connect: Connect, alice: Phone) -> None:
    calling = await alice.invite("1")
    await calling.answered()
    client = await connect()
    (channel,) = server.channels
    asked = {"Channel": channel.name}
    made = await client.ask("MixMonitor", File="a/call.wav", Options="i(ID)", **asked)
    assert made["Response"] == "Success"
    assert made["MixMonitorID"] == channel.get_variable("ID")
    assert (await client.ask("MixMonitorMute", Direction="both", State="1", **asked))["Response"] == "Success"
    assert monitors_of(channel)[made["MixMonitorID"]].muted
    refused = await client.ask("MixMonitorMute", Direction="read", State="1", **asked)
    assert refused["Message"] == "Direction 'read' is not supported, both is"
    await asyncio.sleep(0.5)
    assert (await client.ask("StopMixMonitor", **asked))["Response"] == "Success"
    assert not monitors_of(channel)
    assert (await client.ask("StopMixMonitor", **asked))["Response"] == "Error"
    await asyncio.sleep(0.5)
    assert (server.dialplan.folders.monitor / "a/call.wav").is_file()
    for wrong in ("../out.wav", "/tmp/out.wav", "none", "a,b.wav"):
        assert (await client.ask("MixMonitor", File=wrong, **asked))["Response"] == "Error"
    assert "live_dangerously" in (await client.ask("MixMonitor", File="b.wav", Command="true", **asked))["Message"]
    await calling.hang_up()


async def test_what_is_played_is_moved(server: Server, connect: Connect, alice: Phone) -> None:
    calling = await alice.invite("1")
    await calling.answered()
    client = await connect()
    (channel,) = server.channels
    await asyncio.sleep(0.5)
    for control in ("forward", "reverse", "pause", "pause", "restart", "stop"):
        reply = await client.ask("ControlPlayback", Channel=channel.id, Control=control)
        assert reply["Response"] == "Success", control
    await asyncio.sleep(0.2)
    assert server.dialplan.globals["HOW"] == "REMOTESTOPPED"
    assert (await client.ask("ControlPlayback", Channel=channel.id, Control="stop"))["Response"] == "Error"
    assert (await client.ask("ControlPlayback", Channel=channel.id, Control="dance"))["Response"] == "Error"
    await calling.hang_up()
