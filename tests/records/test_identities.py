"""Unique ids, linkedids and account codes of calls that are moved: what ties their records together."""

from __future__ import annotations

import asyncio

import pytest

from arietta.channels.channel import Channel
from arietta.server import Server
from arietta.testing import Phone

from .conftest import Rows
from .test_transfers import dialled, named, refer, replacing

ALICE, BOB, CAROL = "PJSIP/alice", "PJSIP/bob", "PJSIP/carol"
TIES = ("channel", "dstchannel", "accountcode", "peeraccount")


@pytest.fixture
def files(files: dict[str, str]) -> dict[str, str]:
    """Each phone has an account of its own."""
    pjsip = files["pjsip.conf"]
    for name in ("alice", "bob", "carol"):
        pjsip = pjsip.replace(f"[{name}]\ntype=endpoint\n", f"[{name}]\ntype=endpoint\naccountcode={name}s\n", 1)
    return {**files, "pjsip.conf": pjsip}


def ties(channel: Channel) -> tuple[str, str, str]:
    """What ties it to others."""
    return channel.linkedid, channel.accountcode, channel.peeraccount


async def test_who_is_called_has_an_account_of_its_own(server: Server, alice: Phone, bob: Phone, rows: Rows) -> None:
    call, _ = await dialled(alice, bob)
    calling, called = named(server, ALICE), named(server, BOB)
    assert ties(calling) == (calling.id, "alices", "bobs")
    assert ties(called) == (calling.id, "bobs", "alices")
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows(*TIES) == [(ALICE, BOB, "alices", "bobs")]
    assert rows("uniqueid", "linkedid") == [(calling.id, calling.id)]


async def test_who_is_sent_elsewhere_takes_the_linkedid_along(
    server: Server, alice: Phone, bob: Phone, carol: Phone, rows: Rows
) -> None:
    call, far = await dialled(alice, bob)
    calling = named(server, ALICE)
    await refer(far, "<sip:2100@10.0.0.1>")
    third = await carol.ringing()
    third.answer()
    await far.hang_up()
    await asyncio.sleep(1)
    assert ties(named(server, CAROL)) == (calling.id, "carols", "alices")
    assert ties(calling) == (calling.id, "alices", "carols")
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows(*TIES) == [(ALICE, BOB, "alices", "bobs"), (ALICE, CAROL, "alices", "carols")]


async def test_of_two_calls_that_are_brought_together_the_older_counts(
    server: Server, alice: Phone, bob: Phone, carol: Phone, rows: Rows
) -> None:
    call, far = await dialled(alice, bob)
    consultation = await bob.invite("2100")
    (await carol.ringing()).answer()
    await consultation.answered()
    calling, called = named(server, ALICE), named(server, CAROL)
    assert called.linkedid != calling.id, "two calls of one phone have nothing to do with each other"
    await refer(far, replacing(consultation))
    await far.hang_up()
    assert ties(called) == (calling.id, "carols", "alices")
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows(*TIES)) == [
        (ALICE, BOB, "alices", "bobs"),
        (ALICE, CAROL, "alices", "carols"),
        (BOB, CAROL, "bobs", "carols"),
    ]


async def test_who_picks_up_belongs_to_the_call(server: Server, alice: Phone, bob: Phone, carol: Phone) -> None:
    call = await alice.invite("1100")
    await bob.ringing()
    pickup = await carol.invite("2000")
    await pickup.answered()
    await call.answered()
    await asyncio.sleep(1)
    calling, picking = named(server, ALICE), named(server, CAROL)
    assert ties(picking) == (calling.id, "carols", "alices")
    assert ties(calling) == (calling.id, "alices", "carols")
    assert picking.id != calling.id
    await call.hang_up()
    await pickup.ended()


async def test_both_halves_of_a_local_channel_have_the_account_of_the_caller(
    server: Server, alice: Phone, bob: Phone, rows: Rows
) -> None:
    call = await alice.invite("1500")
    (await bob.ringing()).answer()
    await call.answered()
    await asyncio.sleep(1)
    calling, called = named(server, ALICE), named(server, BOB)
    near, far = (channel for channel in server.channels if channel.technology == "Local")
    assert {channel.linkedid for channel in server.channels} == {calling.id}
    assert (near.accountcode, far.accountcode) == ("alices", "alices")
    assert (called.accountcode, called.peeraccount) == ("bobs", "alices")
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows(*TIES)) == [
        ("Local/1100@default;2", BOB, "alices", "bobs"),
        (ALICE, "Local/1100@default;1", "alices", "alices"),
    ]
