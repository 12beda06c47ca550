"""Applications that decide what is executed, set variables, and write to the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta import verbose as console
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import find_outside, is_true, raw_arguments, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError, DialplanError
from arietta.dialplan.run import Frame
from arietta.dialplan.timing import BadTime, parse_time_condition

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

LOG_LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "notice": logging.INFO,
    "verbose": logging.INFO,
    "debug": logging.DEBUG,
    "dtmf": logging.DEBUG,
}


async def _noop(channel: Channel, arguments: str, run: Run) -> None:
    return


async def _set(channel: Channel, arguments: str, run: Run) -> None:
    _assign(channel, arguments, run)


async def _mset(channel: Channel, arguments: str, run: Run) -> None:
    for pair in raw_arguments(arguments):
        _assign(channel, pair, run)


def _assign(channel: Channel, text: str, run: Run) -> None:
    """``name=value`` or ``FUNCTION(arguments)=value``; what cannot be written is logged, and the call goes on."""
    equals = find_outside(text, "=")
    if equals < 0:
        equals = text.find("=")
    if equals < 0:
        log.warning("%s: Set(%s) has no =", channel.name, text)
        return
    name, value = text[:equals].strip(), text[equals + 1 :]
    try:
        run.plan.assign(channel, name, value.strip(" ") if not value.isspace() else value)
    except DialplanError as failure:
        log.warning("%s at %s@%s:%d: %s", channel.name, channel.exten, channel.context, channel.priority, failure)


async def _goto(channel: Channel, arguments: str, run: Run) -> None:
    run.goto_text(arguments)
    console.verbose(3, f"Goto ({channel.context},{channel.exten},{channel.priority})")


def _branch(arguments: str, condition_holds: bool) -> str:
    """The true or the false part of what follows the ``?``."""
    colon = find_outside(arguments, ":")
    if_true, if_false = (arguments, "") if colon < 0 else (arguments[:colon], arguments[colon + 1 :])
    return (if_true if condition_holds else if_false).strip()


def _condition(name: str, arguments: str) -> tuple[str, str]:
    question = find_outside(arguments, "?")
    if question < 0:
        raise ApplicationError(f"{name}({arguments}) has no ?")
    return arguments[:question], arguments[question + 1 :]


def _time_holds(condition: str, run: Run) -> bool:
    try:
        return parse_time_condition(condition).holds(run.plan.now())
    except BadTime as failure:
        raise ApplicationError(str(failure)) from failure


async def _goto_if(channel: Channel, arguments: str, run: Run) -> None:
    condition, rest = _condition("GotoIf", arguments)
    target = _branch(rest, is_true(condition))
    if target:
        await _goto(channel, target, run)


async def _goto_if_time(channel: Channel, arguments: str, run: Run) -> None:
    condition, rest = _condition("GotoIfTime", arguments)
    target = _branch(rest, _time_holds(condition, run))
    if target:
        await _goto(channel, target, run)


async def _gosub(channel: Channel, arguments: str, run: Run) -> None:
    """``[[context,]extension,]priority[(argument,…)]``."""
    opening = find_outside(arguments, "(")
    place, given = arguments, ""
    if opening >= 0:
        place = arguments[:opening]
        given = arguments[opening + 1 :].rstrip().removesuffix(")")
    context, exten, priority = run.place_of(place)
    if not run.exists(context, exten, priority):
        raise ApplicationError(f"there is no {exten}@{context}:{priority} to go to")
    frame = Frame(channel.context, channel.exten, channel.priority + 1)
    values = split_arguments(given)
    former_count = whole_number(channel.get_variable("ARGC") or "")
    run.push(frame)
    for number in range(1, max(len(values), former_count) + 1):
        frame.keep(channel, f"ARG{number}")
        channel.variables[f"ARG{number}"] = values[number - 1] if number <= len(values) else ""
    frame.keep(channel, "ARGC")
    channel.variables["ARGC"] = str(len(values))
    run.goto(context, exten, priority)


async def _gosub_if(channel: Channel, arguments: str, run: Run) -> None:
    condition, rest = _condition("GosubIf", arguments)
    target = _branch(rest, is_true(condition))
    if target:
        await _gosub(channel, target, run)


async def _return(channel: Channel, arguments: str, run: Run) -> None:
    if not run.frames:
        raise ApplicationError("Return without Gosub")
    frame = run.frames.pop()
    frame.restore(channel)
    channel.set_variable("GOSUB_RETVAL", arguments)
    run.goto(frame.context, frame.exten, frame.priority)


async def _stack_pop(channel: Channel, arguments: str, run: Run) -> None:
    if run.frames:
        run.frames.pop().restore(channel)
    else:
        log.warning("%s: StackPop without Gosub", channel.name)


async def _call(channel: Channel, text: str, run: Run) -> bool:
    """Execute ``Application(arguments)``; False if there is no such application."""
    name, opening, rest = text.strip().partition("(")
    if opening:
        rest = rest.rstrip().removesuffix(")")
    else:
        name, _, rest = text.strip().partition(",")
    return await run.call(name, rest)


async def _exec(channel: Channel, arguments: str, run: Run) -> None:
    if arguments.strip() and not await _call(channel, arguments, run):
        raise ApplicationError(f"there is no application {arguments.partition('(')[0].strip()}()")


async def _try_exec(channel: Channel, arguments: str, run: Run) -> None:
    try:
        status = "SUCCESS" if await _call(channel, arguments, run) else "NOAPP"
    except DialplanError as failure:
        log.warning("%s: TryExec(%s): %s", channel.name, arguments, failure)
        status = "FAILED"
    channel.set_variable("TRYSTATUS", status)


async def _exec_if(channel: Channel, arguments: str, run: Run) -> None:
    condition, rest = _condition("ExecIf", arguments)
    target = _branch(rest, is_true(condition))
    if target:
        await _exec(channel, target, run)


async def _exec_if_time(channel: Channel, arguments: str, run: Run) -> None:
    condition, rest = _condition("ExecIfTime", arguments)
    if _time_holds(condition, run):
        await _exec(channel, rest, run)


async def _verbose(channel: Channel, arguments: str, run: Run) -> None:
    parts = arguments.split(",", 1)
    if len(parts) == 2 and parts[0].strip().isdigit():
        console.verbose(min(whole_number(parts[0]), 10), parts[1].strip())
    else:
        console.verbose(0, arguments)


async def _log(channel: Channel, arguments: str, run: Run) -> None:
    name, _, message = arguments.partition(",")
    level = LOG_LEVELS.get(name.strip().lower())
    if level is None:
        raise ApplicationError(f"level {name.strip()!r} is none of {', '.join(LOG_LEVELS)}")
    log.log(
        level, "%s at %s@%s:%d: %s", channel.name, channel.exten, channel.context, channel.priority, message.strip()
    )


async def _raise_exception(channel: Channel, arguments: str, run: Run) -> None:
    if not run.exists(channel.context, "e"):
        raise ApplicationError(f"there is no extension e in {channel.context}")
    run.enter_special("e", channel.context, arguments.strip())


async def _dump_channel(channel: Channel, arguments: str, run: Run) -> None:
    if console.level() < whole_number(arguments):
        return
    shown = {
        "Name": channel.name,
        "Type": channel.technology,
        "UniqueID": channel.id,
        "LinkedID": channel.linkedid,
        "Caller ID Number": channel.caller.number or "(N/A)",
        "Caller ID Name": channel.caller.name or "(N/A)",
        "Connected Line Number": channel.connected.number or "(N/A)",
        "Connected Line Name": channel.connected.name or "(N/A)",
        "DNID Digits": channel.dialed_number or "(N/A)",
        "RDNIS": channel.redirecting_number or "(N/A)",
        "Language": channel.language,
        "State": channel.state.value,
        "Context": channel.context,
        "Extension": channel.exten,
        "Priority": channel.priority,
        "Bridge": channel.bridge.id if channel.bridge is not None else "(None)",
    }
    variables = [f"{name}={value}" for name, value in channel.variables.items()]
    lines = [f"{name + ':':<24}{value}" for name, value in shown.items()]
    console.verbose(0, "\n".join((f"Dumping info for channel {channel.name}:", *lines, "Variables:", *variables)))


APPLICATIONS = (
    Application("DumpChan", "DumpChan([level])", "Shows the channel and its variables on the console.", _dump_channel),
    Application("Exec", "Exec(application(arguments))", "Executes an application whose name is in text.", _exec),
    Application(
        "ExecIf",
        "ExecIf(condition?application(arguments)[:application(arguments)])",
        "Executes one of two applications.",
        _exec_if,
    ),
    Application(
        "ExecIfTime",
        "ExecIfTime(times,weekdays,mdays,months[,timezone]?application(arguments))",
        "Executes an application at certain times.",
        _exec_if_time,
    ),
    Application(
        "Gosub",
        "Gosub([[context,]extension,]priority[(argument,…)])",
        "Goes to a place that comes back with Return; the arguments are ARG1, ARG2 … there.",
        _gosub,
    ),
    Application(
        "GosubIf",
        "GosubIf(condition?place[(arguments)][:place[(arguments)]])",
        "Gosub to one of two places, or to none.",
        _gosub_if,
    ),
    Application(
        "Goto",
        "Goto([[context,]extension,]priority)",
        "Continues at another place; the priority is a number or a label.",
        _goto,
    ),
    Application(
        "GotoIf",
        "GotoIf(condition?[place][:place])",
        "Continues at one of two places, or with the next step.",
        _goto_if,
    ),
    Application(
        "GotoIfTime",
        "GotoIfTime(times,weekdays,mdays,months[,timezone]?[place][:place])",
        "Goto by the time.",
        _goto_if_time,
    ),
    Application("Log", "Log(level,text)", "Writes to the log: ERROR, WARNING, NOTICE, VERBOSE or DEBUG.", _log),
    Application("MSet", "MSet(name=value,name=value…)", "Sets several variables.", _mset),
    Application("NoOp", "NoOp([text])", "Does nothing; the console shows the text.", _noop),
    Application(
        "RaiseException",
        "RaiseException(reason)",
        "Goes to the extension `e`, where EXCEPTION(reason) tells why.",
        _raise_exception,
    ),
    Application("Return", "Return([value])", "Comes back from Gosub; the value is GOSUB_RETVAL.", _return),
    Application(
        "Set",
        "Set(name=value)",
        "Sets a variable, or writes a function; `_` and `__` before a name let dialled channels inherit it.",
        _set,
    ),
    Application("StackPop", "StackPop()", "Forgets the last Gosub.", _stack_pop),
    Application(
        "TryExec", "TryExec(application(arguments))", "Exec that goes on after a failure, with TRYSTATUS.", _try_exec
    ),
    Application("Verbose", "Verbose([level,]text)", "Shows a line on the console.", _verbose),
)
