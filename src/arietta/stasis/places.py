"""Taking the place of a channel: in a bridge, in an application, in the dialplan.

Whoever takes a place gets a story from here and follows it; whose place was taken is then let go by `say_goodbye`. An
application hears of the new channel as StasisStart with `replace_channel`, and of the former one as StasisEnd.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from arietta.bridges.bridge import Bridge, Membership
from arietta.channels import signals
from arietta.channels.channel import Channel, HungUp, Moved, Story
from arietta.channels.driver import Party
from arietta.channels.registry import ChannelRegistry
from arietta.model import causes
from arietta.stasis.control import Control, Controls, Replacement


class Places:
    """Where channels are, as something that others can take."""

    def __init__(self, channels: ChannelRegistry, controls: Controls) -> None:
        self._channels = channels
        self._controls = controls

    def take(self, new: Channel, former: Channel, variable: str = "") -> Story:
        """What `new` does in the place of `former`, as that is now; `variable` names a transfer and ends with it."""
        if former.bridge is not None:
            return self.take_in_bridge(new, former, former.bridge, variable)
        control = self._controls.get(former.id)
        if control is not None:
            return self._take_in_application(new, former, control)
        context, exten, priority = former.context, former.exten, former.priority

        async def go_there() -> None:
            new.set_place(context, exten, priority)
            raise Moved

        return go_there

    def take_in_bridge(self, new: Channel, former: Channel, bridge: Bridge, variable: str = "") -> Story:
        """The same in a bridge: that of an application, or one that two channels share without any."""
        control = self._controls.get(former.id)
        member = bridge.member(former)
        if control is None or not is_of_application(bridge):
            self.adopt_others(former, bridge)
            return self.stay(new, bridge)
        assert member is not None
        same = Membership(new, absorb_dtmf=member.absorb_dtmf, mute=member.mute, role=member.role)

        def entered(inside: Control) -> None:
            if bridge.destroyed:
                new.request_hangup()
                return
            self._controls.join_bridge(inside, bridge, same)
            if variable:
                new.unset_variable(variable)
            for other in peers_of(new):
                other.set_connected(Party(new.caller.name, new.caller.number, new.caller.presentation))

        return self._entrance(new, control.application.name, Replacement(former.snapshot(), entered))

    def _take_in_application(self, new: Channel, former: Channel, control: Control) -> Story:
        context, exten, priority = former.context, former.exten, former.priority
        app_name, app_data = former.app_name, former.app_data

        def entered(_inside: Control) -> None:
            new.set_place(context, exten, priority)
            new.set_app(app_name, app_data)

        name = control.application.name
        return self._entrance(new, name, Replacement(former.snapshot(), entered), show=False)

    def _entrance(self, new: Channel, name: str, replacement: Replacement, *, show: bool = True) -> Story:
        controls = self._controls

        if show:
            new.set_app("Stasis", name)

        async def enter() -> None:
            controls.replacements[new.id] = replacement
            try:
                inside = await controls.run(new, name, ())
            finally:
                controls.replacements.pop(new.id, None)
            if inside:
                new.rest()
                raise Moved  # on with the dialplan, at the place where the application left the channel

        return enter

    def stay(self, channel: Channel, bridge: Bridge, joined: Callable[[], None] | None = None) -> Story:
        """Join a bridge that is no application's, and live until it ends; `joined` is called in between."""
        member = Membership(channel)
        left = self._left(member, bridge)

        async def stay() -> None:
            if not bridge.destroyed:
                bridge.join(member)
                if joined is not None:
                    joined()
                await channel.until(left)
            end_of_talk(channel)

        return stay

    def come_back(
        self, channel: Channel, bridge: Bridge, member: Membership, joined: Callable[[], None] | None = None
    ) -> None:
        """Let a channel that has left a bridge for a while into it again; `joined` is called in one of Dial's then."""
        control = self._controls.get(channel.id)
        if control is not None:
            if not bridge.destroyed:
                self._controls.join_bridge(control, bridge, member)
        else:
            channel.interrupt(Moved(self.stay(channel, bridge, joined)))

    def adopt_others(self, channel: Channel, bridge: Bridge) -> None:
        """Take everybody else in a bridge out of the hands of the Dial that connects them."""
        for member in bridge.members:
            if member.channel is not channel:
                self.adopt(member, bridge)

    def adopt(self, member: Membership, bridge: Bridge) -> None:
        """Take a channel out of the hands of the Dial that it is in: it lives as long as the bridge does."""
        channel = member.channel
        left = self._left(member, bridge)
        member.inhibit_connected_line = False

        async def stay() -> None:
            await channel.until(left)
            end_of_talk(channel)

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


def peers_of(channel: Channel) -> list[Channel]:
    """Who else is in the channel's bridge, without announcers and recorders."""
    if channel.bridge is None:
        return []
    return [other for other in channel.bridge.channels if other is not channel and not other.internal]


def is_of_application(bridge: Bridge) -> bool:
    """Whether an application made the bridge."""
    return bridge.bridge_class == "stasis"


def name_each_other(phone: Channel, others: list[Channel], variable: str) -> None:
    """The variable of a transfer: with the phone the names of the others, with each of them that of the phone."""
    phone.set_variable(variable, ",".join(other.name for other in others))
    for other in others:
        other.set_variable(variable, phone.name)


def say_goodbye(channel: Channel, variable: str = "", cause: int = causes.NORMAL_CLEARING) -> None:
    """Whose place was taken leaves its bridge and ends, without a request; a transfer is named with `variable`."""
    bridge = channel.bridge
    if bridge is not None:
        channel.receive(signals.Unheld())
        if variable:
            name_each_other(channel, peers_of(channel), variable)
        bridge.leave(channel)
        channel.hangup_cause = cause
    channel.end_quietly()


def end_of_talk(channel: Channel) -> NoReturn:
    """In the owner of a channel with nobody to talk to any more."""
    if not channel.hangup_cause:
        channel.hangup_cause = causes.NORMAL_CLEARING
    raise HungUp
