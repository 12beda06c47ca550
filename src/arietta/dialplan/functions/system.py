"""Functions about the server: globals, time, devices, the dialplan itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_HASH_KEYS = 1000


def _read_global(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.globals.get(arguments.strip(), "")


def _write_global(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    plan.set_global(arguments.strip(), value)


def _read_local(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.variable(channel, arguments.strip())


def _write_local(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    plan.set_local(needed(channel, "LOCAL"), arguments.strip(), value)


def _strftime(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 3)
    epoch_text = parts[0] if parts else ""
    try:
        epoch = float(epoch_text) if epoch_text else plan.now()
        zone = ZoneInfo(parts[1]) if len(parts) > 1 and parts[1] else None
        moment = datetime.fromtimestamp(epoch, UTC).astimezone(zone)
        return moment.strftime(_with_fractions(parts[2] if len(parts) > 2 and parts[2] else "%c", moment))
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError) as failure:
        raise FunctionError("STRFTIME", f"{arguments[:80]!r}: {failure}") from failure


def _with_fractions(form: str, moment: datetime) -> str:
    """The format with ``%q`` (milliseconds) and ``%1q`` … ``%6q`` (so many digits) filled in."""
    if "q" not in form:
        return form
    digits = f"{moment.microsecond:06d}"
    form = form.replace("%q", digits[:3])
    for count in range(1, 7):
        form = form.replace(f"%{count}q", digits[:count])
    return form


def _dialplan_exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments)
    if not parts or not parts[0]:
        raise FunctionError("DIALPLAN_EXISTS", "names no context")
    context = parts[0]
    if len(parts) < 2 or not parts[1]:
        return "1" if context in plan.dialplan.contexts else "0"
    number = channel.caller.number if channel is not None else ""
    if len(parts) < 3 or not parts[2]:
        return "1" if any(plan.dialplan.matching(context, parts[1], number)) else "0"
    return "1" if plan.place_exists(context, parts[1], parts[2], number) else "0"


def _valid_exten(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments)
    if len(parts) < 2 or not parts[1]:
        raise FunctionError("VALID_EXTEN", "needs a context and an extension")
    context = parts[0] or (channel.context if channel is not None else "")
    number = channel.caller.number if channel is not None else ""
    return "1" if plan.place_exists(context, parts[1], parts[2] if len(parts) > 2 else "1", number) else "0"


def _if_module(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    if not arguments.strip():
        raise FunctionError("IFMODULE", "names no module")
    return "1" if plan.has_module(arguments.strip()) else "0"


def _hash_of(channel: Channel, name: str) -> dict[str, str]:
    hashes: dict[str, dict[str, str]] = channel.functions.setdefault("HASH", {})
    return hashes.setdefault(name, {})


def _read_hash(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 2)
    if len(parts) < 2:
        raise FunctionError("HASH", "needs a name and a key")
    return _hash_of(needed(channel, "HASH"), parts[0]).get(parts[1], "")


def _write_hash(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    parts = split_arguments(arguments, 2)
    if len(parts) < 2:
        raise FunctionError("HASH", "needs a name and a key")
    values = _hash_of(needed(channel, "HASH"), parts[0])
    if parts[1] not in values and len(values) >= MAX_HASH_KEYS:
        raise FunctionError("HASH", f"{parts[0]} has {MAX_HASH_KEYS} keys, which is the limit")
    values[parts[1]] = value


def _hashkeys(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return ",".join(_hash_of(needed(channel, "HASHKEYS"), arguments.strip()))


def _version(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.version


FUNCTIONS = (
    Function(
        "DIALPLAN_EXISTS",
        "DIALPLAN_EXISTS(context[,extension[,priority]])",
        "1 if there is such a place in the dialplan, else 0.",
        _dialplan_exists,
    ),
    Function("GLOBAL", "GLOBAL(name)", "A global variable.", _read_global, _write_global),
    Function("HASH", "HASH(name,key)", "A value of an associative list of the channel.", _read_hash, _write_hash),
    Function("HASHKEYS", "HASHKEYS(name)", "The keys of an associative list of the channel.", _hashkeys),
    Function(
        "LOCAL", "LOCAL(name)", "A variable that has its former value again after Return.", _read_local, _write_local
    ),
    Function("IFMODULE", "IFMODULE(module)", "1 if there is that module, such as app_dial.so, else 0.", _if_module),
    Function(
        "STRFTIME",
        "STRFTIME([epoch][,timezone[,format]])",
        "A time in words, the present one if none is given; `%q` is milliseconds.",
        _strftime,
    ),
    Function(
        "VALID_EXTEN", "VALID_EXTEN([context],extension[,priority])", "1 if there is such a step, else 0.", _valid_exten
    ),
    Function(
        "VERSION",
        "VERSION()",
        "The version of the server.",
        _version,
        lacks="without its argument: how it was built is not told",
    ),
)
