"""What ties the channels of a call together in its records: linkedid and account codes."""

from __future__ import annotations

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import EXTENSIONS, FILES, PJSIP

CALLS = """
exten => 1400,1,Set(CHANNEL(peeraccount)=theirs)
 same => n,Dial(PJSIP/bob,20)

exten => 1500,1,Dial(Local/1300@default,20)
"""


@pytest.fixture
def files() -> dict[str, str]:
    pjsip = PJSIP.replace("[alice]\ntype=endpoint\n", "[alice]\ntype=endpoint\naccountcode=sales\n")
    return {**FILES, "extensions.conf": EXTENSIONS + CALLS, "pjsip.conf": pjsip}


def links(server: Server) -> dict[str, str]:
    """Linkedid by what a channel's name starts with."""
    return {channel.name.rpartition("-")[0]: channel.linkedid for channel in server.channels}


async def test_who_is_dialled_has_the_linkedid_and_the_account_of_the_caller(
    server: Server, alice: Phone, bob: Phone
) -> None:
    call = await alice.invite("1100")
    other = await bob.ringing()
    calling, called = tuple(server.channels)
    assert (calling.linkedid, called.linkedid) == (calling.id, calling.id)
    assert (called.accountcode, called.peeraccount) == ("sales", "sales")
    other.answer()
    await call.answered()
    await call.hang_up()


async def test_the_account_that_the_caller_names_is_that_of_who_is_dialled(
    server: Server, alice: Phone, bob: Phone
) -> None:
    call = await alice.invite("1400")
    (await bob.ringing()).answer()
    await call.answered()
    calling, called = tuple(server.channels)
    assert (calling.accountcode, calling.peeraccount) == ("sales", "theirs")
    assert (called.accountcode, called.peeraccount) == ("theirs", "sales")
    await call.hang_up()


async def test_both_halves_of_a_local_channel_belong_to_who_called_it(server: Server, alice: Phone) -> None:
    call = await alice.invite("1500")
    await call.answered()
    calling, near, far = tuple(server.channels)
    assert {channel.linkedid for channel in server.channels} == {calling.id}
    assert (near.accountcode, far.accountcode) == ("sales", "sales")
    assert (near.half, far.half) == (far, near)
    await call.hang_up()
    await call.ended()
    assert (near.half, far.half) == (None, None)


async def test_in_a_bridge_all_take_the_linkedid_of_the_oldest(server: Server, app: AriClient, bob: Phone) -> None:
    first = (await app.post("/channels", endpoint="Local/1300@default", app="hello-world")).json["id"]
    await app.event("StasisStart", channel_id=first)
    second = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json["id"]
    (await bob.ringing()).answer()
    await app.event("StasisStart", channel_id=second)
    third = (await app.post("/channels", endpoint="Local/1300@default", app="hello-world")).json["id"]
    await app.event("StasisStart", channel_id=third)
    assert len({channel.linkedid for channel in server.channels}) == 3
    young = (await app.post("/bridges", type="mixing")).json["id"]
    await app.post(f"/bridges/{young}/addChannel", channel=f"{third},{second}")
    second_channel, third_channel = server.channels.get(second), server.channels.get(third)
    assert second_channel is not None
    assert third_channel is not None
    assert third_channel.half is not None
    assert (third_channel.linkedid, third_channel.half.linkedid) == (second, second)
    await app.post(f"/bridges/{young}/addChannel", channel=first)
    assert {channel.linkedid for channel in server.channels} == {first}
    await app.post(f"/bridges/{young}/removeChannel", channel=first)
    assert second_channel.linkedid == first
    for channel in (first, second, third):
        await app.delete(f"/channels/{channel}")
    await app.delete(f"/bridges/{young}")
