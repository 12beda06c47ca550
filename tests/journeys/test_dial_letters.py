"""Letters of Dial as phones see them."""

from __future__ import annotations

import asyncio

import pytest

from arietta.server import Server
from arietta.testing import Phone, VirtualLoop

from .conftest import FILES

EXTENSIONS = """
exten => 1111,1,Dial(PJSIP/bob,20,c)
exten => 1112,1,Dial(PJSIP/bob,20,D(w12#:34))
exten => 1113,1,Dial(PJSIP/bob,20,L(4000))
exten => 1114,1,Dial(PJSIP/bob,20,U(screen^asks))

[screen]
exten => s,1,Read(KEY,,1,,,5)
 same => n,Set(GOSUB_RESULT=${IF($["${KEY}" = "1"]?:BUSY)})
 same => n,Return()
"""


@pytest.fixture
def files() -> dict[str, str]:
    return FILES | {"extensions.conf": FILES["extensions.conf"] + EXTENSIONS}


def test_who_rings_is_told_that_the_call_was_answered_elsewhere(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        call = await alice.invite("1111")
        far = await bob.ringing()
        far.ring()
        await call.expect(180)
        await call.cancel()
        await far.ended()
        cancel = next(seen.data for seen in bob.seen if seen.data.startswith(b"CANCEL"))
        assert b'Reason: SIP;cause=200;text="Call completed elsewhere"' in cancel

    loop.run(story())


def test_digits_go_to_both_after_the_answer(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("1112")
        far = await bob.ringing()
        far.answer()
        await call.expect(200)
        await far.hears_digits("12#")
        await call.hears_digits("34")
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_a_limit_ends_the_call(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call = await alice.invite("1113")
        far = await bob.ringing()
        far.answer()
        await call.expect(200)
        began = loop.time()
        await call.ended(within=6)
        await far.ended()
        assert 3.9 < loop.time() - began < 4.5

    loop.run(story())


@pytest.mark.parametrize(("key", "answers"), [("1", True), ("2", False)])
def test_who_answered_may_refuse_before_they_talk(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, key: str, answers: bool
) -> None:
    async def story() -> None:
        call = await alice.invite("1114")
        far = await bob.ringing()
        far.answer()
        await asyncio.sleep(1)
        await far.send_digits(key)
        if answers:
            await call.expect(200)
            await call.hang_up()
        else:
            await call.expect(486)
        await far.ended()

    loop.run(story())
