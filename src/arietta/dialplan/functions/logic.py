"""Functions that decide and calculate."""

from __future__ import annotations

import math
import random
import re
from typing import TYPE_CHECKING

from arietta.dialplan.arguments import find_outside, is_true, split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.expressions import format_number, number_of
from arietta.dialplan.functions import Function, needed
from arietta.dialplan.timing import BadTime, parse_time_condition

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

_MATH = re.compile(
    r"\s*(?P<one>[+-]?[\d.]+)\s*(?P<operator>\*\*|<=|>=|==|!=|<<|>>|[-+*/%^<>=]|AND|OR|XOR)\s*(?P<other>[+-]?[\d.]+)\s*\Z",
    re.IGNORECASE,
)
MAX_EXPONENT = 1000


def choose(name: str, arguments: str) -> tuple[str, str, str]:
    """Condition and the two results of ``condition?true:false``."""
    question = find_outside(arguments, "?")
    if question < 0:
        raise FunctionError(name, "has no ?")
    rest = arguments[question + 1 :]
    colon = find_outside(rest, ":")
    if_true, if_false = (rest, "") if colon < 0 else (rest[:colon], rest[colon + 1 :])
    return arguments[:question], _unquoted(if_true), _unquoted(if_false)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text


def _if(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    condition, if_true, if_false = choose("IF", arguments)
    return if_true if is_true(condition) else if_false


def _iftime(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    condition, if_true, if_false = choose("IFTIME", arguments)
    try:
        return if_true if parse_time_condition(condition).holds(plan.now()) else if_false
    except BadTime as failure:
        raise FunctionError("IFTIME", str(failure)) from failure


def _set(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name, equals, value = arguments.partition("=")
    if not equals:
        raise FunctionError("SET", "has no =")
    plan.assign(channel, name.strip(), value)
    return value


def _exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return "1" if arguments else "0"


def _isnull(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return "0" if arguments else "1"


def _eval(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.substitute(channel, arguments)


def _eval_exten(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    """The value that the Return at a place gives back, evaluated for the channel."""
    channel = needed(channel, "EVAL_EXTEN")
    *place, priority = split_arguments(arguments, 3) or [""]
    exten = place[-1] if place else channel.exten
    context = place[0] if len(place) > 1 else channel.context
    number = int(priority) if priority.isascii() and priority.isdigit() and len(priority) <= 10 else None
    if number is None:
        number = plan.priority_of_label(context, exten, priority, channel.caller.number)
    step = plan.dialplan.find(context, exten, number, channel.caller.number) if number is not None else None
    if step is None or step.key != "return":
        raise FunctionError("EVAL_EXTEN", f"there is no Return at {exten}@{context}:{priority}")
    return step.arguments if isinstance(step.arguments, str) else plan.render(channel, step.arguments)


def _digit_sum(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    digits = arguments.strip()
    if not digits.isascii() or not digits.isdigit():
        raise FunctionError("DIGIT_SUM", f"{arguments[:60]!r} is not digits alone")
    return str(sum(map(int, digits)))


def _rand(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments)
    low = whole_number(parts[0]) if parts else 0
    high = whole_number(parts[1], 2**31 - 1) if len(parts) > 1 else 2**31 - 1
    return str(random.randint(min(low, high), max(low, high)))


def _math(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments)
    match = _MATH.match(parts[0]) if parts else None
    if match is None:
        raise FunctionError("MATH", f"{arguments[:60]!r} is not NUMBER OPERATOR NUMBER")
    one, other = number_of(match["one"]), number_of(match["other"])
    if one is None or other is None:
        raise FunctionError("MATH", f"{arguments[:60]!r} has an operand that is no number")
    kind = (parts[1] if len(parts) > 1 else "float").strip().lower()
    try:
        return _shown(_calculated(match["operator"].upper(), float(one), float(other)), kind)
    except (OverflowError, ZeroDivisionError, ValueError) as failure:
        raise FunctionError("MATH", f"{arguments[:60]!r}: {failure}") from failure


def _calculated(operator: str, one: float, other: float) -> float | bool:
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return one / other
        case "%":
            return math.fmod(int(one), int(other))
        case "**" | "^":
            if abs(other) > MAX_EXPONENT:
                raise ValueError(f"exponent is above {MAX_EXPONENT}")
            return math.pow(one, other)
        case "<<" | ">>":
            if not 0 <= other < 64:
                raise ValueError("a shift is outside 0..63")
            return float(int(one) << int(other) if operator == "<<" else int(one) >> int(other))
        case "AND":
            return float(int(one) & int(other))
        case "OR":
            return float(int(one) | int(other))
        case "XOR":
            return float(int(one) ^ int(other))
        case "<":
            return one < other
        case ">":
            return one > other
        case "<=":
            return one <= other
        case ">=":
            return one >= other
        case "!=":
            return one != other
        case _:
            return one == other


def _shown(value: float | bool, kind: str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    match kind:
        case "int" | "i":
            return str(int(value))
        case "hex" | "h":
            return format(int(value), "x")
        case "char" | "c":
            return chr(int(value) & 0xFF)
        case "float" | "f":
            return format(value, "f")
        case _:
            raise ValueError(f"unknown type of result {kind!r}")


def _number_of_variable(name: str, plan: Interpreter, channel: Channel | None, arguments: str) -> int | float:
    value = number_of(plan.variable(channel, arguments.strip()))
    if value is None:
        raise FunctionError(name, f"variable {arguments.strip()} is no number")
    return value


def _inc(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    value = format_number(_number_of_variable("INC", plan, channel, arguments) + 1)
    plan.set_plain(channel, arguments.strip(), value)
    return value


def _dec(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    value = format_number(_number_of_variable("DEC", plan, channel, arguments) - 1)
    plan.set_plain(channel, arguments.strip(), value)
    return value


def _extreme(name: str, arguments: str, pick: object) -> str:
    numbers = [number_of(part) for part in split_arguments(arguments)]
    known = [number for number in numbers if number is not None]
    if not numbers or len(known) < len(numbers):
        raise FunctionError(name, f"{arguments[:60]!r} is not a list of numbers")
    assert callable(pick)
    return format_number(pick(known))


def _min(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _extreme("MIN", arguments, min)


def _max(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _extreme("MAX", arguments, max)


def _abs(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _extreme("ABS", arguments, lambda numbers: abs(numbers[0]))


FUNCTIONS = (
    Function("ABS", "ABS(number)", "The number without its sign.", _abs),
    Function("DEC", "DEC(variable)", "Takes one off a variable and gives its new value.", _dec),
    Function("DIGIT_SUM", "DIGIT_SUM(digits)", "The sum of digits.", _digit_sum),
    Function("EVAL", "EVAL(text)", "The text, substituted once more.", _eval),
    Function(
        "EVAL_EXTEN",
        "EVAL_EXTEN([[context,]extension,]priority)",
        "What the Return at a place would give back for this channel.",
        _eval_exten,
    ),
    Function("EXISTS", "EXISTS(text)", "1 if there is any text, else 0.", _exists),
    Function("IF", "IF(condition?true:false)", "One of two texts; quotes around them are taken off.", _if),
    Function(
        "IFTIME", "IFTIME(times,weekdays,mdays,months[,timezone]?true:false)", "One of two texts, by the time.", _iftime
    ),
    Function("INC", "INC(variable)", "Adds one to a variable and gives its new value.", _inc),
    Function("ISNULL", "ISNULL(text)", "1 if there is no text, else 0.", _isnull),
    Function(
        "MATH",
        "MATH(number operator number[,type])",
        "Arithmetic (`+ - * / % ** << >> AND OR XOR`) or a comparison, which gives TRUE or FALSE; the type is "
        "`float`, `int`, `hex` or `char`.",
        _math,
    ),
    Function("MAX", "MAX(number,number…)", "The largest number.", _max),
    Function("MIN", "MIN(number,number…)", "The smallest number.", _min),
    Function("RAND", "RAND([low][,high])", "A random whole number between the two, both included.", _rand),
    Function("SET", "SET(variable=value)", "Sets a variable and gives its value.", _set),
)
