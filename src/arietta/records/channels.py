"""Makes the log of channels (CEL) of what happens: one entry for each event that is wanted, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.channel import Channel
from arietta.channels.registry import ChannelRegistry
from arietta.config.cel import CelGeneral
from arietta.model import causes, events, facts, snapshots
from arietta.records.detail import DEFAULT_AMA_FLAGS
from arietta.records.links import Links

ENDS_CALLS = frozenset(("hangup", "busy", "congestion"))
"""Applications that are the source of a hangup themselves."""
TOPICS = ("channel:", "bridge:", *facts.PickedUp.topics)


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a channel, with the channel as it was then."""

    name: str
    at: float
    channel: str
    caller_number: str
    caller_name: str
    rdnis: str
    dnid: str
    exten: str
    context: str
    application: str
    data: str
    amaflags: str
    accountcode: str
    peeraccount: str
    uniqueid: str
    linkedid: str
    userfield: str
    peer: str = ""
    """Who else is in the bridge."""
    user_defined: str = ""
    """The name of a USER_DEFINED event."""
    extra: str = ""
    """JSON of what belongs to the kind of event."""


Deliver = Callable[[Entry], None]


def tied_to(channel: Channel) -> tuple[Channel, ...]:
    """A channel, the other half of a Local channel, and who is in a bridge with that."""
    half = channel.half
    if half is None:
        return (channel,)
    return (channel, half, *(half.bridge.channels if half.bridge is not None else ()))


def hangup_cause(channel: Channel) -> int:
    """Why a channel ended; normally, if it was answered and nobody said why."""
    if channel.hangup_cause == 0 and channel.answered_at is not None:
        return causes.NORMAL_CLEARING
    return channel.hangup_cause


class ChannelLog:
    """Facts in, entries out: subscribed only between `start` and `stop`."""

    def __init__(
        self, bus: Bus, channels: ChannelRegistry, bridges: BridgeRegistry, settings: CelGeneral, deliver: Deliver
    ) -> None:
        self.settings = settings
        self._bus = bus
        self._registry = channels
        self._bridges = bridges
        self._deliver = deliver
        self._living: dict[str, Channel] = {}
        self._links = Links()
        self._running: dict[str, tuple[str, str]] = {}
        """The tracked application that a channel executes, with its arguments."""
        self._sources: dict[str, str] = {}
        """Who asked for the end of a channel."""
        self._on = False
        self._hear_of: dict[type, Callable[[Any], None]] = {
            events.ChannelCreated: self._created,
            events.ChannelStateChange: self._state,
            events.ChannelDialplan: self._step,
            events.ChannelHangupRequest: self._ending,
            events.ChannelDestroyed: self._destroyed,
            events.ChannelEnteredBridge: self._entered,
            events.ChannelLeftBridge: self._left,
            events.BridgeBlindTransfer: self._blind,
            events.BridgeAttendedTransfer: self._attended,
            events.Dial: self._dialled,
            facts.PickedUp: self._picked_up,
        }

    @property
    def running(self) -> bool:
        """Whether anything is logged."""
        return self._on

    def start(self) -> None:
        """Log what happens from now on."""
        if self._on:
            return
        self._on = True
        self._living = {channel.id: channel for channel in self._registry if not channel.internal}
        for channel in self._living.values():
            self._links.begin(channel)
        for topic in TOPICS:
            self._bus.subscribe(topic, self._hear)

    def stop(self) -> None:
        """Log nothing more."""
        if not self._on:
            return
        self._on = False
        for topic in TOPICS:
            self._bus.unsubscribe(topic, self._hear)
        self._living.clear()
        self._links = Links()
        self._running.clear()
        self._sources.clear()

    def user_defined(self, channel: Channel, name: str, extra: str) -> None:
        """Log an event that the dialplan made."""
        self._log("USER_DEFINED", channel, extra={"extra": extra} if extra else None, user_defined=name)

    def _hear(self, fact: Any) -> None:
        handle = self._hear_of.get(type(fact))
        if handle is not None:
            handle(fact)

    def _log(
        self,
        name: str,
        channel: Channel,
        *,
        extra: dict[str, object] | None = None,
        peer: str = "",
        user_defined: str = "",
        application: tuple[str, str] | None = None,
        linkedid: str = "",
    ) -> None:
        if not self._on or name not in self.settings.wanted:
            return
        caller = channel.caller
        app, data = application or (channel.app_name, channel.app_data)
        kept = channel.functions
        self._deliver(
            Entry(
                name=name,
                at=time.time(),
                channel=channel.name,
                caller_number=caller.number,
                caller_name=caller.name,
                rdnis=channel.redirecting_number,
                dnid=channel.dialed_number,
                exten=channel.exten,
                context=channel.context,
                application=app,
                data=data,
                amaflags=str(kept.get("CHANNEL(amaflags)", "") or DEFAULT_AMA_FLAGS),
                accountcode=channel.accountcode,
                peeraccount=channel.peeraccount,
                uniqueid=channel.id,
                linkedid=linkedid or channel.linkedid,
                userfield=str(kept.get("CHANNEL(userfield)", "")),
                peer=peer,
                user_defined=user_defined,
                extra=json.dumps(extra, separators=(",", ":"), ensure_ascii=False) if extra else "",
            )
        )

    # ---------------------------------------------------------------------------------------------- channels

    def _created(self, fact: events.ChannelCreated) -> None:
        channel = self._registry.get(fact.channel.id)
        if channel is not None:
            self._living[channel.id] = channel
            self._links.begin(channel)
            self._log("CHAN_START", channel)

    def _state(self, fact: events.ChannelStateChange) -> None:
        channel = self._living.get(fact.channel.id)
        if channel is not None and fact.channel.state == "Up":
            self._log("ANSWER", channel)

    def _step(self, fact: events.ChannelDialplan) -> None:
        channel = self._living.get(fact.channel.id)
        if channel is None:
            return
        self._end_application(channel)
        application = fact.dialplan_app.lower()
        if application in ENDS_CALLS:
            self._sources.setdefault(channel.id, "dialplan/builtin")
        if application in (name.lower() for name in self.settings.apps):
            self._running[channel.id] = (fact.dialplan_app, fact.dialplan_app_data)
            self._log("APP_START", channel)

    def _end_application(self, channel: Channel) -> None:
        application = self._running.pop(channel.id, None)
        if application is not None:
            self._log("APP_END", channel, application=application)

    def _ending(self, fact: events.ChannelHangupRequest) -> None:
        channel = self._living.get(fact.channel.id)
        if channel is not None and fact.soft is not True:
            self._sources.setdefault(channel.id, channel.name)

    def _destroyed(self, fact: events.ChannelDestroyed) -> None:
        channel = self._living.pop(fact.channel.id, None)
        if channel is None:
            return
        self._relink(channel)
        self._end_application(channel)
        self._log(
            "HANGUP",
            channel,
            extra={
                "hangupcause": hangup_cause(channel),
                "hangupsource": self._sources.pop(channel.id, ""),
                "dialstatus": channel.get_variable("DIALSTATUS") or "",
            },
        )
        self._log("CHAN_END", channel)
        self._tell_over(channel, self._links.end(channel))

    def _relink(self, channel: Channel) -> None:
        """Take notice of the linkedid that a channel has by now."""
        self._tell_over(channel, self._links.change(channel))

    def _tell_over(self, channel: Channel, linkedid: str) -> None:
        if linkedid:
            self._log("LINKEDID_END", channel, linkedid=linkedid)

    # ----------------------------------------------------------------------------------------------- bridges

    def _entered(self, fact: events.ChannelEnteredBridge) -> None:
        if fact.channel is UNSET:
            return
        for member in fact.bridge.channels:
            if member in self._living:
                for channel in tied_to(self._living[member]):
                    self._relink(channel)
        self._bridged("BRIDGE_ENTER", fact.channel.id, fact.bridge)

    def _left(self, fact: events.ChannelLeftBridge) -> None:
        self._bridged("BRIDGE_EXIT", fact.channel.id, fact.bridge)

    def _bridged(self, name: str, channel_id: str, bridge: snapshots.Bridge) -> None:
        channel = self._living.get(channel_id)
        if channel is None:
            return
        others = [self._living[other].name for other in bridge.channels if other in self._living]
        self._log(
            name,
            channel,
            peer=",".join(other for other in others if other != channel.name),
            extra={"bridge_id": bridge.id, "bridge_technology": bridge.technology},
        )

    def _blind(self, fact: events.BridgeBlindTransfer) -> None:
        channel = self._living.get(fact.channel.id)
        if channel is None or fact.result != "Success":
            return
        extra: dict[str, object] = {"extension": fact.exten, "context": fact.context}
        if fact.bridge is not UNSET:
            extra["bridge_id"] = fact.bridge.id
        if fact.transferee is not UNSET:
            extra |= {
                "transferee_channel_name": fact.transferee.name,
                "transferee_channel_uniqueid": fact.transferee.id,
            }
        self._log("BLINDTRANSFER", channel, extra=extra)

    def _attended(self, fact: events.BridgeAttendedTransfer) -> None:
        channel = self._living.get(fact.transferer_first_leg.id)
        if channel is None or fact.result != "Success":
            return
        extra: dict[str, object] = {}
        if fact.transferer_first_leg_bridge is not UNSET:
            extra["bridge1_id"] = fact.transferer_first_leg_bridge.id
        extra["channel2_name"] = fact.transferer_second_leg.name
        extra["channel2_uniqueid"] = fact.transferer_second_leg.id
        if fact.destination_application is not UNSET:
            extra["app"] = fact.destination_application
        elif fact.transferer_second_leg_bridge is not UNSET:
            extra["bridge2_id"] = fact.transferer_second_leg_bridge.id
        for name, other in (("transferee", fact.transferee), ("transfer_target", fact.transfer_target)):
            if other is not UNSET:
                extra[f"{name}_channel_name"] = other.name
                extra[f"{name}_channel_uniqueid"] = other.id
        self._log("ATTENDEDTRANSFER", channel, extra=extra)

    # ------------------------------------------------------------------------------------------------- calls

    def _dialled(self, fact: events.Dial) -> None:
        if not fact.forward:
            return
        teller = fact.caller if fact.caller is not UNSET else fact.peer
        channel = self._living.get(teller.id)
        if channel is not None:
            self._log("FORWARD", channel, extra={"forward": fact.forward})

    def _picked_up(self, fact: facts.PickedUp) -> None:
        channel = self._living.get(fact.target.id)
        if channel is not None:
            self._log(
                "PICKUP",
                channel,
                extra={"pickup_channel": fact.channel.name, "pickup_channel_uniqueid": fact.channel.id},
            )
