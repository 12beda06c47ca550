"""Records of calls that are transferred."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from arietta.channels.channel import Channel
from arietta.server import Server
from arietta.testing import Phone
from arietta.testing.call import Call

from .conftest import Rows

Entries = Callable[[], list[tuple[str, str, str, str, str, dict[str, object]]]]
ALICE, BOB, CAROL = "PJSIP/alice", "PJSIP/bob", "PJSIP/carol"


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


async def refer(call: Call, to: str) -> None:
    """Ask for a transfer, and end the call when that is done."""
    await call.send_request("REFER", headers=(("Refer-To", to),), expect=202)
    await asyncio.sleep(1)


def replacing(call: Call) -> str:
    """A Refer-To that names a call of the same phone (RFC 3891)."""
    dialog = call.session.dialog
    assert dialog is not None
    value = f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    return f"<sip:6003@10.0.0.1?Replaces={quote(value, safe='')}>"


async def test_a_phone_sends_its_caller_elsewhere(alice: Phone, bob: Phone, carol: Phone, rows: Rows) -> None:
    call, far = await dialled(alice, bob)
    await refer(far, "<sip:2100@10.0.0.1>")
    third = await carol.ringing()
    await far.hang_up()
    await asyncio.sleep(1)
    third.answer()
    await asyncio.sleep(5)
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows() == [
        ("6001", "1100", ALICE, BOB, "Dial", "3", "3", "ANSWERED"),
        ("6001", "2100", ALICE, CAROL, "Dial", "7", "5", "ANSWERED"),
    ]
    assert len({linkedid for (linkedid,) in rows("linkedid")}) == 1


async def test_a_phone_brings_its_caller_and_whom_it_called_together(
    alice: Phone, bob: Phone, carol: Phone, rows: Rows, entries: Entries
) -> None:
    call, far = await dialled(alice, bob)
    consultation = await bob.invite("2100")
    (await carol.ringing()).answer()
    await consultation.answered()
    await asyncio.sleep(2)
    await refer(far, replacing(consultation))
    await far.hang_up()
    await asyncio.sleep(4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows("src", "dst", "channel", "dstchannel", "billsec", "disposition")) == [
        ("6001", "1100", ALICE, BOB, "5", "ANSWERED"),
        ("6001", "1100", ALICE, CAROL, "5", "ANSWERED"),
        ("6002", "2100", BOB, CAROL, "2", "ANSWERED"),
    ]
    (line,) = (line for line in entries() if line[0] == "ATTENDEDTRANSFER")
    assert line[1] == BOB
    assert set(line[5]) == {
        *("bridge1_id", "channel2_name", "channel2_uniqueid", "bridge2_id", "transferee_channel_name"),
        *("transferee_channel_uniqueid", "transfer_target_channel_name", "transfer_target_channel_uniqueid"),
    }


async def test_who_answers_for_another_is_party_b(
    alice: Phone, bob: Phone, carol: Phone, rows: Rows, entries: Entries
) -> None:
    call = await alice.invite("1100")
    await bob.ringing()
    await asyncio.sleep(3)
    pickup = await carol.invite("2000")
    await pickup.answered()
    await call.answered()
    await asyncio.sleep(5)
    await call.hang_up()
    await pickup.ended()
    await asyncio.sleep(1)
    assert sorted(rows()) == [
        ("6001", "1100", ALICE, CAROL, "Dial", "8", "5", "ANSWERED"),
        ("6003", "2000", CAROL, "", "Pickup", "5", "5", "ANSWERED"),
    ]
    (line,) = (line for line in entries() if line[0] == "PICKUP")
    assert line[1] == BOB
    assert str(line[5]["pickup_channel"]).startswith(CAROL)


async def test_who_is_taken_out_of_a_call_has_a_record_of_what_comes(
    server: Server, alice: Phone, bob: Phone, rows: Rows
) -> None:
    call, far = await dialled(alice, bob)
    server.moves.redirect(named(server, ALICE), "default", "1200")
    await far.ended()
    await asyncio.sleep(4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows() == [
        ("6001", "1100", ALICE, BOB, "Dial", "3", "3", "ANSWERED"),
        ("6001", "1200", ALICE, "", "Echo", "4", "4", "ANSWERED"),
    ]


async def test_a_phone_that_is_elsewhere_has_a_record_of_its_own(
    alice: Phone, bob: Phone, carol: Phone, rows: Rows, entries: Entries
) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    await asyncio.sleep(1)
    other.reject(302, headers=(("Contact", "<sip:2100@10.0.0.1>"),))
    third = await carol.ringing()
    await asyncio.sleep(2)
    third.answer()
    await call.answered()
    await asyncio.sleep(4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows("dst", "channel", "dstchannel", "billsec", "disposition")) == [
        ("1100", ALICE, "Local/2100@default;1", "4", "ANSWERED"),
        ("1100", ALICE, BOB, "0", "NO ANSWER"),
        ("2100", "Local/2100@default;2", CAROL, "4", "ANSWERED"),
    ]
    (line,) = (line for line in entries() if line[0] == "FORWARD")
    assert (line[1], line[5]) == (ALICE, {"forward": "2100@default"})


async def test_a_phone_leaves_its_caller_in_an_application_that_it_called(
    alice: Phone, bob: Phone, rows: Rows, entries: Entries
) -> None:
    call, far = await dialled(alice, bob)
    consultation = await bob.invite("1200")
    await consultation.answered()
    await asyncio.sleep(2)
    await refer(far, replacing(consultation))
    await far.hang_up()
    await asyncio.sleep(4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows()) == [
        ("6001", "1100", ALICE, BOB, "Dial", "5", "5", "ANSWERED"),
        ("6001", "1200", ALICE, "", "Echo", "5", "5", "ANSWERED"),
        ("6002", "1200", BOB, "", "Echo", "2", "2", "ANSWERED"),
    ]
    (line,) = (line for line in entries() if line[0] == "ATTENDEDTRANSFER")
    assert (line[1], line[5]["app"]) == (BOB, "Echo")
    assert str(line[5]["channel2_name"]).startswith(BOB)
    assert "bridge1_id" in line[5] and "bridge2_id" not in line[5]
