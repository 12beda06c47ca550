"""Signal and WaitForSignal: calls that wait for each other by a name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

STATUS, WAIT_STATUS, PAYLOAD = "SIGNALSTATUS", "WAITFORSIGNALSTATUS", "WAITFORSIGNALPAYLOAD"


async def _signal(channel: Channel, arguments: str, run: Run) -> None:
    """``Signal(name[,payload])``: wakes every call that waits for it."""
    name, payload = (*split_arguments(arguments, 2), "", "")[:2]
    if not name:
        raise ApplicationError("Signal names no signal")
    waiting = run.plan.waiting_for_signals.pop(name, [])
    for one in waiting:
        if not one.done():
            one.set_result(payload)
    channel.set_variable(STATUS, "SUCCESS" if waiting else "FAILURE")


async def _wait_for_signal(channel: Channel, arguments: str, run: Run) -> None:
    """``WaitForSignal(name[,seconds])``."""
    name, text = (*split_arguments(arguments, 2), "", "")[:2]
    timeout = seconds(text) if text else 0.0
    if not name or timeout is None or timeout < 0:
        raise ApplicationError(f"WaitForSignal({arguments[:60]}) is no name and number of seconds")
    status = "SIGNALED"
    woken: asyncio.Future[str] = channel.registry.loop.create_future()
    run.plan.waiting_for_signals.setdefault(name, []).append(woken)
    try:
        channel.set_variable(PAYLOAD, await channel.until(woken, timeout or None))
    except TimeoutError:
        status = "TIMEOUT"
    except HungUp:
        channel.set_variable(WAIT_STATUS, "HANGUP")
        raise
    finally:
        _forget(run, name, woken)
    channel.set_variable(WAIT_STATUS, status)


def _forget(run: Run, name: str, woken: asyncio.Future[str]) -> None:
    waiting = run.plan.waiting_for_signals.get(name)
    if waiting is not None and woken in waiting:
        waiting.remove(woken)
        if not waiting:
            del run.plan.waiting_for_signals[name]


APPLICATIONS = (
    Application(
        "Signal",
        "Signal(name[,payload])",
        "Wakes the calls that wait for a signal of that name; SIGNALSTATUS is SUCCESS, or FAILURE where none does.",
        _signal,
    ),
    Application(
        "WaitForSignal",
        "WaitForSignal(name[,seconds])",
        "Waits for Signal; WAITFORSIGNALSTATUS is SIGNALED, with WAITFORSIGNALPAYLOAD, TIMEOUT or HANGUP.",
        _wait_for_signal,
    ),
)
