"""Dial: calls one or several destinations and connects the first that answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.applications.dial.dialling import Dialling
from arietta.dialplan.applications.dial.leaving import Leaving
from arietta.dialplan.applications.dial.options import OPTIONS, DialOptions, read_options
from arietta.dialplan.applications.dial.retrying import retry
from arietta.dialplan.applications.dial.talk import Talk
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.functions.endings import CAUSES, note_cause
from arietta.model import causes

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.channels.dialing import Attempt
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

MAX_DESTINATIONS = 50


async def _dial(channel: Channel, arguments: str, run: Run) -> None:
    for name in ("DIALSTATUS", "DIALEDPEERNUMBER", "DIALEDPEERNAME"):
        channel.set_variable(name, "")
    try:
        destinations, timeout, options = _read(arguments)
        dialling = Dialling(channel, options, run)
    except ApplicationError as failure:
        log.error("%s: Dial(%s): %s", channel.name, arguments, failure)
        channel.set_variable("DIALSTATUS", "INVALIDARGS")
        return
    try:
        await _call(dialling, destinations, timeout)
    finally:
        channel.functions.pop(CAUSES, None)
        for attempt in dialling.attempts:
            note_cause(channel, attempt.peer)
        dialling.forget()


def _read(arguments: str) -> tuple[list[str], float | None, DialOptions]:
    """Destinations, timeout and options; ApplicationError says which of them makes no sense."""
    parts = [*split_arguments(arguments), "", "", ""]
    destinations = [text for text in parts[0].split("&") if text]
    if not destinations:
        raise ApplicationError("no destination")
    if len(destinations) > MAX_DESTINATIONS:
        raise ApplicationError(f"{len(destinations)} destinations, more than {MAX_DESTINATIONS}")
    timeout = seconds(parts[1]) if parts[1] else None
    if parts[1] and (timeout is None or timeout < 0):
        raise ApplicationError(f"timeout {parts[1]!r} is not a number of seconds")
    return destinations, timeout or None, read_options(parts[2])


async def _call(dialling: Dialling, destinations: list[str], timeout: float | None) -> None:
    """Call everybody, and let the caller talk to the first that answers."""
    channel, options, run = dialling.channel, dialling.options, dialling.run
    dialling.times.begin()
    if options.before_dialling:
        await run.gosub(options.before_dialling)
    if options.resets_record:
        await run.call("ResetCDR", "")
    dialling.ringback.start()
    try:
        winner, exten = await _wait_for_answer(dialling, destinations, timeout)
    except BaseException:
        channel.set_variable("DIALSTATUS", "CANCEL")
        cause = causes.ANSWERED_ELSEWHERE if options.cancelled_elsewhere else causes.NORMAL_CLEARING
        dialling.give_up("CANCEL", cause)
        raise
    finally:
        dialling.ringback.end()
    if winner is not None:
        await Talk(dialling, winner).begin()
        return
    channel.hangup_cause = dialling.cause
    dialling.times.ended()
    channel.set_variable("DIALSTATUS", dialling.status)
    if exten is not None:
        run.goto(*exten)


async def _wait_for_answer(
    dialling: Dialling, destinations: list[str], timeout: float | None
) -> tuple[Attempt | None, tuple[str, str, int] | None]:
    """Who answered, or where the caller leaves for; everybody else is given up."""
    channel = dialling.channel
    dialling.request(destinations)
    await dialling.start(timeout)
    if len(dialling.attempts) == 1 and dialling.tells_who(dialling.attempts[0].peer):
        # Whom the caller will talk to is clear already; of several it is known with the answer.
        channel.set_connected(dialling.dialled)
    if not dialling.attempts:
        return None, None
    with Leaving(dialling) as leaving:
        winner = await channel.until(dialling.decided)
    if winner is not None:
        dialling.give_up("CANCEL", dialling.options.cause_of_losers, winner)
    elif dialling.left:
        dialling.give_up("CANCEL", causes.NORMAL_CLEARING)
    else:
        dialling.give_up("NOANSWER", causes.NO_ANSWER)
    return winner, leaving.place


async def _retry_dial(channel: Channel, arguments: str, run: Run) -> None:
    await retry(_dial, channel, arguments, run)


APPLICATIONS = (
    Application(
        "Dial",
        "Dial(TECH/resource[&TECH/resource…][,seconds[,options]])",
        "Calls destinations and connects the first that answers; DIALSTATUS tells how it went.",
        _dial,
        options=OPTIONS,
    ),
    Application(
        "RetryDial",
        "RetryDial(announcement,pause,attempts,arguments of Dial)",
        "Dial, again and again until somebody answers or so many attempts were made, 0 without end. Between them an "
        "announcement is played, and there are so many seconds (10) in which a key leads to the extension of that name "
        "in EXITCONTEXT or the present context.",
        _retry_dial,
    ),
)
