"""Transfers that phones ask for: REFER, its NOTIFYs, and what becomes of channels and bridges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import pytest

from arietta.sip.message import Request
from arietta.testing import AriClient, Phone, tone
from arietta.testing.call import Call

from .running import SERVER


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


@pytest.fixture
def bob(registered: Callable[[str], Phone]) -> Phone:
    return registered("bob")


@pytest.fixture
def carol(registered: Callable[[str], Phone]) -> Phone:
    return registered("carol")


@pytest.fixture
def dora(registered: Callable[[str], Phone]) -> Phone:
    return registered("dora")


@pytest.fixture
def eve(registered: Callable[[str], Phone]) -> Phone:
    return registered("eve")


async def refer(call: Call, to: str, *, expect: int = 202, headers: tuple[tuple[str, str], ...] = ()) -> None:
    """Ask for a transfer."""
    await call.send_request("REFER", headers=(("Refer-To", to), *headers), expect=expect)


async def notified(call: Call, *statuses: int) -> None:
    """The NOTIFYs of a transfer, in order; the last ends the subscription."""
    for status in statuses:
        request = (await call.expect("NOTIFY")).message
        assert isinstance(request, Request)
        assert request.body.startswith(f"SIP/2.0 {status} ".encode())
        assert (request.get("Event") or "").startswith("refer")
        assert request.content_type.startswith("message/sipfrag")
        state = request.get("Subscription-State") or ""
        assert state.startswith("active" if status == 100 else "terminated")


def replacing(call: Call) -> str:
    """A Refer-To that names a call of the same phone (RFC 3891)."""
    dialog = call.session.dialog
    assert dialog is not None
    value = f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    return f"<sip:1000@{SERVER[0]}?Replaces={quote(value, safe='')}>"


async def in_a_bridge(app: AriClient, *phones: Phone) -> tuple[str, list[Call], list[str]]:
    """Phones that called the application and talk in one bridge of it: its id, the calls, the channels."""
    bridge = (await app.post("/bridges", type="mixing")).json["id"]
    calls, channels = [], []
    for phone in phones:
        call = await phone.invite("1000")
        channels.append((await app.event("StasisStart"))["channel"]["id"])
        await call.answered()
        await app.post(f"/bridges/{bridge}/addChannel", channel=channels[-1], expect=204)
        calls.append(call)
    return bridge, calls, channels


async def test_a_blind_transfer_puts_a_local_channel_in_the_phones_place(
    alice: Phone, bob: Phone, app: AriClient
) -> None:
    bridge, (here, there), (one, two) = await in_a_bridge(app, alice, bob)
    await refer(here, f"<sip:1200@{SERVER[0]}>")
    await notified(here, 100, 200)
    told = await app.event("BridgeBlindTransfer")
    assert (told["result"], told["exten"], told["context"], told["is_external"]) == ("Success", "1200", "default", True)
    assert (told["channel"]["id"], told["transferee"]["id"]) == (one, two)
    assert set(told["bridge"]["channels"]) == {one, two}
    start = await app.event("StasisStart")
    assert start["replace_channel"]["id"] == one
    assert start["channel"]["id"] == told["replace_channel"]["id"]
    assert start["channel"]["name"].startswith("Local/1200@default-") and start["channel"]["name"].endswith(";1")
    await app.event("StasisEnd", channel_id=one)
    await app.no_event("ChannelHangupRequest", channel_id=one)
    assert app.types().count("BridgeBlindTransfer") == 1  # although channel and bridge are both subscribed to
    members = (await app.get(f"/bridges/{bridge}")).json["channels"]
    assert set(members) == {two, start["channel"]["id"]}

    words = tone(440, 500)
    there.send_audio(words)
    await there.hears(words)  # 1200 is an echo
    await here.hang_up()
    await there.hang_up()
    await app.delete(f"/channels/{start['channel']['id']}", expect=204)
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_the_phone_that_never_sends_its_bye_gets_one(alice: Phone, bob: Phone, app: AriClient) -> None:
    bridge, (here, there), _ = await in_a_bridge(app, alice, bob)
    await refer(here, f"<sip:1200@{SERVER[0]}>")
    await notified(here, 100, 200)
    await asyncio.sleep(50)
    assert here.end is None
    end = await here.ended(within=15)
    assert end.by == "remote"
    await there.hang_up()
    half = (await app.get(f"/bridges/{bridge}")).json["channels"][0]
    await app.delete(f"/channels/{half}", expect=204)
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_transfer_from_no_bridge_is_invalid(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    await app.event("StasisStart")
    await refer(call, f"<sip:1200@{SERVER[0]}>")
    await notified(call, 100, 400)
    told = await app.event("BridgeBlindTransfer")
    assert told["result"] == "Invalid"
    assert "bridge" not in told and "transferee" not in told
    await call.hang_up()


async def test_a_transfer_of_nobody_is_invalid_and_leaves_the_phone_where_it_is(alice: Phone, app: AriClient) -> None:
    bridge, (call,), channels = await in_a_bridge(app, alice)
    await refer(call, f"<sip:1200@{SERVER[0]}>")
    await notified(call, 100, 400)
    told = await app.event("BridgeBlindTransfer")
    assert (told["result"], told["bridge"]["channels"]) == ("Invalid", channels)
    assert "transferee" not in told and "replace_channel" not in told
    assert (await app.get(f"/bridges/{bridge}")).json["channels"] == channels
    await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_transfer_to_nowhere_tells_the_phone_alone(alice: Phone, bob: Phone, app: AriClient) -> None:
    bridge, calls, channels = await in_a_bridge(app, alice, bob)
    await refer(calls[0], f"<sip:9999@{SERVER[0]}>")
    await notified(calls[0], 100, 404)
    assert "BridgeBlindTransfer" not in app.types()
    assert set((await app.get(f"/bridges/{bridge}")).json["channels"]) == set(channels)
    await refer(calls[0], f"<sip:9998@{SERVER[0]}>")
    await notified(calls[0], 100, 404)  # a second one, with an id of its own
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_what_is_refused_at_once(alice: Phone, bob: Phone, eve: Phone, app: AriClient) -> None:
    bridge, calls, _ = await in_a_bridge(app, alice, bob, eve)
    await refer(calls[0], "<tel:+1234>", expect=202)
    await notified(calls[0], 100, 404)
    await refer(calls[0], "<mailto:a@b>", expect=416)
    await refer(calls[0], f"<sip:{SERVER[0]}>", expect=400)
    await refer(calls[2], f"<sip:1200@{SERVER[0]}>", expect=603)  # allow_transfer=no
    await calls[0].send_request("NOTIFY", headers=(("Event", "message-summary"),), expect=489)
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_phone_may_ask_for_no_notifications(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    response = await call.send_request(
        "REFER", headers=(("Refer-To", f"<sip:1200@{SERVER[0]}>"), ("Refer-Sub", "false")), expect=202
    )
    assert response.get("Refer-Sub") == "false"  # RFC 4488 4.2
    await asyncio.sleep(2)
    assert "NOTIFY" not in [beat.what for beat in call.story]
    await call.hang_up()


async def test_who_was_called_by_dial_goes_into_the_dialplan(alice: Phone, bob: Phone, app: AriClient) -> None:
    call = await alice.invite("1100")
    answer = await bob.ringing()
    answer.answer()
    await call.answered()
    await refer(call, f"<sip:1200@{SERVER[0]}>")
    await notified(call, 100, 200)
    words = tone(440, 500)
    answer.send_audio(words)
    await answer.hears(words)
    await call.hang_up()
    await answer.hang_up()


async def test_the_caller_of_dial_goes_into_the_dialplan(alice: Phone, bob: Phone, app: AriClient) -> None:
    call = await alice.invite("1100")
    answer = await bob.ringing()
    answer.answer()
    await call.answered()
    await refer(answer, f"<sip:1300@{SERVER[0]}>")
    await notified(answer, 100, 200)
    start = await app.event("StasisStart")
    assert (start["args"], start["channel"]["name"].split("-")[0]) == (["transferred"], "PJSIP/alice")
    await answer.hang_up()
    await call.hang_up()


async def test_an_attended_transfer_joins_two_calls_of_dial(
    alice: Phone, bob: Phone, carol: Phone, app: AriClient
) -> None:
    await app.connect("all", subscribe_all=True)
    first = await alice.invite("1100")
    to_bob = await bob.ringing()
    to_bob.answer()
    await first.answered()
    second = await alice.invite("1101")
    to_carol = await carol.ringing()
    to_carol.answer()
    await second.answered()
    await refer(first, replacing(second))
    await notified(first, 100, 200)
    told = await app.event("BridgeAttendedTransfer")
    assert (told["result"], told["destination_type"]) == ("Success", "bridge")
    assert told["destination_bridge"] == told["transferer_second_leg_bridge"]["id"]
    assert told["transferee"]["name"].startswith("PJSIP/bob")
    assert told["transfer_target"]["name"].startswith("PJSIP/carol")
    await second.ended()
    bridges = (await app.get("/bridges")).json
    assert [len(bridge["channels"]) for bridge in bridges] == [2]

    words = tone(440, 500)
    to_bob.send_audio(words)
    await to_carol.hears(words)
    await first.hang_up()
    await to_bob.hang_up()
    await to_carol.ended()


async def test_an_attended_transfer_links_two_bridges_of_an_application(
    alice: Phone, bob: Phone, carol: Phone, app: AriClient
) -> None:
    one, (first, to_bob), (first_id, bob_id) = await in_a_bridge(app, alice, bob)
    two, (second, to_carol), (second_id, carol_id) = await in_a_bridge(app, alice, carol)
    await refer(first, replacing(second))
    await notified(first, 100, 200)
    told = await app.event("BridgeAttendedTransfer")
    assert (told["result"], told["destination_type"]) == ("Success", "link")
    assert (told["transferer_first_leg"]["id"], told["transferer_second_leg"]["id"]) == (first_id, second_id)
    assert (told["transferee"]["id"], told["transfer_target"]["id"]) == (bob_id, carol_id)
    links = [told[f"destination_link_{which}_leg"]["id"] for which in ("first", "second")]
    assert told["destination_link_first_leg"]["name"].startswith("Local/_attended@transfer-")
    starts = [await app.event("StasisStart") for _ in links]
    assert [start["channel"]["id"] for start in starts] == links
    assert [start["replace_channel"]["id"] for start in starts] == [first_id, second_id]
    assert set((await app.get(f"/bridges/{one}")).json["channels"]) == {bob_id, links[0]}
    assert set((await app.get(f"/bridges/{two}")).json["channels"]) == {carol_id, links[1]}

    words = tone(440, 500)
    to_bob.send_audio(words)
    await to_carol.hears(words)
    await second.ended()
    await first.hang_up()
    await to_bob.hang_up()
    await to_carol.hang_up()
    await app.delete(f"/channels/{links[0]}", expect=204)
    for bridge in (one, two):
        await app.delete(f"/bridges/{bridge}", expect=204)


async def test_an_attended_transfer_to_a_call_alone_in_an_application(alice: Phone, bob: Phone, app: AriClient) -> None:
    await app.connect("other")
    bridge, (first, to_bob), (first_id, _) = await in_a_bridge(app, alice, bob)
    second = await alice.invite("1002")
    await second.answered()
    second_id = (await app.event("StasisStart", application="other"))["channel"]["id"]
    await refer(first, replacing(second))
    await notified(first, 100, 200)
    told = await app.event("BridgeAttendedTransfer")
    assert (told["destination_type"], told["destination_application"]) == ("application", "Stasis")
    assert "transfer_target" not in told
    near = await app.event("StasisStart", application="app")
    far = await app.event("StasisStart", application="other")
    assert near["replace_channel"]["id"] == first_id
    assert (far["replace_channel"]["id"], far["args"]) == (second_id, [])
    assert (await second.ended()).reason == "BYE"
    shown = (await app.get(f"/channels/{far['channel']['id']}")).json
    assert (shown["dialplan"]["exten"], shown["dialplan"]["app_data"]) == ("1002", "other,second")
    await first.hang_up()
    await to_bob.hang_up()
    await app.delete(f"/channels/{far['channel']['id']}", expect=204)
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_replacing_a_call_that_is_not_ours(alice: Phone, bob: Phone, app: AriClient) -> None:
    bridge, calls, _ = await in_a_bridge(app, alice, bob)
    for value in ("nobody;to-tag=a;from-tag=b", "nobody", f"{calls[1].call_id};to-tag=x;from-tag=y"):
        await refer(calls[0], f"<sip:1000@{SERVER[0]}?Replaces={quote(value, safe='')}>")
        await notified(calls[0], 100, 404)
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_transfer_within_one_bridge_is_invalid(alice: Phone, bob: Phone, app: AriClient) -> None:
    bridge, calls, _ = await in_a_bridge(app, alice, alice, bob)
    await refer(calls[0], replacing(calls[1]))
    await notified(calls[0], 100, 400)
    assert (await app.event("BridgeAttendedTransfer"))["result"] == "Invalid"
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


@pytest.mark.parametrize(
    ("state", "status"), [("channel_answered", 200), ("channel_declined", 603), ("channel_unavailable", 503)]
)
async def test_a_transfer_that_is_left_to_the_application(
    dora: Phone, bob: Phone, app: AriClient, state: str, status: int
) -> None:
    bridge, calls, (one, two) = await in_a_bridge(app, dora, bob)
    await refer(calls[0], f"<sip:1200@{SERVER[0]}>")
    await notified(calls[0], 100)
    asked = await app.event("ChannelTransfer")
    assert asked["refer_to"] == {"requested_destination": {"destination": "1200"}}
    by = asked["referred_by"]
    assert (by["source_channel"]["id"], by["connected_channel"]["id"], by["bridge"]["id"]) == (one, two, bridge)
    assert "state" not in asked
    await refer(calls[0], f"<sip:1300@{SERVER[0]}>", expect=491)  # one at a time
    progress = f"/channels/{one}/transfer_progress"
    await app.post(progress, states="nonsense", expect=400)
    await app.post(progress, states="channel_progress", expect=204)
    assert (await app.event("ChannelTransfer"))["state"] == "channel_progress"
    await app.post(progress, states=state, expect=204)
    await notified(calls[0], status)
    assert (await app.event("ChannelTransfer"))["state"] == state
    await app.post(progress, states=state, expect=204)  # nothing more comes of it
    await app.no_event("ChannelTransfer")
    for call in calls:
        await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_transfer_that_the_application_forgets_is_given_up(dora: Phone, app: AriClient) -> None:
    call = await dora.invite("1000")
    await call.answered()
    one = (await app.event("StasisStart"))["channel"]["id"]
    await refer(call, f"<sip:1200@{SERVER[0]}>")
    await app.event("ChannelTransfer")
    await refer(call, f"<sip:1300@{SERVER[0]}>", expect=491)
    await asyncio.sleep(61)
    await app.post(f"/channels/{one}/transfer_progress", states="channel_answered", expect=204)
    await app.no_event("ChannelTransfer")
    await refer(call, f"<sip:1300@{SERVER[0]}>")
    assert (await app.event("ChannelTransfer"))["refer_to"]["requested_destination"] == {"destination": "1300"}
    await call.hang_up()


async def test_an_attended_transfer_that_is_left_to_the_application(
    dora: Phone, bob: Phone, carol: Phone, app: AriClient
) -> None:
    one, (first, to_bob), (first_id, _) = await in_a_bridge(app, dora, bob)
    two, (second, to_carol), (second_id, carol_id) = await in_a_bridge(app, dora, carol)
    await refer(first, replacing(second))
    asked = await app.event("ChannelTransfer")
    wanted = asked["refer_to"]
    assert wanted["requested_destination"]["protocol_id"] == second.call_id
    assert {p["parameter_name"] for p in wanted["requested_destination"]["additional_protocol_params"]} == {
        "to-tag",
        "from-tag",
    }
    assert (wanted["destination_channel"]["id"], wanted["connected_channel"]["id"]) == (second_id, carol_id)
    assert (wanted["bridge"]["id"], asked["referred_by"]["source_channel"]["id"]) == (two, first_id)
    for call in (first, to_bob, second, to_carol):
        await call.hang_up()
    for bridge in (one, two):
        await app.delete(f"/bridges/{bridge}", expect=204)


async def test_a_phone_that_we_send_away_reports_and_is_let_go(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    one = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{one}/redirect", endpoint="PJSIP/sip:carol@10.0.9.9", expect=204)
    request = (await call.expect("REFER")).message
    assert isinstance(request, Request) and request.get("Refer-To") == "<sip:carol@10.0.9.9>"
    await app.event("StasisEnd", channel_id=one)
    await asyncio.sleep(1)
    assert call.end is None
    headers = (("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"))
    await call.send_request("NOTIFY", b"SIP/2.0 200 OK\r\n", "message/sipfrag", headers=headers)
    assert (await call.ended()).by == "remote"
