"""Pickup() without an extension answers what rings in the groups of whoever dials it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.channels.groups import NO_GROUPS, Groups
from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop, tone
from arietta.testing.plugin import Switch

from .conftest import HOSTS
from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

MORE = """
exten => *8,1,Pickup()
 same => n,Hangup(17)
exten => *9,1,Set(CHANNEL(pickupgroup)=0-5)
 same => n,Set(CHANNEL(namedpickupgroup)=)
 same => n,Set(GLOBAL(SEEN)=${CHANNEL(pickupgroup)}/${CHANNEL(namedpickupgroup)}/${CHANNEL(callgroup)})
 same => n,Pickup()
 same => n,Hangup(17)
"""
PHONES = (
    ("alice", "6001", ""),
    ("bob", "6002", "call_group=3-4\nnamed_call_group=sales,desk"),
    ("carol", "6003", "pickup_group=1,4\ncall_group=7"),
    ("dora", "6004", "named_pickup_group=desk"),
    ("eve", "6005", "pickup_group=1\nnamed_pickup_group=4"),
)


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    udp = "[udp]\ntype=transport\nprotocol=udp\nbind=10.0.0.1:5060\n"
    files = {"pjsip.conf": udp + "".join(phone_sections(*one) for one in PHONES), "extensions.conf": EXTENSIONS + MORE}
    stack = AsyncExitStack()
    running = loop.run(stack.enter_async_context(switch(FILES | files)))
    assert isinstance(running, Server)
    yield running
    loop.advance(70)
    left = len(running.channels), len(running.bridges)
    loop.run(stack.aclose())
    assert left == (0, 0)


@pytest.mark.parametrize(
    ("who", "exten", "picks"),
    [("carol", "*8", True), ("dora", "*8", True), ("eve", "*8", False), ("eve", "*9", True), ("alice", "*8", False)],
)
async def test_who_may_pick_up(
    server: Server, phone: Callable[..., Awaitable[Phone]], who: str, exten: str, picks: bool
) -> None:
    found = {}
    for name in {"alice", "bob", who}:
        found[name] = await phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER)
        await found[name].register()
    call = await found["alice"].invite("1100")
    rings = await found["bob"].ringing()
    rings.ring()
    await call.expect(180)
    other = await found[who].invite(exten)
    if not picks:
        await other.expect(486)
        await call.cancel()
        await rings.ended()
        return
    await other.answered()
    await call.answered()
    assert (await rings.ended()).reason == "CANCEL"
    words = tone(440, 400)
    other.send_audio(words)
    await call.hears(words)
    await call.hang_up()
    await other.ended()
    if exten == "*9":
        assert server.dialplan.read(None, "SEEN") == "0,1,2,3,4,5//"


@pytest.mark.parametrize("how", ["originate", "dial", "dialplan"])
async def test_what_an_application_calls_may_be_picked_up(
    server: Server, phone: Callable[..., Awaitable[Phone]], ari: Callable[..., AriClient], how: str
) -> None:
    app = ari("127.0.0.1", 8088)
    await app.connect("app")
    found = {}
    for name in ("bob", "carol"):
        found[name] = await phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER)
        await found[name].register()
    if how == "originate":
        await app.post("/channels", endpoint="PJSIP/bob", app="app", appArgs="one")
    elif how == "dialplan":
        await app.post("/channels", endpoint="PJSIP/bob", context="default", extension="1300", priority=1)
    else:
        made = (await app.post("/channels/create", endpoint="PJSIP/bob", app="app")).json["id"]
        await app.event("StasisStart", channel_id=made)
        await app.post(f"/channels/{made}/dial", timeout=30, expect=204)
    rings = await found["bob"].ringing()
    rings.ring()
    await asyncio.sleep(0.1)
    picks = await found["carol"].invite("*8")
    await picks.answered()
    end = await rings.ended()
    assert end.reason == "CANCEL" and any(
        "answered elsewhere" in str(one) or one.cause in (26, 200) for one in end.reasons
    )
    start = await app.event("StasisStart")
    assert start["channel"]["name"].startswith("PJSIP/carol-")
    assert start["args"] == {"originate": ["one"], "dialplan": ["transferred"], "dial": []}[how]
    assert ("replace_channel" in start) == (how == "dial")
    await asyncio.sleep(31)  # whatever waited for the answer waits no more
    await app.delete(f"/channels/{start['channel']['id']}", expect=204)
    await picks.ended()


def test_groups_are_lists_of_numbers_in_their_bounds() -> None:
    assert NO_GROUPS.with_numbers("1, 3-5").numbers == "1,3,4,5"
    assert NO_GROUPS.with_names("b, a,").names == "a,b"
    assert not NO_GROUPS.meets(NO_GROUPS)
    assert not Groups(frozenset({1})).meets(Groups(named=frozenset({"1"})))
    for text in ("64", "5-3", "-1", "x", "1-", "99999999999999999999"):
        with pytest.raises(ValueError):
            NO_GROUPS.with_numbers(text)


@given(st.frozensets(st.integers(0, 63)), st.frozensets(st.integers(0, 63)))
def test_what_is_written_is_read_again(one: frozenset[int], other: frozenset[int]) -> None:
    groups = NO_GROUPS.with_numbers(Groups(one).numbers)
    assert groups.numbered == one
    assert groups.meets(Groups(other)) == bool(one & other)
