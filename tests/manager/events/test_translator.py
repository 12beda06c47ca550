"""Who hears what, and how each fact that is not met in a story is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arietta.bridges.bridge import Membership
from arietta.channels.channel import Channel, State
from arietta.channels.snooping import PortLeg
from arietta.manager.events import KINDS, Translator
from arietta.manager.events.declared import TRANSLATIONS
from arietta.manager.events.records import RECORDS
from arietta.manager.message import ManagerEvent
from arietta.model import events, facts
from arietta.model.times import wire_now
from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import Watch
from .documented import SYNTAX


def test_every_declared_event_has_its_documented_headers() -> None:
    assert set(KINDS) - set(RECORDS) == set(SYNTAX)  # those of records are tried where records are


def test_every_fact_that_ari_does_not_show_is_told() -> None:
    def below(kind: type) -> set[type]:
        return {kind for child in kind.__subclasses__() for kind in (below(child) or {child})}

    assert below(facts.Fact) <= set(TRANSLATIONS)


def test_nothing_is_heard_before_the_start_nor_after_the_end(server: Server) -> None:
    told: list[ManagerEvent] = []
    translator = Translator(server.bus, server.channels, server.bridges, told.append)
    assert not server.bus.wanted(facts.SECURITY)
    translator.start()
    translator.start()
    assert server.bus.wanted(facts.SECURITY)
    server.reload()
    translator.stop()
    translator.stop()
    assert not server.bus.wanted(("channel:", "internal:", "bridge:", "endpoint:", "manager:", *facts.SECURITY))
    server.reload()
    assert [event.name for event in told] == ["Reload"]


def test_what_others_publish_as_manager_events_is_passed_on(server: Server) -> None:
    told: list[ManagerEvent] = []
    translator = Translator(server.bus, server.channels, server.bridges, told.append)
    translator.start()
    record = ManagerEvent("Cdr", "cdr,all", (("Source", "6001"),))
    server.bus.publish(record, ("manager:",))
    translator.stop()
    assert told == [record]


async def test_channels_are_shown_with_the_variables_that_are_wanted(
    server: Server, alice: Phone, app: AriClient, watch: Watch
) -> None:
    call = await alice.invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    watch.translator.show_variables(["COLOUR", "CALLERID(num)"])
    watch.forget()
    await app.post(f"/channels/{channel}/variable", variable="COLOUR", value="red")
    assert watch.events[0].headers[14:16] == (("ChanVariable", "COLOUR=red"), ("ChanVariable", "CALLERID(num)=6001"))
    await call.hang_up()


async def test_a_channel_that_is_older_than_the_watch_is_shown_at_its_end(
    server: Server, alice: Phone, bob: Phone
) -> None:
    call = await alice.invite("1100")
    (await bob.ringing()).answer()
    await call.answered()
    told: list[ManagerEvent] = []
    translator = Translator(server.bus, server.channels, server.bridges, told.append)
    oldest = next(iter(server.channels)).id
    translator.start()
    await call.hang_up()
    hangups = [dict(event.headers) for event in told if event.name == "Hangup"]
    translator.stop()
    assert [hangup["Linkedid"] for hangup in hangups] == [oldest, oldest]


ABOUT = {"service": "AMI", "account_id": "admin", "remote_address": facts.security_address("::1", 5038, "tcp")}
FACTS: list[tuple[facts.Fact, str]] = [
    (facts.RegistrationChanged("sip:me@here", "sip:there", "Registered"), "Registry Registered"),
    (facts.RegistrationChanged("sip:me@here", "sip:there", "Rejected", "403 No"), "Registry Rejected 403 No"),
    (facts.MailboxChanged(mailbox="1@x", new_messages=2, old_messages=1), "MessageWaiting 1@x 1 2 1"),
    (facts.MailboxChanged(mailbox="1@x", new_messages=0, old_messages=1), "MessageWaiting 1@x 0 0 1"),
    (facts.FullyBooted(3, 2), "FullyBooted Fully Booted"),
    (facts.ShuttingDown(restart=True, clean=False), "Shutdown Uncleanly True"),
    (facts.Reloaded("res_ari.so", succeeded=False), "Reload res_ari.so 3"),
    (facts.ModuleChanged("app_echo.so", loaded=True), "Load app_echo.so"),
    (facts.ModuleChanged("app_echo.so", loaded=False), "Unload app_echo.so"),
    (
        facts.ExtensionPresenceChanged(exten="100", context="c", hint="PJSIP/a,x", state="dnd", message="busy"),
        "PresenceStatus 100 c dnd busy",
    ),
    (facts.PresenceStateChanged(provider="CustomPresence:a", state="away"), "PresenceStateChange"),
    (
        facts.ExtensionStateChanged(exten="100", context="c", hint="PJSIP/a", status=8, status_text="Ringing"),
        "ExtensionStatus",
    ),
    (facts.FailedAcl(**ABOUT, acl_name="office"), "FailedACL"),
    (facts.InvalidAccountId(**ABOUT), "InvalidAccountID admin"),
    (facts.SessionLimit(**ABOUT), "SessionLimit"),
    (facts.RequestNotAllowed(**ABOUT, request_type="Originate"), "RequestNotAllowed"),
    (facts.RequestBadFormat(**ABOUT, request_type="REGISTER", request_params="x"), "RequestBadFormat"),
    (facts.SuccessfulAuth(**ABOUT), "SuccessfulAuth admin"),
    (facts.InvalidPassword(**ABOUT, challenge="1"), "InvalidPassword"),
    (facts.ChallengeSent(**ABOUT, challenge="1"), "ChallengeSent admin"),
    (facts.ChallengeResponseFailed(**ABOUT, challenge="1", response="2"), "ChallengeResponseFailed admin"),
]


@pytest.mark.parametrize(("fact", "line"), FACTS, ids=lambda value: type(value).__name__)
def test_a_fact_is_told(server: Server, watch: Watch, fact: facts.Fact, line: str) -> None:
    server.bus.publish(fact, fact.topics)
    assert watch.ladder() == [line]


async def test_reports_and_agi_are_told_in_full(server: Server, alice: Phone, app: AriClient, watch: Watch) -> None:
    call = await alice.invite("1000")
    channel = server.channels.get((await app.event("StasisStart"))["channel"]["id"])
    await call.answered()
    assert channel is not None
    block = facts.ReportBlock(0xBEEF, 64, 12, (2 << 16) + 7, 80, 99, 1.5)
    report = facts.RtcpReported(
        channel=channel.snapshot(),
        sent=False,
        peer="10.0.0.2:4001",
        ssrc=9,
        blocks=(block, block),
        round_trip_s=0.02,
    )
    watch.forget()
    for fact in (
        facts.AsyncAgiStarted(channel.snapshot(), "agi_request%3A%20async"),
        facts.AsyncAgiAnswered(channel.snapshot(), "mine", "200%20result%3D0"),
        facts.AsyncAgiEnded(channel.snapshot()),
    ):
        server.bus.publish(fact, fact.topics)
    assert [event.headers[14:] for event in watch.events] == [
        (("Env", "agi_request%3A%20async"),),
        (("CommandID", "mine"), ("Result", "200%20result%3D0")),
        (),
    ]
    watch.forget()
    server.bus.publish(report, report.topics)
    (told,) = watch.events
    assert told.headers[14:27] == (
        ("SSRC", "0x00000009"),
        ("PT", "201(RR)"),
        ("From", "10.0.0.2:4001"),
        ("RTT", "0.0200"),
        ("ReportCount", "2"),
        ("Report0SourceSSRC", "0x0000beef"),
        ("Report0FractionLost", "64"),
        ("Report0CumulativeLost", "12"),
        ("Report0HighestSequence", "7"),
        ("Report0SequenceNumberCycles", "2"),
        ("Report0IAJitter", "80"),
        ("Report0LSR", "99"),
        ("Report0DLSR", "1.5000"),
    )
    await call.hang_up()


async def test_bridges_that_merge_show_videos_and_pick_up(
    server: Server, alice: Phone, app: AriClient, watch: Watch
) -> None:
    call = await alice.invite("1000")
    channel_id = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    channel = server.channels.get(channel_id)
    assert channel is not None
    bridges = [server.bridges.create(bridge_id=ident) for ident in ("one", "two")]
    watch.forget()
    one, two = (bridge.snapshot() for bridge in bridges)
    server.bus.publish(events.BridgeMerged(timestamp=wire_now(), bridge=one, bridge_from=two), ("bridge:",))
    bridges[0].set_video_source(channel)
    picked = facts.PickedUp(channel.snapshot(), channel.snapshot())
    server.bus.publish(picked, picked.topics)
    assert watch.ladder() == ["BridgeMerge", "BridgeVideoSourceUpdate", "Pickup alice alice"]
    assert watch.named("BridgeMerge")[0]["FromBridgeUniqueid"] == "two"
    assert watch.named("BridgeVideoSourceUpdate")[0]["BridgeVideoSource"] == channel_id
    for bridge in bridges:
        bridge.destroy()
    await call.hang_up()


def test_internal_channels_are_seen_here_alone(
    server: Server, watch: Watch, internal: Callable[[Server], object]
) -> None:
    told: list[object] = []
    server.bus.subscribe("channel:", told.append)
    server.bus.subscribe("bridge:", told.append)
    bridge = server.bridges.create(bridge_id="room")
    told.clear()
    internal(server)
    assert told == []
    server.bus.unsubscribe("channel:", told.append)
    server.bus.unsubscribe("bridge:", told.append)
    watch.saw(
        """
        BridgeCreate stasis simple_bridge
        Newchannel Announcer Up
        BridgeEnter Announcer simple_bridge 1
        BridgeLeave Announcer simple_bridge 0
        Hangup Announcer 0 Unknown
        """
    )
    assert bridge.snapshot().channels == []
    bridge.destroy()


@pytest.fixture
def internal() -> Callable[[Server], object]:
    """The life of a channel that ARI does not show, in the bridge `room`."""

    def live(server: Server) -> object:
        channel = Channel(
            server.channels,
            PortLeg(),
            channel_id="announcer",
            name="Announcer/room-00000000;1",
            state=State.UP,
            internal=True,
        )
        server.channels.add(channel)
        bridge = server.bridges.get("room")
        assert bridge is not None
        bridge.join(Membership(channel))
        channel.finish()
        return channel

    return live
