"""pickupexten: a phone dials it to answer a call that rings in its group."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone, VirtualLoop

from .conftest import FILES


@pytest.fixture
def files() -> dict[str, str]:
    return FILES | {
        "pjsip.conf": FILES["pjsip.conf"]
        .replace("[bob]\ntype=endpoint", "[bob]\ntype=endpoint\ncall_group=1")
        .replace("[alice]\ntype=endpoint", "[alice]\ntype=endpoint\npickup_group=1,2"),
        "features.conf": "[general]\npickupsound = beep\npickupfailsound = beeperr\n",
    }


def test_a_call_of_the_group_is_answered(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call = await carrier.invite("1100")
        rings = await bob.ringing()
        rings.ring()
        await asyncio.sleep(1)
        taken = await alice.invite("*8")
        await taken.expect(200)
        await call.expect(200)
        await rings.ended()
        await asyncio.sleep(1)
        await taken.hang_up()
        await call.ended()
        assert server.dialplan.globals.get("HOW") in (None, "ANSWER")

    loop.run(story())


def test_without_a_call_that_rings_there_is_none(server: Server, loop: VirtualLoop, alice: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("*8")
        await call.expect(404)

    loop.run(story())


def test_who_is_in_no_group_picks_nothing_up(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call = await alice.invite("1100")
        rings = await bob.ringing()
        rings.ring()
        await asyncio.sleep(1)
        other = await carrier.invite("*8")
        await other.expect(404)
        rings.answer()
        await call.expect(200)
        await call.hang_up()
        await rings.ended()

    loop.run(story())
