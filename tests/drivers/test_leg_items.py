"""CHANNEL(pjsip,…): the addresses, URIs and tags of a call's dialog, of either side of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arietta.testing import AriClient, Phone


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


@pytest.fixture
def bob(registered: Callable[[str], Phone]) -> Phone:
    return registered("bob")


async def read(app: AriClient, channel: str, item: str, *, expect: int = 200) -> str:
    answer = await app.get(f"/channels/{channel}/variable", variable=f"CHANNEL({item})", expect=expect)
    return str(answer.json.get("value"))


async def test_the_dialog_of_a_call_that_came(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    dialog = call.session.dialog
    assert dialog is not None
    expected = {
        "call-id": call.call_id,
        "secure": "0",
        "local_addr": "10.0.0.1:5060",
        "remote_addr": "10.0.0.2:5060",
        "target_uri": call.session.contact.strip("<>"),
        "request_uri": "sip:1000@10.0.0.1:5060",
        "remote_uri": "sip:alice@10.0.0.1",
        "local_uri": "sip:1000@10.0.0.1:5060",
        "local_tag": dialog.remote_tag,
        "remote_tag": dialog.local_tag,
        "t38state": "DISABLED",
        "endpoint": "alice",
    }
    assert {item: await read(app, channel, f"pjsip,{item}") for item in expected} == expected
    assert await read(app, channel, "PJSIP,Secure") == "0"
    assert await read(app, channel, "peerip") == "10.0.0.2:5060"
    await read(app, channel, "pjsip,nonsense", expect=500)
    await call.hang_up()


async def test_the_dialog_of_a_call_that_goes_out(bob: Phone, app: AriClient) -> None:
    made = await app.post("/channels", endpoint="PJSIP/bob", app="app", expect=200)
    channel = made.json["id"]
    rings = await bob.ringing()
    assert (await read(app, channel, "pjsip,request_uri")).startswith("sip:bob@10.0.0.3:5060")
    assert await read(app, channel, "pjsip,target_uri") == await read(app, channel, "pjsip,request_uri")
    assert await read(app, channel, "pjsip,remote_tag") == ""
    rings.answer()
    await app.event("StasisStart")
    assert await read(app, channel, "pjsip,remote_tag") != ""
    assert await read(app, channel, "pjsip,remote_uri") == rings.request.to.uri_text
    assert await read(app, channel, "pjsip,local_uri") == rings.request.from_.uri_text
    await rings.hang_up()
