"""Functions on variables elsewhere: of other channels, of callers further up the stack, and those that go away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed
from arietta.dialplan.run import EXCEPTION, Frame

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_SHARED = 1000
SHARED = "SHARED"
"""Where a channel keeps the variables it shares."""


def _import(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 2)
    if len(parts) < 2:
        raise FunctionError("IMPORT", "needs a channel and a variable")
    other = plan.registry.find(parts[0])
    return "" if other is None else plan.variable(other, parts[1])


def _export(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    parts = split_arguments(arguments, 2)
    if len(parts) < 2 or not parts[1]:
        raise FunctionError("EXPORT", "needs a channel and a variable")
    other = plan.registry.find(parts[0])
    if other is None:
        raise FunctionError("EXPORT", f"there is no channel {parts[0]}")
    plan.assign(other, parts[1], value)


def _shared_by(name: str, plan: Interpreter, channel: Channel | None, arguments: str) -> tuple[str, dict[str, str]]:
    """The variable's name and what the channel meant shares."""
    parts = split_arguments(arguments, 2)
    if not parts or not parts[0]:
        raise FunctionError(name, "names no variable")
    of = channel if len(parts) < 2 or not parts[1] else plan.registry.find(parts[1])
    if len(parts) > 1 and parts[1] and of is None:
        raise FunctionError(name, f"there is no channel {parts[1]}")
    shared: dict[str, str] = needed(of, name).functions.setdefault(SHARED, {})
    return parts[0], shared


def _read_shared(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name, shared = _shared_by(SHARED, plan, channel, arguments)
    return shared.get(name, "")


def _write_shared(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name, shared = _shared_by(SHARED, plan, channel, arguments)
    if name not in shared and len(shared) >= MAX_SHARED:
        raise FunctionError(SHARED, f"{MAX_SHARED} variables are shared, which is the limit")
    shared[name] = value


def _master(plan: Interpreter, channel: Channel | None) -> Channel:
    """The channel that all others of the call have their linkedid of; the channel itself once that is gone."""
    channel = needed(channel, "MASTER_CHANNEL")
    return plan.registry.get(channel.linkedid) or channel


def _read_master(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.value(_master(plan, channel), arguments.strip()) or ""


def _write_master(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    plan.assign(_master(plan, channel), arguments.strip(), value)


def _channel_exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    if not arguments.strip():
        raise FunctionError("CHANNEL_EXISTS", "names no channel")
    return "0" if plan.registry.find(arguments.strip()) is None else "1"


def _delete(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    needed(channel, "DELETE").unset_variable(arguments.strip())


def _variable_exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return "0" if plan.lookup(channel, arguments.strip()) is None else "1"


def _global_exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return "1" if arguments.strip() in plan.globals else "0"


def _global_delete(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    plan.globals.pop(arguments.strip(), None)


def _frames(channel: Channel | None, name: str, text: str) -> tuple[list[Frame], int]:
    """The Gosubs that have not returned, and the level meant."""
    frames: list[Frame] = needed(channel, name).functions.get(Frame.KEY, [])
    level = whole_number(text, -1)
    if level < 0:
        raise FunctionError(name, f"level {text!r} is not a whole number from 0")
    return frames, level


def _stack_peek(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = [*split_arguments(arguments), "", "", ""]
    frames, level = _frames(channel, "STACK_PEEK", parts[0])
    if not 1 <= level <= len(frames):
        if parts[2]:
            return ""
        raise FunctionError("STACK_PEEK", f"level {level} is outside 1..{len(frames)}")
    frame = frames[-level]
    place = {
        "l": f"{frame.context},{frame.exten},{frame.priority - 1}",
        "c": frame.context,
        "e": frame.exten,
        "p": str(frame.priority - 1),
    }
    if parts[1] not in place:
        raise FunctionError("STACK_PEEK", f"{parts[1]!r} is none of {', '.join(place)}")
    return place[parts[1]]


def _local_peek(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = [*split_arguments(arguments), "", ""]
    frames, level = _frames(channel, "LOCAL_PEEK", parts[0])
    value: str | None = plan.lookup(channel, parts[1])
    for frame in reversed(frames[max(0, len(frames) - level) :]):
        if parts[1] in frame.former:
            value = frame.former[parts[1]]
    return value or ""


def _exception(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    kept = needed(channel, EXCEPTION).functions.get(EXCEPTION, ("", "", "", ""))
    fields = dict(zip(("reason", "context", "exten", "priority"), kept, strict=True))
    if arguments.strip() not in fields:
        raise FunctionError(EXCEPTION, f"{arguments.strip()!r} is none of {', '.join(fields)}")
    return str(fields[arguments.strip()])


FUNCTIONS = (
    Function(
        "CHANNEL_EXISTS", "CHANNEL_EXISTS(channel)", "1 if there is a channel of that name or id.", _channel_exists
    ),
    Function("DELETE", "DELETE(variable)", "Set to anything: takes a variable of the channel away.", write=_delete),
    Function(
        EXCEPTION,
        "EXCEPTION(reason|context|exten|priority)",
        "In the extension `e`, `i`, `t` or `T`: why the channel is there (INVALID, RESPONSETIMEOUT, ABSOLUTETIMEOUT, "
        "or what RaiseException says), and where it was.",
        _exception,
    ),
    Function("EXPORT", "EXPORT(channel,variable)", "Sets a variable of another channel.", write=_export),
    Function(
        "GLOBAL_DELETE", "GLOBAL_DELETE(name)", "Set to anything: takes a global variable away.", write=_global_delete
    ),
    Function("GLOBAL_EXISTS", "GLOBAL_EXISTS(name)", "1 if there is such a global variable, else 0.", _global_exists),
    Function("IMPORT", "IMPORT(channel,variable)", "The value of a variable of another channel.", _import),
    Function(
        "LOCAL_PEEK",
        "LOCAL_PEEK(level,variable)",
        "The value that a variable had so many Gosubs further up; level 0 is the present one.",
        _local_peek,
    ),
    Function(
        "MASTER_CHANNEL",
        "MASTER_CHANNEL(variable)",
        "A variable or function of the channel that began the call.",
        _read_master,
        _write_master,
    ),
    Function(
        SHARED,
        "SHARED(variable[,channel])",
        "A variable that other channels may read and set as well; apart from ordinary ones.",
        _read_shared,
        _write_shared,
    ),
    Function(
        "STACK_PEEK",
        "STACK_PEEK(level,what[,suppress])",
        "Where the Gosub of a level was called: `c` context, `e` extension, `p` priority, `l` all three. With "
        "`suppress` a level that is not there is no error.",
        _stack_peek,
    ),
    Function("VARIABLE_EXISTS", "VARIABLE_EXISTS(name)", "1 if there is such a variable, else 0.", _variable_exists),
)
