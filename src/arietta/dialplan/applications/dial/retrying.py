"""RetryDial: a Dial that is repeated until somebody answers, or the caller leaves with a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from arietta.dialplan.applications.sounds import file_names, hear_names
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

PAUSE_SECONDS, LEAST_PAUSE_SECONDS = 10.0, 1.0
DONE = frozenset(("ANSWER", "INVALIDARGS"))
"""What DIALSTATUS is where no further call makes sense."""


async def retry(dial: Callable[[Channel, str, Run], Awaitable[None]], channel: Channel, text: str, run: Run) -> None:
    """``announce,pause,attempts,arguments of dial``: attempts without end if they are 0."""
    announcement, pause_text, attempts_text, arguments, *_ = [*split_arguments(text, 4), *[""] * 4]
    pause, attempts = seconds(pause_text) if pause_text else PAUSE_SECONDS, whole_number(attempts_text)
    if not arguments:
        raise ApplicationError("RetryDial names nobody to call")
    if pause is None or pause < 0 or attempts < 0:
        raise ApplicationError(f"RetryDial: {text[:60]!r} has a pause or a number of attempts below 0")
    made = 0
    while True:
        await dial(channel, arguments, run)
        made += 1
        if run.jumped or run.plan.variable(channel, "DIALSTATUS") in DONE or made == attempts:
            return
        with DigitInput(channel) as keys:
            if announcement:
                await hear_names(channel, "RetryDial", file_names(announcement), run, keys)
            if await _leaves(channel, max(pause, LEAST_PAUSE_SECONDS), keys, run):
                return


async def _leaves(channel: Channel, pause: float, keys: DigitInput, run: Run) -> bool:
    """Wait; True if the caller presses a key that is an extension, where the run goes on."""
    context = run.plan.variable(channel, "EXITCONTEXT") or channel.context
    now = channel.registry.loop.time
    until = now() + pause
    while (digit := await keys.next(max(0.0, until - now()))) is not None:
        if run.exists(context, digit):
            run.goto(context, digit, 1)
            return True
    return False
