"""Calls leave nothing to the garbage collector: each of its looks at a busy server costs milliseconds."""

from __future__ import annotations

import collections
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop


@contextmanager
def uncollected() -> Iterator[collections.Counter[str]]:
    """What only the collector could free of all that was made inside, by class: the server's own objects."""
    found: collections.Counter[str] = collections.Counter()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds = (type(left) for left in gc.garbage)
        found.update(
            f"{kind.__module__}.{kind.__qualname__}"
            for kind in kinds
            if kind.__module__.startswith("arietta.") and not kind.__module__.startswith("arietta.testing")
        )
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_a_call_that_hears_the_world(server: Server, loop: VirtualLoop, alice: Phone, app: AriClient) -> None:
    async def story() -> None:
        call = await alice.invite("1000")
        await call.expect(200)
        channel = (await app.event("StasisStart"))["channel"]
        await app.post(f"/channels/{channel['id']}/play", media="sound:hello-world", expect=201)
        await app.event("PlaybackFinished")
        await call.hang_up()
        await app.event("StasisEnd")

    check(loop, story)


def test_a_call_that_the_server_ends(server: Server, loop: VirtualLoop, alice: Phone, app: AriClient) -> None:
    async def story() -> None:
        call = await alice.invite("1000")
        await call.expect(200)
        channel = (await app.event("StasisStart"))["channel"]
        await app.delete(f"/channels/{channel['id']}")
        await call.ended()
        await app.event("StasisEnd")

    check(loop, story)


def test_a_call_that_dials_another(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("1100")
        far = await bob.ringing()
        far.answer()
        await call.expect(200)
        await call.hang_up()
        await far.ended()

    check(loop, story)


def test_an_originated_call_in_a_bridge(server: Server, loop: VirtualLoop, bob: Phone, app: AriClient) -> None:
    async def story() -> None:
        bridge = (await app.post("/bridges", type="mixing")).json
        made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json
        far = await bob.ringing()
        far.answer()
        await app.event("StasisStart")
        await app.post(f"/bridges/{bridge['id']}/addChannel", channel=made["id"], expect=204)
        await app.event("ChannelEnteredBridge")
        await far.hang_up()
        await app.event("StasisEnd")
        await app.delete(f"/bridges/{bridge['id']}")

    check(loop, story)


def test_a_blind_transfer_that_is_notified(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("1100")
        far = await bob.ringing()
        far.answer()
        await call.expect(200)
        await call.send_request("REFER", headers=(("Refer-To", "<sip:1100@10.0.0.1>"),), expect=202)
        again = await bob.ringing()
        again.ring()
        again.answer()
        for _ in range(3):
            await call.expect("NOTIFY")
        await call.hang_up()
        await far.hang_up()
        await again.ended()

    check(loop, story)


def test_a_phone_that_forwards_while_it_rings(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("1100")
        first = await bob.ringing()
        first.ring()
        await first.send_request("REFER", headers=(("Refer-To", "<sip:1200@10.0.0.1>"),), expect=202)
        await call.expect(200)
        await first.ended()
        await call.hang_up()

    check(loop, story)


def check(loop: VirtualLoop, story: Callable[[], Awaitable[None]]) -> None:
    """Let the story happen once for what is made on first use, then see what further ones leave."""
    loop.run(story())
    loop.advance(40)
    with uncollected() as found:
        for _ in range(3):
            loop.run(story())
        loop.advance(40)
    if found:
        pytest.fail(f"left to the collector: {dict(found)}")
