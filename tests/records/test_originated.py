"""Records of calls that the manager interface places."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone
from manager.talking import ManagerClient

from .conftest import Rows

BOB, CAROL = "PJSIP/bob", "PJSIP/carol"
MANAGER = "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[admin]\nsecret=s3cr3t-words\nread=all\nwrite=all\n"


@pytest.fixture
def files(files: dict[str, str]) -> dict[str, str]:
    return {**files, "manager.conf": MANAGER}


async def originate(**headers: str) -> None:
    """Have a call placed, and stay logged in no longer than that takes."""
    client = await ManagerClient.open()
    assert (await client.log_in())["Response"] == "Success"
    reply = await client.ask("Originate", Async="true", CallerID='"Desk" <100>', Account="desk", **headers)
    assert reply["Response"] == "Success"
    client.close()


async def test_a_phone_is_connected_with_another(bob: Phone, carol: Phone, rows: Rows) -> None:
    await originate(Channel="PJSIP/bob", Context="default", Exten="2100", Priority="1")
    first = await bob.ringing()
    await asyncio.sleep(2)
    first.answer()
    second = await carol.ringing()
    await asyncio.sleep(3)
    second.answer()
    await asyncio.sleep(5)
    await first.hang_up()
    await asyncio.sleep(1)
    assert rows() == [("100", "2100", BOB, CAROL, "Dial", "10", "8", "ANSWERED")]
    assert rows("accountcode", "peeraccount") == [("desk", "desk")]


async def test_a_phone_that_does_not_answer_has_no_record(bob: Phone, rows: Rows) -> None:
    await originate(Channel="PJSIP/bob", Context="default", Exten="1300", Priority="1", Timeout="3000")
    await bob.ringing()
    await asyncio.sleep(5)
    assert rows() == []


@pytest.mark.parametrize("settings", ["unanswered=yes\n"])
async def test_a_phone_that_does_not_answer_has_one_where_that_is_wanted(bob: Phone, rows: Rows) -> None:
    await originate(Channel="PJSIP/bob", Application="Echo", Timeout="3000")
    await bob.ringing()
    await asyncio.sleep(5)
    assert rows() == [("100", "s", BOB, "", "AppDial2", "3", "0", "NO ANSWER")]


async def test_through_a_local_channel_each_half_has_its_record(
    server: Server, bob: Phone, carol: Phone, rows: Rows
) -> None:
    await originate(Channel="Local/1100@default", Context="default", Exten="2100", Priority="1")
    first = await bob.ringing()
    first.answer()
    second = await carol.ringing()
    await asyncio.sleep(2)
    assert len({channel.linkedid for channel in server.channels}) == 1
    assert {channel.accountcode for channel in server.channels} == {"desk"}
    second.answer()
    await asyncio.sleep(5)
    await second.hang_up()
    await first.ended()
    await asyncio.sleep(1)
    assert sorted(rows("dst", "channel", "dstchannel", "lastapp", "billsec", "disposition", "accountcode")) == [
        ("1100", "Local/1100@default;2", BOB, "Dial", "7", "ANSWERED", "desk"),
        ("2100", "Local/1100@default;1", CAROL, "Dial", "7", "ANSWERED", "desk"),
    ]
    ((one,), (other,)) = rows("linkedid")
    assert one == other
