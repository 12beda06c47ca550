"""The log of channels: every event in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from arietta.manager.message import ManagerEvent
from arietta.server import Server
from arietta.testing import Phone

Entries = Callable[[], list[tuple[str, str, str, str, str, dict[str, object]]]]
ALICE, BOB = "PJSIP/alice", "PJSIP/bob"


async def test_the_entries_of_a_call(alice: Phone, bob: Phone, entries: Entries) -> None:
    call = await alice.invite("1100")
    (await bob.ringing()).answer()
    await call.answered()
    await asyncio.sleep(2)
    await call.hang_up()
    await asyncio.sleep(1)
    found = entries()
    assert [(kind, name) for kind, name, *_ in found if name == ALICE] == [
        ("CHAN_START", ALICE),
        ("APP_START", ALICE),
        ("ANSWER", ALICE),
        ("BRIDGE_ENTER", ALICE),
        ("BRIDGE_EXIT", ALICE),
        ("APP_END", ALICE),
        ("HANGUP", ALICE),
        ("CHAN_END", ALICE),
        *([("LINKEDID_END", ALICE)] if found[-1][1] == ALICE else []),
    ]
    assert [kind for kind, name, *_ in found if name == BOB][:3] == ["CHAN_START", "ANSWER", "BRIDGE_ENTER"]
    assert [kind for kind, *_ in found].count("LINKEDID_END") == 1
    assert found[-1][0] == "LINKEDID_END"
    peers = {peer for kind, name, _, peer, *_ in found if kind == "BRIDGE_ENTER" and peer}
    assert peers in ({ALICE}, {BOB})
    hangup = next(extra for kind, name, *_, extra in found if (kind, name) == ("HANGUP", ALICE))
    assert hangup["dialstatus"] == "ANSWER"
    assert str(hangup["hangupsource"]).startswith(ALICE)


async def test_what_the_dialplan_logs(alice: Phone, entries: Entries) -> None:
    call = await alice.invite("1900")
    await call.ended(within=60)
    await asyncio.sleep(1)
    assert [line[4:] for line in entries() if line[0] == "USER_DEFINED"] == [("Sold", {"extra": "17 pears"})]


async def test_events_of_the_manager_interface(server: Server, alice: Phone) -> None:
    told: list[Any] = []
    server.bus.subscribe("manager:", told.append)
    call = await alice.invite("1300")
    await call.answered()
    await call.hang_up()
    await asyncio.sleep(1)
    server.bus.unsubscribe("manager:", told.append)
    first = told[0]
    assert isinstance(first, ManagerEvent)
    assert (first.name, first.privilege, dict(first.headers)["EventName"]) == ("CEL", "call,all", "CHAN_START")
    assert [name for name, _ in first.headers] == (
        "EventName AccountCode CallerIDnum CallerIDname CallerIDani CallerIDrdnis CallerIDdnid Exten Context Channel "
        "Application AppData EventTime AMAFlags UniqueID LinkedID Userfield Peer PeerAccount Extra"
    ).split()
