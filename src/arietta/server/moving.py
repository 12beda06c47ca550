"""The dialplan's applications that move other channels: ChannelRedirect, Pickup and PickupChan.

Only calls that Dial places are picked up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from arietta.channels.channel import Channel
from arietta.channels.registry import ChannelRegistry
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.run import Run
from arietta.errors import AriettaError
from arietta.stasis.moving import Moves

log = logging.getLogger(__name__)

MARK = "PICKUPMARK"
REDIRECT_STATUS = "CHANNELREDIRECT_STATUS"
REDIRECT = DeclaredApplication(
    "ChannelRedirect",
    "ChannelRedirect(channel,[[context,]extension,]priority)",
    "Sends another channel to a place in the dialplan; CHANNELREDIRECT_STATUS is SUCCESS or NOCHANNEL.",
)
PICKUP = DeclaredApplication(
    "Pickup",
    "Pickup([extension[@context][&extension[@context]…]])",
    "Answers a call that Dial places to an extension, or with the variable PICKUPMARK where that is the "
    "context that is named; goes on where there is none. Without an extension: the oldest call that is in one "
    "of the channel's pickup groups.",
)
PICKUP_CHANNEL = DeclaredApplication(
    "PickupChan",
    "PickupChan(channel[&channel…][,p])",
    "Answers a call that rings at one of these channels; with `p` their names are beginnings of names.",
)
APPLICATIONS = (REDIRECT, PICKUP, PICKUP_CHANNEL)


def redirect_application(moves: Moves, channels: ChannelRegistry) -> Application:
    """``ChannelRedirect(channel,[[context,]extension,]priority)``: the step that sends another channel elsewhere."""

    async def execute(channel: Channel, arguments: str, run: Run) -> None:
        name, _, goal = arguments.partition(",")
        other = channels.find(name.strip())
        if other is None:
            channel.set_variable(REDIRECT_STATUS, "NOCHANNEL")
            return
        context, exten, priority = run.place_of(goal.strip())
        if other is channel:
            run.goto(context, exten, priority)
        else:
            try:
                moves.redirect(other, context, exten, priority)
            except AriettaError as failure:
                log.warning("%s: ChannelRedirect(%s): %s", channel.name, arguments, failure)
                channel.set_variable(REDIRECT_STATUS, "NOCHANNEL")
                return
        channel.set_variable(REDIRECT_STATUS, "SUCCESS")

    return REDIRECT.done_by(execute)


def pickup_applications(moves: Moves) -> tuple[Application, ...]:
    """``Pickup`` and ``PickupChan``: the steps that answer a call which rings elsewhere."""

    async def take(channel: Channel, wanted: Callable[[Channel], bool], run: Run) -> None:
        """Answer the oldest ringing call that is `wanted`; the run goes on if there is none."""
        story = moves.pick_up(channel, wanted)
        if story is None:
            log.info("%s: there is no such call to pick up", channel.name)
            return
        channel.answer()
        await story()
        raise run.hangup()

    async def pickup(channel: Channel, arguments: str, run: Run) -> None:
        targets = [target.strip().partition("@") for target in arguments.split("&") if target.strip()]
        if not targets:
            await take(channel, lambda one: channel.pickup_groups.meets(one.call_groups), run)
        for exten, _, context in targets:
            if context == MARK:
                await take(channel, lambda one, mark=exten: one.get_variable(MARK) == mark, run)  # type: ignore[misc]
            else:
                place = (exten, context or channel.context)
                await take(channel, lambda one, place=place: (one.exten, one.context) == place, run)  # type: ignore[misc]

    async def pickup_channel(channel: Channel, arguments: str, run: Run) -> None:
        parts = [*split_arguments(arguments), "", ""]
        if parts[1] not in ("", "p"):
            raise ApplicationError(f"options {parts[1]!r} are not supported, p is")
        for name in filter(None, (target.strip().lower() for target in parts[0].split("&"))):
            start = name if parts[1] else f"{name}-"

            def wanted(one: Channel, name: str = name, start: str = start) -> bool:
                return one.id == name or one.name.lower() == name or one.name.lower().startswith(start)

            await take(channel, wanted, run)

    return (
        PICKUP.done_by(pickup),
        PICKUP_CHANNEL.done_by(pickup_channel),
    )
