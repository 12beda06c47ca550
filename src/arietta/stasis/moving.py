"""Channels that are moved from outside: redirected, bridged, transferred, whatever story they are in.

The manager interface, the dialplan and phones all come here. A channel that leaves an application because of it gets
its StasisEnd as always, and does not come back by itself. What cannot be moved is refused before anything is changed:
`Conflict` and `NotFound` say why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from arietta.bridges.bridge import Bridge, BridgeRegistry, Membership
from arietta.channels.channel import Channel, Moved, State, Story
from arietta.channels.consulting_rules import ConsultingRules
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict, NotFound
from arietta.stasis.consulting import Consultations
from arietta.stasis.places import end_of_talk
from arietta.stasis.transfers import FAIL, INVALID, Transfers

SPECIAL_EXTENSIONS = ("i", "e")
"""Where a channel ends up that is sent to an extension that does not exist."""


@dataclass(frozen=True, slots=True)
class Place:
    """A step of the dialplan."""

    context: str
    exten: str
    priority: int | str = 1
    """A number, or a label."""


class Moves:
    """Moves channels; every method is complete, or has refused, when it returns."""

    def __init__(
        self,
        channels: ChannelRegistry,
        bridges: BridgeRegistry,
        transfers: Transfers,
        play: Callable[[Channel, str], object],
    ) -> None:
        """`play` lets a channel hear a media URI."""
        self._channels = channels
        self._bridges = bridges
        self._transfers = transfers
        self._play = play
        self.consultations = Consultations(channels, bridges, transfers, play)

    # -------------------------------------------------------------------------------------------------- redirecting

    def redirect(self, channel: Channel, context: str, exten: str, priority: int | str = 1) -> None:
        """Send a channel to a place in the dialplan; who talked to it in a bridge of Dial is hung up.

        NotFound for a place that does not exist, Conflict for a channel that ends or is being called.
        """
        self.check_movable(channel)
        place = self._existing(Place(context, exten, priority), channel)
        self._send(channel, place)
        _leave_bridge(channel)

    def redirect_both(self, one: Channel, one_place: Place, other: Channel, other_place: Place) -> None:
        """Send two channels to places in the dialplan: both leave their bridge, and neither hangs up the other."""
        if one is other:
            raise Conflict(f"channel {one.name!r} cannot be redirected to two places")
        for channel in (one, other):
            self.check_movable(channel)
        places = [self._existing(place, who) for place, who in ((one_place, one), (other_place, other))]
        for channel, place in zip((one, other), places, strict=True):
            self._send(channel, place)
        for channel in (one, other):
            _leave_bridge(channel)

    def _send(self, channel: Channel, place: Place) -> None:
        assert isinstance(place.priority, int)
        channel.set_place(place.context, place.exten, place.priority)
        # Before it leaves its bridge, so that a Dial which ends with that does not hang it up.
        channel.interrupt(Moved())
        if channel.task is None and self._channels.dialplan is not None:
            channel.own(self._channels.dialplan.run(channel))

    def _existing(self, place: Place, channel: Channel) -> Place:
        """The place with its priority as a number; NotFound if there is neither it nor one for what is invalid."""
        dialplan, number = self._channels.dialplan, channel.caller.number
        context, exten, priority = place.context, place.exten, place.priority
        if dialplan is not None and isinstance(priority, str) and not priority.isdecimal():
            found = dialplan.priority_of_label(context, exten, priority, number)
            if found is None:
                raise NotFound(f"there is no label {priority!r} in {exten}@{context}")
            priority = found
        priority = int(priority)
        known = dialplan is not None and (
            dialplan.exists(context, exten, priority, number)
            or any(dialplan.exists(context, special, 1, number) for special in SPECIAL_EXTENSIONS)
        )
        if not known:
            raise NotFound(f"there is no step {priority} in {exten}@{context}")
        return Place(context, exten, priority)

    # ----------------------------------------------------------------------------------------------------- bridging

    def bridge(self, one: Channel, other: Channel, *, tone: tuple[Channel, ...] = ()) -> Bridge:
        """Take two channels out of what they do and let them talk; `tone` are those that hear a beep first.

        When one of them leaves, the other goes on in the dialplan behind where it was, or ends if there is no such
        step. Conflict for a channel that ends or is being called, and for twice the same.
        """
        if one is other:
            raise Conflict(f"channel {one.name!r} cannot be bridged with itself")
        for channel in (one, other):
            self.check_movable(channel)
        meeting = Meeting(self._bridges, (one, other), lambda channel: self._greet(channel, tone))
        for channel in (one, other):
            story = meeting.story(channel, go_on_behind(channel))
            channel.interrupt(Moved(story, meeting.end))
            if channel.task is None:
                channel.own(story())
            _leave_bridge(channel)
        return meeting.bridge

    def meet(
        self, channel: Channel, other: Channel, *, tone: bool, then: Callable[[Channel], None] | None = None
    ) -> Meeting:
        """For the owner of `channel`, which awaits `Meeting.attend`: take `other` out of what it does to talk.

        `then` is called in the owner of `other` afterwards, in place of going on behind where it was.
        """
        if channel is other:
            raise Conflict(f"channel {channel.name!r} cannot be bridged with itself")
        self.check_movable(other)
        meeting = Meeting(self._bridges, (channel, other), lambda who: self._greet(who, (other,) if tone else ()))
        story = meeting.story(other, then or go_on_behind(other))
        other.interrupt(Moved(story, meeting.end))
        if other.task is None:
            other.own(story())
        _leave_bridge(other)
        return meeting

    def _greet(self, channel: Channel, tone: tuple[Channel, ...]) -> None:
        if channel in tone:
            self._play(channel, "sound:beep")

    # --------------------------------------------------------------------------------------------------- picking up

    def pick_up(self, channel: Channel, wanted: Callable[[Channel], bool]) -> Story | None:
        """Let `channel` have the oldest ringing call that is `wanted`: what it does then, answered; None if none is."""
        former = next((one for one in self._channels if one is not channel and _rings(one) and wanted(one)), None)
        if former is None or not self._transfers.can_replace(former):
            return None
        return self._transfers.replace(former, channel)

    # ------------------------------------------------------------------------------------------------- transferring

    def blind_transfer(self, channel: Channel, context: str, exten: str, *, is_external: bool = True) -> None:
        """Send those that talk to `channel` to an extension; the channel itself ends.

        NotFound for an extension that does not exist, Conflict for a channel that talks to nobody.
        """
        dialplan = self._channels.dialplan
        if dialplan is None or not dialplan.exists(context, exten, 1, channel.caller.number):
            raise NotFound(f"there is no extension {exten}@{context}")
        outcome = self._transfers.blind(channel, exten, context, {}, is_external=is_external)
        if outcome == INVALID:
            raise Conflict(f"channel {channel.name!r} is in no bridge with anybody")
        if outcome == FAIL:
            raise Conflict(f"channel {channel.name!r} cannot be transferred: there are no Local channels")

    def attended_transfer(
        self,
        channel: Channel,
        context: str,
        exten: str,
        rules: ConsultingRules | None = None,
        came_back: Callable[[], None] | None = None,
    ) -> None:
        """Let `channel` call an extension while those that it talks to wait; its hangup completes the transfer.

        `came_back` is called if it is given up, outside of applications, once the channel is back with those that
        wait. NotFound for an extension that does not exist, Conflict for a channel that talks to nobody, or that does
        this already.
        """
        dialplan = self._channels.dialplan
        if dialplan is None or not dialplan.exists(context, exten, 1, channel.caller.number):
            raise NotFound(f"there is no extension {exten}@{context}")
        self.check_movable(channel)
        self.consultations.begin(channel, exten, context, rules, came_back)

    def cancel_attended_transfer(self, channel: Channel) -> None:
        """Give the call to the extension up and go back to those that wait; Conflict if there is none."""
        self.consultations.cancel(channel)

    # ------------------------------------------------------------------------------------------------------- checks

    def check_movable(self, channel: Channel) -> None:
        """Refuse a channel that ends, serves another, or is being called and was not answered."""
        if channel.hangup_requested or channel.ended:
            raise Conflict(f"channel {channel.name!r} is being hung up")
        if channel.internal:
            raise Conflict(f"channel {channel.name!r} serves another one")
        if channel.state in (State.DOWN, State.RINGING):
            raise Conflict(f"channel {channel.name!r} is {channel.state}: it was not answered")


class Meeting:
    """Two channels that come into a bridge of their own out of whatever they did, until one of them leaves."""

    def __init__(self, bridges: BridgeRegistry, channels: tuple[Channel, Channel], greet: Callable[[Channel], None]):
        self.bridge = bridges.create(creator="", bridge_class="basic")
        self.ended = False
        self.took_place = False
        """Whether both were in the bridge."""
        self.waits: dict[str, Waiting] = {channel.id: channel for channel in channels}
        """What the owner of each waits with."""
        self.on_together: Callable[[], None] = _nothing
        """Called when both are in the bridge,"""
        self.on_over: Callable[[], None] = _nothing
        """and when the first of them leaves."""
        self._greet = greet
        loop = channels[0].registry.loop
        self._over: dict[str, asyncio.Future[None]] = {channel.id: loop.create_future() for channel in channels}

    def story(self, channel: Channel, then: Callable[[Channel], None]) -> Story:
        """What a channel does that was taken out of something else."""
        answers = not channel.get_variable("BRIDGE_NOANSWER")

        async def attend() -> None:
            await self.attend(channel, answers=answers)
            then(channel)

        return attend

    async def attend(self, channel: Channel, *, answers: bool = True) -> None:
        """In the owner of a channel: talk until somebody leaves."""
        if self.ended:
            return
        if answers:
            channel.answer()
        self._greet(channel)
        if self.ended or self.bridge.destroyed:  # by what came of the answer, or by who was transferred here and left
            self.end()
            return
        self.bridge.join(Membership(channel, on_left=self._left))
        self.took_place = len(self.bridge.members) > 1
        if self.took_place:
            self.on_together()
        try:
            await self.waits[channel.id].until(self._over[channel.id])
        finally:
            self.end()

    def end(self) -> None:
        """Everybody leaves."""
        if self.ended:
            return
        self.ended = True
        self.on_over()
        self.on_together = self.on_over = _nothing
        for over in self._over.values():
            if not over.done():
                over.set_result(None)
        self.bridge.on_empty = None
        # A transfer may have put others into the bridge: they stay, with whoever is not ours any more.
        ours = [member.channel for member in self.bridge.members if member.on_left == self._left]
        if len(ours) == len(self.bridge.members):
            self.bridge.destroy()
        else:
            for channel in ours:
                self.bridge.leave(channel)

    def _left(self, _channel: Channel, _reason: str) -> None:
        self.end()


class Waiting(Protocol):
    """How an owner waits: its channel, or what does more meanwhile."""

    async def until(self, future: asyncio.Future[None]) -> None:
        """Wait for `future`, as `Channel.until` does."""
        ...


def _nothing() -> None:
    """What is done where nobody wants more."""


def _rings(channel: Channel) -> bool:
    """Whether it is called, and the call may be answered elsewhere."""
    return channel.attempt is not None and channel.attempt.can_be_taken


def go_on_behind(channel: Channel) -> Callable[[Channel], None]:
    """Let a channel go on, later, with the step after the one where it is now, or end if there is none."""
    context, exten, priority = channel.context, channel.exten, channel.priority + 1

    def go_on(channel: Channel) -> None:
        dialplan = channel.registry.dialplan
        if dialplan is None or not dialplan.exists(context, exten, priority, channel.caller.number):
            end_of_talk(channel)
        channel.set_place(context, exten, priority)
        raise Moved

    return go_on


def _leave_bridge(channel: Channel) -> None:
    """Out of a bridge that is no application's; that of an application it leaves with the application."""
    bridge = channel.bridge
    if bridge is not None and bridge.bridge_class != "stasis":
        bridge.leave(channel)
