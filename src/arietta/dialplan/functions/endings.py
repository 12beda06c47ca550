"""Functions on the ends of calls: hangup handlers behind CHANNEL(), HANGUPCAUSE and HANGUPCAUSE_KEYS."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, Moved
from arietta.dialplan.arguments import find_outside, split_arguments
from arietta.dialplan.errors import DialplanError, FunctionError
from arietta.dialplan.functions import Function, needed
from arietta.dialplan.run import Run
from arietta.model import facts

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

HANDLERS = "hangup handlers"
"""Where a channel keeps the subroutines it runs at its end, the next one last."""
MAX_HANDLERS = 100
MAX_INTERRUPTIONS = 100
CAUSES = "HANGUPCAUSE"
"""Where a channel keeps how those ended that its last Dial called: cause and SIP status, by name."""


def change_handlers(plan: Interpreter, channel: Channel, item: str, place: str) -> None:
    """Set CHANNEL(hangup_handler_push), …_pop or …_wipe."""
    handlers: list[str] = channel.functions.setdefault(HANDLERS, [])
    place = _absolute(plan, channel, place) if place.strip() else ""
    if item == "hangup_handler_push" and not place:
        raise FunctionError("CHANNEL", f"{item} names no subroutine")
    if item == "hangup_handler_pop" and handlers:
        channel.tell(facts.HangupHandlerPopped, handlers.pop())
    elif item == "hangup_handler_wipe":
        while handlers:
            channel.tell(facts.HangupHandlerPopped, handlers.pop())
    if not place:
        return
    if len(handlers) >= MAX_HANDLERS:
        raise FunctionError("CHANNEL", f"{MAX_HANDLERS} hangup handlers are there, which is the limit")
    handlers.append(place)
    channel.tell(facts.HangupHandlerPushed, place)
    channel.farewell = partial(run_handlers, plan, channel)


def _absolute(plan: Interpreter, channel: Channel, text: str) -> str:
    """The place of a subroutine as it is meant now, whatever the channel does when it ends."""
    opening = find_outside(text, "(")
    place, arguments = (text, "") if opening < 0 else (text[:opening], text[opening:])
    context, exten, priority = Run(plan, channel).place_of(place.strip())
    return f"{context},{exten},{priority}{arguments.strip()}"


async def run_handlers(plan: Interpreter, channel: Channel) -> None:
    """Run the subroutines of a channel that ends, in its owner, the last one pushed first."""
    handlers: list[str] = channel.functions.get(HANDLERS, [])
    while handlers:
        channel.absorb_hangup()
        place = handlers.pop()
        channel.tell(facts.HangupHandlerRun, place)
        await _run_handler(channel, Run(plan, channel, hung_up=True), place)


async def _run_handler(channel: Channel, run: Run, place: str) -> None:
    depth = len(run.frames)
    try:
        await run.call("Gosub", place)
    except DialplanError as failure:
        log.warning("%s: hangup handler %s: %s", channel.name, place, failure)
        return
    for _ in range(MAX_INTERRUPTIONS):
        try:
            await run.subroutine(depth)
            return
        except Moved as moved:  # too late
            if moved.dropped is not None:
                moved.dropped()
            return
        except HungUp:
            # A step was interrupted by the hangup itself: those after it still have their turn.
            channel.absorb_hangup()
            if run.ended_itself:
                return
            channel.set_place(channel.context, channel.exten, channel.priority + 1)


def note_cause(channel: Channel, peer: Channel) -> None:
    """Remember how a channel ended that was called."""
    noted: dict[str, tuple[int, int | None]] = channel.functions.setdefault(CAUSES, {})
    noted[peer.name] = (peer.hangup_cause, peer.tech_cause)


def _hangup_cause(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    noted: dict[str, tuple[int, int | None]] = needed(channel, CAUSES).functions.get(CAUSES, {})
    name, kind, *_ = [*split_arguments(arguments), "", ""]
    if kind not in ("ast", "tech"):
        raise FunctionError(CAUSES, f"type {kind!r} is neither ast nor tech")
    if name not in noted:
        raise FunctionError(CAUSES, f"nothing is known of channel {name!r}")
    cause, status = noted[name]
    if kind == "ast":
        return str(cause)
    return f"SIP {status}" if status is not None else ""


def _hangup_cause_keys(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return ",".join(needed(channel, "HANGUPCAUSE_KEYS").functions.get(CAUSES, {}))


FUNCTIONS = (
    Function(
        CAUSES,
        "HANGUPCAUSE(channel,ast|tech)",
        "Why a channel ended that the last Dial called: `ast` the Q.850 number, `tech` the SIP status.",
        _hangup_cause,
    ),
    Function(
        "HANGUPCAUSE_KEYS",
        "HANGUPCAUSE_KEYS()",
        "The channels that HANGUPCAUSE knows, with commas.",
        _hangup_cause_keys,
    ),
)
