"""Makes the records of calls (CDR) of what happens to channels and bridges.

A record is a path: of a channel to this server, or of a channel (party A) to another (party B). It ends when the path
does; a channel that goes on has another one. Of two that meet, who calls the other is party A, else who was said to be
it, else who is older. Records of one channel are written together when it ends, in the order in which they began.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import UNSET

from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.channel import FLAG_DIALPLAN_ENDED, Channel
from arietta.channels.registry import ChannelRegistry
from arietta.config.cdr import CdrGeneral
from arietta.model import causes, events, facts
from arietta.records.detail import ANSWERED, BUSY, CANCEL, CONGESTION, FAILED, MAX_VARIABLES, NO_ANSWER, Clock, Detail

log = logging.getLogger(__name__)

TOPICS = ("channel:", "bridge:", *facts.PickedUp.topics)
MAX_RECORDS = 1000
"""Records of one channel that are kept until it ends; further ones are written at once."""
CAUSES = {
    causes.NO_ROUTE_DESTINATION: FAILED,
    causes.SUBSCRIBER_ABSENT: FAILED,
    causes.USER_BUSY: BUSY,
    causes.CONGESTION: CONGESTION,
    causes.SWITCH_CONGESTION: CONGESTION,
}
"""How a call went that nobody answered, by the cause of its end; others are NO ANSWER."""
STATUSES = {"ANSWER": ANSWERED, "BUSY": BUSY, "CONGESTION": CONGESTION, "NOANSWER": NO_ANSWER, "CANCEL": NO_ANSWER}
"""The same by the status of a Dial; others are FAILED."""
BEGINS = frozenset({"", "RINGING", "PROGRESS", "PROCEEDING"})
DIALLED_APPS = frozenset({"AppDial", "AppDial2"})

Deliver = Callable[[Detail], None]


class Party:
    """What is known of one channel: its records, and what it is to others."""

    __slots__ = ("channel", "clock", "dialled", "disabled", "ending", "is_a", "records")

    def __init__(self, channel: Channel, clock: Clock, *, disabled: bool) -> None:
        self.channel = channel
        self.clock = clock
        self.records: list[Detail] = []
        self.is_a = False
        """Whether the dialplan said that it is to be party A."""
        self.dialled = False
        """Whether it was called by another channel, and has done nothing else: then it has no record of its own."""
        self.disabled = disabled
        self.ending = False
        """Whether its dialplan is over, but for the extension h."""

    @property
    def open(self) -> Iterator[Detail]:
        """The records that have not ended."""
        return (one for one in self.records if not one.ended)


class CallRecorder:
    """Facts in, records out: subscribed only between `start` and `stop`; `deliver` gets each record that is to be."""

    def __init__(
        self, bus: Bus, channels: ChannelRegistry, bridges: BridgeRegistry, settings: CdrGeneral, deliver: Deliver
    ) -> None:
        self.settings = settings
        self._bus = bus
        self._channels = channels
        self._bridges = bridges
        self._deliver = deliver
        self._parties: dict[str, Party] = {}
        self._sequence = 0
        self._running = False
        self._hear_of: dict[type, Callable[[Any], None]] = {
            events.ChannelCreated: self._created,
            events.ChannelStateChange: self._changed,
            events.ChannelDialplan: self._changed,
            events.Dial: self._dialled,
            events.ChannelEnteredBridge: self._entered,
            events.ChannelLeftBridge: self._left,
            events.ChannelHangupRequest: self._ending,
            events.ChannelDestroyed: self._destroyed,
            facts.PickedUp: self._picked_up,
        }

    @property
    def running(self) -> bool:
        """Whether records are made."""
        return self._running

    def start(self) -> None:
        """Make records of the channels that live and of those to come."""
        if self._running:
            return
        self._running = True
        for channel in self._channels:
            if not channel.internal:
                self._meet(channel)
        for topic in TOPICS:
            self._bus.subscribe(topic, self._hear)

    def stop(self) -> None:
        """End and deliver the records there are, and make no more."""
        if not self._running:
            return
        self._running = False
        for topic in TOPICS:
            self._bus.unsubscribe(topic, self._hear)
        for party in tuple(self._parties.values()):
            self._finish(party)

    def parties(self) -> tuple[Party, ...]:
        """The channels that have records now."""
        return tuple(self._parties.values())

    def party(self, channel: Channel) -> Party | None:
        """What is known of a channel; None where no records are made of it."""
        return self._parties.get(channel.id)

    # ------------------------------------------------------------------------------- what the dialplan asks for

    def current(self, channel: Channel) -> Detail | None:
        """The record that CDR() reads: the first that has not ended, else the last."""
        party = self._parties.get(channel.id)
        if party is None or not party.records:
            return None
        found = next(party.open, party.records[-1])
        if not found.ended:
            found.show(channel)
        return found

    def set_variable(self, channel: Channel, name: str, value: str) -> None:
        """Keep a variable with every record that has not ended; ValueError where there are too many."""
        party = self._parties.get(channel.id)
        for detail in party.open if party is not None else ():
            if name not in detail.variables and len(detail.variables) >= MAX_VARIABLES:
                raise ValueError(f"{name!r} is one more than the {MAX_VARIABLES} variables of a record")
            detail.variables[name] = value

    def reset(self, channel: Channel, *, keep_variables: bool) -> None:
        """Let the records that have not ended begin now."""
        party = self._parties.get(channel.id)
        now = party.clock() if party is not None else 0.0
        for detail in party.open if party is not None else ():
            detail.start = now
            detail.answer = now if detail.answer else 0.0
            if not keep_variables:
                detail.variables.clear()

    def fork(
        self, channel: Channel, *, end: bool = False, answer: bool = False, reset: bool = False, bare: bool = False
    ) -> None:
        """Begin a further record, that goes on beside the others or, with `end`, in their place."""
        party = self._parties.get(channel.id)
        if party is None or not party.records:
            return
        former = next(party.open, party.records[-1])
        now = party.clock()
        forked = former.fork(channel, self._next())
        if bare:
            forked.variables.clear()
            forked.userfield = ""
        if not reset:
            forked.start = former.start
            forked.answer = now if answer and former.answer else former.answer
        if former.other is not None and not former.ended:
            forked.meet(former.other)
            forked.talking = former.talking
        if end:
            for detail in tuple(party.open):
                self._end(party, detail)
        self._add(party, forked)

    # ------------------------------------------------------------------------------------------- what happens

    def _hear(self, fact: Any) -> None:
        handle = self._hear_of.get(type(fact))
        if handle is not None:
            handle(fact)

    def _created(self, fact: events.ChannelCreated) -> None:
        channel = self._channels.get(fact.channel.id)
        if channel is not None and not channel.internal:
            self._meet(channel)

    def _meet(self, channel: Channel) -> Party:
        party = Party(channel, Clock(self._channels.loop.time), disabled=not self.settings.channeldefaultenabled)
        self._parties[channel.id] = party
        self._begin(party)
        return party

    def _changed(self, fact: events.ChannelStateChange | events.ChannelDialplan) -> None:
        party = self._parties.get(fact.channel.id)
        if party is None:
            return
        channel = party.channel
        steps = type(fact) is events.ChannelDialplan
        if party.dialled and steps and channel.app_name not in DIALLED_APPS:
            # It was called, and does something of its own now.
            party.dialled = False
            party.records = [detail for detail in party.records if detail.dstchannel]
        ended = True
        for detail in party.open:
            ended = False
            if steps:
                detail.is_idle = False
                detail.show(channel)
            if not detail.answer and channel.answered_at is not None and not (steps and detail.other):
                detail.answer = party.clock()
        if ended and not party.ending and not channel.hangup_requested and steps:
            # The path it had is over, and it goes on in the dialplan or in an application.
            self._begin(party)

    def _begin(self, party: Party) -> Detail:
        channel = party.channel
        number = self._next()
        detail = party.records[-1].fork(channel, number) if party.records else Detail(channel, number, party.clock)
        detail.initiated = self.settings.initiatedseconds
        self._add(party, detail)
        return detail

    def _add(self, party: Party, detail: Detail) -> None:
        if len(party.records) >= MAX_RECORDS:
            self._dispatch(party, party.records.pop(0))
        party.records.append(detail)
        self._tell("begins", detail)

    def _dialled(self, fact: events.Dial) -> None:
        peer = self._parties.get(fact.peer.id)
        caller = self._parties.get(fact.caller.id) if fact.caller is not UNSET else None
        if caller is None:
            if peer is not None and fact.dialstatus in ("BUSY", "CONGESTION", "NOANSWER", "CHANUNAVAIL"):
                for detail in peer.open:
                    detail.disposition = self._disposition(fact.dialstatus)
            return
        target = peer.channel if peer is not None else self._channels.get(fact.peer.id)
        if target is None or (caller.channel.hangup_requested and fact.dialstatus in BEGINS):
            return
        if fact.dialstatus == "" and peer is not None:
            peer.dialled = True
        if self.settings.ignoredialchanges:
            return
        if fact.dialstatus == "":
            self._calls(caller, target)
        elif fact.dialstatus not in BEGINS:
            self._called(caller, target, fact.dialstatus)

    def _calls(self, caller: Party, target: Channel) -> None:
        """A channel begins to call another: the record it has is about that, or a further one."""
        free = [detail for detail in caller.open if detail.other is None]
        for detail in free or (self._begin(caller),):
            detail.show(caller.channel)
            detail.meet(target)
            if detail.answer == detail.start:
                # It was up when this path began: what counts is when the other answers.
                detail.answer = 0.0

    def _called(self, caller: Party, target: Channel, status: str) -> None:
        for detail in tuple(caller.open):
            if detail.other is not target or detail.talking:
                continue
            detail.disposition = self._disposition(status)
            if status != "ANSWER":
                self._end(caller, detail)

    def _picked_up(self, fact: facts.PickedUp) -> None:
        """Somebody answers in the place of the channel that rings, and is party B from now on."""
        party = self._parties.get(fact.channel.id)
        if party is None:
            return
        for caller in self._parties.values():
            for detail in caller.open:
                if detail.other is not None and detail.other.id == fact.target.id and not detail.talking:
                    detail.meet(party.channel)

    def _disposition(self, status: str) -> str:
        if status == "CANCEL" and self.settings.canceldispositionenabled:
            return CANCEL
        found = STATUSES.get(status, FAILED)
        return FAILED if found == CONGESTION and not self.settings.congestion else found

    def _entered(self, fact: events.ChannelEnteredBridge) -> None:
        if fact.channel is UNSET or self.settings.ignorestatechanges:
            return
        party = self._parties.get(fact.channel.id)
        bridge = self._bridges.get(fact.bridge.id)
        if party is None or bridge is None or bridge.bridge_type == "holding":
            return
        for other in bridge.channels:
            stranger = self._parties.get(other.id)
            if stranger is not None and stranger is not party:
                self._talk(*self._in_order(party, stranger))

    def _in_order(self, one: Party, other: Party) -> tuple[Party, Party]:
        """Party A before party B."""
        for first, second in ((one, other), (other, one)):
            if any(detail.other is second.channel for detail in first.open):
                return first, second
        if one.dialled != other.dialled:
            return (other, one) if one.dialled else (one, other)
        if one.is_a != other.is_a:
            return (one, other) if one.is_a else (other, one)
        older = one.channel.created_at < other.channel.created_at or (
            one.channel.created_at == other.channel.created_at and one.records[0].sequence <= other.records[0].sequence
        )
        return (one, other) if older else (other, one)

    def _talk(self, first: Party, second: Party) -> None:
        """Two channels are in one bridge."""
        known = [detail for detail in first.open if detail.other is second.channel]
        free = [detail for detail in first.open if detail.other is None]
        for detail in known or free or (self._begin(first),):
            detail.show(first.channel)
            detail.meet(second.channel)
            detail.talking = True
            detail.disposition = ANSWERED
            detail.answer = detail.answer or first.clock()
            _share(detail, second)

    def _left(self, fact: events.ChannelLeftBridge) -> None:
        party = self._parties.get(fact.channel.id)
        if party is None or self.settings.ignorestatechanges:
            return
        for detail in tuple(party.open):
            self._end(party, detail)
        self._go_on(party)
        for other in fact.bridge.channels:
            stranger = self._parties.get(other)
            if stranger is None:
                continue
            for detail in tuple(stranger.open):
                if detail.talking and detail.other is party.channel:
                    self._end(stranger, detail)
            self._go_on(stranger)

    def _go_on(self, party: Party) -> None:
        """Begin the next record of a channel that an application has: in the dialplan the next step begins it."""
        channel = party.channel
        lives_on = not (party.ending or channel.hangup_requested)
        if lives_on and channel.app_name == "Stasis" and next(party.open, None) is None:
            self._begin(party).is_idle = True

    def _ending(self, fact: events.ChannelHangupRequest) -> None:
        party = self._parties.get(fact.channel.id)
        if party is None or fact.cause != FLAG_DIALPLAN_ENDED or fact.soft is not True:
            return
        party.ending = True
        for detail in tuple(party.open):
            if self.settings.endbeforehexten:
                self._end(party, detail)
            detail.placed = True

    def _destroyed(self, fact: events.ChannelDestroyed) -> None:
        party = self._parties.get(fact.channel.id)
        if party is not None:
            self._finish(party)

    # ------------------------------------------------------------------------------------------------ the end

    def _end(self, party: Party, detail: Detail) -> None:
        if detail.ended:
            return
        channel = party.channel
        detail.show(channel)
        detail.ended, detail.end = True, party.clock()
        if detail.other is not None:
            _share(detail, self._parties.get(detail.other.id))
        if not detail.disposition and not detail.answer:
            found = CAUSES.get(channel.hangup_cause, NO_ANSWER)
            detail.disposition = FAILED if found == CONGESTION and not self.settings.congestion else found
        detail.disposition = detail.shown_disposition
        detail.other = None
        self._tell("ends", detail)

    def _finish(self, party: Party) -> None:
        """A channel is gone."""
        del self._parties[party.channel.id]
        for detail in tuple(party.open):
            self._end(party, detail)
        for detail in party.records:
            self._dispatch(party, detail)
        party.records = []

    def _dispatch(self, party: Party, detail: Detail) -> None:
        alone = not detail.dstchannel
        if party.disabled or (alone and party.dialled):
            return
        if alone and detail.disposition != ANSWERED and not self.settings.unanswered:
            return
        if alone and detail.is_idle and not detail.duration:
            return  # The channel was about to end, or to go elsewhere, when it left the bridge.
        self._tell("is written", detail)
        self._deliver(detail)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def _tell(self, what: str, detail: Detail) -> None:
        if self.settings.debug:
            log.info(
                "record %d of %s %s: %s to %s", detail.sequence, detail.channel, what, detail.dst, detail.dstchannel
            )


def _share(detail: Detail, second: Party | None) -> None:
    """Take what the record says of its party B; what party A has of its own stays."""
    if second is None:
        return
    detail.peeraccount = second.channel.accountcode
    own = next(second.open, None) or (second.records[-1] if second.records else None)
    if own is None:
        return
    for name, value in own.variables.items():
        detail.variables.setdefault(name, value)
    if own.userfield and own.userfield not in detail.userfield.split(";"):
        detail.userfield = f"{detail.userfield};{own.userfield}" if detail.userfield else own.userfield
