"""Applications that wait: for time to pass, a ring, a key, an extension, a condition."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import HungUp, Interruption
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import is_true, raw_arguments, seconds, split_arguments
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

UNTIL_STATUS, DIGIT_STATUS, DIGIT_RESULT = "WAITUNTILSTATUS", "WAITDIGITSTATUS", "WAITDIGITRESULT"
EXTEN_OPTIONS = Options(
    1, (Option("d", "the dial tone sounds up to the first key"), Option("m", "music sounds", "[class]"))
)
CONDITION_STATUS = "WAITFORCONDITIONSTATUS"
LAST_MOMENT = 1e11
INTERVAL_SECONDS, LEAST_INTERVAL_SECONDS = 0.05, 0.01
"""How often WaitForCondition looks; more often would keep others waiting."""


async def _wait(channel: Channel, arguments: str, run: Run) -> None:
    duration = seconds(arguments or "0")
    if duration is None or duration < 0:
        log.warning("%s: Wait(%s) is not a number of seconds", channel.name, arguments)
    elif duration > 0:
        await channel.sleep(duration)


async def _wait_exten(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", ""]
    options = EXTEN_OPTIONS.read("WaitExten", parts[1])
    timeout = seconds(parts[0]) if parts[0] else None
    if timeout is None:
        timeout = run.plan.timeout_of(channel, "response")
    media = run.plan.media

    def hush(signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded):
            media.tones(channel, None)

    if "m" in options:
        media.music(channel, options["m"] or channel.music_class or "default")
    elif "d" in options:
        media.tones(channel, "dial")
        channel.listeners.append(hush)
    try:
        await run.wait_for_extension("", timeout)
    finally:
        if hush in channel.listeners:
            channel.listeners.remove(hush)
        if "m" in options:
            media.music(channel, None)
        elif "d" in options:
            media.tones(channel, None)


async def _wait_until(channel: Channel, arguments: str, run: Run) -> None:
    moment = seconds(arguments, LAST_MOMENT)
    if moment is None:
        if arguments.strip():
            log.warning("%s: WaitUntil(%s) is no number of seconds since 1970", channel.name, arguments[:40])
        channel.set_variable(UNTIL_STATUS, "FAILURE")
        return
    left = moment - run.plan.now()
    if left < 0:
        channel.set_variable(UNTIL_STATUS, "PAST")
        return
    try:
        await channel.sleep(left)
    except HungUp:
        channel.set_variable(UNTIL_STATUS, "HANGUP")
        raise
    channel.set_variable(UNTIL_STATUS, "OK")


async def _wait_for_ring(channel: Channel, arguments: str, run: Run) -> None:
    duration = seconds(arguments)
    if duration is None or duration < 0:
        raise ApplicationError(f"WaitForRing: {arguments[:40]!r} is no number of seconds")
    await channel.sleep(duration)
    rang: asyncio.Future[None] = channel.registry.loop.create_future()

    def listen(signal: signals.Signal) -> None:
        if isinstance(signal, signals.Ringing) and not rang.done():
            rang.set_result(None)

    channel.listeners.append(listen)
    try:
        await channel.until(rang)
    finally:
        if listen in channel.listeners:
            channel.listeners.remove(listen)


async def _wait_digit(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", ""]
    duration = seconds(parts[0]) if parts[0] else None
    if parts[0] and (duration is None or duration < 0):
        log.warning("%s: WaitDigit: %r is no number of seconds", channel.name, parts[0][:40])
        channel.set_variable(DIGIT_STATUS, "ERROR")
        return
    try:
        digit = await _accepted_digit(channel, duration, parts[1].upper())
    except Interruption:
        channel.set_variable(DIGIT_STATUS, "CANCEL")
        raise
    if digit is not None:
        channel.set_variable(DIGIT_RESULT, digit)
    channel.set_variable(DIGIT_STATUS, "TIMEOUT" if digit is None else "DTMF")


async def _accepted_digit(channel: Channel, duration: float | None, accepted: str) -> str | None:
    """The first digit that is accepted, as all are where none are named; None after `duration` seconds."""
    loop = channel.registry.loop
    ends_at = None if duration is None else loop.time() + duration
    with DigitInput(channel) as keys:
        while True:
            digit = await keys.next(None if ends_at is None else max(0.0, ends_at - loop.time()))
            if digit is None or not accepted or digit.upper() in accepted:
                return digit


async def _wait_for_condition(channel: Channel, arguments: str, run: Run) -> None:
    """``WaitForCondition(replacement,expression[,timeout[,interval]])``."""
    parts = [*(part.strip() for part in raw_arguments(arguments)), "", "", ""]
    mark, condition = parts[0], parts[1]
    timeout = seconds(parts[2]) if parts[2] else 0.0
    interval = seconds(parts[3]) if parts[3] else INTERVAL_SECONDS
    if len(mark) != 1 or not condition or timeout is None or timeout < 0 or interval is None or interval <= 0:
        log.warning("%s: WaitForCondition(%s) is no CHARACTER,EXPRESSION,SECONDS", channel.name, arguments[:80])
        channel.set_variable(CONDITION_STATUS, "FAILURE")
        return
    try:
        holds = await _holds_in_time(channel, condition.replace(mark, "$"), run, timeout, interval)
    except HungUp:
        channel.set_variable(CONDITION_STATUS, "HANGUP")
        raise
    channel.set_variable(CONDITION_STATUS, "TRUE" if holds else "TIMEOUT")


async def _holds_in_time(channel: Channel, condition: str, run: Run, timeout: float, interval: float) -> bool:
    """Look at a condition until it is true; False after `timeout` seconds, of which 0 are without end."""
    loop = channel.registry.loop
    ends_at = loop.time() + timeout
    while not is_true(run.plan.substitute(channel, condition)):
        left = ends_at - loop.time() if timeout else interval
        if left <= 0:
            return False
        await channel.sleep(min(max(interval, LEAST_INTERVAL_SECONDS), left))
    return True


APPLICATIONS = (
    Application("Wait", "Wait(seconds)", "Waits; fractions of seconds are allowed.", _wait),
    Application(
        "WaitDigit",
        "WaitDigit([seconds[,digits]])",
        "Waits for a key, one of the digits if they are named. WAITDIGITSTATUS is DTMF, and WAITDIGITRESULT the key, "
        "or TIMEOUT, CANCEL or ERROR.",
        _wait_digit,
    ),
    Application(
        "WaitExten",
        "WaitExten([seconds[,options]])",
        "Waits for the caller to dial an extension, and goes there.",
        _wait_exten,
        options=EXTEN_OPTIONS,
    ),
    Application(
        "WaitForCondition",
        "WaitForCondition(character,expression[,timeout[,interval]])",
        "Waits until an expression is true, in which the character stands for `$`; looks every 0.05 seconds, 0.01 at "
        "least. WAITFORCONDITIONSTATUS is TRUE, TIMEOUT, HANGUP or FAILURE.",
        _wait_for_condition,
    ),
    Application(
        "WaitForRing",
        "WaitForRing(seconds)",
        "Waits so long, and then for the next ring of the far end, which a call that came in does not have.",
        _wait_for_ring,
    ),
    Application(
        "WaitUntil",
        "WaitUntil(epoch)",
        "Waits for a moment, in seconds since 1970; WAITUNTILSTATUS is OK, PAST, FAILURE or HANGUP.",
        _wait_until,
    ),
)
