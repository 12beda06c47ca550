"""If and its kind: steps of one extension that are left out, found by looking at them.

Nothing is remembered of an If: where its branches begin and end is read off the steps each time, as with While.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import is_true
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.matcher import Step

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

BEGIN, ELSE_IF, ELSE, END = "if", "elseif", "else", "endif"
MAX_DISTANCE = 10_000
"""Priorities that are looked at for the end of an If."""


def _branches(channel: Channel, run: Run) -> Iterator[tuple[int, Step]]:
    """The ElseIf, Else and EndIf of the If that the channel is in or at the beginning of, with their priorities."""
    depth = 0
    for priority in range(channel.priority + 1, channel.priority + MAX_DISTANCE):
        step = run.plan.dialplan.find(channel.context, channel.exten, priority, channel.caller.number)
        if step is None:
            break
        if step.key == BEGIN:
            depth += 1
        elif depth:
            depth -= step.key == END
        elif step.key in (ELSE_IF, ELSE, END):
            yield priority, step
            if step.key == END:
                return
    raise ApplicationError(f"there is no EndIf behind {channel.exten}@{channel.context}:{channel.priority}")


def _go_behind(channel: Channel, run: Run, priority: int) -> None:
    run.goto(channel.context, channel.exten, priority + 1)


def _leave(channel: Channel, run: Run) -> None:
    *_, (end, _) = _branches(channel, run)
    _go_behind(channel, run, end)


async def _if(channel: Channel, arguments: str, run: Run) -> None:
    if is_true(arguments):
        return
    for priority, step in _branches(channel, run):
        if step.key != ELSE_IF or is_true(_condition(channel, run, step)):
            _go_behind(channel, run, priority)
            return


def _condition(channel: Channel, run: Run, step: Step) -> str:
    return step.arguments if isinstance(step.arguments, str) else run.plan.render(channel, step.arguments)


async def _behind_a_branch(channel: Channel, arguments: str, run: Run) -> None:
    """A branch was executed up to here: the others are left out."""
    _leave(channel, run)


async def _exit_if(channel: Channel, arguments: str, run: Run) -> None:
    _leave(channel, run)


async def _end_if(channel: Channel, arguments: str, run: Run) -> None:
    return


APPLICATIONS = (
    Application("Else", "Else()", "Begins the steps for when no condition before held.", _behind_a_branch),
    Application(
        "ElseIf", "ElseIf(condition)", "Begins the steps for when no condition before held and this does.",
        _behind_a_branch,
    ),
    Application("EndIf", "EndIf()", "Ends the steps of an If.", _end_if),
    Application("ExitIf", "ExitIf()", "Goes on behind the EndIf.", _exit_if),
    Application("If", "If(condition)", "Executes the steps up to ElseIf, Else or EndIf if the condition holds.", _if),
)  # fmt: skip
