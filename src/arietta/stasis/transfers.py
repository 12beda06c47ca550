"""Transfers that a phone asks for: what becomes of its channels, of their bridges, and of who stays behind.

A bridge of an application is never taken apart: a Local channel takes the place of the phone in it, and the
application hears of that as StasisStart with `replace_channel`. In a bridge that Dial made, who stays behind goes on
by itself: into the dialplan, or over to the other bridge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

from msgspec import UNSET, UnsetType

from arietta.bridges.bridge import Bridge, Membership
from arietta.channels import signals
from arietta.channels.channel import Channel, HungUp, Moved, Story
from arietta.channels.dialing import Attempt
from arietta.channels.driver import CannotRequest, DialRequest, Party, TransferTarget
from arietta.channels.registry import ChannelRegistry
from arietta.model import causes, events, snapshots
from arietta.model.times import wire_now
from arietta.stasis.control import Control, Controls, Replacement

BLIND_VARIABLE, ATTENDED_VARIABLE = "BLINDTRANSFER", "ATTENDEDTRANSFER"
LINK = "_attended@transfer/n"
"""The Local channel that ties what cannot be merged."""


SUCCESS, INVALID, FAIL = 200, 400, 500
"""How a transfer went, as SIP statuses: invalid is one without anybody to transfer, failed one without a channel."""
RESULTS = {SUCCESS: "Success", INVALID: "Invalid", FAIL: "Fail"}
"""What the events call them."""


class Transfers:
    """Carries out transfers; each returns its outcome."""

    def __init__(self, channels: ChannelRegistry, controls: Controls) -> None:
        self._channels = channels
        self._controls = controls

    # ---------------------------------------------------------------------------------------------- blind transfers

    def blind(self, phone: Channel, exten: str, context: str, variables: Mapping[str, str]) -> int:
        """Send those that talk to `phone` to an extension that exists; BridgeBlindTransfer tells how it went."""
        bridge, others = phone.bridge, peers_of(phone)
        if bridge is None or not others:
            _tell_blind(phone, exten, context, INVALID)
            return INVALID
        if not _is_of_application(bridge):
            _tell_blind(phone, exten, context, SUCCESS)
            for other in others:
                other.set_place(context, exten, 1)
                other.interrupt(Moved())
            self._say_goodbye(phone, BLIND_VARIABLE)
            for other in others:
                bridge.leave(other)
            return SUCCESS
        half = self._local(phone, f"{exten}@{context}/n", {**variables, BLIND_VARIABLE: phone.name})
        if half is None:
            _tell_blind(phone, exten, context, FAIL)
            return FAIL
        _tell_blind(phone, exten, context, SUCCESS, half)
        story = self._place_in_bridge(half, phone, bridge, BLIND_VARIABLE)
        self._say_goodbye(phone, BLIND_VARIABLE)
        half.own(story())
        _watch_answer(half)
        return SUCCESS

    # ------------------------------------------------------------------------------------------- attended transfers

    def attended(self, first: Channel, second: Channel) -> int:
        """Connect those that talk to `first`, which asks for it, with `second`'s; BridgeAttendedTransfer tells."""
        one, two = first.bridge, second.bridge
        alone = not peers_of(first) and not peers_of(second)
        if first is second or alone or one is two:
            _tell_attended(first, second, INVALID, "fail")
            return INVALID
        if one is None or two is None or _is_of_application(one) or _is_of_application(two):
            return self._link(first, second)
        _tell_attended(first, second, SUCCESS, "bridge", destination_bridge=two.id)
        self._move_over(first, one, second, two)
        return SUCCESS

    def _move_over(self, first: Channel, one: Bridge, second: Channel, two: Bridge) -> None:
        """Those of `first` go over into the bridge of `second`, which both then leave."""
        moving, staying = peers_of(first), peers_of(second)
        for phone, others in ((first, moving), (second, staying)):
            phone.receive(signals.Unheld())
            _name_each_other(phone, others, ATTENDED_VARIABLE)
        for channel in staying:
            member = two.member(channel)
            assert member is not None
            self._adopt(member, two)
        memberships = []
        for channel in moving:
            member = Membership(channel)
            self._adopt(member, two)
            memberships.append(member)
        two.leave(second)
        for member in memberships:
            two.join(member)
        one.leave(first)
        second.request_hangup(causes.NORMAL_CLEARING)
        first.hangup_cause = causes.NORMAL_CLEARING
        first.end_quietly()

    def _link(self, first: Channel, second: Channel) -> int:
        """Tie two bridges, or a bridge and an application, with a Local channel whose halves replace both legs."""
        bridged, other = (first, second) if first.bridge is not None else (second, first)
        near = self._local(bridged, LINK, {})
        far = _other_half(near)
        if near is None or far is None:
            _tell_attended(first, second, FAIL, "fail")
            return FAIL
        enter_near = self._place_of(near, bridged, ATTENDED_VARIABLE)
        enter_far = self._place_of(far, other, "")
        if other.bridge is not None:
            links = {
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
            self._say_goodbye(phone, ATTENDED_VARIABLE)

        async def answer_and_enter() -> None:
            far.answer()
            await enter_far()

        near.own(enter_near())
        far.own(answer_and_enter())
        _watch_answer(near)
        return SUCCESS

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

    # ------------------------------------------------------------------------------------------------ taking places

    def _local(self, phone: Channel, resource: str, variables: Mapping[str, str]) -> Channel | None:
        driver = self._channels.driver("Local")
        if driver is None:
            return None
        try:
            return driver.request(DialRequest(resource=resource, originator=phone, variables=variables))
        except CannotRequest:
            return None

    def _say_goodbye(self, phone: Channel, variable: str) -> None:
        """The phone leaves its bridge and ends, without a request: it asked for that itself."""
        bridge = phone.bridge
        if bridge is None:
            phone.end_quietly()
            return
        phone.receive(signals.Unheld())
        _name_each_other(phone, peers_of(phone), variable)
        bridge.leave(phone)
        phone.hangup_cause = causes.NORMAL_CLEARING
        phone.end_quietly()

    def _place_of(self, half: Channel, phone: Channel, variable: str) -> Story:
        """What `half` does in the place of `phone`: in its bridge, its application, or its dialplan."""
        if phone.bridge is not None:
            return self._place_in_bridge(half, phone, phone.bridge, variable)
        control = self._controls.get(phone.id)
        if control is not None:
            return self._place_in_application(half, phone, control)
        dialplan = self._channels.dialplan
        assert dialplan is not None
        half.set_place(phone.context, phone.exten, phone.priority)
        return lambda: dialplan.run(half)

    def _place_in_bridge(self, half: Channel, phone: Channel, bridge: Bridge, variable: str) -> Story:
        control = self._controls.get(phone.id)
        if control is None:
            for member in bridge.members:
                if member.channel is not phone:
                    self._adopt(member, bridge)
            return self._stay(half, bridge)

        def entered(new: Control) -> None:
            if bridge.destroyed:
                half.request_hangup()
                return
            self._controls.join_bridge(new, bridge, Membership(half))
            if variable:
                half.unset_variable(variable)
            for other in peers_of(half):
                other.set_connected(Party(half.caller.name, half.caller.number, half.caller.presentation))

        return self._entrance(half, control.application.name, Replacement(phone.snapshot(), entered))

    def _place_in_application(self, half: Channel, phone: Channel, control: Control) -> Story:
        context, exten, priority = phone.context, phone.exten, phone.priority
        app_name, app_data = phone.app_name, phone.app_data

        def entered(_new: Control) -> None:
            half.set_place(context, exten, priority)
            half.set_app(app_name, app_data)

        name = control.application.name
        return self._entrance(half, name, Replacement(phone.snapshot(), entered), show=False)

    def _entrance(self, half: Channel, name: str, replacement: Replacement, *, show: bool = True) -> Story:
        controls = self._controls

        if show:
            half.set_app("Stasis", name)

        async def enter() -> None:
            controls.replacements[half.id] = replacement
            try:
                inside = await controls.run(half, name, ())
            finally:
                controls.replacements.pop(half.id, None)
            dialplan = self._channels.dialplan
            if inside and dialplan is not None:
                half.rest()
                await dialplan.run(half)

        return enter

    def _stay(self, channel: Channel, bridge: Bridge) -> Story:
        """Join a bridge that Dial made, and live until it ends."""
        member = Membership(channel)
        left = self._left(member, bridge)

        async def stay() -> None:
            if not bridge.destroyed:
                bridge.join(member)
                await channel.until(left)
            _end_of_talk(channel)

        return stay

    def _adopt(self, member: Membership, bridge: Bridge) -> None:
        """Take a channel out of the hands of the Dial that it is in: it lives as long as the bridge does."""
        channel = member.channel
        left = self._left(member, bridge)
        member.inhibit_connected_line = False

        async def stay() -> None:
            await channel.until(left)
            _end_of_talk(channel)

        channel.interrupt(Moved(stay))

    def _left(self, member: Membership, bridge: Bridge) -> asyncio.Future[None]:
        """Done when the member has left; a bridge with nobody to talk to in it is destroyed then."""
        left: asyncio.Future[None] = self._channels.loop.create_future()

        def on_left(_channel: Channel, _reason: str) -> None:
            if not left.done():
                left.set_result(None)
            self._channels.loop.call_soon(dissolve)

        def dissolve() -> None:
            if not bridge.destroyed and len(bridge.members) < 2:
                bridge.destroy()

        member.on_left = on_left
        return left


def _watch_answer(half: Channel) -> None:
    """Call the half that took a place, so that its answer is told."""
    Attempt(half, dialstring=half.name.partition("/")[2], on_change=_nothing).start()


def _nothing(_attempt: Attempt) -> None:
    """Nobody waits for the answer of a half."""


def peers_of(channel: Channel) -> list[Channel]:
    """Who else is in the channel's bridge, without announcers and recorders."""
    if channel.bridge is None:
        return []
    return [other for other in channel.bridge.channels if other is not channel and not other.internal]


def _is_of_application(bridge: Bridge) -> bool:
    return bridge.bridge_class == "stasis"


def _name_each_other(phone: Channel, others: list[Channel], variable: str) -> None:
    """The variable of a transfer: with the phone the names of the others, with each of them that of the phone."""
    phone.set_variable(variable, ",".join(other.name for other in others))
    for other in others:
        other.set_variable(variable, phone.name)


def _end_of_talk(channel: Channel) -> NoReturn:
    if not channel.hangup_cause:
        channel.hangup_cause = causes.NORMAL_CLEARING
    raise HungUp


def _other_half(half: Channel | None) -> Channel | None:
    far = getattr(getattr(half.leg, "other", None), "channel", None) if half is not None else None
    return far if isinstance(far, Channel) else None


def _only(channels: list[Channel]) -> Channel | None:
    return channels[0] if len(channels) == 1 else None


def _shown(channel: Channel | None) -> snapshots.Channel | UnsetType:
    return channel.snapshot() if channel is not None else UNSET


def _shown_bridge(bridge: Bridge | None) -> snapshots.Bridge | UnsetType:
    return bridge.snapshot() if bridge is not None else UNSET


def _tell_blind(phone: Channel, exten: str, context: str, result: int, replacing: Channel | None = None) -> None:
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
                is_external=True,
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
        bus.publish_once(
            events.BridgeAttendedTransfer(
                timestamp=wire_now(),
                transferer_first_leg=first.snapshot(),
                transferer_second_leg=second.snapshot(),
                result=RESULTS[result],
                is_external=False,
                transferee=_shown(_only(peers_of(first))),
                transfer_target=_shown(_only(peers_of(second))),
                transferer_first_leg_bridge=_shown_bridge(first.bridge),
                transferer_second_leg_bridge=_shown_bridge(second.bridge),
                destination_type=destination,
                **more,
            ),
            topics,
        )
