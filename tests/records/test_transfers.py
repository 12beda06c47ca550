"""Records of calls that are transferred."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from arietta.channels.channel import Channel
from arietta.server import Server
from arietta.testing import Phone
from arietta.testing.call import Call

from .conftest import Rows

Entries = Callable[[], list[tuple[str, str, str, str, str, dict[str, object]]]]
ALICE, BOB = "PJSIP/alice", "PJSIP/bob"


def named(server: Server, name: str) -> Channel:
    """The channel whose name begins so."""
    return next(channel for channel in server.channels if channel.name.startswith(f"{name}-"))


async def dialled(alice: Phone, bob: Phone) -> tuple[Call, Call]:
    """Alice has called bob, and they have talked for three seconds."""
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.answer()
    await call.answered()
    await asyncio.sleep(3)
    return call, far


async def test_who_is_sent_elsewhere_has_a_record_of_its_own(
    server: Server, alice: Phone, bob: Phone, rows: Rows, entries: Entries
) -> None:
    call, far = await dialled(alice, bob)
    server.moves.blind_transfer(named(server, ALICE), "default", "1200")
    await call.ended()
    await asyncio.sleep(4)
    await far.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows("channel", "dstchannel", "dst", "lastapp", "billsec", "disposition")) == [
        (ALICE, BOB, "1100", "Dial", "3", "ANSWERED"),
        (BOB, "", "1200", "Echo", "4", "ANSWERED"),
    ]
    (extra,) = (line[5] for line in entries() if line[0] == "BLINDTRANSFER")
    assert (extra["extension"], extra["context"]) == ("1200", "default")
    assert str(extra["transferee_channel_name"]).startswith(BOB)


async def test_an_attended_transfer(server: Server, alice: Phone, bob: Phone, rows: Rows, entries: Entries) -> None:
    call, far = await dialled(alice, bob)
    server.moves.attended_transfer(named(server, ALICE), "default", "1200")
    await asyncio.sleep(2)
    await call.hang_up()
    await asyncio.sleep(4)
    await far.hang_up()
    await asyncio.sleep(1)
    found = rows("channel", "dstchannel", "disposition")
    assert (ALICE, BOB, "ANSWERED") in found
    assert any({channel, other} == {BOB, "Local/1200@default;1"} for channel, other, _ in found)
    assert [line[0] for line in entries()].count("ATTENDEDTRANSFER") == 1
