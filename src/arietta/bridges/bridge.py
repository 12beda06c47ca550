"""Channels that hear each other: membership, the mixer behind it, and the events of both.

A bridge is changed only through the short methods here, each complete before it returns, so it needs no task of
its own: its members' owners wait elsewhere, and the engine mixes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec

from arietta.bus import Bus
from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.channels.driver import Indication
from arietta.media.engine import DigitOut, MixerMode
from arietta.model import events, facts, snapshots
from arietta.model.times import wire_now, wire_time

if TYPE_CHECKING:
    from arietta.media.engine import MediaEngine, Mixer

MIXING: Final = "mixing"
HOLDING: Final = "holding"
# The words of the `type` parameter besides the two types; video is not carried, so its words only change what is shown.
TYPE_WORDS = frozenset({MIXING, HOLDING, "dtmf_events", "proxy_media", "video_sfu", "video_single", "sdp_label"})


@dataclass(slots=True)
class Membership:
    """How one channel takes part."""

    channel: Channel
    absorb_dtmf: bool = False
    mute: bool = False
    role: str = ""
    inhibit_connected_line: bool = False
    on_left: Callable[[Channel, str], None] | None = None
    listener: Callable[[signals.Signal], None] | None = field(default=None, repr=False)


class Bridge:
    """Channels that hear each other."""

    def __init__(
        self,
        bus: Bus,
        mixer: Mixer,
        *,
        bridge_id: str,
        bridge_type: snapshots.BridgeType = MIXING,
        words: frozenset[str] = frozenset(),
        name: str = "",
        creator: str = "Stasis",
        bridge_class: str = "stasis",
    ) -> None:
        self.bus = bus
        self.mixer = mixer
        self.id = bridge_id
        self.bridge_type = bridge_type
        self.words = words
        self.name = name
        self.creator = creator
        self.bridge_class = bridge_class
        self.members: list[Membership] = []
        self.variables: dict[str, str] = {}
        self.reported_variables: dict[str, None] = {}
        self.video_source_id: str | None = None
        self._video_source_cleared = False
        self.destroyed = False
        self.topics = (f"bridge:{bridge_id}", "bridge:")
        self.creationtime = wire_time(time.time())
        self.on_destroyed: list[Callable[[Bridge], None]] = []
        self.on_empty: Callable[[Bridge], None] | None = None

    def __repr__(self) -> str:
        return f"<Bridge {self.id} {self.bridge_type} {[m.channel.id for m in self.members]}>"

    @property
    def technology(self) -> str:
        """What carries the audio, in Asterisk's words."""
        if self.bridge_type == HOLDING:
            return "holding_bridge"
        if "video_sfu" in self.words or len(self.members) > 2:
            return "softmix"
        if len(self.members) == 2 and self.mixer.mode is MixerMode.RELAY:
            return "native_rtp"
        return "simple_bridge"

    @property
    def video_mode(self) -> str:
        """talker, single or sfu for a bridge of an application; none for one that Dial made."""
        if self.bridge_class != "stasis":
            return "none"
        if "video_sfu" in self.words:
            return "sfu"
        return "single" if self.video_source_id or "video_single" in self.words else "talker"

    @property
    def channels(self) -> list[Channel]:
        """The members in the order in which they came."""
        return [member.channel for member in self.members]

    def snapshot(self) -> snapshots.Bridge:
        """The bridge as GET /bridges/{id} shows it."""
        return snapshots.Bridge(
            id=self.id,
            technology=self.technology,
            bridge_type=self.bridge_type,
            bridge_class=self.bridge_class,
            creator=self.creator,
            name=self.name,
            channels=[member.channel.id for member in self.members if not member.channel.internal],
            creationtime=self.creationtime,
            video_mode=self.video_mode,
            video_source_id=self.video_source_id or msgspec.UNSET,
            bridgevars={name: self.variables.get(name, "") for name in self.reported_variables} or msgspec.UNSET,
        )

    def publish(self, event: events.Event) -> None:
        """Publish an event about this bridge."""
        self.bus.publish(event, self.topics)

    @property
    def watched(self) -> bool:
        """Whether an event about this bridge would reach anybody."""
        return self.bus.wanted(self.topics)

    def member(self, channel: Channel) -> Membership | None:
        """How `channel` takes part, or None."""
        return next((m for m in self.members if m.channel is channel), None)

    def join(self, member: Membership) -> None:
        """Let a channel in; it leaves the bridge it is in first, this one too."""
        channel = member.channel
        assert not self.destroyed
        if channel.bridge is not None:
            channel.bridge.leave(channel)
        self.members.append(member)
        self._forget_video_source()
        channel.bridge = self
        channel.stop_tone()
        self._link(channel)
        self._connect(member)
        listener = self._listener(member)
        member.listener = listener
        channel.listeners.append(listener)
        topics = self._topics_with(channel)
        if self.bus.wanted(topics):
            self.bus.publish(
                events.ChannelEnteredBridge(timestamp=wire_now(), bridge=self.snapshot(), channel=channel.snapshot()),
                topics,
            )
        self._tell_peers()

    def leave(self, channel: Channel, reason: str = "moved") -> None:
        """Let a channel go: `reason` is moved, removed, destroyed or hangup."""
        member = self.member(channel)
        if member is None:
            return
        self.members.remove(member)
        channel.bridge = None
        if member.listener in channel.listeners:
            assert member.listener is not None
            channel.listeners.remove(member.listener)
        member.listener = None
        if channel.port is not None:
            channel.port.link(None)
        self._forget_video_source()
        if self.video_source_id == channel.id:
            self.video_source_id = None
        topics = self._topics_with(channel)
        if self.bus.wanted(topics):
            self.bus.publish(
                events.ChannelLeftBridge(timestamp=wire_now(), bridge=self.snapshot(), channel=channel.snapshot()),
                topics,
            )
        self._tell_peers()
        if member.on_left is not None:
            member.on_left(channel, "hangup" if channel.hangup_requested and reason == "moved" else reason)
        if not self.members and self.on_empty is not None:
            self.on_empty(self)

    def destroy(self) -> None:
        """Members leave in the order in which they came, then BridgeDestroyed."""
        if self.destroyed:
            return
        while self.members:
            self.leave(self.members[0].channel, "destroyed")
        if self.destroyed:
            return
        self.destroyed = True
        self.mixer.close()
        if self.watched:
            self.publish(events.BridgeDestroyed(timestamp=wire_now(), bridge=self.snapshot()))
        for then in self.on_destroyed:
            then(self)
        self.bus.publish(Ended(self), (f"ended:{self.id}",))

    def absorb_digits(self, channel: Channel, on: bool) -> None:
        """Keep a member's digits from the others, or pass them on again."""
        member = self.member(channel)
        if member is not None:
            member.absorb_dtmf = on
            if channel.port is not None:
                channel.port.pass_digits(not on)

    def pass_digits_on(self, channel: Channel, digits: str) -> None:
        """Send the others digits of a member that were kept from them before."""
        member = self.member(channel)
        if member is not None and self.bridge_type == MIXING:
            for other in self._others(member):
                other.channel.send_digits([DigitOut(digit) for digit in digits])

    def suspend(self, channel: Channel) -> None:
        """Let a member hear nobody and be heard by nobody for a while; it stays a member."""
        if self.member(channel) is not None and channel.port is not None:
            channel.port.link(None)

    def resume(self, channel: Channel) -> None:
        """Let a member that was suspended take part again."""
        member = self.member(channel)
        if member is not None:
            self._connect(member)

    def _connect(self, member: Membership) -> None:
        port = member.channel.port
        if port is not None:
            port.link(self.mixer, muted=member.mute, announcer=member.role == "announcer")
            port.pass_digits(not member.absorb_dtmf)

    def set_video_source(self, channel: Channel) -> None:
        """Show `channel` as the source of video; nothing else comes of it, since video is not carried."""
        former, self.video_source_id = self.video_source_id, channel.id
        self._video_source_cleared = False
        self._announce_video_source(former)

    def clear_video_source(self) -> None:
        """Show no source any more: from the next change of the members on, as in Asterisk."""
        self._video_source_cleared = True

    def _forget_video_source(self) -> None:
        if self._video_source_cleared:
            self._video_source_cleared = False
            former, self.video_source_id = self.video_source_id, None
            self.words -= {"video_single"}
            self._announce_video_source(former)

    def _announce_video_source(self, former: str | None) -> None:
        if self.watched:
            self.publish(
                events.BridgeVideoSourceChanged(
                    timestamp=wire_now(), bridge=self.snapshot(), old_video_source_id=former or msgspec.UNSET
                )
            )

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable of the bridge."""
        self.variables[name] = value

    def _topics_with(self, channel: Channel) -> tuple[str, ...]:
        """What the comings and goings of a channel are published on: those of internal ones are no news to ARI."""
        return channel.topics if channel.internal else self.topics

    def _link(self, newcomer: Channel) -> None:
        """Members have one linkedid; of two, each takes the other's account code for its peer's."""
        first = self.members[0].channel
        if first.linkedid != newcomer.linkedid:
            first.link_with(newcomer)
        if len(self.members) == 2:
            for here, there in ((first, newcomer), (newcomer, first)):
                here.peeraccount = there.accountcode or here.peeraccount

    def _tell_peers(self) -> None:
        """In a bridge of two each side learns who the other is, and BRIDGEPEER is kept on all."""
        visible = [m for m in self.members if not m.channel.internal]
        names = [m.channel.name for m in visible]
        for member in visible:
            peers = ",".join(name for name in names if name != member.channel.name)
            if member.channel.get_variable("BRIDGEPEER") != peers:
                member.channel.set_variable("BRIDGEPEER", peers)
        self._name_each_other()

    def _name_each_other(self) -> None:
        visible = [m for m in self.members if not m.channel.internal]
        if len(visible) != 2 or self.bridge_type == HOLDING:
            return
        one, other = visible
        for here, there in ((one, other), (other, one)):
            caller = there.channel.caller
            if not there.inhibit_connected_line and (caller.name or caller.number):
                here.channel.set_connected(caller)

    def _listener(self, member: Membership) -> Callable[[signals.Signal], None]:
        def hear(signal: signals.Signal) -> None:
            match signal:
                case signals.DigitBegan(digit):
                    if self._passes_digits(member) and self.bus.wanted(facts.DigitBegan.topics):
                        for other in self._others(member):
                            other.channel.tell(facts.DigitBegan, digit, True)
                case signals.DigitEnded(digit, duration_ms, in_media):
                    if self._passes_digits(member) and (not in_media or self.bus.wanted(facts.DigitSent.topics)):
                        for other in self._others(member):
                            if not in_media:
                                other.channel.leg.send_digits([DigitOut(digit, max(duration_ms, 40), 0)])
                            other.channel.tell(facts.DigitSent, digit, duration_ms)
                case signals.Identified():
                    self._name_each_other()
                case signals.Held(music_class):
                    for other in self._others(member):
                        other.channel.indicate(Indication.HOLD, music_class or "")
                case signals.Unheld():
                    for other in self._others(member):
                        other.channel.indicate(Indication.UNHOLD)
                case _:
                    pass

        return hear

    def _passes_digits(self, member: Membership) -> bool:
        return not member.absorb_dtmf and self.bridge_type == MIXING

    def _others(self, member: Membership) -> Iterator[Membership]:
        return (m for m in tuple(self.members) if m is not member)


class Ended:
    """The internal fact behind the topic ``ended:ID``: the bridge is gone; nothing about it follows."""

    __slots__ = ("bridge",)

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge


class BridgeRegistry:
    """The bridges that live, by their id."""

    def __init__(self, bus: Bus, engine: MediaEngine) -> None:
        self.bus = bus
        self.engine = engine
        self._bridges: dict[str, Bridge] = {}

    def __iter__(self) -> Iterator[Bridge]:
        return iter(tuple(self._bridges.values()))

    def __len__(self) -> int:
        return len(self._bridges)

    def get(self, bridge_id: str) -> Bridge | None:
        """A living bridge."""
        return self._bridges.get(bridge_id)

    def create(
        self,
        *,
        bridge_id: str | None = None,
        bridge_type: snapshots.BridgeType = MIXING,
        words: frozenset[str] = frozenset(),
        name: str = "",
        creator: str = "Stasis",
        bridge_class: str = "stasis",
    ) -> Bridge:
        """A new bridge; the caller made sure that the id is free. BridgeCreated goes out."""
        bridge = Bridge(
            self.bus,
            self.engine.open_mixer(holding=bridge_type == HOLDING),
            bridge_id=bridge_id or str(uuid4()),
            bridge_type=bridge_type,
            words=words,
            name=name,
            creator=creator,
            bridge_class=bridge_class,
        )
        assert bridge.id not in self._bridges
        self._bridges[bridge.id] = bridge
        bridge.on_destroyed.append(self._forget)
        if bridge.watched:
            bridge.publish(events.BridgeCreated(timestamp=wire_now(), bridge=bridge.snapshot()))
        return bridge

    def _forget(self, bridge: Bridge) -> None:
        self._bridges.pop(bridge.id, None)
