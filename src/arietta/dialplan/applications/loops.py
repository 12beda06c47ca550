"""While and its kind: loops within one extension, found by looking at its steps.

Nothing is remembered of a loop: where it begins and ends is read off the steps each time, so that a jump out of it
leaves nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import is_true
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

BEGIN, END = "while", "endwhile"
MAX_DISTANCE = 10_000
"""Priorities that are looked at for the other end of a loop."""


def _end_of_loop(channel: Channel, run: Run) -> int:
    """The priority of the EndWhile of the loop that the channel is in, or at the beginning of."""
    depth = 0
    for priority in range(channel.priority + 1, channel.priority + MAX_DISTANCE):
        key = _application_at(channel, run, priority)
        if key is None:
            break
        if key == BEGIN:
            depth += 1
        elif key == END:
            if not depth:
                return priority
            depth -= 1
    raise ApplicationError(f"there is no EndWhile behind {channel.exten}@{channel.context}:{channel.priority}")


def _beginning_of_loop(name: str, channel: Channel, run: Run) -> int:
    """The priority of the While of the loop that the channel is in."""
    depth = 0
    for priority in range(channel.priority - 1, max(0, channel.priority - MAX_DISTANCE), -1):
        key = _application_at(channel, run, priority)
        if key == END:
            depth += 1
        elif key == BEGIN:
            if not depth:
                return priority
            depth -= 1
    raise ApplicationError(f"{name} is in no While of {channel.exten}@{channel.context}")


def _application_at(channel: Channel, run: Run, priority: int) -> str | None:
    step = run.plan.dialplan.find(channel.context, channel.exten, priority, channel.caller.number)
    return step.key if step is not None else None


def _go(channel: Channel, run: Run, priority: int) -> None:
    run.goto(channel.context, channel.exten, priority)


async def _while(channel: Channel, arguments: str, run: Run) -> None:
    if not is_true(arguments):
        _go(channel, run, _end_of_loop(channel, run) + 1)


async def _end_while(channel: Channel, arguments: str, run: Run) -> None:
    _go(channel, run, _beginning_of_loop("EndWhile", channel, run))


async def _exit_while(channel: Channel, arguments: str, run: Run) -> None:
    _beginning_of_loop("ExitWhile", channel, run)
    _go(channel, run, _end_of_loop(channel, run) + 1)


async def _continue_while(channel: Channel, arguments: str, run: Run) -> None:
    _go(channel, run, _beginning_of_loop("ContinueWhile", channel, run))


APPLICATIONS = (
    Application("ContinueWhile", "ContinueWhile()", "Goes back to the While of the loop.", _continue_while),
    Application("EndWhile", "EndWhile()", "Ends the steps of a loop: While is next.", _end_while),
    Application("ExitWhile", "ExitWhile()", "Goes on behind the loop.", _exit_while),
    Application(
        "While", "While(condition)", "Executes the steps up to EndWhile as long as the condition holds.", _while
    ),
)
