"""The dialplan's applications that move other channels: Bridge and ChannelRedirect."""

from __future__ import annotations

import logging

from arietta.channels.channel import Channel, Moved
from arietta.channels.registry import ChannelRegistry
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import find_outside, seconds, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.run import Run
from arietta.errors import AriettaError
from arietta.stasis.moving import Moves, go_on_behind
from arietta.stasis.places import end_of_talk

log = logging.getLogger(__name__)

RESULT, REDIRECT_STATUS = "BRIDGERESULT", "CHANNELREDIRECT_STATUS"


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

    return Application(
        "Bridge",
        "Bridge(channel[,options])",
        "Takes another channel out of whatever it does, by its name, the beginning of it or its id, and talks to it; "
        "BRIDGERESULT is SUCCESS, FAILURE, LOOP or NONEXISTENT. Afterwards the other one goes on with its next step. "
        "Options: `p` beeps at the other one, `x` ends it afterwards, `F` and `F(context^exten^priority)` send it on "
        "when this one hangs up, `S(seconds)` and `L(ms)` limit the talk, `n` does not answer; others are refused.",
        execute,
    )


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

    return Application(
        "ChannelRedirect",
        "ChannelRedirect(channel,[[context,]extension,]priority)",
        "Sends another channel to a place in the dialplan; CHANNELREDIRECT_STATUS is SUCCESS or NOCHANNEL.",
        execute,
    )


def find_by_prefix(channels: ChannelRegistry, text: str) -> Channel | None:
    """A channel by its id or name, or the first whose name begins so."""
    if not text:
        return None
    found = channels.find(text)
    if found is None:
        start = text.lower()
        found = next((one for one in channels if not one.internal and one.name.lower().startswith(start)), None)
    return found
