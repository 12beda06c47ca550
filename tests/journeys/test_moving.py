"""Channels moved from outside, whatever they are in: redirected, bridged, transferred."""

from __future__ import annotations

import asyncio

import pytest

from arietta.channels.channel import Channel
from arietta.errors import Conflict, NotFound
from arietta.server import Server
from arietta.stasis.moving import Place
from arietta.testing import AriClient, Phone, VirtualLoop, tone
from arietta.testing.call import Call

from .conftest import FILES

MORE = """
exten => 1400,1,Answer()
 same => n,Bridge(PJSIP/alice,${OPTIONS})
 same => n,Set(GLOBAL(RESULT)=${BRIDGERESULT})
 same => n,Hangup()

exten => 1600,1,Set(__PICKUPMARK=desk)
 same => n,Dial(PJSIP/bob,20)
exten => 1701,1,Pickup(1600@default)
exten => 1702,1,Pickup(4711&desk@PICKUPMARK)
exten => 1703,1,PickupChan(PJSIP/bob)
exten => 1704,1,PickupChan(PJSIP/b,p)
exten => 1705,1,Pickup(4711)
 same => n,Hangup(17)

exten => 1500,1,ChannelRedirect(${TARGET},default,1200,1)
 same => n,Set(GLOBAL(RESULT)=${CHANNELREDIRECT_STATUS})
 same => n,Hangup()
"""


@pytest.fixture
def files() -> dict[str, str]:
    silent = "[general]\nxfersound=\nxferfailsound=\n"
    return FILES | {"extensions.conf": FILES["extensions.conf"] + MORE, "features.conf": silent}


async def entered(phone: Phone, app: AriClient) -> tuple[Call, str]:
    """A call of a phone in the application, and its channel."""
    call = await phone.invite("1000")
    await call.expect(200)
    return call, (await app.event("StasisStart"))["channel"]["id"]


async def bridged(app: AriClient, *channels: str) -> str:
    """A bridge of the application with these channels."""
    bridge: str = (await app.post("/bridges", type="mixing")).json["id"]
    for channel in channels:
        await app.post(f"/bridges/{bridge}/addChannel", channel=channel, expect=204)
        await app.event("ChannelEnteredBridge")
    return bridge


async def dialled(alice: Phone, bob: Phone) -> tuple[Call, Call]:
    """Alice and Bob talk, by Dial."""
    call = await alice.invite("1100")
    far = await bob.ringing()
    far.answer()
    await call.expect(200)
    await asyncio.sleep(0.1)
    return call, far


async def talk(one: Call, other: Call) -> None:
    """One hears what the other says."""
    words = tone(1000, 400)  # no frequency of ringing
    one.send_audio(words)
    await other.hears(words)


def named(server: Server, name: str) -> Channel:
    return next(channel for channel in server.channels if channel.name.startswith(name))


def test_a_channel_is_redirected_out_of_an_application(
    server: Server, loop: VirtualLoop, alice: Phone, app: AriClient
) -> None:
    async def story() -> None:
        call, channel = await entered(alice, app)
        await app.post(f"/channels/{channel}/play", media="sound:hello-world", expect=201)
        await app.event("PlaybackStarted")
        server.moves.redirect(named(server, "PJSIP/alice"), "default", "1200")
        assert (await app.event("PlaybackFinished"))["playback"]["state"] == "failed"
        await app.event("StasisEnd", channel_id=channel)
        await talk(call, call)
        await call.hang_up()

    loop.run(story())


def test_a_channel_is_redirected_out_of_a_bridge_of_an_application(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient
) -> None:
    async def story() -> None:
        (one, first), (other, second) = await entered(alice, app), await entered(bob, app)
        bridge = await bridged(app, first, second)
        server.moves.redirect(named(server, "PJSIP/alice"), "default", "1200")
        left = await app.event("ChannelLeftBridge")
        assert left["channel"]["id"] == first
        await app.event("StasisEnd", channel_id=first)
        await talk(one, one)
        assert (await app.get(f"/bridges/{bridge}")).json["channels"] == [second]
        await one.hang_up()
        await other.hang_up()
        await app.delete(f"/bridges/{bridge}")

    loop.run(story())


def test_an_originated_channel_is_redirected_too(server: Server, loop: VirtualLoop, bob: Phone, app: AriClient) -> None:
    async def story() -> None:
        await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")
        call = await bob.ringing()
        with pytest.raises(Conflict, match="was not answered"):
            server.moves.redirect(named(server, "PJSIP/bob"), "default", "1200")
        call.answer()
        await app.event("StasisStart")
        server.moves.redirect(named(server, "PJSIP/bob"), "default", "1200")
        await app.event("StasisEnd")
        await talk(call, call)
        await call.hang_up()

    loop.run(story())


def test_a_channel_that_records_and_is_spied_on_keeps_its_recording(
    server: Server, loop: VirtualLoop, alice: Phone, app: AriClient
) -> None:
    async def story() -> None:
        call, channel = await entered(alice, app)
        spy = (await app.post(f"/channels/{channel}/snoop", spy="both", app="hello-world")).json["id"]
        await app.event("StasisStart")
        await app.post(f"/channels/{channel}/record", name="kept", format="wav", expect=201)
        await app.event("RecordingStarted")
        await asyncio.sleep(1)
        server.moves.redirect(named(server, "PJSIP/alice"), "default", "1200")
        assert (await app.event("RecordingFinished"))["recording"]["state"] == "done"
        await app.event("StasisEnd", channel_id=channel)
        assert (await app.get(f"/channels/{spy}")).json["state"] == "Up"
        await call.hang_up()
        await app.event("StasisEnd", channel_id=spy)
        await app.delete("/recordings/stored/kept", expect=204)

    loop.run(story())


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_one_of_two_that_dial_connected_goes_and_the_other_ends(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, who: str
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        server.moves.redirect(named(server, f"PJSIP/{who}"), "default", "1200")
        goes, stays = (call, far) if who == "alice" else (far, call)
        await stays.ended()
        await talk(goes, goes)
        await goes.hang_up()

    loop.run(story())


def test_both_are_redirected_and_neither_hangs_up_the_other(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        one, other = named(server, "PJSIP/alice"), named(server, "PJSIP/bob")
        with pytest.raises(NotFound):
            server.moves.redirect_both(one, Place("default", "1200"), other, Place("default", "4711"))
        with pytest.raises(Conflict):
            server.moves.redirect_both(one, Place("default", "1200"), one, Place("default", "1200"))
        server.moves.redirect_both(one, Place("default", "1200"), other, Place("default", "1000"))
        start = await app.event("StasisStart")
        assert start["channel"]["name"].startswith("PJSIP/bob")
        await talk(call, call)
        await call.hang_up()
        await far.hang_up()

    loop.run(story())


def test_what_cannot_be_moved_is_refused(server: Server, loop: VirtualLoop, alice: Phone, app: AriClient) -> None:
    async def story() -> None:
        call, _ = await entered(alice, app)
        channel = named(server, "PJSIP/alice")
        for place in (("default", "4711"), ("nowhere", "s"), ("default", "1200", 99), ("default", "1200", "label")):
            with pytest.raises(NotFound):
                server.moves.redirect(channel, *place)
        with pytest.raises(Conflict, match="itself"):
            server.moves.bridge(channel, channel)
        with pytest.raises(Conflict, match="in no bridge"):
            server.moves.blind_transfer(channel, "default", "1200")
        with pytest.raises(Conflict, match="in no bridge"):
            server.moves.attended_transfer(channel, "default", "1200")
        with pytest.raises(Conflict, match="not transferring"):
            server.moves.cancel_attended_transfer(channel)
        await call.hang_up()
        with pytest.raises(Conflict, match="being hung up"):
            server.moves.redirect(channel, "default", "1200")

    loop.run(story())


def test_two_channels_of_an_application_are_bridged_and_leave_it(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient
) -> None:
    async def story() -> None:
        (one, first), (other, second) = await entered(alice, app), await entered(bob, app)
        bridge = await bridged(app, first)
        server.moves.bridge(named(server, "PJSIP/alice"), named(server, "PJSIP/bob"))
        ended = [(await app.event("StasisEnd"))["channel"]["id"] for _ in range(2)]
        assert set(ended) == {first, second}
        await talk(one, other)
        await other.hang_up()
        await one.ended()  # the step behind Stasis is Hangup
        await app.no_event("StasisStart")
        await app.delete(f"/bridges/{bridge}")

    loop.run(story())


def test_one_of_dial_is_bridged_with_one_of_the_dialplan(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        third = await carrier.invite("1200")
        await third.expect(200)
        server.moves.bridge(named(server, "PJSIP/carrier"), named(server, "PJSIP/bob"))
        await call.ended()
        await talk(third, far)
        await third.hang_up()
        await far.ended()

    loop.run(story())


def test_a_channel_that_ends_before_its_bridge_leaves_nobody_alone(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        one = await alice.invite("1200")
        await one.expect(200)
        other = await bob.invite("1300")
        await other.expect(200)
        await asyncio.sleep(1)  # it waits in its last step then
        server.moves.bridge(named(server, "PJSIP/alice"), named(server, "PJSIP/bob"))
        named(server, "PJSIP/alice").request_hangup()
        await one.ended()
        await other.ended()

    loop.run(story())


@pytest.mark.parametrize(
    ("options", "result"), [("", "SUCCESS"), ("x", "SUCCESS"), ("k", "FAILURE"), ("S(2)", "SUCCESS")]
)
def test_the_dialplan_bridges(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient, options: str, result: str
) -> None:
    async def story() -> None:
        await app.post("/asterisk/variable", variable="OPTIONS", value=options, expect=204)
        one, channel = await entered(alice, app)
        other = await bob.invite("1400")
        await other.expect(200)
        if result == "SUCCESS":
            await app.event("StasisEnd", channel_id=channel)
            await talk(other, one)
        if options == "S(2)" or result == "FAILURE":
            await other.ended()
            assert (await app.get("/asterisk/variable", variable="RESULT")).json["value"] == result
        else:
            await other.hang_up()
        if result == "SUCCESS":
            await one.ended()
        else:
            await one.hang_up()

    loop.run(story())


def test_the_dialplan_redirects(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient) -> None:
    async def story() -> None:
        one, channel = await entered(alice, app)
        await app.post("/asterisk/variable", variable="TARGET", value=channel, expect=204)
        other = await bob.invite("1500")
        await app.event("StasisEnd", channel_id=channel)
        await other.ended()
        assert (await app.get("/asterisk/variable", variable="RESULT")).json["value"] == "SUCCESS"
        await talk(one, one)
        await one.hang_up()

    loop.run(story())


@pytest.mark.parametrize("how", ["1701", "1702", "1703", "1704"])
def test_a_call_that_rings_is_picked_up(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone, how: str
) -> None:
    async def story() -> None:
        call = await alice.invite("1600")
        rings = await bob.ringing()
        rings.ring()
        await call.expect(180)
        nobody = await carrier.invite("1705")
        await nobody.expect(486)
        picks = await carrier.invite(how)
        await picks.expect(200)
        await call.expect(200)
        assert (await rings.ended()).reason == "CANCEL"
        await talk(picks, call)
        await call.hang_up()
        await picks.ended()

    loop.run(story())


def test_the_manager_transfers_blindly(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        server.moves.blind_transfer(named(server, "PJSIP/alice"), "default", "1200")
        await call.ended()
        await talk(far, far)
        await far.hang_up()

    loop.run(story())


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_hangup_completes_an_attended_transfer(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient, who: str
) -> None:
    async def story() -> None:
        await app.connect("all", subscribe_all=True)
        call, far = await dialled(alice, bob)
        mine, other = (call, far) if who == "alice" else (far, call)
        channel = named(server, f"PJSIP/{who}")
        server.moves.attended_transfer(channel, "default", "1200")
        with pytest.raises(Conflict, match="already"):
            server.moves.attended_transfer(channel, "default", "1200")
        await talk(mine, mine)
        await mine.hang_up()
        told = await app.event("BridgeAttendedTransfer")
        assert (told["result"], told["destination_type"]) == ("Success", "bridge")
        assert told["transfer_target"]["name"].startswith("Local/1200@default-")
        await talk(other, other)
        await other.hang_up()

    loop.run(story())


def test_an_attended_transfer_out_of_a_bridge_of_an_application(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient
) -> None:
    async def story() -> None:
        (one, first), (other, second) = await entered(alice, app), await entered(bob, app)
        bridge = await bridged(app, first, second)
        server.moves.attended_transfer(named(server, "PJSIP/alice"), "default", "1200")
        await talk(one, one)
        await one.hang_up()
        start = await app.event("StasisStart")
        assert start["replace_channel"]["id"] == first
        half = start["channel"]["id"]
        await talk(other, other)
        assert set((await app.get(f"/bridges/{bridge}")).json["channels"]) == {second, half}
        await other.hang_up()
        await app.delete(f"/channels/{half}")
        await app.delete(f"/bridges/{bridge}")

    loop.run(story())


def test_an_attended_transfer_that_nobody_answers_comes_back(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone, app: AriClient
) -> None:
    async def story() -> None:
        call = await carrier.invite("1100")
        far = await bob.ringing()
        far.answer()
        await call.expect(200)
        await asyncio.sleep(0.1)
        server.moves.attended_transfer(named(server, "PJSIP/carrier"), "default", "1100")
        second = await bob.ringing()
        second.ring()
        await second.ended(within=20)
        await talk(call, far)
        server.moves.attended_transfer(named(server, "PJSIP/carrier"), "default", "1200")
        await talk(call, call)
        server.moves.cancel_attended_transfer(named(server, "PJSIP/carrier"))
        await asyncio.sleep(1)
        await talk(call, far)
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_moves_leave_nothing_to_the_collector(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    from .test_garbage import check

    async def story() -> None:
        one = await alice.invite("1200")
        await one.expect(200)
        other = await bob.invite("1300")
        await other.expect(200)
        await asyncio.sleep(1)  # it waits in its last step then
        server.moves.bridge(named(server, "PJSIP/alice"), named(server, "PJSIP/bob"))
        await asyncio.sleep(1)
        server.moves.redirect(named(server, "PJSIP/alice"), "default", "1200")
        await other.ended()
        await one.hang_up()

    check(loop, story)
