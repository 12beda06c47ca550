"""Functions that take structured text apart, and put it together: JSON, sorted lists, formats, dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.expressions import number_of
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_WIDTH = 4096
"""Of one field of SPRINTF."""
_FIELD = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<precision>\.\d*)?(?P<kind>.)", re.DOTALL)
_KEYPAD = {letter: str(digit) for digit, letters in enumerate(("", "", "ABC", "DEF", "GHI", "JKL", "MNO", "PQRS",
                                                              "TUV", "WXYZ")) for letter in letters}  # fmt: skip


def _json_decode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = [*split_arguments(arguments, 4), "", "", "", ""]
    variable, item, separator, options = parts[0], parts[1], parts[2] or ".", parts[3]
    if not variable or not item:
        raise FunctionError("JSON_DECODE", "needs a variable and an item")
    if set(options) - {"c"}:
        raise FunctionError("JSON_DECODE", f"options {options!r} are not supported, only c is")
    try:
        found = msgspec.json.decode(plan.variable(channel, variable))
    except (msgspec.DecodeError, RecursionError) as failure:
        raise FunctionError("JSON_DECODE", f"{variable} has no JSON: {failure}") from failure
    for step in item.split(separator):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isascii() and step.isdigit():
            place = whole_number(step)
            found = found[place] if place < len(found) else None
        else:
            return ""
    if "c" in options:
        return str(len(found)) if isinstance(found, list | dict) else ""
    return _as_text(found)


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return repr(value)
        case _:
            return msgspec.json.encode(value).decode()


def _sort(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    pairs: list[tuple[float, str]] = []
    for pair in split_arguments(arguments):
        key, colon, value = pair.rpartition(":")
        number = number_of(value.strip())
        if not colon or number is None:
            raise FunctionError("SORT", f"{pair[:60]!r} is not KEY:NUMBER")
        pairs.append((float(number), key))
    return ",".join(key for _, key in sorted(pairs, key=lambda pair: pair[0]))


def _strbetween(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 3)
    if len(parts) < 3 or not parts[1] or not parts[2]:
        raise FunctionError("STRBETWEEN", "needs a variable and the texts before and after")
    rest = plan.variable(channel, parts[0]).partition(parts[1])[2]
    inside, after, _ = rest.partition(parts[2])
    return inside if after else ""


def _sprintf(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    form, *values = split_arguments(arguments) or [""]
    values.reverse()

    def filled(field: re.Match[str]) -> str:
        kind = field["kind"]
        if kind == "%":
            return "%"
        width, precision = whole_number(field["width"]), whole_number((field["precision"] or "")[1:])
        if max(width, precision) > MAX_WIDTH:
            raise FunctionError("SPRINTF", f"{field[0]!r} is wider than {MAX_WIDTH}")
        if not values:
            raise FunctionError("SPRINTF", f"there is no argument for {field[0]!r}")
        shape = f"%{field['flags']}{field['width']}{field['precision'] or ''}"
        return _formatted(shape, kind, values.pop())

    return _FIELD.sub(filled, form)


def _formatted(shape: str, kind: str, value: str) -> str:
    if kind == "s":
        return (shape + "s") % value
    number = number_of(value.strip())
    if number is None:
        raise FunctionError("SPRINTF", f"{value[:40]!r} is not a number, which %{kind} wants")
    if kind in "diouxX":
        return (shape + kind) % int(number)
    if kind == "c":
        return (shape + "c") % (int(number) & 0x7F)
    if kind in "eEfFgG":
        return (shape + kind) % float(number)
    raise FunctionError("SPRINTF", f"%{kind} is none of %s %d %i %o %u %x %X %c %e %E %f %F %g %G")


def _keypadhash(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    letters = (character.upper() for character in arguments)
    return "".join(_KEYPAD.get(letter, letter if letter in "0123456789" else "") for letter in letters)


def _strptime(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 3)
    if len(parts) < 3 or not parts[2]:
        raise FunctionError("STRPTIME", "needs a time, a timezone or nothing, and a format")
    try:
        moment = datetime.strptime(parts[0], parts[2])
        if moment.tzinfo is None and parts[1]:
            moment = moment.replace(tzinfo=UTC if parts[1] == "UTC" else ZoneInfo(parts[1]))
        return str(int(moment.timestamp()))
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError) as failure:
        raise FunctionError("STRPTIME", f"{arguments[:80]!r}: {failure}") from failure


FUNCTIONS = (
    Function(
        "JSON_DECODE",
        "JSON_DECODE(variable,item[,separator[,options]])",
        "An item of the JSON in a variable; `a.b.0` names one further down. With `c` how many items it has.",
        _json_decode,
    ),
    Function("KEYPADHASH", "KEYPADHASH(text)", "The digits that the text's letters have on a keypad.", _keypadhash),
    Function("SORT", "SORT(key:number,key:number…)", "The keys, in order of their numbers.", _sort),
    Function(
        "SPRINTF",
        "SPRINTF(format[,value…])",
        "Values in a format of C: `%s`, whole numbers `%d %i %o %u %x %X %c`, others `%e %f %g`.",
        _sprintf,
    ),
    Function(
        "STRBETWEEN",
        "STRBETWEEN(variable,before,after)",
        "What stands between two texts in the value of a variable; nothing if one of them is missing.",
        _strbetween,
    ),
    Function(
        "STRPTIME",
        "STRPTIME(time,timezone,format)",
        "Seconds since 1970 of a time in words, which the format describes.",
        _strptime,
    ),
)
