"""The events of transfers that phones ask for."""

from __future__ import annotations

from urllib.parse import quote

from arietta.testing import AriClient, Phone
from arietta.testing.call import Call

from .conftest import Watch


async def refer(call: Call, to: str) -> None:
    """Ask for a transfer and wait until it is over."""
    await call.send_request("REFER", headers=(("Refer-To", to),), expect=202)
    while True:
        body = (await call.expect("NOTIFY")).message.body
        if not body.startswith(b"SIP/2.0 100"):
            return


async def in_a_bridge(app: AriClient, *phones: Phone) -> tuple[str, list[Call], list[str]]:
    """Phones that talk in a bridge of the application: its id, their calls, their channels."""
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    calls, channels = [], []
    for phone in phones:
        call = await phone.invite("1000")
        channels.append((await app.event("StasisStart"))["channel"]["id"])
        await call.answered()
        await app.post(f"/bridges/{bridge}/addChannel", channel=channels[-1], expect=204)
        calls.append(call)
    return bridge, calls, channels


async def end(app: AriClient, *bridges: str) -> None:
    """Hang up whoever is left, and take the bridges away."""
    for channel in (await app.get("/channels")).json:
        if channel["name"][-2:] != ";2":
            await app.delete(f"/channels/{channel['id']}")
    for bridge in bridges:
        await app.delete(f"/bridges/{bridge}")


async def test_a_blind_transfer(alice: Phone, bob: Phone, app: AriClient, watch: Watch) -> None:
    bridge, (here, _), (one, two) = await in_a_bridge(app, alice, bob)
    watch.forget()
    await refer(here, "<sip:1200@10.0.0.1>")
    story = watch.ladder()
    story = [line for line in story if line.split()[0] in ("Newchannel", "BlindTransfer", "BridgeLeave", "BridgeEnter")]
    assert story[:3] == [
        "Newchannel 1200@default;1 Down",
        "Newchannel 1200@default;2 Ring",
        "BlindTransfer alice bob Success 1200 default Yes",
    ]
    assert "BridgeEnter 1200@default;1 simple_bridge 2" in story
    assert "BridgeLeave alice simple_bridge 1" in story
    told = watch.named("BlindTransfer")[0]
    assert (told["TransfererUniqueid"], told["TransfereeUniqueid"]) == (one, two)
    assert (told["BridgeUniqueid"], told["BridgeNumChannels"]) == (bridge, "2")
    assert {event["Linkedid"] for event in watch.named("Newchannel")} == {one}
    await here.hang_up()
    await end(app, bridge)


async def test_an_attended_transfer(alice: Phone, bob: Phone, app: AriClient, watch: Watch) -> None:
    first, (here, _), (one, two) = await in_a_bridge(app, alice, bob)
    second, (there,), (three,) = await in_a_bridge(app, alice)
    echo = (await app.post("/channels", endpoint="Local/1200@default", app="hello-world")).json["id"]
    await app.event("StasisStart", channel_id=echo)
    await app.post(f"/bridges/{second}/addChannel", channel=echo, expect=204)
    watch.forget()
    dialog = there.session.dialog
    assert dialog is not None
    tags = f"{there.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    await refer(here, f"<sip:1000@10.0.0.1?Replaces={quote(tags, safe='')}>")
    (told,) = watch.named("AttendedTransfer")
    assert (told["Result"], told["DestType"]) == ("Success", "Link")
    assert (told["OrigTransfererUniqueid"], told["SecondTransfererUniqueid"]) == (one, three)
    assert (told["OrigBridgeUniqueid"], told["SecondBridgeUniqueid"]) == (first, second)
    assert (told["TransfereeUniqueid"], told["TransferTargetUniqueid"]) == (two, echo)
    assert told["LocalOneChannel"].startswith("Local/_attended@transfer")
    assert told["LocalTwoChannel"].startswith("Local/_attended@transfer")
    await there.ended()
    await here.hang_up()
    await end(app, first, second)
