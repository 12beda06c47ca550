"""Attended transfers that the server carries out: a channel calls an extension while those that it talked to wait.

The channel's hangup completes the transfer: who was called takes its place. Before the answer
`recalling` goes on with the call. Who is called is reached through a Local channel. Keys of the
channel give the transfer up, complete it, and outside of applications change who talks to whom.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from arietta.bridges.bridge import Bridge, BridgeRegistry, Membership
from arietta.channels.channel import Channel, Moved
from arietta.channels.consulting_rules import ConsultingRules
from arietta.channels.dialing import Attempt
from arietta.channels.driver import Indication
from arietta.channels.key_watch import KeyWatch
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict
from arietta.model import causes
from arietta.stasis.places import end_of_talk, is_of_application, name_each_other, peers_of
from arietta.stasis.recalling import Recall

if TYPE_CHECKING:
    from arietta.stasis.transfers import Transfers

ATTENDED_VARIABLE = "ATTENDEDTRANSFER"
NAME_VARIABLE = "__TRANSFERERNAME"


class Consultations:
    """The attended transfers that go on, by the id of the channel that transfers."""

    def __init__(
        self,
        channels: ChannelRegistry,
        bridges: BridgeRegistry,
        transfers: Transfers,
        play: Callable[[Channel, str], object],
    ) -> None:
        """`play` lets a channel hear a media URI."""
        self.channels = channels
        self.bridges = bridges
        self.transfers = transfers
        self.play = play
        self.rules = ConsultingRules()
        """Those of transfers that come without."""
        self.going_on: dict[str, Consultation] = {}

    def begin(
        self,
        channel: Channel,
        exten: str,
        context: str,
        rules: ConsultingRules | None = None,
        came_back: Callable[[], None] | None = None,
    ) -> None:
        """Begin one; Conflict for a channel that talks to nobody, or consults already."""
        if channel.id in self.going_on:
            raise Conflict(f"channel {channel.name!r} is transferring already")
        bridge = channel.bridge
        if bridge is None or not peers_of(channel):
            raise Conflict(f"channel {channel.name!r} is in no bridge with anybody")
        half = self.transfers.local(channel, f"{exten}@{context}/n", {NAME_VARIABLE: channel.name})
        if half is None:
            raise Conflict(f"channel {channel.name!r} cannot be transferred: there are no Local channels")
        consultation = self.going_on[channel.id] = Consultation(
            self, channel, bridge, half, rules or self.rules, f"Local/{exten}@{context}/n", came_back
        )
        consultation.begin()

    def cancel(self, channel: Channel) -> None:
        """Take the channel back to those that wait; Conflict if it does not consult."""
        consultation = self.going_on.get(channel.id)
        if consultation is None:
            raise Conflict(f"channel {channel.name!r} is not transferring")
        consultation.give_up()


class Consultation:
    """One attended transfer, from the call to the extension until it is complete or given up."""

    def __init__(
        self,
        all_of_them: Consultations,
        phone: Channel,
        waiting: Bridge,
        half: Channel,
        rules: ConsultingRules,
        goal: str,
        came_back: Callable[[], None] | None,
    ) -> None:
        """`goal` is who is called, as ``TECHNOLOGY/RESOURCE``; `came_back` hears that the phone is where it was."""
        self._came_back = came_back
        self._all = all_of_them
        self._rules = rules
        self._goal = goal
        self._recalling: Recall | None = None
        self._phone = phone
        self._waiting = waiting
        self._half = half
        self._over = False
        loop = phone.registry.loop
        self._phone_done: asyncio.Future[None] = loop.create_future()
        self._half_done: asyncio.Future[None] = loop.create_future()
        self._talk: Bridge | None = None
        member = waiting.member(phone)
        assert member is not None
        # Who keeps digits in a bridge of Dial does so for features, which end with the Dial.
        absorb = member.absorb_dtmf and is_of_application(waiting)
        self._place = Membership(phone, absorb, member.mute, member.role)
        # Whoever is left in a bridge of Dial stays there from now on, whatever becomes of the one that transfers.
        self._take_place = all_of_them.transfers.places.take_in_bridge(half, phone, waiting)
        self._attempt = Attempt(
            half, dialstring=half.name.partition("/")[2], caller=phone, on_change=self._changed, final_event=True
        )
        self._timer = loop.call_later(rules.no_answer_seconds, self._not_answered)
        codes = (rules.abort_keys, rules.complete_keys, rules.three_way_keys, rules.swap_keys)
        self._keys = KeyWatch(phone, codes, rules.key_seconds, self._meant)

    def begin(self) -> None:
        """Take the phone out of its bridge, and call."""
        phone, half = self._phone, self._half
        waiting = peers_of(phone)
        if not is_of_application(self._waiting):
            phone.interrupt(Moved(self._consult))
        self._waiting.leave(phone)
        for other in waiting:
            other.indicate(Indication.HOLD)
        phone.on_end.append(self._phone_ended)
        half.on_end.append(self._half_ended)
        half.own(self._wait())
        self._waiting.on_destroyed.append(self._waiting_ended)
        self._keys.start()
        self._attempt.start()

    async def _consult(self) -> None:
        """The phone's story outside of an application."""
        await self._phone.until(self._phone_done)
        end_of_talk(self._phone)

    async def _wait(self) -> None:
        """The story of the half until it takes the place."""
        await self._half.until(self._half_done)

    def _changed(self, attempt: Attempt) -> None:
        if self._recalling is not None:
            self._recalling.changed(attempt)
        if self._over:
            return
        if attempt.answered:
            self._timer.cancel()
            self._phone.indicate(Indication.STOP_RINGING)
            self._meet()
        elif attempt.over:
            self._fail()
        elif attempt.status == "RINGING":
            self._phone.indicate(Indication.RINGING)

    def _meet(self) -> None:
        bridge = self._talk = self._all.bridges.create(creator="", bridge_class="basic")
        bridge.on_empty = Bridge.destroy
        self._keys.stop()
        for channel in (self._phone, self._half):
            bridge.join(Membership(channel))
        self._keys.start()

    def _not_answered(self) -> None:
        self._half.hangup_cause = causes.NO_ANSWER
        self._fail()

    # -------------------------------------------------------------------------------------------- keys of the phone

    def _meant(self, phone: Channel, code: str) -> None:
        if code == self._rules.abort_keys:
            self.give_up()
        elif code == self._rules.complete_keys:
            phone.request_hangup()
        elif self._talk is not None and not self._waiting.destroyed and not is_of_application(self._waiting):
            if code == self._rules.three_way_keys:
                self._unite()
            else:
                self._swap(self._talk)

    def _unite(self) -> None:
        """All of them talk."""
        if self._end():
            self._attempt.forget()
            self._half.interrupt(Moved(self._take_place))
            self._leave_talk()
            self._all.transfers.places.come_back(self._phone, self._waiting, self._place)
            self._unhold()

    def _swap(self, talk: Bridge) -> None:
        """The phone goes over to the other side; the side that it leaves waits."""
        if self._phone.bridge is self._waiting:
            self._go_over(self._waiting, talk)
        else:
            self._go_over(talk, self._waiting)

    def _go_over(self, here: Bridge, there: Bridge) -> None:
        self._keys.stop()
        there.join(Membership(self._phone))
        self._keys.start()
        for bridge, indication in ((here, Indication.HOLD), (there, Indication.UNHOLD)):
            for channel in bridge.channels:
                if channel is not self._phone:
                    channel.indicate(indication)

    def _waiting_ended(self, _waiting: Bridge) -> None:
        """Nobody waits any more: a phone that had gone over to them is with who was called again."""
        talk = self._talk
        if self._over or talk is None or talk.destroyed:
            return
        if self._phone.bridge is None and not self._phone.hangup_requested:
            self._go_over(self._waiting, talk)

    # ---------------------------------------------------------------------------------------------- how it can end

    def _phone_ended(self, phone: Channel) -> None:
        """Complete: who was called takes the place, once there is an answer."""
        if not self._end():
            return
        self._unhold()
        if not self._waiting.destroyed:
            self._all.transfers.tell_completed(phone, self._half, self._waiting, self._talk)
            self._tell_those_who_waited()
        if self._attempt.answered or is_of_application(self._waiting):
            self._half.interrupt(Moved(self._take_place))
            self._attempt.forget()
        else:
            self._recall()
        self._leave_talk()

    def _recall(self) -> None:
        """The goal has not answered yet: from now on it is called for those that wait."""
        all_of_them = self._all
        recall = self._recalling = Recall(
            all_of_them.channels, all_of_them.transfers.places, self._waiting, self._rules, self._phone.device
        )
        recall.start(self._attempt, self._take_place, self._goal)

    def _tell_those_who_waited(self) -> None:
        waiting = [channel for channel in self._waiting.channels if channel is not self._phone and not channel.internal]
        name_each_other(self._phone, waiting, ATTENDED_VARIABLE)
        for channel in waiting if self._rules.complete_sound else ():
            self._all.play(channel, f"sound:{self._rules.complete_sound}")

    def _half_ended(self, _half: Channel) -> None:
        self._fail()

    def _fail(self) -> None:
        """Who was called cannot be had: the phone goes back, and hears that."""
        over = self._over
        self.give_up()
        if not over and self._rules.fail_sound and not self._phone.ended:
            self._all.play(self._phone, f"sound:{self._rules.fail_sound}")

    def give_up(self) -> None:
        """The phone goes back to those that wait; who was called is let go."""
        if not self._end():
            return
        self._attempt.stop("CANCEL" if not self._attempt.answered else None)
        self._attempt.forget()
        self._phone.indicate(Indication.STOP_RINGING)
        self._leave_talk()
        if not self._half_done.done():
            self._half_done.set_result(None)
        if not self._phone.ended:
            self._all.transfers.places.come_back(self._phone, self._waiting, self._place, self._came_back)
        self._unhold()

    def _unhold(self) -> None:
        if not self._waiting.destroyed:
            for channel in self._waiting.channels:
                if channel is not self._phone:
                    channel.indicate(Indication.UNHOLD)

    def _leave_talk(self) -> None:
        if self._talk is not None and not self._talk.destroyed:
            self._talk.destroy()

    def _end(self) -> bool:
        if self._over:
            return False
        self._over = True
        self._timer.cancel()
        self._phone.indicate(Indication.STOP_RINGING)
        self._keys.end()
        if self._waiting_ended in self._waiting.on_destroyed:
            self._waiting.on_destroyed.remove(self._waiting_ended)
        self._all.going_on.pop(self._phone.id, None)
        for channel, then in ((self._phone, self._phone_ended), (self._half, self._half_ended)):
            if not channel.ended and then in channel.on_end:
                channel.on_end.remove(then)
        return True
