"""Records of calls, one ladder for each way in which channels meet and part."""

from __future__ import annotations

import asyncio

from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import Rows

ALICE, BOB = "PJSIP/alice", "PJSIP/bob"


async def test_a_call_that_is_answered(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    await asyncio.sleep(4)
    other.answer()
    await call.answered()
    await asyncio.sleep(10)
    await call.hang_up()
    await call.ended()
    await asyncio.sleep(1)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "14", "10", "ANSWERED")]
    ((src, clid, context, data, linked, unique, sequence, ama),) = rows(
        "src", "clid", "dcontext", "lastdata", "linkedid", "uniqueid", "sequence", "amaflags"
    )
    assert (src, clid, context, data) == ("6001", '"Alice" <6001>', "default", "PJSIP/bob,20")
    assert (linked, sequence, ama) == (unique, "0", "DOCUMENTATION")


async def test_whoever_hangs_up_it_is_one_record(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await asyncio.sleep(3)
    await other.hang_up()
    await call.ended()
    await asyncio.sleep(1)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "3", "3", "ANSWERED")]


async def test_a_call_that_is_refused(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    await asyncio.sleep(2)
    other.reject(486)
    await call.ended()
    await asyncio.sleep(11)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "2", "0", "BUSY")]


async def test_a_call_that_nobody_answers(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1100")
    await bob.ringing()
    await call.ended(within=60)
    await asyncio.sleep(1)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "20", "0", "NO ANSWER")]


async def test_a_call_that_the_caller_gives_up(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1100")
    await bob.ringing()
    await asyncio.sleep(5)
    await call.cancel()
    await asyncio.sleep(1)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "5", "0", "NO ANSWER")]


async def test_each_destination_has_its_record(alice: Phone, bob: Phone, carol: Phone, rows: Rows) -> None:
    call = await alice.invite("1400")
    await bob.ringing()
    theirs = await carol.ringing()
    await asyncio.sleep(2)
    theirs.answer()
    await call.answered()
    await asyncio.sleep(5)
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows() == [
        ("6001", "1400", ALICE, BOB, "Dial", "2", "0", "NO ANSWER"),
        ("6001", "1400", ALICE, "PJSIP/carol", "Dial", "7", "5", "ANSWERED"),
    ]


async def test_a_local_channel_has_a_record_on_either_side(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1500")
    (await bob.ringing()).answer()
    await call.answered()
    await asyncio.sleep(4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert sorted(rows("channel", "dstchannel", "dst", "billsec", "disposition")) == [
        ("Local/1100@default;2", BOB, "1100", "4", "ANSWERED"),
        (ALICE, "Local/1100@default;1", "1500", "4", "ANSWERED"),
    ]
    assert len({linkedid for (linkedid,) in rows("linkedid")}) == 1


async def test_who_goes_on_after_a_call_has_a_further_record(alice: Phone, bob: Phone, rows: Rows) -> None:
    call = await alice.invite("1600")
    await call.answered()
    await bob.ringing()
    await call.ended(within=60)
    await asyncio.sleep(1)
    first, second = rows()
    assert first == ("6001", "1600", ALICE, BOB, "Dial", "7", "0", "NO ANSWER")
    assert second[:5] == ("6001", "1600", ALICE, "", "Playback")
    assert second[7] == "ANSWERED"


async def test_nothing_is_recorded_of_a_call_that_nobody_took(alice: Phone, app: AriClient, rows: Rows) -> None:
    call = await alice.invite("1001")
    await app.event("StasisStart")
    await call.cancel()
    await asyncio.sleep(1)
    assert rows() == []


async def test_a_call_in_an_application(alice: Phone, app: AriClient, rows: Rows) -> None:
    call = await alice.invite("1000")
    await app.event("StasisStart")
    await asyncio.sleep(6)
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows() == [("6001", "1000", ALICE, "", "Stasis", "6", "6", "ANSWERED")]


async def test_two_in_the_bridge_of_an_application(alice: Phone, bob: Phone, app: AriClient, rows: Rows) -> None:
    call = await alice.invite("1000")
    first = (await app.event("StasisStart"))["channel"]["id"]
    second = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json["id"]
    (await bob.ringing()).answer()
    await app.event("StasisStart", channel_id=second)
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=f"{second},{first}")
    await asyncio.sleep(5)
    await call.hang_up()
    await app.delete(f"/channels/{second}")
    await app.delete(f"/bridges/{bridge}")
    await asyncio.sleep(1)
    assert sorted(rows("channel", "dstchannel", "billsec", "disposition")) == [
        (ALICE, BOB, "5", "ANSWERED"),
        (BOB, "", "5", "ANSWERED"),
    ]


async def test_three_in_a_bridge_have_a_record_for_each_pair(
    alice: Phone, bob: Phone, carrier: Phone, app: AriClient, rows: Rows
) -> None:
    calls, ids = [], []
    for phone in (alice, bob, carrier):
        calls.append(await phone.invite("1000"))
        ids.append((await app.event("StasisStart"))["channel"]["id"])
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    for channel in ids:
        await app.post(f"/bridges/{bridge}/addChannel", channel=channel)
        await asyncio.sleep(2)
    for call in calls:
        await call.hang_up()
        await asyncio.sleep(1)
    await app.delete(f"/bridges/{bridge}")
    pairs = sorted(rows("channel", "dstchannel", "disposition"))
    assert pairs == [
        (ALICE, BOB, "ANSWERED"),
        (ALICE, "PJSIP/carrier", "ANSWERED"),
        (BOB, "PJSIP/carrier", "ANSWERED"),
        ("PJSIP/carrier", "", "ANSWERED"),
    ]


async def test_an_originated_call_that_nobody_answers_is_not_recorded(bob: Phone, app: AriClient, rows: Rows) -> None:
    await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", timeout=3)
    await bob.ringing()
    await asyncio.sleep(5)
    assert rows() == []


async def test_an_originated_call_that_is_connected_with_an_extension(bob: Phone, app: AriClient, rows: Rows) -> None:
    await app.post("/channels", endpoint="PJSIP/bob", extension="1300", context="default", priority=1)
    other = await bob.ringing()
    await asyncio.sleep(2)
    other.answer()
    await asyncio.sleep(7)
    await other.hang_up()
    await asyncio.sleep(1)
    assert rows("dst", "channel", "dstchannel", "lastapp", "duration", "billsec", "disposition") == [
        ("1300", BOB, "", "Wait", "9", "7", "ANSWERED")
    ]


async def test_what_the_dialplan_says_and_reads(server: Server, alice: Phone, rows: Rows) -> None:
    call = await alice.invite("1700")
    await call.answered()
    await call.ended()
    await asyncio.sleep(1)
    assert server.dialplan.globals["SEEN"] == "6001/3/17/8/blue"
    assert server.dialplan.globals["END"] == "ANSWERED"
    assert rows("accountcode", "userfield", "lastapp", "billsec") == [("sales", "blue", "Hangup", "3")]
    assert (server.config.directories.log / "cdr-csv" / "sales.csv").read_text().startswith('"sales","6001","1700"')


async def test_records_are_forked_and_begun_anew(alice: Phone, rows: Rows) -> None:
    call = await alice.invite("1800")
    await call.answered()
    await call.ended()
    await asyncio.sleep(1)
    assert rows("lastapp", "duration", "billsec") == [("ForkCDR", "2", "2"), ("Hangup", "1", "1")]


async def test_a_call_that_is_not_to_be_recorded(alice: Phone, rows: Rows) -> None:
    call = await alice.invite("1900")
    await call.answered()
    await call.ended(within=60)
    await asyncio.sleep(1)
    assert rows() == []


async def test_who_is_parked_in_between_has_a_record_of_that(
    alice: Phone, bob: Phone, carol: Phone, app: AriClient, rows: Rows
) -> None:
    calls, ids = [], []
    for phone in (alice, bob, carol):
        calls.append(await phone.invite("1000"))
        ids.append((await app.event("StasisStart"))["channel"]["id"])
    talk, lot, next_talk = [
        (await app.post("/bridges", type=kind)).json["id"] for kind in ("mixing", "holding", "mixing")
    ]
    await app.post(f"/bridges/{talk}/addChannel", channel=",".join(ids[:2]))
    await asyncio.sleep(5)
    await app.post(f"/bridges/{lot}/addChannel", channel=ids[0])
    await calls[1].hang_up()
    await asyncio.sleep(6)
    await app.post(f"/bridges/{next_talk}/addChannel", channel=f"{ids[0]},{ids[2]}")
    await asyncio.sleep(7)
    await calls[0].hang_up()
    await calls[2].hang_up()
    for bridge in (talk, lot, next_talk):
        await app.delete(f"/bridges/{bridge}")
    await asyncio.sleep(1)
    assert [row for row in rows("channel", "dstchannel", "billsec") if row[0] == ALICE] == [
        (ALICE, BOB, "5"),
        (ALICE, "", "6"),
        (ALICE, "PJSIP/carol", "7"),
    ]
