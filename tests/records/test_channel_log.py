"""The log of channels: every event in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from arietta.manager.message import ManagerEvent
from arietta.server import Server
from arietta.testing import AriClient, Phone

Entries = Callable[[], list[tuple[str, str, str, str, str, dict[str, object]]]]
Told = Callable[..., list[tuple[str, ...]]]
ALICE, BOB = "PJSIP/alice", "PJSIP/bob"


@pytest.fixture
def told(server: Server) -> Iterator[Told]:
    """A function that gives these headers of the CEL events of these names so far."""
    heard: list[Any] = []
    server.bus.subscribe("manager:", heard.append)

    def read(names: tuple[str, ...], *headers: str) -> list[tuple[str, ...]]:
        events = [dict(event.headers) for event in heard if isinstance(event, ManagerEvent) and event.name == "CEL"]
        return [tuple(event[header] for header in headers) for event in events if event["EventName"] in names]

    yield read
    server.bus.unsubscribe("manager:", heard.append)


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


async def test_whoever_ends_a_call_is_its_source(alice: Phone, bob: Phone, entries: Entries) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await asyncio.sleep(1)
    await other.hang_up()
    await call.ended()
    await asyncio.sleep(1)
    ends = {name: extra for kind, name, *_, extra in entries() if kind == "HANGUP"}
    source = str(ends[BOB]["hangupsource"])
    assert source.startswith(BOB)
    assert ends == {
        BOB: {"hangupcause": 16, "hangupsource": source, "dialstatus": ""},
        ALICE: {"hangupcause": 16, "hangupsource": "", "dialstatus": "ANSWER"},
    }


async def test_a_phone_that_is_busy(alice: Phone, bob: Phone, entries: Entries) -> None:
    call = await alice.invite("1100")
    (await bob.ringing()).reject(486)
    await call.ended()
    await asyncio.sleep(11)
    ends = {name: extra for kind, name, *_, extra in entries() if kind == "HANGUP"}
    assert (ends[BOB]["hangupcause"], ends[BOB]["dialstatus"]) == (17, "")
    assert ends[ALICE] == {"hangupcause": 17, "hangupsource": "dialplan/builtin", "dialstatus": "BUSY"}


async def test_an_application_ends_with_the_arguments_it_began_with(alice: Phone, told: Told) -> None:
    call = await alice.invite("1700")
    await call.ended(within=60)
    await asyncio.sleep(1)
    assert told(("APP_START", "APP_END"), "EventName", "Application", "AppData") == [
        ("APP_START", "Wait", "3"),
        ("APP_END", "Wait", "3"),
    ]


async def test_a_linkedid_ends_where_an_older_one_takes_its_place(
    alice: Phone, bob: Phone, app: AriClient, told: Told
) -> None:
    calls, ids = [], []
    for phone in (alice, bob):
        calls.append(await phone.invite("1000"))
        ids.append((await app.event("StasisStart"))["channel"]["id"])
        await asyncio.sleep(1)
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    for channel in reversed(ids):
        await app.post(f"/bridges/{bridge}/addChannel", channel=channel)
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}")
    await asyncio.sleep(1)
    older, younger = ids
    assert told(("BRIDGE_ENTER", "LINKEDID_END"), "EventName", "UniqueID", "LinkedID") == [
        ("BRIDGE_ENTER", younger, younger),
        ("LINKEDID_END", younger, younger),
        ("BRIDGE_ENTER", older, older),
        ("LINKEDID_END", younger, older),
    ]


async def test_who_else_is_in_a_bridge(
    alice: Phone, bob: Phone, carrier: Phone, app: AriClient, entries: Entries
) -> None:
    calls = []
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    for phone in (alice, bob, carrier):
        calls.append(await phone.invite("1000"))
        channel = (await app.event("StasisStart"))["channel"]["id"]
        await app.post(f"/bridges/{bridge}/addChannel", channel=channel)
    technology = (await app.get(f"/bridges/{bridge}")).json["technology"]
    for call in calls:
        await call.hang_up()
        await asyncio.sleep(1)
    await app.delete(f"/bridges/{bridge}")
    found = [line for line in entries() if line[0].startswith("BRIDGE")]
    trunk = "PJSIP/carrier"
    assert [(kind, name, peer) for kind, name, _, peer, *_ in found] == [
        ("BRIDGE_ENTER", ALICE, ""),
        ("BRIDGE_ENTER", BOB, ALICE),
        ("BRIDGE_ENTER", trunk, f"{ALICE},{BOB}"),
        ("BRIDGE_EXIT", ALICE, f"{BOB},{trunk}"),
        ("BRIDGE_EXIT", BOB, trunk),
        ("BRIDGE_EXIT", trunk, ""),
    ]
    assert found[2][5] == {"bridge_id": bridge, "bridge_technology": technology}


async def test_a_blind_transfer(server: Server, alice: Phone, bob: Phone, entries: Entries) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await asyncio.sleep(1)
    (bridge,) = (one.id for one in server.bridges)
    gone, stays = server.channels
    server.moves.blind_transfer(gone, "default", "1200")
    await call.ended()
    await other.hang_up()
    await asyncio.sleep(1)
    assert [(name, extra) for kind, name, *_, extra in entries() if kind == "BLINDTRANSFER"] == [
        (
            ALICE,
            {
                "extension": "1200",
                "context": "default",
                "bridge_id": bridge,
                "transferee_channel_name": stays.name,
                "transferee_channel_uniqueid": stays.id,
            },
        )
    ]
