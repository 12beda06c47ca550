"""Functions about states: of devices, of extensions by their hints, and of the presence of people."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function
from arietta.dialplan.hints import WORDS

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


def _place_of(channel: Channel | None, text: str) -> tuple[str, str]:
    """The context and extension of ``EXTEN[@CONTEXT]``; the channel's own context without one."""
    exten, _, context = text.strip().partition("@")
    return context or (channel.context if channel is not None else ""), exten


def _hint(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = split_arguments(arguments, 2)
    if len(parts) > 1 and parts[1]:
        raise FunctionError("HINT", f"option {parts[1][:20]!r} is not supported: hints have no names")
    return plan.hints.text(*_place_of(channel, parts[0] if parts else ""))


def _read_device_state(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.devices.read(arguments.strip())


def _write_device_state(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    try:
        plan.devices.write(arguments.strip(), value)
    except ValueError as failure:
        raise FunctionError("DEVICE_STATE", str(failure)) from failure


def _extension_state(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    state = plan.hints.get(*_place_of(channel, arguments))
    return WORDS.get(state.status, "UNKNOWN") if state is not None else "UNKNOWN"


def _read_presence(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    provider, field, options = (*split_arguments(arguments, 3), "", "", "")[:3]
    state, subtype, message, encoded = plan.presences.read(provider.strip())
    texts = {"value": state, "subtype": subtype, "message": message}
    field = field.strip().lower()
    if field not in texts:
        raise FunctionError("PRESENCE_STATE", f"{field[:40]!r} is no field, which are value, subtype and message")
    if options.strip() not in ("", "e"):
        raise FunctionError("PRESENCE_STATE", f"option {options[:20]!r} is unknown, there is e")
    text = texts[field]
    if field == "value" or encoded == (options.strip() == "e"):
        return text
    return _from_base64(text) if encoded else base64.b64encode(text.encode()).decode()


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError as failure:
        raise FunctionError("PRESENCE_STATE", f"{text[:40]!r} is no Base64") from failure


def _write_presence(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    state, subtype, message, options = (*split_arguments(value, 4), "", "", "", "")[:4]
    if options.strip() not in ("", "e"):
        raise FunctionError("PRESENCE_STATE", f"option {options[:20]!r} is unknown, there is e")
    encoded = options.strip() == "e"
    if encoded:
        for text in (subtype, message):
            _from_base64(text)
    try:
        plan.presences.write(arguments.strip(), state.strip().lower(), subtype, message, encoded=encoded)
    except ValueError as failure:
        raise FunctionError("PRESENCE_STATE", str(failure)) from failure


FUNCTIONS = (
    Function(
        "DEVICE_STATE",
        "DEVICE_STATE(device)",
        "The state of a device: NOT_INUSE, INUSE, BUSY, UNAVAILABLE, RINGING, RINGINUSE, ONHOLD, INVALID or UNKNOWN; "
        "that of a `Custom:` device can be set, and is kept.",
        _read_device_state,
        _write_device_state,
    ),
    Function(
        "EXTENSION_STATE",
        "EXTENSION_STATE(extension[@context])",
        "The state of an extension by the devices of its hint: NOT_INUSE, INUSE, BUSY, UNAVAILABLE, RINGING, "
        "RINGINUSE, ONHOLD, HOLDINUSE or UNKNOWN.",
        _extension_state,
    ),
    Function(
        "HINT",
        "HINT(extension[@context])",
        "The hint of an extension.",
        _hint,
        lacks="without the option `n`: hints have no names",
    ),
    Function(
        "PRESENCE_STATE",
        "PRESENCE_STATE(provider,field[,e])",
        "The presence of somebody: the field `value` (not_set, unavailable, available, away, xa, chat or dnd), "
        "`subtype` or `message`, with `e` in Base64. `CustomPresence:NAME` is set, and kept, by "
        "`Set(PRESENCE_STATE(CustomPresence:NAME)=value,subtype,message[,e])`.",
        _read_presence,
        _write_presence,
    ),
)
