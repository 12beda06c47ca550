"""Originate: calls somebody who, once answered, goes a way of their own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from arietta.channels.channel import HungUp
from arietta.channels.dialing import call_out, status_of_cause
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errors import ApplicationError, DialplanError
from arietta.dialplan.options import Option, Options
from arietta.dialplan.run import Run

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

log = logging.getLogger(__name__)

STATUS = "ORIGINATE_STATUS"
LINE = ("AppDial2", "(Outgoing Line)")
DEFAULT_SECONDS = 30.0
MAX_VARIABLES = 100
OPTIONS = Options(
    6,
    (
        Option("a", "does not wait for the answer"),
        Option("b", "runs a subroutine on the new channel before its call", "context^exten^priority"),
        Option("B", "runs a subroutine on this channel before the call", "context^exten^priority"),
        Option("C", "these are offered", "codecs"),
        Option("c", "calls in place of this channel's caller", "number"),
        Option("n", "its name", "name"),
        Option("v", "sets variables of the new channel", "name=value^name=value…"),
    ),
)
REFUSALS = frozenset(("BUSY", "CONGESTION"))


class Wish(msgspec.Struct, frozen=True):
    """Who is to be called, and what then."""

    technology: str
    resource: str
    application: Application | None
    data: str
    place: tuple[str, str, int]
    """Where the channel goes if there is no application."""
    timeout: float
    options: dict[str, str]


def _read(channel: Channel, arguments: str, run: Run) -> Wish:
    """The wish in ``TECH/resource,app|exten,…``; ApplicationError for one that makes no sense."""
    parts = [*split_arguments(arguments), *[""] * 7]
    technology, slash, resource = parts[0].partition("/")
    if not slash or not technology or not resource:
        raise ApplicationError(f"{parts[0][:80]!r} is not TECHNOLOGY/RESOURCE")
    timeout = seconds(parts[5]) if parts[5] else DEFAULT_SECONDS
    if timeout is None or timeout <= 0:
        raise ApplicationError(f"timeout {parts[5][:40]!r} is no number of seconds above 0")
    options = OPTIONS.read("Originate", parts[6])
    application, place = None, ("", "", 0)
    match parts[1].lower():
        case "app":
            application = run.plan.applications.get(parts[2].lower())
            if application is None:
                raise ApplicationError(f"there is no application {parts[2][:80]!r}")
        case "exten":
            place = _place(channel, parts[2], parts[3], parts[4], run)
        case other:
            raise ApplicationError(f"type {other[:40]!r} is neither app nor exten")
    return Wish(technology, resource, application, parts[3], place, timeout, options)


def _place(channel: Channel, context: str, exten: str, priority: str, run: Run) -> tuple[str, str, int]:
    context, exten, number = run.place_of(f"{context or channel.context},{exten or channel.exten},{priority or 1}")
    if not run.exists(context, exten, number):
        raise ApplicationError(f"there is no {exten}@{context}:{number} to go to")
    return context, exten, number


def _request(channel: Channel, wish: Wish, run: Run) -> Channel:
    """The new channel, not called yet; CannotRequest where there is none."""
    registry, options = channel.registry, wish.options
    driver = registry.driver(wish.technology)
    if driver is None or not registry.accepting:
        raise CannotRequest(f"there is no technology {wish.technology!r}" if driver is None else "the server ends")
    number = options.get("c") or channel.caller.number
    party = Party(options.get("n") or channel.caller.name, number, channel.caller.presentation)
    peer = driver.request(
        DialRequest(
            resource=wish.resource,
            formats=tuple(word.strip() for word in options.get("C", "").split(",") if word.strip()),
            caller=party,
            connected=party,
            language=channel.language,
        )
    )
    for assignment in options.get("v", "").split("^")[:MAX_VARIABLES]:
        name, _, value = assignment.partition("=")
        if name.strip():
            run.plan.assign(peer, name.strip(), value)
    return peer


async def _story(peer: Channel, wish: Wish, run: Run, outcome: asyncio.Future[str]) -> None:
    """What the called channel does: ring, and go where it was wished."""

    def tell(status: str) -> None:
        if not outcome.done():
            outcome.set_result(status)

    async def pick_up(new: Channel) -> None:
        tell("SUCCESS")
        await _arrive(new, wish, run)

    try:
        if wish.options.get("b"):
            await run.gosub(wish.options["b"].replace("^", ","))
        answered = await call_out(peer, dialstring=wish.resource, timeout=wish.timeout, then=pick_up)
        tell("SUCCESS" if answered else "RINGING")
    except HungUp:
        status = status_of_cause(peer.hangup_cause)
        tell(status if status in REFUSALS else "HANGUP")
        raise
    except DialplanError as failure:
        log.error("%s: Originate: %s", peer.name, failure)
        return
    finally:
        tell("FAILED")
    if answered:
        await _arrive(peer, wish, run)


async def _arrive(peer: Channel, wish: Wish, run: Run) -> None:
    """Go where the answered call was wished."""
    peer.resting_app = ("", "")
    if wish.application is None:
        peer.set_place(*wish.place)
        await run.plan.run(peer)
        return
    peer.set_app(wish.application.name, wish.data)
    try:
        await wish.application.execute(peer, wish.data, run)
    except DialplanError as failure:
        log.error("%s: %s(%s): %s", peer.name, wish.application.name, wish.data, failure)


async def _originate(channel: Channel, arguments: str, run: Run) -> None:
    channel.set_variable(STATUS, "")
    try:
        wish = _read(channel, arguments, run)
        if wish.options.get("B"):
            await run.gosub(wish.options["B"].replace("^", ","))
        peer = _request(channel, wish, run)
    except (CannotRequest, DialplanError) as failure:
        log.error("%s: Originate(%s): %s", channel.name, arguments[:120], failure)
        channel.set_variable(STATUS, "FAILED")
        return
    outcome: asyncio.Future[str] = channel.registry.loop.create_future()
    peer.resting_app = LINE
    peer.set_app(*LINE)
    peer.own(_story(peer, wish, Run(run.plan, peer), outcome))
    channel.set_variable(STATUS, "SUCCESS" if "a" in wish.options else await channel.until(outcome))


APPLICATIONS = (
    Application(
        "Originate",
        "Originate(TECH/resource,app,application[,arguments[,[,seconds[,options]]]]) or "
        "Originate(TECH/resource,exten,context,extension[,priority[,seconds[,options]]])",
        "Calls somebody and waits 30 seconds or so long for the answer; then that channel runs an application or a "
        "place of the dialplan by itself. ORIGINATE_STATUS is SUCCESS, BUSY, CONGESTION, HANGUP, RINGING (nobody "
        "answered) or FAILED.",
        _originate,
        options=OPTIONS,
    ),
)
