"""Transfers that a phone asks for: what becomes of its channels, of their bridges, and of who stays behind.

A bridge of an application is never taken apart: a Local channel takes the place of the phone in it, and the
application hears of that as StasisStart with `replace_channel`. In a bridge that Dial made, who stays behind goes on
by itself: into the dialplan, or over to the other bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from arietta.bridges.bridge import Bridge, Membership
from arietta.channels import signals
from arietta.channels.channel import Channel, Moved, State, Story
from arietta.channels.dialing import Attempt
from arietta.channels.driver import CannotRequest, DialRequest, TransferTarget
from arietta.channels.following import Following
from arietta.channels.registry import ChannelRegistry
from arietta.model import causes, events, snapshots
from arietta.model.facts import PickedUp
from arietta.model.times import wire_now
from arietta.stasis.places import Places, is_of_application, name_each_other, peers_of, say_goodbye

BLIND_VARIABLE, ATTENDED_VARIABLE = "BLINDTRANSFER", "ATTENDEDTRANSFER"
LINK = "_attended@transfer/n"
"""The Local channel that ties what cannot be merged."""


SUCCESS, INVALID, FAIL = 200, 400, 500
"""How a transfer went, as SIP statuses: invalid is one without anybody to transfer, failed one without a channel."""
RESULTS = {SUCCESS: "Success", INVALID: "Invalid", FAIL: "Fail"}
"""What the events call them."""


class Transfers:
    """Carries out transfers; each returns its outcome."""

    def __init__(self, channels: ChannelRegistry, places: Places) -> None:
        self._channels = channels
        self.places = places

    # ------------------------------------------------------------------------------------------------- replacing

    def can_replace(self, former: Channel) -> bool:
        """Whether another channel can have the place of `former`: it talks, waits, or is called by Dial."""
        if former.hangup_requested or former.ended or former.internal:
            return False
        if former.state in (State.DOWN, State.RINGING):
            return former.attempt is not None and former.attempt.can_be_taken
        return True

    def replace(self, former: Channel, new: Channel) -> Story:
        """Let `new` have the place of `former`, which ends; what `new` does then, in its owner and answered.

        Who asks has asked `can_replace` before.
        """
        attempt = former.attempt
        if attempt is not None and attempt.can_be_taken:
            bus = self._channels.bus
            if bus.wanted(PickedUp.topics):
                bus.publish(PickedUp(new.snapshot(), former.snapshot()), PickedUp.topics)
            return attempt.give_to(new)
        story = self.places.take(new, former)
        say_goodbye(former)
        return story

    # ---------------------------------------------------------------------------------------------- blind transfers

    def blind(
        self,
        phone: Channel,
        exten: str,
        context: str,
        variables: Mapping[str, str],
        following: Following | None = None,
        *,
        is_external: bool = True,
    ) -> int:
        """Send those that talk to `phone` to an extension that exists; BridgeBlindTransfer tells how it went.

        `following` begins with the channel that runs the dialplan then. A transfer is external if the far end asked
        for it by its signalling.
        """
        bridge, others = phone.bridge, peers_of(phone)
        if bridge is None or not others:
            _tell_blind(phone, exten, context, INVALID, is_external)
            return INVALID
        if not is_of_application(bridge):
            _tell_blind(phone, exten, context, SUCCESS, is_external)
            if following is not None:
                following.begin(others[0])
            for other in others:
                for name, value in variables.items():
                    other.set_variable(name, value)
                other.set_place(context, exten, 1)
                other.dialed_number = exten  # whom Dial says that it is connected to
                other.interrupt(Moved())
            say_goodbye(phone, BLIND_VARIABLE)
            for other in others:
                bridge.leave(other)
            return SUCCESS
        half = self.local(phone, f"{exten}@{context}/n", {**variables, BLIND_VARIABLE: phone.name})
        if half is None:
            _tell_blind(phone, exten, context, FAIL, is_external)
            return FAIL
        _tell_blind(phone, exten, context, SUCCESS, is_external, half)
        story = self.places.take_in_bridge(half, phone, bridge, BLIND_VARIABLE)
        far = _other_half(half)
        if following is not None and far is not None:
            following.begin(far)
        say_goodbye(phone, BLIND_VARIABLE)
        half.own(story())
        _watch_answer(half)
        return SUCCESS

    # ------------------------------------------------------------------------------------------- attended transfers

    def attended(self, first: Channel, second: Channel) -> int:
        """Connect those that talk to `first`, which asks for it, with `second`'s; BridgeAttendedTransfer tells."""
        one, two = first.bridge, second.bridge
        if first is second or one is two or not (peers_of(first) or peers_of(second)):
            _tell_attended(first, second, INVALID, "fail")
            return INVALID
        if one is None or two is None:
            bridged, alone = (first, second) if two is None else (second, first)
            moving = peers_of(bridged)
            if bridged.bridge is not None and not is_of_application(bridged.bridge) and len(moving) == 1:
                return self._take_over(first, second, moving[0], alone)
            return self._link(first, second)
        if is_of_application(one) or is_of_application(two):
            return self._link(first, second)
        _tell_attended(first, second, SUCCESS, "bridge", destination_bridge=two.id)
        self._move_over(first, one, second, two)
        return SUCCESS

    def _move_over(self, first: Channel, one: Bridge, second: Channel, two: Bridge) -> None:
        """Those of `first` go over into the bridge of `second`, which both then leave."""
        moving, staying = peers_of(first), peers_of(second)
        for phone, others in ((first, moving), (second, staying)):
            phone.receive(signals.Unheld())
            name_each_other(phone, others, ATTENDED_VARIABLE)
        for channel in staying:
            member = two.member(channel)
            assert member is not None
            self.places.adopt(member, two)
        memberships = []
        for channel in moving:
            member = Membership(channel)
            self.places.adopt(member, two)
            memberships.append(member)
        if staying:
            two.leave(second)
        for member in memberships:
            two.join(member)
        two.leave(second)  # last where it is alone: an empty bridge ends
        one.leave(first)
        second.request_hangup(causes.NORMAL_CLEARING)
        first.hangup_cause = causes.NORMAL_CLEARING
        first.end_quietly()

    def _take_over(self, first: Channel, second: Channel, moving: Channel, alone: Channel) -> int:
        """Who talked to one leg in a bridge of Dial goes where the other one is: an application, or the dialplan."""
        bridge = moving.bridge
        assert bridge is not None
        _tell_attended(first, second, SUCCESS, "application", destination_application=alone.app_name)
        moving.interrupt(Moved(self.places.take(moving, alone)))
        for phone in (first, second):
            say_goodbye(phone, ATTENDED_VARIABLE)
        bridge.leave(moving)
        return SUCCESS

    def _link(self, first: Channel, second: Channel) -> int:
        """Tie two bridges, or a bridge and an application, with a Local channel whose halves replace both legs."""
        bridged, other = (first, second) if first.bridge is not None else (second, first)
        near = self.local(bridged, LINK, {})
        far = _other_half(near)
        if near is None or far is None:
            _tell_attended(first, second, FAIL, "fail")
            return FAIL
        enter_near = self.places.take(near, bridged, ATTENDED_VARIABLE)
        enter_far = self.places.take(far, other)
        if other.bridge is not None:
            links: dict[str, Any] = {
                "destination_link_first_leg": near.snapshot(),
                "destination_link_second_leg": far.snapshot(),
            }
            _tell_attended(first, second, SUCCESS, "link", **links)
        else:
            _tell_attended(
                first,
                second,
                SUCCESS,
                "application",
                replace_channel=near.snapshot(),
                destination_application=other.app_name,
            )
        for phone in (bridged, other):
            say_goodbye(phone, ATTENDED_VARIABLE)

        async def answer_and_enter() -> None:
            far.answer()
            await enter_far()

        near.own(enter_near())
        far.own(answer_and_enter())
        _watch_answer(near)
        return SUCCESS

    def tell_elsewhere(self, phone: Channel, new: Channel, *, succeeded: bool) -> None:
        """Publish BridgeAttendedTransfer for a call at another server, before `new` has the place of `phone`."""
        if not succeeded:
            _tell_attended(phone, new, FAIL, "fail")
            return
        shown = new.snapshot()
        if phone.bridge is not None:
            place: dict[str, Any] = {"destination_bridge": phone.bridge.id}
        else:
            place = {"destination_application": phone.app_name}
        way = "bridge" if phone.bridge is not None else "application"
        _tell_attended(phone, new, SUCCESS, way, replace_channel=shown, transfer_target=shown, **place)

    def tell_completed(self, phone: Channel, called: Channel, waiting: Bridge, talk: Bridge | None) -> None:
        """Publish BridgeAttendedTransfer for a phone that hung up after it called somebody for those who wait."""
        topics, bus = phone.topics + waiting.topics, self._channels.bus
        if bus.wanted(topics):
            bus.publish_once(
                events.BridgeAttendedTransfer(
                    timestamp=wire_now(),
                    transferer_first_leg=phone.snapshot(),
                    transferer_second_leg=phone.snapshot(),
                    result=RESULTS[SUCCESS],
                    is_external=False,
                    transferee=_shown(_only([channel for channel in waiting.channels if not channel.internal])),
                    transfer_target=called.snapshot(),
                    transferer_first_leg_bridge=waiting.snapshot(),
                    transferer_second_leg_bridge=_shown_bridge(talk),
                    destination_type="bridge",
                    destination_bridge=waiting.id,
                ),
                topics,
            )

    # --------------------------------------------------------------------------- transfers left to the application

    def ask(self, phone: Channel, wanted: TransferTarget, second: Channel | None, state: str | None = None) -> None:
        """Publish ChannelTransfer: the application is to carry it out; `state` is how far it says it is."""
        if not phone.watched:
            return
        parameters = [events.AdditionalParam(name, value) for name, value in wanted.parameters.items()]
        phone.publish(
            events.ChannelTransfer(
                timestamp=wire_now(),
                refer_to=events.ReferTo(
                    requested_destination=events.RequiredDestination(
                        protocol_id=wanted.protocol_id or UNSET,
                        destination=wanted.exten or UNSET,
                        additional_protocol_params=parameters or UNSET,
                    ),
                    destination_channel=_shown(second),
                    connected_channel=_shown(_only(peers_of(second))) if second is not None else UNSET,
                    bridge=_shown_bridge(second.bridge) if second is not None else UNSET,
                ),
                referred_by=events.ReferredBy(
                    source_channel=phone.snapshot(),
                    connected_channel=_shown(_only(peers_of(phone))),
                    bridge=_shown_bridge(phone.bridge),
                ),
                state=state or UNSET,
            )
        )

    def local(self, phone: Channel, resource: str, variables: Mapping[str, str]) -> Channel | None:
        """A Local channel on behalf of `phone`; None if there can be none."""
        driver = self._channels.driver("Local")
        if driver is None:
            return None
        try:
            return driver.request(DialRequest(resource=resource, originator=phone, variables=variables))
        except CannotRequest:
            return None


def _watch_answer(half: Channel) -> None:
    """Call the half that took a place, so that its answer is told."""
    Attempt(half, dialstring=half.name.partition("/")[2], on_change=_nothing).start()


def _nothing(_attempt: Attempt) -> None:
    """Nobody waits for the answer of a half."""


def _other_half(half: Channel | None) -> Channel | None:
    far = getattr(getattr(half.leg, "other", None), "channel", None) if half is not None else None
    return far if isinstance(far, Channel) else None


def _only(channels: list[Channel]) -> Channel | None:
    return channels[0] if len(channels) == 1 else None


def _shown(channel: Channel | None) -> snapshots.Channel | UnsetType:
    return channel.snapshot() if channel is not None else UNSET


def _shown_bridge(bridge: Bridge | None) -> snapshots.Bridge | UnsetType:
    return bridge.snapshot() if bridge is not None else UNSET


def _tell_blind(
    phone: Channel, exten: str, context: str, result: int, is_external: bool, replacing: Channel | None = None
) -> None:
    """Publish BridgeBlindTransfer with everything as it is before the transfer."""
    topics = phone.topics + (phone.bridge.topics if phone.bridge is not None else ())
    bus = phone.registry.bus
    if bus.wanted(topics):
        bus.publish_once(
            events.BridgeBlindTransfer(
                timestamp=wire_now(),
                channel=phone.snapshot(),
                exten=exten,
                context=context,
                result=RESULTS[result],
                is_external=is_external,
                transferee=_shown(_only(peers_of(phone))),
                replace_channel=_shown(replacing),
                bridge=_shown_bridge(phone.bridge),
            ),
            topics,
        )


def _tell_attended(first: Channel, second: Channel, result: int, destination: str, **more: Any) -> None:
    """Publish BridgeAttendedTransfer with everything as it is before the transfer.

    Who hears only of the second call does not hear of its transfer, as in Asterisk, unless that call is in a bridge.
    """
    topics = first.topics
    for bridge in (first.bridge, second.bridge):
        topics += bridge.topics if bridge is not None else ()
    bus = first.registry.bus
    if bus.wanted(topics):
        shown: dict[str, Any] = {
            "transferer_first_leg": first.snapshot(),
            "transferer_second_leg": second.snapshot(),
            "result": RESULTS[result],
            "is_external": False,
            "transferee": _shown(_only(peers_of(first))),
            "transfer_target": _shown(_only(peers_of(second))),
            "transferer_first_leg_bridge": _shown_bridge(first.bridge),
            "transferer_second_leg_bridge": _shown_bridge(second.bridge),
            "destination_type": destination,
        }
        bus.publish_once(events.BridgeAttendedTransfer(timestamp=wire_now(), **(shown | more)), topics)
