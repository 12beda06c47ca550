"""How a call went, as its record says, and the settings that decide on it."""

from __future__ import annotations

import asyncio

import pytest

from arietta.testing import Phone

from .conftest import Rows

ALICE, BOB, CAROL = "PJSIP/alice", "PJSIP/bob", "PJSIP/carol"


@pytest.mark.parametrize(
    ("settings", "status", "shown"),
    [
        ("", 486, "BUSY"),
        ("", 503, "FAILED"),
        ("congestion=yes\n", 503, "CONGESTION"),
        ("", 404, "NO ANSWER"),
        ("", 603, "NO ANSWER"),
    ],
)
async def test_the_phone_refuses(alice: Phone, bob: Phone, rows: Rows, status: int, shown: str) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    await asyncio.sleep(2)
    other.reject(status)
    await call.ended(within=30)
    await asyncio.sleep(11)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "2", "0", shown)]


@pytest.mark.parametrize(("settings", "shown"), [("", "NO ANSWER"), ("canceldispositionenabled=yes\n", "CANCEL")])
async def test_the_caller_gives_up(alice: Phone, bob: Phone, rows: Rows, shown: str) -> None:
    call = await alice.invite("1100")
    await bob.ringing()
    await asyncio.sleep(5)
    await call.cancel()
    await asyncio.sleep(1)
    assert rows() == [("6001", "1100", ALICE, BOB, "Dial", "5", "0", shown)]


@pytest.mark.parametrize(
    ("settings", "written"),
    [("", []), ("unanswered=yes\n", [("6001", "2100", ALICE, "", "Hangup", "0", "0", "FAILED")])],
)
async def test_the_phone_is_not_registered(alice: Phone, rows: Rows, written: list[tuple[str, ...]]) -> None:
    call = await alice.invite("2100")
    await call.ended(within=30)
    await asyncio.sleep(1)
    assert rows() == written


@pytest.mark.parametrize("settings", ["unanswered=yes\n"])
async def test_of_three_destinations_one_answers(alice: Phone, bob: Phone, carol: Phone, rows: Rows) -> None:
    call = await alice.invite("1400")
    theirs, mine = await bob.ringing(), await carol.ringing()
    await asyncio.sleep(1)
    theirs.reject(486)
    await asyncio.sleep(2)
    mine.answer()
    await call.answered()
    await asyncio.sleep(4)
    await mine.hang_up()
    await call.ended()
    await asyncio.sleep(1)
    assert rows() == [
        ("6001", "1400", ALICE, BOB, "Dial", "1", "0", "BUSY"),
        ("6001", "1400", ALICE, CAROL, "Dial", "7", "4", "ANSWERED"),
    ]


@pytest.mark.parametrize(
    ("settings", "last", "seconds"), [("endbeforehexten=yes\n", "Hangup", "2"), ("endbeforehexten=no\n", "Hangup", "5")]
)
async def test_the_extension_h_is_part_of_the_call_or_not(alice: Phone, rows: Rows, last: str, seconds: str) -> None:
    call = await alice.invite("2200")
    await call.ended(within=30)
    await asyncio.sleep(1)
    assert rows() == [("6001", "s", ALICE, "", last, seconds, seconds, "ANSWERED")]


@pytest.mark.parametrize(("settings", "seconds"), [("", "2"), ("initiatedseconds=yes\n", "3")])
async def test_a_second_that_has_begun_counts_or_not(alice: Phone, bob: Phone, rows: Rows, seconds: str) -> None:
    call = await alice.invite("1100")
    (await bob.ringing()).answer()
    await call.answered()
    await asyncio.sleep(2.4)
    await call.hang_up()
    await asyncio.sleep(1)
    assert rows("billsec") == [(seconds,)]


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ("", [(BOB, "Dial", "5", "0", "NO ANSWER"), ("", "Wait", "600", "600", "ANSWERED")]),
        ("ignoredialchanges=yes\n", [("", "Wait", "605", "600", "ANSWERED")]),
    ],
)
async def test_whom_a_channel_called_in_vain_counts_or_not(
    alice: Phone, bob: Phone, rows: Rows, written: list[tuple[str, ...]]
) -> None:
    call = await alice.invite("2300")
    await bob.ringing()
    await call.answered(within=20)
    await call.ended(within=700)
    await asyncio.sleep(1)
    assert rows("dstchannel", "lastapp", "duration", "billsec", "disposition") == written


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ("", [(BOB, "Dial", "3", "3"), ("", "Hangup", "4", "4")]),
        ("ignorestatechanges=yes\n", [(BOB, "Dial", "7", "7")]),
        ("ignorestatechanges=yes\nignoredialchanges=yes\n", [("", "Hangup", "7", "7")]),
    ],
)
async def test_whom_a_channel_talked_to_counts_or_not(
    alice: Phone, bob: Phone, rows: Rows, written: list[tuple[str, ...]]
) -> None:
    call = await alice.invite("2400")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await asyncio.sleep(3)
    await other.hang_up()
    await call.ended(within=30)
    await asyncio.sleep(1)
    assert rows("dstchannel", "lastapp", "duration", "billsec") == written
