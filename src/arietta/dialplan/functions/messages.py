"""MESSAGE and MESSAGE_DATA: the text that MessageSend sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

KEY = "MESSAGE"
"""Where a channel keeps its text."""
PARTS = ("body", "from", "to")
MAX_BODY_BYTES = 65536
MAX_DATA = 100


class Outgoing:
    """The text of a channel, as it is written bit by bit."""

    __slots__ = ("data", "parts")

    def __init__(self) -> None:
        self.parts: dict[str, str] = dict.fromkeys(PARTS, "")
        self.data: dict[str, str] = {}
        """What goes with it, by name: in SIP headers."""


def text_of(channel: Channel) -> Outgoing:
    """The text of a channel, empty at first."""
    text: Outgoing = channel.functions.setdefault(KEY, Outgoing())
    return text


def _part(argument: str) -> str:
    part = argument.strip().lower()
    if part not in PARTS:
        raise FunctionError("MESSAGE", f"{argument[:40]!r} is none of {', '.join(PARTS)}")
    return part


def _read_message(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return text_of(needed(channel, "MESSAGE")).parts[_part(arguments)]


def _write_message(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    if len(value.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        raise FunctionError("MESSAGE", f"a text has at most {MAX_BODY_BYTES} bytes")
    text_of(needed(channel, "MESSAGE")).parts[_part(arguments)] = value


def _data_name(arguments: str) -> str:
    name = arguments.strip()
    if not name:
        raise FunctionError("MESSAGE_DATA", "names nothing")
    return name


def _read_data(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return text_of(needed(channel, "MESSAGE_DATA")).data.get(_data_name(arguments), "")


def _write_data(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    """Set a datum; an empty value takes it away."""
    data, name = text_of(needed(channel, "MESSAGE_DATA")).data, _data_name(arguments)
    if not value:
        data.pop(name, None)
        return
    if name not in data and len(data) >= MAX_DATA:
        raise FunctionError("MESSAGE_DATA", f"{MAX_DATA} data go with a text, which is the limit")
    data[name] = value


FUNCTIONS = (
    Function(
        "MESSAGE",
        "MESSAGE(body|from|to)",
        "A part of the text that MessageSend sends: what it says, who sends it, whom it names.",
        _read_message,
        _write_message,
    ),
    Function(
        "MESSAGE_DATA",
        "MESSAGE_DATA(name)",
        "What goes with the text that MessageSend sends: in SIP a header field. An empty value takes it away.",
        _read_data,
        _write_data,
    ),
)
