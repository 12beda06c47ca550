"""SAYFILES: the files that SayAlpha and the like would play."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function
from arietta.media.say import say_characters, say_digits, say_number, say_phonetic

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_CHARACTERS = 1000


def _number(text: str) -> list[str]:
    digits = text.strip()
    if not digits.removeprefix("-").isdigit() or not digits.isascii():
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return say_number(int(digits))


WAYS = {"alpha": say_characters, "digits": say_digits, "number": _number, "phonetic": say_phonetic}


def _say_files(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    text, kind, *_ = [*split_arguments(arguments), "", ""]
    say = WAYS.get(kind.strip().lower() or "alpha")
    if say is None:
        raise FunctionError("SAYFILES", f"{kind[:40]!r} is not supported, supported are {', '.join(WAYS)}")
    if len(text) > MAX_CHARACTERS:
        raise FunctionError("SAYFILES", f"the text has {len(text)} characters, {MAX_CHARACTERS} at most")
    try:
        return "&".join(say(text))
    except ValueError as problem:
        raise FunctionError("SAYFILES", str(problem)) from problem


FUNCTIONS = (
    Function(
        "SAYFILES",
        "SAYFILES(text[,alpha|digits|number|phonetic])",
        "The files, with & between them, that SayAlpha, SayDigits, SayNumber or SayPhonetic would play.",
        _say_files,
        lacks="without `money` and `ordinal`",
    ),
)
