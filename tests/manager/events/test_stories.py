"""The events of whole stories, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, tone
from arietta.testing.waiting import Unexpected

from .conftest import Watch

LOGINS = "SuccessfulAuth ChallengeSent"
BEGINNING_OF_A_DIAL = """
    Newchannel alice Ring
    VarSet alice SIPDOMAIN 10.0.0.1
    Newexten alice 1100 1 Dial
    VarSet alice DIALSTATUS
    VarSet alice DIALEDPEERNUMBER
    VarSet alice DIALEDPEERNAME
    Newchannel bob Down
    VarSet bob DIALEDPEERNUMBER bob
    Newexten bob 1100 1 AppDial
    NewCallerid bob 1100
    NewConnectedLine bob 6001
    DialBegin alice bob bob
    NewConnectedLine alice 1100
    Newstate bob Ringing
    DialState alice bob RINGING
"""


async def test_a_call_to_an_application(alice: Phone, app: AriClient, watch: Watch) -> None:
    call = await alice.invite("1000")
    start = await app.event("StasisStart")
    await call.answered()
    await app.delete(f"/channels/{start['channel']['id']}")
    await call.ended()
    watch.saw(
        """
        ChallengeSent alice
        SuccessfulAuth alice
        Newchannel alice Ring
        VarSet alice SIPDOMAIN 10.0.0.1
        Newexten alice 1000 1 NoOp
        Newexten alice 1000 2 Answer
        Newstate alice Up
        Newexten alice 1000 3 Stasis
        VarSet alice STASISSTATUS
        SoftHangupRequest alice 32
        VarSet alice STASISSTATUS SUCCESS
        SoftHangupRequest alice 16
        Hangup alice 16 Normal Clearing
        """
    )


async def test_a_dialled_call_that_is_answered(alice: Phone, bob: Phone, watch: Watch) -> None:
    call = await alice.invite("1100")
    ringing = await bob.ringing()
    ringing.ring()
    await call.expect(180)
    ringing.answer()
    await call.answered()
    await call.hang_up()
    await ringing.ended()
    watch.saw(
        BEGINNING_OF_A_DIAL
        + """
        Newstate bob Up
        Newexten bob 1 AppDial
        DialEnd alice bob ANSWER
        VarSet alice DIALSTATUS ANSWER
        VarSet alice DIALEDPEERNAME PJSIP/bob-00000001
        VarSet alice DIALEDPEERNUMBER bob
        Newstate alice Up
        BridgeCreate basic simple_bridge
        BridgeEnter bob simple_bridge 1
        VarSet bob BRIDGEPEER
        BridgeEnter alice native_rtp 2
        VarSet bob BRIDGEPEER PJSIP/alice-00000000
        VarSet alice BRIDGEPEER PJSIP/bob-00000001
        HangupRequest alice
        BridgeLeave bob simple_bridge 1
        VarSet alice BRIDGEPEER
        BridgeLeave alice simple_bridge 0
        BridgeDestroy 0
        VarSet alice DIALSTATUS ANSWER
        SoftHangupRequest alice 16
        Hangup alice 16 Normal Clearing
        Hangup bob 16 Normal Clearing
        """,
        without=LOGINS,
    )
    devices = [line for line in watch.ladder(devices=True) if line.startswith("DeviceStateChange PJSIP/bob")]
    assert [line.split()[-1] for line in devices][-3:] == ["RINGING", "INUSE", "NOT_INUSE"]
    linked = {event["Linkedid"] for event in watch.named("Newchannel")}
    assert linked == {watch.named("Newchannel")[0]["Uniqueid"]}
    assert watch.named("BridgeCreate")[0]["BridgeCreator"] == "<unknown>"
    assert watch.named("DialBegin")[0]["DestCallerIDNum"] == "1100"


async def test_a_dialled_call_to_a_busy_phone(alice: Phone, bob: Phone, watch: Watch) -> None:
    call = await alice.invite("1100")
    ringing = await bob.ringing()
    ringing.ring()
    await call.expect(180)
    ringing.reject(486)
    await call.ended()
    watch.saw(
        BEGINNING_OF_A_DIAL
        + """
        HangupRequest bob 17
        DialEnd alice bob BUSY
        Hangup bob 17 User busy
        VarSet alice DIALSTATUS BUSY
        Newexten alice 1100 2 Set
        VarSet none HOW BUSY
        Newexten alice 1100 3 Hangup
        SoftHangupRequest alice 16
        Hangup alice 17 User busy
        """,
        without=LOGINS,
    )
    assert watch.named("Hangup")[0]["TechCause"] == "486"


async def test_a_dialled_call_that_nobody_answers(alice: Phone, bob: Phone, watch: Watch) -> None:
    call = await alice.invite("1100")
    ringing = await bob.ringing()
    ringing.ring()
    await call.expect(180)
    await call.ended(within=25)
    watch.saw(
        BEGINNING_OF_A_DIAL
        + """
        DialEnd alice bob NOANSWER
        VarSet alice DIALSTATUS NOANSWER
        Newexten alice 1100 2 Set
        VarSet none HOW NOANSWER
        Newexten alice 1100 3 Hangup
        SoftHangupRequest alice 16
        Hangup alice 19 User alerting, no answer
        Hangup bob 19 User alerting, no answer
        """,
        without=LOGINS,
    )


async def test_a_dialled_call_that_the_caller_gives_up(alice: Phone, bob: Phone, watch: Watch) -> None:
    call = await alice.invite("1100")
    ringing = await bob.ringing()
    ringing.ring()
    await call.expect(180)
    await call.cancel()
    await ringing.ended()
    watch.saw(
        BEGINNING_OF_A_DIAL
        + """
        HangupRequest alice 127
        VarSet alice DIALSTATUS CANCEL
        DialEnd alice bob CANCEL
        SoftHangupRequest alice 16
        Hangup alice 127 Interworking, unspecified
        Hangup bob 16 Normal Clearing
        """,
        without=LOGINS,
    )


async def test_a_local_call(app: AriClient, watch: Watch) -> None:
    made = (await app.post("/channels", endpoint="Local/1300@default", app="hello-world")).json
    await app.event("StasisStart", channel_id=made["id"])
    await app.delete(f"/channels/{made['id']}", expect=204)
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await asyncio.sleep(0)
    watch.saw(
        """
        Newchannel 1300@default;1 Down
        Newchannel 1300@default;2 Ring
        Newexten 1300@default;1 1300 1 AppDial2
        DialBegin 1300@default;1 1300@default
        LocalBridge 1300@default;1 1300@default;2 1300 default No
        Newexten 1300@default;2 1300 1 Answer
        Newstate 1300@default;1 Up
        DialEnd 1300@default;1 ANSWER
        Newstate 1300@default;2 Up
        VarSet 1300@default;1 STASISSTATUS
        SoftHangupRequest 1300@default;1 32
        VarSet 1300@default;1 STASISSTATUS SUCCESS
        HangupRequest 1300@default;2 16
        Hangup 1300@default;1 16 Normal Clearing
        SoftHangupRequest 1300@default;2 16
        Hangup 1300@default;2 16 Normal Clearing
        """,
    )
    assert {event["Linkedid"] for event in watch.named("Newchannel")} == {made["id"]}


async def test_an_originated_call(bob: Phone, app: AriClient, watch: Watch) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world", callerId="Us <100>")).json
    call = await bob.ringing()
    call.ring()
    await app.event("ChannelStateChange", channel_state="Ringing")
    call.answer()
    await app.event("StasisStart", channel_id=made["id"])
    await call.hang_up()
    await app.event("ChannelDestroyed", channel_id=made["id"])
    watch.saw(
        """
        Newchannel bob Down
        Newexten bob s 1 AppDial2
        DialBegin bob bob
        Newstate bob Ringing
        DialState bob RINGING
        Newstate bob Up
        DialEnd bob ANSWER
        VarSet bob STASISSTATUS
        HangupRequest bob
        VarSet bob STASISSTATUS SUCCESS
        Hangup bob 0 Unknown
        """
    )
    begin = watch.named("DialBegin")[0]
    assert "Channel" not in begin  # nobody calls
    assert (begin["DestCallerIDNum"], begin["DestConnectedLineName"]) == ("100", "Us")


async def test_a_bridge_of_three(alice: Phone, bob: Phone, app: AriClient, watch: Watch) -> None:
    one, two = await alice.invite("1000"), await bob.invite("1000")
    channels = [(await app.event("StasisStart"))["channel"]["id"] for _ in range(2)]
    await one.answered()
    await two.answered()
    made = (await app.post("/channels", endpoint="Local/1300@default", app="hello-world")).json
    await app.event("StasisStart", channel_id=made["id"])
    watch.forget()
    bridge = (await app.post("/bridges", type="mixing", name="party")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=channels, expect=204)
    await app.post(f"/bridges/{bridge}/addChannel", channel=made["id"], expect=204)
    watch.saw(
        """
        BridgeCreate stasis simple_bridge
        BridgeEnter alice simple_bridge 1
        BridgeEnter bob native_rtp 2
        NewConnectedLine alice 6002
        NewConnectedLine bob 6001
        BridgeEnter 1300@default;1 softmix 3
        """,
        without="VarSet",
    )
    assert {event["Linkedid"] for event in watch.named("BridgeEnter")} == {channels[0]}
    assert watch.named("BridgeEnter")[2]["BridgeName"] == "party"
    watch.forget()
    one.send_digits("7")
    await app.event("ChannelDtmfReceived", channel_id=channels[0])
    await asyncio.sleep(0.2)
    assert watch.ladder(without="Newexten") == [
        "DTMFBegin alice 7 Received",
        "DTMFBegin bob 7 Sent",
        "DTMFBegin 1300@default;1 7 Sent",
        "DTMFBegin 1300@default;2 7 Received",
        "DTMFEnd alice 7 100 Received",
        "DTMFEnd bob 7 100 Sent",
        "DTMFEnd 1300@default;1 7 100 Sent",
        "DTMFEnd 1300@default;2 7 100 Received",
    ]
    watch.forget()
    await app.delete(f"/bridges/{bridge}", expect=204)
    watch.saw(
        """
        BridgeLeave alice simple_bridge 2
        BridgeLeave bob simple_bridge 1
        BridgeLeave 1300@default;1 simple_bridge 0
        BridgeDestroy 0
        """,
        without="VarSet NewConnectedLine",
    )
    for call in (one, two):
        await call.hang_up()
    await app.delete(f"/channels/{made['id']}", expect=204)


async def test_what_a_phone_and_its_application_do(bob: Phone, app: AriClient, watch: Watch) -> None:
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json
    channel = f"/channels/{made['id']}"
    call = await bob.ringing()
    call.answer()
    await app.event("StasisStart", channel_id=made["id"])
    watch.forget()
    await app.post(f"{channel}/moh", mohClass="jazz")
    await app.delete(f"{channel}/moh")
    await app.post(f"{channel}/moh")
    await app.post(f"{channel}/silence")
    await app.post(f"{channel}/dtmf", dtmf="12", duration=60, between=40)
    await asyncio.sleep(0.5)
    watch.saw(
        """
        MusicOnHoldStart bob jazz
        MusicOnHoldStop bob
        MusicOnHoldStart bob default
        MusicOnHoldStop bob
        DTMFBegin bob 1 Sent
        DTMFEnd bob 1 60 Sent
        DTMFBegin bob 2 Sent
        DTMFEnd bob 2 60 Sent
        """
    )
    watch.forget()
    await app.post(f"{channel}/snoop", app="hello-world", spy="both")
    call.send_digits("5")
    await app.event("ChannelDtmfReceived")
    await call.hold()
    await app.event("ChannelHold")
    await call.resume()
    await app.event("ChannelUnhold")
    await app.post(f"{channel}/variable", variable="LINES", value="one\r\ntwo\\three")
    await app.post(f"{channel}/variable", variable="CHANNEL(accountcode)", value="sales")
    await app.post(f"{channel}/moh")
    await call.hang_up()
    await app.event("ChannelDestroyed", channel_id=made["id"])
    await app.event("StasisEnd")
    await asyncio.sleep(0)
    watch.saw(
        """
        Newchannel Snoop Up
        ChanSpyStart Snoop bob
        Newexten Snoop s 1 Stasis
        VarSet Snoop STASISSTATUS
        DTMFBegin bob 5 Received
        DTMFEnd bob 5 100 Received
        Hold bob default
        Unhold bob
        VarSet bob LINES one\\r\\ntwo\\\\three
        NewAccountCode bob sales
        MusicOnHoldStart bob default
        HangupRequest bob
        VarSet bob STASISSTATUS SUCCESS
        ChanSpyStop Snoop bob
        MusicOnHoldStop bob
        Hangup bob 0 Unknown
        VarSet Snoop STASISSTATUS SUCCESS
        Hangup Snoop 0 Unknown
        """
    )


async def test_what_the_ends_of_a_call_report(alice: Phone, watch: Watch) -> None:
    call = await alice.invite("1200")
    await call.answered()
    await call.send_audio(tone(440, 11_000))
    await call.hang_up()
    sent, received = watch.named("RTCPSent"), watch.named("RTCPReceived")
    assert len(sent) >= 2
    assert {report["PT"] for report in sent} == {"200(SR)"}
    first, second = sent[:2]
    assert float(second["SentNTP"]) - float(first["SentNTP"]) == pytest.approx(5, abs=0.1)
    assert int(second["SentPackets"]) - int(first["SentPackets"]) == pytest.approx(250, abs=3)
    assert int(second["SentOctets"]) == 160 * int(second["SentPackets"])
    assert (int(second["SentRTP"]) - int(first["SentRTP"])) % (1 << 32) == pytest.approx(40_000, abs=400)
    assert (second["ReportCount"], second["Report0FractionLost"], second["Report0CumulativeLost"]) == ("1", "0", "0")
    assert second["To"].startswith("10.0.0.2:")
    for report in received:
        assert report["Report0SourceSSRC"] == first["SSRC"]
        assert report["From"].startswith("10.0.0.2:")


async def test_events_of_programs(alice: Phone, app: AriClient, watch: Watch) -> None:
    call = await alice.invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    watch.forget()
    await app.post(
        "/events/user/Sold",
        application="hello-world",
        source=f"channel:{channel}",
        body={"variables": {"what": "cake", "how many": 3, "bad:name": {"a": [1]}}},
    )
    await app.post("/events/user/Nothing", application="hello-world")
    sold, nothing = watch.events
    assert dict(sold.headers)["Uniqueid"] == channel
    assert sold.headers[-4:] == (
        ("UserEvent", "Sold"),
        ("what", "cake"),
        ("how many", "3"),
        ("badname", '{"a":[1]}'),
    )
    assert nothing.headers == (("UserEvent", "Nothing"),)
    await call.hang_up()


async def test_the_servers_own_events(server: Server, alice: Phone, app: AriClient, watch: Watch) -> None:
    server.reload()
    server.reload(("res_pjsip.so",))
    await alice.unregister()
    await app.put("/deviceStates/Stasis:lamp", deviceState="INUSE")
    await server.stop(0)
    watch.saw(
        """
        Reload All 0
        Reload res_pjsip.so 0
        ChallengeSent alice
        SuccessfulAuth alice
        PeerStatus PJSIP/alice Unreachable
        ContactStatus alice Removed
        DeviceStateChange PJSIP/alice UNAVAILABLE
        DeviceStateChange Stasis:lamp INUSE
        Shutdown Cleanly False
        """,
        devices=True,
    )


async def test_who_guesses_is_told_of_and_nothing_that_was_right(
    server: Server, phone: Callable[..., Awaitable[Phone]], watch: Watch
) -> None:
    guesser = await phone("10.0.0.9", 5060, username="alice", password="a guess", server=("10.0.0.1", 5060))
    with pytest.raises(Unexpected):
        await guesser.register()
    stranger = await phone("10.0.0.8", 5060, username="mallory", password="a guess", server=("10.0.0.1", 5060))
    with pytest.raises(Unexpected):
        await stranger.register()
    assert watch.ladder()[:2] == ["ChallengeSent alice", "ChallengeResponseFailed alice"]
    assert {line.split()[0] for line in watch.ladder()[2:]} == {"InvalidAccountID"}
    failed = watch.named("ChallengeResponseFailed")[0]
    assert (failed["Severity"], failed["Service"], failed["ExpectedResponse"]) == ("Error", "PJSIP", "")
    assert failed["RemoteAddress"] == "IPV4/UDP/10.0.0.9/5060"
    assert failed["LocalAddress"] == "IPV4/UDP/10.0.0.1/5060"
    assert failed["SessionID"]
