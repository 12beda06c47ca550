"""Applications that answer, end and signal a call, and wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.channels.channel import State
from arietta.channels.driver import Indication
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.functions.endings import CAUSES
from arietta.errors import AriettaError, Conflict
from arietta.model import causes, events
from arietta.model.times import wire_now

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

MEDIA_WAIT_SECONDS = 0.5
"""How long Answer waits for the caller's first audio."""
CAUSE_NAMES = {
    "UNALLOCATED": 1,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "BUSY": 17,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_UNSPECIFIED": 31,
    "CONGESTION": 34,
    "FAILURE": 38,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "INTERWORKING": 127,
}
"""Names that Hangup takes for Q.850 causes."""
MAX_USER_VARIABLES = 100


async def _answer(channel: Channel, arguments: str, run: Run) -> None:
    if channel.state is State.UP:
        return
    channel.answer()
    parts = split_arguments(arguments)
    delay_ms = whole_number(parts[0]) if parts else 0
    if delay_ms > 0:
        await channel.sleep(delay_ms / 1000)
    else:
        await channel.wait_for_media(MEDIA_WAIT_SECONDS)


async def _hangup(channel: Channel, arguments: str, run: Run) -> None:
    text = arguments.strip()
    if text:
        cause = CAUSE_NAMES.get(text.upper().removeprefix("AST_CAUSE_"))
        if cause is None:
            cause = whole_number(text, -1)
        if cause < 0:
            log.warning("%s: Hangup(%s) names no cause", channel.name, text)
        else:
            channel.hangup_cause = cause
    if not channel.hangup_cause:
        channel.hangup_cause = causes.NORMAL_CLEARING
    raise run.hangup()


async def _progress(channel: Channel, arguments: str, run: Run) -> None:
    channel.indicate(Indication.PROGRESS)


async def _ringing(channel: Channel, arguments: str, run: Run) -> None:
    channel.indicate(Indication.RINGING)


async def _proceeding(channel: Channel, arguments: str, run: Run) -> None:
    channel.indicate(Indication.PROCEEDING)


async def _until_hangup(channel: Channel, arguments: str, run: Run) -> None:
    """Wait for so many seconds, or for ever, and end the call."""
    duration = seconds(arguments) if arguments.strip() else None
    if duration is not None and duration >= 0:
        await channel.sleep(duration)
    else:
        await channel.until(channel.registry.loop.create_future())
    raise run.hangup()


async def _busy(channel: Channel, arguments: str, run: Run) -> None:
    if channel.state is not State.UP:
        channel.hangup_cause = causes.USER_BUSY
    channel.indicate(Indication.BUSY)
    await _until_hangup(channel, arguments, run)


async def _congestion(channel: Channel, arguments: str, run: Run) -> None:
    if channel.state is not State.UP:
        channel.hangup_cause = causes.CONGESTION
    channel.indicate(Indication.CONGESTION)
    await _until_hangup(channel, arguments, run)


async def _incomplete(channel: Channel, arguments: str, run: Run) -> None:
    """The caller has not dialled enough: more digits are waited for, or the call is refused."""
    if channel.state is State.UP:
        exten = "" if arguments.strip() == "n" else channel.exten
        if await run.wait_for_extension(exten, run.plan.timeout_of(channel, "digit")):
            return
    channel.hangup_cause = causes.INVALID_NUMBER_FORMAT
    raise run.hangup()


async def _transfer(channel: Channel, arguments: str, run: Run) -> None:
    channel.set_variable("TRANSFERSTATUS", _redirect(channel, arguments.strip()))


def _redirect(channel: Channel, target: str) -> str:
    """Send the far end to a target; TRANSFERSTATUS."""
    if not target:
        return "FAILURE"
    try:
        channel.leg.redirect(target)
    except AriettaError as failure:
        log.warning("%s: Transfer: %s", channel.name, failure)
        return "UNSUPPORTED" if isinstance(failure, Conflict) else "FAILURE"
    return "SUCCESS"


async def _user_event(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments)
    if not parts or not parts[0]:
        raise ApplicationError("UserEvent names no event")
    facts: dict[str, str] = {}
    for part in parts[1 : MAX_USER_VARIABLES + 1]:
        name, _, value = part.partition(":")
        if name.strip():
            facts[name.strip()] = value.strip()
    facts["eventname"] = parts[0]
    if channel.watched:
        channel.publish(
            events.ChannelUserevent(
                timestamp=wire_now(), eventname=parts[0], userevent=facts, channel=channel.snapshot()
            )
        )


async def _forget_causes(channel: Channel, arguments: str, run: Run) -> None:
    channel.functions.pop(CAUSES, None)


APPLICATIONS = (
    Application(
        "Answer", "Answer([ms])", "Answers the call, and waits for the first audio or so many milliseconds.", _answer
    ),
    Application("Busy", "Busy([seconds])", "Shows the caller that the line is busy, waits, and ends the call.", _busy),
    Application(
        "Congestion",
        "Congestion([seconds])",
        "Shows the caller that the lines are congested, waits, and ends the call.",
        _congestion,
    ),
    Application(
        "HangupCauseClear",
        "HangupCauseClear()",
        "Forgets what HANGUPCAUSE knows of the channels that were called.",
        _forget_causes,
    ),
    Application("Hangup", "Hangup([cause])", "Ends the call, with a Q.850 cause by number or name.", _hangup),
    Application(
        "Incomplete", "Incomplete([n])", "Waits for more digits, or refuses the call because of too few.", _incomplete
    ),
    Application("Proceeding", "Proceeding()", "Shows the caller that the call is being placed.", _proceeding),
    Application("Progress", "Progress()", "Lets the caller hear audio before the call is answered.", _progress),
    Application("Ringing", "Ringing()", "Shows the caller that it rings.", _ringing),
    Application(
        "Transfer",
        "Transfer(target)",
        "Sends the caller to another place; TRANSFERSTATUS is SUCCESS once that was asked for, FAILURE or UNSUPPORTED.",
        _transfer,
    ),
    Application("UserEvent", "UserEvent(name[,key: value…])", "Sends applications a ChannelUserevent.", _user_event),
)
