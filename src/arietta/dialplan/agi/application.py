"""AGI and EAGI: the steps that let a program steer the call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from arietta.channels.channel import HungUp
from arietta.dialplan.agi import protocol
from arietta.dialplan.agi.audio import AudioPipe
from arietta.dialplan.agi.carriers import CannotReach, Connection, Process, Queue, parts_of
from arietta.dialplan.agi.session import Session
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import is_yes, split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.model.facts import AsyncAgiAnswered, AsyncAgiEnded, AsyncAgiStarted

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

STATUS = "AGISTATUS"
ASYNC = "agi:async"
MAX_ARGUMENTS = 127


def variables(
    channel: Channel, run: Run, request: str, arguments: list[str], *, enhanced: bool = False
) -> list[tuple[str, str]]:
    """What a program is told first, as names without ``agi_``."""
    caller = channel.caller
    script: list[tuple[str, str]] = []
    if request.startswith("agi://"):
        script = [("network", "yes"), ("network_script", parts_of(request)[2])]
    return [
        *script,
        ("request", request),
        ("channel", channel.name),
        ("language", channel.language),
        ("type", channel.technology),
        ("uniqueid", channel.id),
        ("version", run.plan.version),
        ("callerid", caller.number or "unknown"),
        ("calleridname", caller.name or "unknown"),
        ("callingpres", str(caller.presentation)),
        ("callingani2", "0"),
        ("callington", "0"),
        ("callingtns", "0"),
        ("dnid", channel.dialed_number or "unknown"),
        ("rdnis", channel.redirecting_number or "unknown"),
        ("context", channel.context),
        ("extension", channel.exten),
        ("priority", str(channel.priority)),
        ("enhanced", "1.0" if enhanced else "0.0"),
        ("accountcode", channel.accountcode),
        ("threadid", "0"),
        *((f"arg_{place}", argument) for place, argument in enumerate(arguments, 1)),
    ]


Talk = Callable[["Channel", "Run", str, list[str]], Awaitable[str]]
"""Gets the request and its arguments, talks to the program, and gives AGISTATUS; raises CannotReach."""


async def _agi(channel: Channel, arguments: str, run: Run) -> None:
    await _steer(channel, arguments, run, _talk_anywhere)


async def _eagi(channel: Channel, arguments: str, run: Run) -> None:
    await _steer(channel, arguments, run, _talk_with_audio)


async def _steer(channel: Channel, arguments: str, run: Run, talk: Talk) -> None:
    request, *given = split_arguments(arguments) or [""]
    if not request:
        raise ApplicationError("names no program")
    if len(given) > MAX_ARGUMENTS:
        raise ApplicationError(f"has {len(given)} arguments for the program, {MAX_ARGUMENTS} at most")
    try:
        status = await talk(channel, run, request, given)
    except CannotReach as failure:
        log.warning("%s: %s", channel.name, failure)
        status = "NOTFOUND" if failure.missing else "FAILURE"
    except HungUp:
        channel.set_variable(STATUS, "HANGUP")
        raise
    channel.set_variable(STATUS, status)


def _is_elsewhere(request: str) -> bool:
    return "://" in request or request.lower().startswith("agi:")


async def _talk_anywhere(channel: Channel, run: Run, request: str, arguments: list[str]) -> str:
    if request.lower() == ASYNC:
        return await _talk_asynchronously(channel, run, arguments)
    if _is_elsewhere(request):
        return await _talk(channel, run, request, arguments, await _connect(channel, request))
    return await _talk(channel, run, request, arguments, await _start(channel, run, request, arguments))


async def _talk_with_audio(channel: Channel, run: Run, request: str, arguments: list[str]) -> str:
    if _is_elsewhere(request):
        raise CannotReach(f"EAGI: {request[:80]!r} is no program of this machine, which audio could be given to")
    with AudioPipe(channel) as audio:
        process = await _start(channel, run, request, arguments, audio=audio.reader)
        audio.give_away()
        return await _talk(channel, run, request, arguments, process, enhanced=True)


def _says(channel: Channel, name: str, *, default: bool) -> bool:
    """A switch in a variable of the channel."""
    text = channel.get_variable(name)
    return default if not text else is_yes(text)


async def _connect(channel: Channel, request: str) -> Connection:
    opening = channel.registry.loop.create_task(
        Connection.open(request, tells_hangup=_says(channel, "AGISIGHUP", default=True))
    )
    return await channel.until(opening)


async def _start(
    channel: Channel, run: Run, request: str, arguments: list[str], *, audio: int | None = None
) -> Process:
    folder = run.plan.folders.agi
    path = folder / request  # an absolute path stays what it is
    environment = {"AST_AGI_DIR": str(folder), "AST_CONFIG_DIR": str(run.plan.folders.configuration)}
    return await Process.start(
        Path(path), arguments, environment, hangup_signal=_says(channel, "AGISIGHUP", default=True), audio=audio
    )


async def _talk(
    channel: Channel,
    run: Run,
    request: str,
    arguments: list[str],
    conversation: Process | Connection,
    *,
    enhanced: bool = False,
) -> str:
    """SUCCESS or FAILURE, once the program has ended."""
    ended = 1
    try:
        session = Session(run, conversation, exits_on_hangup=_says(channel, "AGIEXITONHANGUP", default=False))
        await session.serve(variables(channel, run, request, arguments, enhanced=enhanced))
    finally:
        ended = await conversation.close()
    return "SUCCESS" if ended == 0 else "FAILURE"


async def _talk_asynchronously(channel: Channel, run: Run, arguments: list[str]) -> str:
    bus = channel.registry.bus
    told = variables(channel, run, ASYNC, arguments)

    def answered(command_id: str, reply: str) -> None:
        if bus.wanted(AsyncAgiAnswered.topics):
            answer = AsyncAgiAnswered(channel=channel.snapshot(), command_id=command_id, reply=quote(reply))
            bus.publish(answer, AsyncAgiAnswered.topics)

    queue = run.plan.async_agi[channel.id] = Queue(answered)
    if bus.wanted(AsyncAgiStarted.topics):
        environment = quote(protocol.environment(told))
        bus.publish(AsyncAgiStarted(channel=channel.snapshot(), environment=environment), AsyncAgiStarted.topics)
    try:
        await Session(run, queue, exits_on_hangup=True).serve(told)
    finally:
        del run.plan.async_agi[channel.id]
        if bus.wanted(AsyncAgiEnded.topics):
            bus.publish(AsyncAgiEnded(channel=channel.snapshot()), AsyncAgiEnded.topics)
    return "SUCCESS"


APPLICATIONS = (
    Application(
        "AGI",
        "AGI(program[,argument…])",
        "Lets a program steer the call: a file in astagidir, `agi://host[:port][/script]` for a FastAGI server, or "
        "`agi:async` for clients of the manager interface. AGISTATUS is SUCCESS, FAILURE, NOTFOUND or HANGUP. "
        "AGISIGHUP=no keeps from telling it of a hangup, AGIEXITONHANGUP=yes ends it then.",
        _agi,
    ),
    Application("DeadAGI", "DeadAGI(program[,argument…])", "AGI, under its name for calls that have ended.", _agi),
    Application(
        "EAGI",
        "EAGI(program[,argument…])",
        "AGI for a program of this machine that hears the far end: on its descriptor 3, in 16-bit samples at 8 kHz.",
        _eagi,
    ),
)
