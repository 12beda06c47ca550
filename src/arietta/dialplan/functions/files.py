"""AST_CONFIG: a value out of a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.config.conf import ConfigError, Section, read_conf
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Danger, Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

NAME = "AST_CONFIG"


def _ast_config(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name, category, option, number, *_ = [*split_arguments(arguments), *[""] * 4]
    if not name or not category or not option:
        raise FunctionError(NAME, f"{arguments[:80]!r} is not FILE,SECTION,OPTION")
    values = [
        one.value
        for section in _sections(plan, name, category)
        for one in section.options
        if one.name.lower() == option.lower()
    ]
    place = _place(number or "0")
    return values[place] if -len(values) <= place < len(values) else ""


def _sections(plan: Interpreter, name: str, category: str) -> tuple[Section, ...]:
    folder = plan.folders.configuration
    if "/" in name or not (folder / name).is_file():
        raise FunctionError(NAME, f"there is no file {name[:80]!r} in the folder of the configuration")
    try:
        return read_conf(folder / name, root=folder).named(category)
    except ConfigError as failure:
        raise FunctionError(NAME, str(failure)) from failure


def _place(text: str) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.removeprefix("-").isdigit() or len(digits) > 9:
        raise FunctionError(NAME, f"number {text[:20]!r} is not a whole number")
    return int(digits)


FUNCTIONS = (
    Function(
        NAME,
        "AST_CONFIG(file,section,option[,number])",
        "The value of an option in a configuration file as it is now; of several the first, or the one of a number "
        "from 0 on, -1 is the last.",
        _ast_config,
        danger=Danger(reading=True),
    ),
)
