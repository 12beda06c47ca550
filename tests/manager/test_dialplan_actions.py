"""The dialplan changed by clients, and what is refused by name."""

from __future__ import annotations

import asyncio

import pytest

from arietta.manager.refused import why_not
from arietta.server import Server
from arietta.testing import Phone

from .conftest import Connect


async def test_an_extension_is_added_called_and_removed(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    place = {"Context": "default", "Extension": "7007"}
    reply = await client.ask("DialplanExtensionAdd", **place, Priority="1", Application="Answer")
    assert (reply["Response"], reply["Message"]) == ("Success", "Added requested extension")
    await client.ask("DialplanExtensionAdd", **place, Priority="2", Application="Wait", ApplicationData="60")
    call = await alice.invite("7007")
    await call.answered()
    await asyncio.sleep(1)
    (shown,) = await client.ask_list("CoreShowChannels")
    assert shown["Application"] == "Wait"
    assert (await client.ask("DialplanExtensionAdd", **place, Priority="2", Application="Echo"))["Message"] == (
        "7007@default has priority 2 already"
    )
    assert (await client.ask("DialplanExtensionRemove", **place))["Response"] == "Success"
    assert (await client.ask("DialplanExtensionRemove", **place))["Message"] == (
        "extension '7007' does not exist in context 'default'"
    )
    await call.hang_up()
    await asyncio.sleep(1)


async def test_what_was_added_is_forgotten_with_a_reload(server: Server, connect: Connect) -> None:
    client = await connect()
    place = {"Context": "made-here", "Extension": "1"}
    await client.ask("DialplanExtensionAdd", **place, Priority="1", Application="Answer")
    assert len(await client.ask_list("ShowDialPlan", Context="made-here")) == 1
    await client.ask("Reload", Module="pbx_config.so")
    assert (await client.ask("ShowDialPlan", Context="made-here"))["Message"] == "Did not find context made-here"


async def test_channels_that_are_connected_are_mapped(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    reply = await client.ask("Originate", Channel="Local/1300@default", Application="Wait", Data="60", Async="yes")
    assert reply["Response"] == "Success"
    await client.event("OriginateResponse")
    names = [channel.name for channel in server.channels if channel.name.startswith("Local/")]
    assert len(names) == 2
    (other,) = await client.ask_list("CoreShowChannelMap", Channel=names[0])
    assert other["ConnectedChannel"] == names[1]
    await client.ask("Hangup", Channel="/^Local/")
    await asyncio.sleep(1)


async def test_a_text_goes_to_the_far_end(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    call = await alice.invite("1300")
    await call.answered()
    (shown,) = await client.ask_list("CoreShowChannels")
    assert (await client.ask("SendText", Channel=shown["Channel"], Message="hello"))["Response"] == "Success"
    assert (await client.ask("SendText", Channel=shown["Channel"]))["Message"] == "No Message specified"
    assert (await client.ask("SendText", Channel=shown["Channel"], Message="x" * 8000))["Response"] == "Success"
    await call.hang_up()
    await asyncio.sleep(1)


@pytest.mark.parametrize("name", ["Park", "QueueAdd", "ConfbridgeList", "JabberSend", "AOCMessage", "SIPpeers"])
async def test_actions_that_are_not_here_are_refused_by_name(connect: Connect, name: str) -> None:
    client = await connect()
    reply = await client.ask(name.upper())
    assert (reply["Response"], reply["Message"]) == (
        "Error",
        f"Invalid/unknown command: {why_not(name)}",
    )
    assert why_not(name.lower()).startswith(f"{name} is not supported: ")
