"""Functions about the channel: what it is, where it is, what it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.config.regexes import Regex
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

KEPT_ITEMS = ("amaflags", "userfield", "tonezone", "parkinglot", "hangupsource", "after_bridge_goto")
"""Items of CHANNEL() that are remembered, and read back, without any effect."""
DEFAULT_TALK_ENERGY, DEFAULT_TALK_SILENCE_MS = 256, 2500


def _item(arguments: str) -> str:
    return (split_arguments(arguments) or [""])[0].lower()


def _read_channel(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    channel = needed(channel, "CHANNEL")
    item = _item(arguments)
    match item:
        case "name":
            return channel.name
        case "state":
            return channel.state.value
        case "language":
            return channel.language
        case "accountcode":
            return channel.accountcode
        case "channeltype":
            return channel.technology
        case "peeraccount":
            return channel.peeraccount
        case "uniqueid":
            return channel.id
        case "linkedid":
            return channel.linkedid
        case "musicclass":
            return channel.music_class
        case "context":
            return channel.context
        case "exten":
            return channel.exten
        case "priority":
            return str(channel.priority)
        case "appname":
            return channel.app_name
        case "checkhangup":
            return "1" if channel.hangup_requested else "0"
        case "tonezone":
            return channel.tone_zone
        case "appdata":
            return channel.app_data
        case "callgroup":
            return channel.call_groups.numbers
        case "namedcallgroup":
            return channel.call_groups.names
        case "pickupgroup":
            return channel.pickup_groups.numbers
        case "namedpickupgroup":
            return channel.pickup_groups.names
        case "hangupsource" if item not in channel.functions:
            return ""
        case "dtmf_features" | "secure_signaling" | "secure_media":
            return ""
    if item in KEPT_ITEMS:
        return str(channel.functions.get(f"CHANNEL({item})", ""))
    value = channel.leg.read(arguments)
    if value is None:
        raise FunctionError("CHANNEL", f"unknown item {arguments!r}")
    return value


def _write_channel(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "CHANNEL")
    item = _item(arguments)
    match item:
        case "language":
            channel.language = value
        case "accountcode":
            channel.set_account_code(value)
        case "peeraccount":
            channel.peeraccount = value
        case "musicclass":
            channel.music_class = value
        case "tonezone":
            channel.tone_zone = value
        case "hangup_handler_push" | "hangup_handler_pop" | "hangup_handler_wipe":
            from arietta.dialplan.functions.endings import change_handlers  # which needs this package

            change_handlers(plan, channel, item, value)
        case "callgroup" | "pickupgroup" | "namedcallgroup" | "namedpickupgroup":
            _write_groups(channel, item, value)
        case _ if item in KEPT_ITEMS:
            channel.functions[f"CHANNEL({item})"] = value
        case _:
            raise FunctionError("CHANNEL", f"item {arguments!r} cannot be written")
    channel.changed()


def _write_groups(channel: Channel, item: str, value: str) -> None:
    calls = item.endswith("callgroup")
    groups = channel.call_groups if calls else channel.pickup_groups
    try:
        groups = groups.with_names(value) if item.startswith("named") else groups.with_numbers(value)
    except ValueError:
        raise FunctionError("CHANNEL", f"{item} {value[:64]!r} is no list of groups in 0..63") from None
    if calls:
        channel.call_groups = groups
    else:
        channel.pickup_groups = groups


def _read_timeout(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    channel = needed(channel, "TIMEOUT")
    item = _item(arguments)
    if item == "absolute":
        return format(plan.absolute_timeout_left(channel), ".3f")
    if item in ("digit", "response"):
        return format(plan.timeout_of(channel, item), ".3f")
    raise FunctionError("TIMEOUT", f"{arguments!r} is none of absolute, digit, response")


def _write_timeout(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "TIMEOUT")
    item = _item(arguments)
    duration = seconds(value) if value.strip() else 0.0
    if duration is None or duration < 0:
        raise FunctionError("TIMEOUT", f"{value!r} is not a number of seconds")
    if item == "absolute":
        plan.set_absolute_timeout(channel, duration)
    elif item in ("digit", "response"):
        channel.functions[f"TIMEOUT({item})"] = duration
    else:
        raise FunctionError("TIMEOUT", f"{arguments!r} is none of absolute, digit, response")


def _write_talk_detect(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    port = needed(channel, "TALK_DETECT").port
    action = _item(arguments)
    if action not in ("set", "remove"):
        raise FunctionError("TALK_DETECT", f"{arguments!r} is none of set, remove")
    if port is None:
        raise FunctionError("TALK_DETECT", "the channel has no media")
    if action == "remove":
        port.detect_talk(None)
        return
    parts = split_arguments(value)
    silence_ms = whole_number(parts[0], DEFAULT_TALK_SILENCE_MS) if parts else DEFAULT_TALK_SILENCE_MS
    energy = whole_number(parts[1], DEFAULT_TALK_ENERGY) if len(parts) > 1 else DEFAULT_TALK_ENERGY
    if silence_ms <= 0 or energy <= 0:
        raise FunctionError("TALK_DETECT", f"{value!r} has a threshold that is not above 0")
    port.detect_talk(energy, silence_ms)


def _write_hold_intercept(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "HOLD_INTERCEPT")
    action = _item(arguments)
    if action not in ("set", "remove"):
        raise FunctionError("HOLD_INTERCEPT", f"{arguments!r} is none of set, remove")
    channel.intercepts_hold = action == "set"


def _channels(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    try:
        wanted = Regex(arguments.strip())
    except ValueError as problem:
        raise FunctionError("CHANNELS", str(problem)) from None
    return " ".join(other.name for other in plan.registry if not other.internal and wanted.found_in(other.name))


FUNCTIONS = (
    Function(
        "CHANNEL",
        "CHANNEL(item)",
        "The channel: `name`, `state`, `language`, `accountcode`, `peeraccount`, `channeltype`, `uniqueid`, "
        "`linkedid`, `musicclass`, `context`, `exten`, `priority`, `appname`, `appdata`, and what its technology "
        "knows; `language`, `accountcode`, `peeraccount`, `musicclass`, `userfield`, `amaflags`, `tonezone`, "
        "`parkinglot` can be written.",
        _read_channel,
        _write_channel,
        lacks="without formats, gains, video, `max_forwards`, `callid` and `after_bridge_goto`",
    ),
    Function(
        "CHANNELS",
        "CHANNELS([expression])",
        "The names of all channels, or of those that a regular expression matches, separated by spaces.",
        _channels,
    ),
    Function(
        "HOLD_INTERCEPT",
        "HOLD_INTERCEPT(set|remove)",
        "When the far end holds the call, applications and the manager interface hear of it, and nobody else.",
        write=_write_hold_intercept,
    ),
    Function(
        "TALK_DETECT",
        "TALK_DETECT(set|remove)",
        "Tells applications when the channel begins and ends to talk; set to `silence ms,energy`.",
        write=_write_talk_detect,
    ),
    Function(
        "TIMEOUT",
        "TIMEOUT(absolute|digit|response)",
        "Seconds: the longest call, the longest wait between two digits, the longest wait for the first one.",
        _read_timeout,
        _write_timeout,
    ),
)
