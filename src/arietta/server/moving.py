"""The dialplan's applications that move other channels: Bridge, ChannelRedirect, Pickup and PickupChan.

Only calls that Dial places are picked up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from arietta.channels.channel import Channel, Moved
from arietta.channels.registry import ChannelRegistry
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.arguments import find_outside, seconds, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.run import Run
from arietta.errors import AriettaError
from arietta.stasis.moving import Moves, go_on_behind
from arietta.stasis.places import end_of_talk
from arietta.stasis.transfers import Transfers

log = logging.getLogger(__name__)

MARK = "PICKUPMARK"
RESULT, REDIRECT_STATUS = "BRIDGERESULT", "CHANNELREDIRECT_STATUS"
BRIDGE = DeclaredApplication(
    "Bridge",
    "Bridge(channel[,options])",
    "Takes another channel out of whatever it does, by its name, the beginning of it or its id, and talks to it; "
    "BRIDGERESULT is SUCCESS, FAILURE, LOOP or NONEXISTENT. Afterwards the other one goes on with its next step. "
    "Options: `p` beeps at the other one, `x` ends it afterwards, `F` and `F(context^exten^priority)` send it on "
    "when this one hangs up, `S(seconds)` and `L(ms)` limit the talk, `n` does not answer; others are refused.",
    "without the options `h`, `H`, `k`, `K`, `t`, `T`, `w`, `W`, and the warnings of `L`",
)
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
APPLICATIONS = (BRIDGE, REDIRECT, PICKUP, PICKUP_CHANNEL)


class BridgeOptions:
    """The options of one Bridge(); ApplicationError for those that are not supported."""

    __slots__ = ("answers", "beep", "ends_other", "goes_on", "limit_seconds", "place")

    def __init__(self, text: str) -> None:
        self.answers = True
        self.beep = self.ends_other = self.goes_on = False
        self.place = ""
        self.limit_seconds: float | None = None
        position = 0
        while position < len(text):
            letter, argument = text[position], ""
            position += 1
            if text[position : position + 1] == "(":
                closing = find_outside(text, ")", position + 1)
                if closing < 0:
                    raise ApplicationError(f"option {letter}( is not closed")
                argument = text[position + 1 : closing]
                position = closing + 1
            self._take(letter, argument)

    def _take(self, letter: str, argument: str) -> None:
        match letter:
            case "p":
                self.beep = True
            case "n":
                self.answers = False
            case "x":
                self.ends_other = True
            case "F":
                self.goes_on, self.place = True, argument
            case "S":
                self.limit_seconds = seconds(argument or "0") or None
            case "L" if ":" not in argument:
                self.limit_seconds = whole_number(argument) / 1000 or None
            case _:
                raise ApplicationError(f"option {letter} is not supported, supported are p n x F S and L(ms)")


def bridge_application(moves: Moves, channels: ChannelRegistry) -> Application:
    """``Bridge(channel[,options])``: the step that takes another channel to talk to."""

    async def execute(channel: Channel, arguments: str, run: Run) -> None:
        parts = [*split_arguments(arguments), "", ""]
        try:
            options = BridgeOptions(parts[1])
            place = run.place_of(options.place.replace("^", ",")) if options.place else None
        except ApplicationError as failure:
            log.error("%s: Bridge(%s): %s", channel.name, arguments, failure)
            channel.set_variable(RESULT, "FAILURE")
            return
        other = find_by_prefix(channels, parts[0])
        if other is None or other is channel:
            log.warning("%s: Bridge(%s): %s", channel.name, arguments, "no such channel" if other is None else "itself")
            channel.set_variable(RESULT, "NONEXISTENT" if other is None else "LOOP")
            return
        behind = (channel.context, channel.exten, channel.priority + 1)

        def afterwards(other: Channel) -> None:
            if options.goes_on and channel.hangup_requested:
                other.set_place(*(place or behind))
                raise Moved
            if options.ends_other:
                end_of_talk(other)
            then(other)

        then = go_on_behind(other)
        try:
            meeting = moves.meet(channel, other, tone=options.beep, then=afterwards)
        except AriettaError as failure:
            log.warning("%s: Bridge(%s): %s", channel.name, arguments, failure)
            channel.set_variable(RESULT, "FAILURE")
            return
        await meeting.attend(channel, answers=options.answers, timeout=options.limit_seconds)
        channel.set_variable(RESULT, "SUCCESS" if meeting.took_place else "FAILURE")

    return BRIDGE.done_by(execute)


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


def pickup_applications(transfers: Transfers, channels: ChannelRegistry) -> tuple[Application, ...]:
    """``Pickup`` and ``PickupChan``: the steps that answer a call which rings elsewhere."""

    async def take(channel: Channel, wanted: Callable[[Channel], bool], run: Run) -> None:
        """Answer the oldest ringing call that is `wanted`; the run goes on if there is none."""
        former = next((one for one in channels if one is not channel and _rings(one) and wanted(one)), None)
        if former is None or not transfers.can_replace(former):
            log.info("%s: there is no such call to pick up", channel.name)
            return
        story = transfers.replace(former, channel)
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
        parts = [*split_arguments(arguments), ""]
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


def _rings(channel: Channel) -> bool:
    return channel.attempt is not None and channel.attempt.can_be_taken


def find_by_prefix(channels: ChannelRegistry, text: str) -> Channel | None:
    """A channel by its id or name, or the first whose name begins so."""
    if not text:
        return None
    found = channels.find(text)
    if found is None:
        start = text.lower()
        found = next((one for one in channels if not one.internal and one.name.lower().startswith(start)), None)
    return found
