"""Functions on text and on lists in text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.expressions import MAX_SUBJECT, compile_regex
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_FIELD = 10000


def _len(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return str(len(arguments))


def _upper(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments.upper()


def _lower(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments.lower()


def _trim(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments.strip()


def _ltrim(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments.lstrip()


def _rtrim(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments.rstrip()


def _passthru(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return arguments


def _quote(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    escaped = arguments.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _csv_quote(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    doubled = arguments.replace('"', '""')
    return f'"{doubled}"'


def _separator(text: str) -> str:
    """A separator as it is written: ``\\n``, ``\\t``, ``-`` …; a comma if there is none."""
    if len(text) == 2 and text[0] == "\\":
        return {"n": "\n", "t": "\t", "r": "\r"}.get(text[1], text[1])
    return text or ","


def _split(arguments: str, limit: int) -> list[str]:
    """At most `limit` arguments as they are written, split at commas that have no backslash before them."""
    found: list[str] = []
    start = position = 0
    while len(found) < limit - 1 and (position := arguments.find(",", position)) >= 0:
        if position > start and arguments[position - 1] == "\\":
            position += 1
            continue
        found.append(arguments[start:position])
        start = position = position + 1
    found.append(arguments[start:])
    return found


def _named(plan: Interpreter, channel: Channel | None, variable: str, separator: str) -> list[str]:
    """The fields of a variable."""
    value = plan.variable(channel, variable)
    return value.split(separator) if value else []


def _two(name: str, arguments: str) -> tuple[str, str]:
    """Variable name and raw separator."""
    variable, _, separator = arguments.partition(",")
    variable = variable.strip()
    if not variable:
        raise FunctionError(name, "names no variable")
    return variable, _separator(separator)


def _fieldqty(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    variable, separator = _two("FIELDQTY", arguments)
    return str(len(_named(plan, channel, variable, separator)))


def _fieldnum(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = _split(arguments, 3)
    if len(parts) < 3:
        raise FunctionError("FIELDNUM", "needs a variable, a separator and a value")
    fields = _named(plan, channel, parts[0].strip(), _separator(parts[1]))
    return str(fields.index(parts[2]) + 1) if parts[2] in fields else "0"


def _cut(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = _split(arguments, 3)
    if len(parts) < 3 or not parts[0].strip():
        raise FunctionError("CUT", "needs a variable, a separator and the numbers of fields")
    separator = _separator(parts[1]) if parts[1] else "-"
    value = plan.variable(channel, parts[0].strip())
    fields = value.split(separator)
    taken: list[str] = []
    for piece in parts[2].replace("\\", "").split("&"):
        low_text, dash, high_text = piece.strip().partition("-")
        low = whole_number(low_text, 1)
        high = whole_number(high_text, len(fields)) if dash else low
        taken += fields[max(low, 1) - 1 : min(high, MAX_FIELD)]
    return separator.join(taken)


def _filter(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    allowed_text, comma, text = arguments.partition(",")
    if not comma:
        raise FunctionError("FILTER", "needs the allowed characters and a text")
    allowed = _characters(allowed_text)
    return "".join(character for character in text if character in allowed)


def _characters(text: str) -> set[str]:
    """The characters of ``a-z0-9\\x40\\-``."""
    found: set[str] = set()
    codes: list[tuple[str, bool]] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            following = text[position + 1]
            if following == "x" and position + 3 < len(text):
                try:
                    codes.append((chr(int(text[position + 2 : position + 4], 16)), True))
                    position += 4
                    continue
                except ValueError:
                    pass
            codes.append(({"n": "\n", "t": "\t", "r": "\r"}.get(following, following), True))
            position += 2
        else:
            codes.append((character, False))
            position += 1
    position = 0
    while position < len(codes):
        if position + 2 < len(codes) and codes[position + 1] == ("-", False):
            low, high = ord(codes[position][0]), ord(codes[position + 2][0])
            found.update(chr(code) for code in range(low, min(high, low + 0x400) + 1))
            position += 3
        else:
            found.add(codes[position][0])
            position += 1
    return found


def _replace(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = _split(arguments, 3)
    if len(parts) < 2 or not parts[1]:
        raise FunctionError("REPLACE", "needs a variable, characters to find, and perhaps one to put there")
    with_text = parts[2][:1] if len(parts) > 2 else ""
    find = _characters(parts[1])
    value = plan.variable(channel, parts[0].strip())
    return "".join(with_text if character in find else character for character in value)


def _strreplace(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments)
    if len(parts) < 2 or not parts[1]:
        raise FunctionError("STRREPLACE", "needs a variable, a text to find, and perhaps one to put there")
    value = plan.variable(channel, parts[0])
    most = whole_number(parts[3], -1) if len(parts) > 3 else -1
    new = parts[2] if len(parts) > 2 else ""
    if len(value) * max(1, len(new)) > 1 << 22:
        raise FunctionError("STRREPLACE", "the result may be longer than 4194304 characters")
    return value.replace(parts[1], new, most)


def _regex(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    text = arguments.strip()
    if not text.startswith('"'):
        raise FunctionError("REGEX", 'the regular expression must be in quotes: REGEX("expression" text)')
    position = 1
    pattern: list[str] = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and text[position + 1 : position + 2] in ('"', "\\"):
            if text[position + 1] == "\\":
                pattern.append("\\")
            position += 1
        pattern.append(text[position])
        position += 1
    if position >= len(text):
        raise FunctionError("REGEX", "the quotes are not closed")
    subject = text[position + 1 :]
    subject = subject[1:] if subject[:1] in (" ", ",") else subject
    try:
        return "1" if compile_regex("".join(pattern)).found_in(subject[:MAX_SUBJECT]) else "0"
    except ValueError as failure:
        raise FunctionError("REGEX", str(failure)) from failure


def _shift(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    variable, separator = _two("SHIFT", arguments)
    fields = _named(plan, channel, variable, separator)
    if not fields:
        return ""
    plan.set_plain(channel, variable, separator.join(fields[1:]))
    return fields[0]


def _pop(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    variable, separator = _two("POP", arguments)
    fields = _named(plan, channel, variable, separator)
    if not fields:
        return ""
    plan.set_plain(channel, variable, separator.join(fields[:-1]))
    return fields[-1]


def _push(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    variable, separator = _two("PUSH", arguments)
    plan.set_plain(channel, variable, separator.join([*_named(plan, channel, variable, separator), value]))


def _unshift(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    variable, separator = _two("UNSHIFT", arguments)
    plan.set_plain(channel, variable, separator.join([value, *_named(plan, channel, variable, separator)]))


def _listfilter(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = _split(arguments, 3)
    if len(parts) < 3:
        raise FunctionError("LISTFILTER", "needs a variable, a separator and a value")
    separator = _separator(parts[1])
    fields = _named(plan, channel, parts[0].strip(), separator)
    return separator.join(field for field in fields if field != parts[2])


def _array(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    names = split_arguments(arguments)
    values = split_arguments(value)
    if not names:
        raise FunctionError("ARRAY", "names no variable")
    for place, name in enumerate(names):
        plan.set_plain(channel, name, values[place] if place < len(values) else "")


FUNCTIONS = (
    Function("ARRAY", "ARRAY(var1[,var2…])", "Sets several variables from a comma-separated list.", write=_array),
    Function("CSV_QUOTE", "CSV_QUOTE(text)", "The text in quotes, with quotes in it doubled.", _csv_quote),
    Function(
        "CUT",
        "CUT(variable,separator,fields)",
        "Fields of the value of a variable, such as `2`, `2-`, `-3` or `1&4-5`; the separator is `-` if none is given.",
        _cut,
    ),
    Function(
        "FIELDNUM",
        "FIELDNUM(variable,separator,value)",
        "The number of the field with that value; 0 if none has.",
        _fieldnum,
    ),
    Function("FIELDQTY", "FIELDQTY(variable[,separator])", "How many fields the value of a variable has.", _fieldqty),
    Function(
        "FILTER",
        "FILTER(allowed,text)",
        "The characters of the text that are allowed; ranges such as `0-9`, and `\\x40` for a code.",
        _filter,
    ),
    Function("LEN", "LEN(text)", "How many characters the text has.", _len),
    Function(
        "LISTFILTER",
        "LISTFILTER(variable,separator,value)",
        "The fields of a variable that are not the value.",
        _listfilter,
    ),
    Function("LTRIM", "LTRIM(text)", "The text without white space at its beginning.", _ltrim),
    Function(
        "PASSTHRU", "PASSTHRU(text)", "The text itself; lets text stand where a variable's name is wanted.", _passthru
    ),
    Function("POP", "POP(variable[,separator])", "Takes the last field off a variable.", _pop),
    Function("PUSH", "PUSH(variable[,separator])", "Appends a field to a variable.", write=_push),
    Function("QUOTE", "QUOTE(text)", "The text in quotes, with quotes and backslashes in it escaped.", _quote),
    Function("REGEX", 'REGEX("expression" text)', "1 if the regular expression matches in the text, else 0.", _regex),
    Function(
        "REPLACE",
        "REPLACE(variable,find[,replacement])",
        "The value of a variable with each of the characters replaced by one, or taken out.",
        _replace,
    ),
    Function("RTRIM", "RTRIM(text)", "The text without white space at its end.", _rtrim),
    Function("SHIFT", "SHIFT(variable[,separator])", "Takes the first field off a variable.", _shift),
    Function(
        "STRREPLACE",
        "STRREPLACE(variable,find[,replacement[,most]])",
        "The value of a variable with a text replaced.",
        _strreplace,
    ),
    Function("TOLOWER", "TOLOWER(text)", "The text in lower case.", _lower),
    Function("TOUPPER", "TOUPPER(text)", "The text in upper case.", _upper),
    Function("TRIM", "TRIM(text)", "The text without white space at its ends.", _trim),
    Function("UNSHIFT", "UNSHIFT(variable[,separator])", "Puts a field before those of a variable.", write=_unshift),
)
