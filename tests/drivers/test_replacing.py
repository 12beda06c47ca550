"""An INVITE with Replaces takes the place of a call (RFC 3891), or answers it while it rings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from arietta.testing import AriClient, Phone, tone
from arietta.testing.call import Call


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


@pytest.fixture
def bob(registered: Callable[[str], Phone]) -> Phone:
    return registered("bob")


@pytest.fixture
def carol(registered: Callable[[str], Phone]) -> Phone:
    return registered("carol")


def naming(call: Call, more: str = "") -> tuple[tuple[str, str], ...]:
    """The header fields that ask for the place of a phone's call, as somebody else asks whom the phone told of it."""
    dialog = call.session.dialog
    assert dialog is not None
    value = f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}{more}"
    return (("Replaces", value), ("Require", "replaces"))


async def talk(one: Call, other: Call) -> None:
    words = tone(440, 400)
    one.send_audio(words)
    await other.hears(words)


async def test_a_phone_in_a_bridge_of_an_application_is_replaced(
    alice: Phone, bob: Phone, carol: Phone, app: AriClient
) -> None:
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    calls, channels = [], []
    for phone in (alice, bob):
        calls.append(await phone.invite("1000"))
        channels.append((await app.event("StasisStart"))["channel"]["id"])
        await calls[-1].answered()
        await app.post(f"/bridges/{bridge}/addChannel", channel=channels[-1], expect=204)
    new = await carol.invite("nowhere", headers=naming(calls[0]))
    await new.answered()
    start = await app.event("StasisStart")
    assert start["replace_channel"]["id"] == channels[0]
    assert start["channel"]["name"].startswith("PJSIP/carol")
    await app.event("StasisEnd", channel_id=channels[0])
    assert (await calls[0].ended()).reason == "BYE"
    assert set((await app.get(f"/bridges/{bridge}")).json["channels"]) == {channels[1], start["channel"]["id"]}
    await talk(new, calls[1])
    await new.hang_up()
    await calls[1].hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


@pytest.mark.parametrize("which", [0, 1])
async def test_a_phone_that_dial_connected_is_replaced(alice: Phone, bob: Phone, carol: Phone, which: int) -> None:
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.answer()
    await call.answered()
    await asyncio.sleep(0.1)
    former, stays = (call, far) if which == 0 else (far, call)
    new = await carol.invite("nowhere", headers=naming(former))
    await new.answered()
    await former.ended()
    await talk(new, stays)
    await stays.hang_up()
    await new.ended()


async def test_a_phone_alone_in_the_dialplan_is_replaced(alice: Phone, carol: Phone) -> None:
    call = await alice.invite("1200")
    await call.answered()
    await asyncio.sleep(1)
    new = await carol.invite("nowhere", headers=naming(call))
    await new.answered()
    await call.ended()
    await talk(new, new)
    await new.hang_up()


async def test_a_call_is_answered_while_it_rings_elsewhere(alice: Phone, bob: Phone, carol: Phone) -> None:
    call = await alice.invite("1100")
    rings = await bob.ringing()
    rings.ring()
    await call.expect(180)
    new = await carol.invite("nowhere", headers=naming(rings, ";early-only"))
    await new.answered()
    await call.answered()
    end = await rings.ended()
    assert end.reason == "CANCEL" and any(reason.protocol == "SIP" and reason.cause == 200 for reason in end.reasons)
    await talk(new, call)
    await new.hang_up()
    await call.ended()


async def test_what_is_refused(alice: Phone, bob: Phone, carol: Phone) -> None:
    call = await alice.invite("1100")
    rings = await bob.ringing()
    rings.ring()
    await call.expect(180)
    refused: list[tuple[int, tuple[tuple[str, str], ...]]] = [
        (481, naming(call)),  # an early dialog that is the caller's to end
        (481, (("Replaces", "nobody;to-tag=a;from-tag=b"),)),
        (400, (("Replaces", "nobody"),)),
        (400, (*naming(rings), *naming(rings))),
        (420, (("Join", "nobody;to-tag=a;from-tag=b"),)),
    ]
    for status, headers in refused:
        attempt = await carol.invite("nowhere", headers=headers)
        await attempt.expect(status)
    rings.answer()
    await call.answered()
    late = await carol.invite("nowhere", headers=naming(rings, ";early-only"))
    await late.expect(486)
    await call.hang_up()
    await rings.ended()
    gone = await carol.invite("nowhere", headers=naming(rings))
    await gone.expect(481)
