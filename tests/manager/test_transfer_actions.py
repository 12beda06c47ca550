"""Calls that clients transfer: blind, attended and given up, each with what it leaves behind."""

from __future__ import annotations

import asyncio

from arietta.server import Server
from arietta.testing import Phone
from arietta.testing.call import Call

from .conftest import Connect
from .talking import ManagerClient


async def talking(alice: Phone, bob: Phone) -> tuple[Call, Call]:
    """A call of alice to bob."""
    waiting = asyncio.get_running_loop().create_task(bob.ringing())
    here = await alice.invite("1100")
    there = await waiting
    there.answer()
    await here.answered()
    await asyncio.sleep(1)
    return here, there


async def channel_of(client: ManagerClient, name: str) -> str:
    """The name of a phone's channel."""
    shown = await client.ask_list("CoreShowChannels")
    return next(one["Channel"] for one in shown if one["Channel"].startswith(f"PJSIP/{name}-"))


async def test_a_blind_transfer_to_an_extension(connect: Connect, alice: Phone, bob: Phone) -> None:
    client = await connect()
    here, there = await talking(alice, bob)
    name, other = await channel_of(client, "alice"), await channel_of(client, "bob")
    reply = await client.ask("BlindTransfer", Channel=name, Context="default", Exten="1200")
    assert (reply["Response"], reply["Message"]) == ("Success", "Transfer succeeded")
    told = await client.event("BlindTransfer")
    assert (told["Result"], told["TransfererChannel"], told["Extension"]) == ("Success", name, "1200")
    await here.ended()
    await asyncio.sleep(1)
    shown = {one["Channel"]: one for one in await client.ask_list("CoreShowChannels")}
    assert other in shown
    assert "Echo" in {one["Application"] for one in shown.values()}
    await there.hang_up()


async def test_an_attended_transfer_is_completed_by_a_hangup(connect: Connect, alice: Phone, bob: Phone) -> None:
    client = await connect()
    here, there = await talking(alice, bob)
    name, other = await channel_of(client, "alice"), await channel_of(client, "bob")
    reply = await client.ask("Atxfer", Channel=name, Exten="1200", Context="default")
    assert (reply["Response"], reply["Message"]) == ("Success", "Atxfer successfully queued")
    await asyncio.sleep(1)
    await here.hang_up()
    told = await client.event("AttendedTransfer")
    assert (told["Result"], told["OrigTransfererChannel"]) == ("Success", name)
    await asyncio.sleep(1)
    assert other in {one["Channel"] for one in await client.ask_list("CoreShowChannels")}
    await there.hang_up()


async def test_an_attended_transfer_is_given_up(server: Server, connect: Connect, alice: Phone, bob: Phone) -> None:
    client = await connect()
    here, there = await talking(alice, bob)
    name = await channel_of(client, "alice")
    await client.ask("Atxfer", Channel=name, Exten="1200", Context="default")
    await asyncio.sleep(1)
    assert (await client.ask("CancelAtxfer", Channel=name))["Response"] == "Success"
    await asyncio.sleep(1)
    one, two = [server.channels.find(await channel_of(client, phone)) for phone in ("alice", "bob")]
    assert one is not None and two is not None
    assert one.bridge is not None and one.bridge is two.bridge
    await here.hang_up()
    await there.ended()


async def test_who_talks_to_nobody_is_not_transferred(connect: Connect, alice: Phone) -> None:
    client = await connect()
    call = await alice.invite("1200")
    await call.answered()
    name = await channel_of(client, "alice")
    for action in ("BlindTransfer", "Atxfer"):
        assert (await client.ask(action, Channel=name, Context="default", Exten="1300"))["Response"] == "Error"
        assert (await client.ask(action, Channel=name, Context="default", Exten="none"))["Message"] == (
            "there is no extension none@default"
        )
    await call.hang_up()
