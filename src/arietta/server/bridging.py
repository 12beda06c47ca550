"""The dialplan's application Bridge, which takes another channel to talk to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from arietta.channels.channel import Channel, Moved
from arietta.channels.registry import ChannelRegistry
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.applications.dial.limit import Limit, RunningLimit
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errands import Errands
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.features.letters import FEATURE_LETTERS, called_may, caller_may
from arietta.dialplan.features.talk import FeaturesOfTalk, Side
from arietta.dialplan.options import Option, Options
from arietta.dialplan.run import Run
from arietta.errors import AriettaError
from arietta.stasis.moving import Meeting, Moves, go_on_behind
from arietta.stasis.places import end_of_talk

log = logging.getLogger(__name__)

RESULT = "BRIDGERESULT"
RECORDING = ("x", "X")
"""Letters of features that Bridge does not know: its own x means something else."""
BRIDGE = DeclaredApplication(
    "Bridge",
    "Bridge(channel[,options])",
    "Takes another channel out of whatever it does, by its name, the beginning of it or its id, and talks to it; "
    "BRIDGERESULT is SUCCESS, FAILURE, LOOP or NONEXISTENT. Afterwards the other one goes on with its next step.",
    options=Options(
        1,
        (
            Option("p", "beeps at the other one"),
            Option("x", "ends the other one afterwards"),
            Option("F", "sends the other one behind this step, or to a place, when this one hangs up", "[place]"),
            Option("S", "ends the talk after seconds", "seconds"),
            Option("L", "limits the talk, warns ms before the end, and again each ms", "ms[:warning[:again]]"),
            Option("n", "does not answer"),
            *(one for one in FEATURE_LETTERS if one.letter not in RECORDING),
        ),
    ),
)


class BridgeOptions:
    """The options of one Bridge(); ApplicationError for those that make no sense."""

    def __init__(self, text: str, run: Run) -> None:
        assert BRIDGE.options is not None
        found = BRIDGE.options.read("Bridge", text)
        self.answers = "n" not in found
        self.beep = "p" in found
        self.ends_other = "x" in found
        self.goes_on = "F" in found
        self.place = run.place_of(found["F"].replace("^", ",")) if found.get("F") else None
        self.limit = Limit.read(found["L"]) if "L" in found else None
        if "S" in found:
            duration = seconds(found["S"])
            if duration is None or duration < 0:
                raise ApplicationError(f"option S({found['S']}) is not a number of seconds")
            self.limit = Limit(duration)
        features = {letter for letter in found if letter not in RECORDING}
        self.caller_may, self.called_may = caller_may(features), called_may(features)


class Talk:
    """What is watched while two talk whom Bridge() brought together."""

    def __init__(self, meeting: Meeting, options: BridgeOptions, channel: Channel, other: Channel, run: Run) -> None:
        sides = Side(Errands(channel), options.caller_may), Side(Errands(other), options.called_may)
        self._features = FeaturesOfTalk(run.plan, *sides)
        self._limit: RunningLimit | None = None
        self._limits: list[Callable[[], RunningLimit]] = []
        if options.limit is not None and options.limit.seconds:
            self._limits.append(partial(RunningLimit, options.limit, channel, other, run.plan, meeting.end))
        meeting.waits.update({side.channel.id: side.errands for side in sides})
        meeting.on_together, meeting.on_over = self._begin, self._end

    def _begin(self) -> None:
        self._features.start()
        self._limit = next((begin() for begin in self._limits), None)

    def _end(self) -> None:
        self._features.stop()
        if self._limit is not None:
            self._limit.stop()


def bridge_application(moves: Moves, channels: ChannelRegistry) -> Application:
    """``Bridge(channel[,options])``: the step that takes another channel to talk to."""

    async def execute(channel: Channel, arguments: str, run: Run) -> None:
        parts = [*split_arguments(arguments), "", ""]
        try:
            options = BridgeOptions(parts[1], run)
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
                other.set_place(*(options.place or behind))
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
        Talk(meeting, options, channel, other, run)
        await meeting.attend(channel, answers=options.answers)
        channel.set_variable(RESULT, "SUCCESS" if meeting.took_place else "FAILURE")

    return BRIDGE.done_by(execute)


def find_by_prefix(channels: ChannelRegistry, text: str) -> Channel | None:
    """A channel by its id or name, or the first whose name begins so."""
    if not text:
        return None
    found = channels.find(text)
    if found is None:
        start = text.lower()
        found = next((one for one in channels if not one.internal and one.name.lower().startswith(start)), None)
    return found
