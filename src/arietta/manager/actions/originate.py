"""Originate: call somebody, and let the answered channel go to an application or an extension."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator

import msgspec

from arietta.channels.channel import Channel, HungUp
from arietta.channels.dialing import CAUSE_NO_ANSWER, Attempt
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.config.kinds import Invalid, parse_caller_id
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import DialplanError
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.run import Run
from arietta.errors import AriettaError, BadRequest, Conflict, NotFound
from arietta.manager.declared import Call, Reply, action, failure, success
from arietta.manager.message import Headers, ManagerEvent

log = logging.getLogger(__name__)

DIALLING_APP = ("AppDial2", "(Outgoing Line)")
STATUS = "originate status"
DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS = 30_000, 2**31 - 1
MAX_VARIABLES = 100
MAX_ID_LENGTH = 149
FAILED, HUNG_UP, RINGING, ANSWERED, BUSY, CONGESTION = 0, 1, 3, 4, 5, 8
"""Reasons, as OriginateResponse numbers them."""
REASONS = {"BUSY": BUSY, "CONGESTION": CONGESTION, "ANSWER": ANSWERED}
OF_THE_SYSTEM = frozenset((
    "system", "trysystem", "exec", "execif", "tryexec", "agi", "eagi", "deadagi", "externalivr", "mixmonitor",
    "originate",
))  # fmt: skip
"""Applications that can run anything: for users who may ask for actions of the kind system."""
DANGEROUS_DATA = ("SHELL(", "EVAL(", "FILE(", "CURL(")


class Wish(msgspec.Struct, frozen=True):
    """Who is to be called, and what then."""

    endpoint: str
    place: tuple[str, str, int] | None
    application: Application | None
    data: str
    timeout_ms: int
    early_media: bool
    request: DialRequest
    subroutine: str
    """What the channel runs before its call; "" for nothing."""
    variables: tuple[tuple[str, str], ...]


@action(
    "Originate",
    "Call somebody; who answers goes to an application or to an extension.",
    ("Channel", "Whom to call, as TECHNOLOGY/RESOURCE."),
    ("[Exten]", "Extension to go to; with Context and Priority."),
    ("[Context]", "Its context."),
    ("[Priority]", "Its priority, or a label."),
    ("[Application]", "Application to run in place of an extension."),
    ("[Data]", "Its arguments."),
    ("[Timeout]", f"Milliseconds to wait for the answer, {DEFAULT_TIMEOUT_MS} without it."),
    ("[CallerID]", "Who calls, as Name <number>."),
    ("[Variable]", "NAME=VALUE,... to set on the channel; may be repeated."),
    ("[Account]", "Account code of the channel."),
    ("[EarlyMedia]", "true to go on when the far end sends audio, before it answers."),
    ("[Async]", "true to be answered at once; OriginateResponse tells how it went."),
    ("[Codecs]", "Codecs to offer, between commas."),
    ("[ChannelId]", "Id of the channel."),
    ("[OtherChannelId]", "Id of the second half of a Local channel."),
    (
        "[PreDialGoSub]",
        "Subroutine that the channel runs before its call, as context,extension,priority(argument,...).",
    ),
    write="originate",
)
async def originate(call: Call) -> Reply:
    wish = _wish(call)
    channel: Channel | None = None
    outcome: asyncio.Future[int] = call.domain.channels.loop.create_future()
    try:
        channel = _request(call, wish)
    except CannotRequest as problem:
        log.info("%s cannot be called: %s", wish.endpoint, problem)
        _tell(outcome, FAILED)
    if channel is not None:
        channel.resting_app = DIALLING_APP
        channel.set_app(*DIALLING_APP)
        channel.own(_story(call, channel, wish, outcome))
    if call.flag("Async"):
        respond = _Response(call, wish, channel)
        outcome.add_done_callback(lambda done: respond(done.result()))
        return success("Originate successfully queued")
    reason = await outcome
    if reason != ANSWERED:
        return failure("Originate failed")
    return success("Originate successfully queued")


def _wish(call: Call) -> Wish:
    endpoint = call.need("Channel", "Channel not specified")
    technology, slash, resource = endpoint.partition("/")
    if not slash or not technology or not resource:
        raise BadRequest("Invalid channel")
    try:
        caller = parse_caller_id(call.get("CallerID"), "CallerID")
    except Invalid as problem:
        raise BadRequest(str(problem)) from None
    ids = []
    for header in ("ChannelId", "OtherChannelId"):
        ident = call.get(header)
        if len(ident) > MAX_ID_LENGTH:
            raise BadRequest(f"{header} has {len(ident)} characters, {MAX_ID_LENGTH} at most")
        if ident:
            call.domain.channels.check_free(ident)
        ids.append(ident or None)
    if ids[0] and ids[0] == ids[1]:
        raise Conflict("Uniqueid conflict: ChannelId and OtherChannelId are the same")
    application = _application(call)
    party = Party(caller.name, caller.number) if caller.name or caller.number else None
    variables = (*call.session.user.setvar, *assignments(call.action.all("Variable")))
    return Wish(
        endpoint,
        None if application is not None else _place(call),
        application,
        call.get("Data"),
        call.number("Timeout", DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
        call.flag("EarlyMedia"),
        DialRequest(
            resource=resource,
            channel_id=ids[0],
            other_channel_id=ids[1],
            formats=tuple(word.strip() for word in call.get("Codecs").split(",") if word.strip()),
            caller=party,
            connected=party,
            accountcode=call.get("Account") or None,
        ),
        call.get("PreDialGoSub"),
        variables,
    )


def _application(call: Call) -> Application | None:
    name = call.get("Application")
    if not name:
        return None
    allowed = "system" in call.session.user.writes or call.domain.dialplan.live_dangerously
    data = call.get("Data").upper()
    if not allowed and (name.lower() in OF_THE_SYSTEM or any(word in data for word in DANGEROUS_DATA)):
        raise BadRequest("Originate Access Forbidden: app or data blacklisted")
    found = call.domain.dialplan.applications.get(name.lower())
    if found is None:
        raise NotFound(f"Application {name[:80]} does not exist")
    return found


def _place(call: Call) -> tuple[str, str, int]:
    exten, context, priority = call.get("Exten"), call.get("Context"), call.get("Priority")
    if not exten or not context or not priority:
        raise BadRequest("Must specify an application, or Exten, Context and Priority")
    plan = call.domain.dialplan
    if priority.isascii() and priority.isdigit() and len(priority) <= 10:
        number: int | None = int(priority)
    else:
        number = plan.priority_of_label(context, exten, priority)
    if number is None:
        raise BadRequest("Invalid priority")
    if not plan.exists(context, exten, number):
        raise NotFound("Extension does not exist.")
    return context, exten, number


def assignments(headers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The NAME=VALUE pairs of Variable headers, several of which may stand in one, between commas."""
    count = 0
    for header in headers:
        for part in split_arguments(header):
            name, equals, value = part.partition("=")
            if not name.strip():
                continue
            if not equals:
                raise BadRequest(f"Variable {part[:80]!r} is not NAME=VALUE")
            count += 1
            if count > MAX_VARIABLES:
                raise BadRequest(f"There are more than {MAX_VARIABLES} variables")
            yield name.strip(), value


def _request(call: Call, wish: Wish) -> Channel:
    channels = call.domain.channels
    driver = channels.driver(wish.endpoint.partition("/")[0])
    if driver is None:
        raise CannotRequest("no such technology")
    if not channels.accepting:
        raise CannotRequest("the server ends")
    channel = driver.request(wish.request)
    for name, value in wish.variables:
        try:
            call.domain.dialplan.write(channel, name, value)
        except AriettaError as problem:
            log.warning("channel %s: %s", channel.name, problem)
    return channel


async def _story(call: Call, channel: Channel, wish: Wish, outcome: asyncio.Future[int]) -> None:
    plan = call.domain.dialplan
    try:
        if wish.subroutine:
            await _prepare(channel, wish.subroutine, plan)
        reason = await _ring(channel, wish)
    except HungUp:
        _tell(outcome, REASONS.get(_status(channel), HUNG_UP))
        raise
    except BaseException:
        _tell(outcome, FAILED)
        raise
    _tell(outcome, reason)
    if reason != ANSWERED:
        return
    if wish.place is not None:
        channel.set_place(*wish.place)
        await plan.run(channel)
        return
    application = wish.application
    assert application is not None
    channel.set_app(application.name, wish.data)
    try:
        await application.execute(channel, wish.data, Run(plan, channel))
    except DialplanError as problem:
        log.warning("%s(%s) on %s: %s", application.name, wish.data, channel.name, problem)


async def _prepare(channel: Channel, subroutine: str, plan: Interpreter) -> None:
    """Run the subroutine; what goes wrong in it ends the channel, which is not called then."""
    try:
        await Run(plan, channel).gosub(subroutine)
    except DialplanError as problem:
        log.error("%s: PreDialGoSub %s: %s", channel.name, subroutine, problem)
        raise HungUp from None
    channel.set_app(*DIALLING_APP)


async def _ring(channel: Channel, wish: Wish) -> int:
    """Call, and wait for the answer; in the owner of the channel."""
    reached: asyncio.Future[int] = channel.registry.loop.create_future()

    def changed(attempt: Attempt) -> None:
        if attempt.answered or (wish.early_media and attempt.status == "PROGRESS"):
            _tell(reached, ANSWERED)

    dialstring = wish.endpoint.partition("/")[2]
    attempt = Attempt(channel, dialstring=dialstring, repeat_dialstring=True, on_change=changed)
    attempt.start()
    try:
        return await channel.until(reached, wish.timeout_ms / 1000)
    except TimeoutError:
        channel.hangup_cause = CAUSE_NO_ANSWER
        return RINGING
    finally:
        channel.functions[STATUS] = attempt.status
        attempt.stop()


def _status(channel: Channel) -> str:
    return str(channel.functions.get(STATUS, ""))


def _tell(future: asyncio.Future[int], reason: int) -> None:
    if not future.done():
        future.set_result(reason)


class _Response:
    """Tells how an asynchronous Originate went; keeps no channel alive."""

    __slots__ = ("_bus", "_ident", "_shown", "_where")

    def __init__(self, call: Call, wish: Wish, channel: Channel | None) -> None:
        mark = call.action.action_id
        self._bus = call.domain.bus
        self._ident: Headers = (("ActionID", mark),) if mark else ()
        context, exten, _ = wish.place or ("", "", 0)
        caller = wish.request.caller or Party()
        self._where: Headers = (
            ("Channel", channel.name if channel is not None else wish.endpoint),
            ("Context", context),
            ("Exten", exten),
            ("Application", wish.application.name if wish.application is not None else ""),
            ("Data", wish.data),
        )
        self._shown: Headers = (
            ("Uniqueid", channel.id if channel is not None else "<null>"),
            ("CallerIDNum", caller.number or "<unknown>"),
            ("CallerIDName", caller.name or "<unknown>"),
        )

    def __call__(self, reason: int) -> None:
        said = ("Response", "Success" if reason == ANSWERED else "Failure")
        headers = (*self._ident, said, *self._where, ("Reason", str(reason)), *self._shown)
        self._bus.publish(ManagerEvent("OriginateResponse", "call,all", headers), ("manager:",))
