"""Functions about who calls, who is talked to, and who redirected the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arietta.channels.callerid import PRESENTATIONS, parse_caller_id
from arietta.channels.driver import Indication, Party
from arietta.channels.identities import Identity, Redirection, identity_of, redirect, redirection_of
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

PRESENTATION_NAMES = {code: name for name, code in PRESENTATIONS.items()}
CHARSETS = (
    *("unknown", "iso8859-1", "withdrawn", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-7"),
    *("bmp", "utf8"),
)
HIGHEST_PLAN, HIGHEST_SUBADDRESS_TYPE, HIGHEST_COUNT = 127, 7, 65535
ALIASES = {"number": "num", "ton": "num-plan", "num-ton": "num-plan", "ani2": "ani2"}
PRIVATE = "priv-"
ROLES = ("orig", "from", "to")


# -------------------------------------------------------------------------------------------------------- one identity


def _read_item(identity: Identity, item: str) -> str | None:
    """An item of an identity as text; None for what is none."""
    item = ALIASES.get(item, item)
    match item:
        case "all":
            return f'"{identity.name}" <{identity.num}>'
        case "pres" | "name-pres" | "num-pres":
            return PRESENTATION_NAMES.get(getattr(identity, item.replace("-", "_")), "allowed_not_screened")
        case _ if item in ITEMS:
            value = getattr(identity, item.replace("-", "_"))
            return str(int(value)) if isinstance(value, bool | int) else str(value)
        case _:
            return None


def _write_item(function: str, identity: Identity, item: str, value: str) -> bool:
    """Change an item of an identity; False for what is none."""
    item = ALIASES.get(item, item)
    if item == "all":
        written = parse_caller_id(value)
        _write_item(function, identity, "name", written.name)
        _write_item(function, identity, "num", written.number)
        return True
    if item == "pres":
        identity.name_pres = identity.num_pres = _presentation(function, item, value)
        return True
    parse = ITEMS.get(item)
    if parse is None:
        return False
    attribute = item.replace("-", "_")
    parsed = parse(function, item, value)
    setattr(identity, attribute, parsed)
    if item in ("name", "num", "subaddr"):
        setattr(identity, f"{attribute}_valid", True)
    elif item in ("name-valid", "num-valid", "subaddr-valid") and not parsed:
        setattr(identity, attribute.removesuffix("_valid"), "")
    return True


def _presentation(function: str, item: str, text: str) -> int:
    known = PRESENTATIONS.get(text.strip().lower())
    if known is not None:
        return known
    if text.strip().isdigit() and int(text) in PRESENTATION_NAMES:
        return int(text)
    raise FunctionError(function, f"{text!r} is no presentation; those are {', '.join(PRESENTATIONS)}")


def _text(function: str, item: str, text: str) -> str:
    return text


def _charset(function: str, item: str, text: str) -> str:
    if text.strip().lower() not in CHARSETS:
        raise FunctionError(function, f"{text!r} is no {item}; those are {', '.join(CHARSETS)}")
    return text.strip().lower()


def _flag(function: str, item: str, text: str) -> bool:
    return bool(_number(function, item, text, 1))


def _number(function: str, item: str, text: str, highest: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > highest:
        raise FunctionError(function, f"{item} {text[:64]!r} is outside 0..{highest}")
    return int(text)


ITEMS: dict[str, Callable[[str, str, str], Any]] = {
    "name": _text,
    "name-valid": _flag,
    "name-charset": _charset,
    "name-pres": _presentation,
    "num": _text,
    "num-valid": _flag,
    "num-plan": lambda function, item, text: _number(function, item, text, HIGHEST_PLAN),
    "num-pres": _presentation,
    "subaddr": _text,
    "subaddr-valid": _flag,
    "subaddr-type": lambda function, item, text: _number(function, item, text, HIGHEST_SUBADDRESS_TYPE),
    "subaddr-odd": _flag,
    "tag": _text,
}
"""What is known of a party, and how it is read from text."""


# ------------------------------------------------------------------------------------------- caller and connected party


def _full(channel: Channel, role: str) -> Identity:
    """The caller or the connected party of a channel, whole."""
    identity = identity_of(channel, role)
    party: Party = getattr(channel, role)
    identity.name, identity.num, identity.tag = party.name, party.number, party.tag
    identity.name_valid = identity.name_valid or bool(party.name)
    identity.num_valid = identity.num_valid or bool(party.number)
    if identity.pres != party.presentation:
        identity.name_pres = identity.num_pres = party.presentation
    return identity


def _shown(party: Party) -> Identity:
    """The same of what is kept of it everywhere."""
    pres = party.presentation
    return Identity(
        *(party.name, bool(party.name), "iso8859-1", pres, party.number, bool(party.number), 0, pres),
        tag=party.tag,
    )


def _party(identity: Identity, former: Party) -> Party:
    return replace(former, name=identity.name, number=identity.num, presentation=identity.pres, tag=identity.tag)


def _words(function: str, arguments: str) -> tuple[str, str]:
    """The item in lower case, and what is behind it."""
    parts = split_arguments(arguments) or [""]
    if len(parts) > 2:
        raise FunctionError(function, f"{arguments!r} has {len(parts)} arguments, 2 at most")
    return parts[0].strip().lower(), parts[1].strip() if len(parts) == 2 else ""


def _unknown(function: str, arguments: str) -> FunctionError:
    return FunctionError(function, f"unknown item {arguments!r}")


def _read_callerid(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    item, text = _words("CALLERID", arguments)
    if text:
        return _read_written(item, text)
    channel = needed(channel, "CALLERID")
    value: str | None
    match item:
        case "dnid":
            return channel.dialed_number
        case "rdnis":
            return channel.redirecting_number
        case "ani2":
            return str(identity_of(channel, "ani2").num_plan)
        case _ if item.startswith("dnid-"):
            value = _read_item(identity_of(channel, "dialed"), item.removeprefix("dnid-"))
        case _ if item == "ani" or item.startswith("ani-"):
            value = _read_item(_ani(channel), item.removeprefix("ani").removeprefix("-") or "num")
        case _ if item.startswith(PRIVATE):
            value = _read_item(identity_of(channel, "priv-caller"), item.removeprefix(PRIVATE))
        case _:
            is_full = "caller" in channel.functions.get("IDENTITIES", ())
            value = _read_item(_full(channel, "caller") if is_full else _shown(channel.caller), item)
    if value is None:
        raise _unknown("CALLERID", arguments)
    return value


def _read_written(item: str, text: str) -> str:
    """A part of a caller id that stands there."""
    written = parse_caller_id(text)
    if item not in ("all", "name", "num", "number"):
        raise FunctionError("CALLERID", f"{item!r} of a text is none of all, name, num")
    return _read_item(_shown(written), item) or ""


def _ani(channel: Channel) -> Identity:
    """Who is charged: the caller, until it is written."""
    kept = channel.functions.get("IDENTITIES", {})
    return kept["ani"] if "ani" in kept else _shown(channel.caller)


def _write_callerid(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "CALLERID")
    item, _ = _words("CALLERID", arguments)
    match item:
        case "dnid":
            channel.dialed_number = value
            return
        case "rdnis":
            redirection = redirection_of(channel) or Redirection()
            redirection.from_.num, redirection.from_.num_valid = value, True
            redirect(channel, redirection)
            return
        case "ani2":
            identity_of(channel, "ani2").num_plan = _number("CALLERID", item, value, 99)
            return
        case _ if item.startswith("dnid-"):
            known = _write_item("CALLERID", identity_of(channel, "dialed"), item.removeprefix("dnid-"), value)
        case _ if item == "ani" or item.startswith("ani-"):
            ani = _ani(channel)
            known = _write_item("CALLERID", ani, item.removeprefix("ani").removeprefix("-") or "num", value)
            channel.functions.setdefault("IDENTITIES", {})["ani"] = ani
        case _ if item.startswith(PRIVATE):
            known = _write_item("CALLERID", identity_of(channel, "priv-caller"), item.removeprefix(PRIVATE), value)
        case _:
            caller = _full(channel, "caller")
            known = _write_item("CALLERID", caller, item, value)
            channel.set_caller(_party(caller, channel.caller))
    if not known:
        raise _unknown("CALLERID", arguments)


def _read_connectedline(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    channel = needed(channel, "CONNECTEDLINE")
    item, _ = _words("CONNECTEDLINE", arguments)
    if item.startswith(PRIVATE):
        value = _read_item(identity_of(channel, "priv-connected"), item.removeprefix(PRIVATE))
    else:
        value = _read_item(_full(channel, "connected"), item)
    if value is None:
        raise _unknown("CONNECTEDLINE", arguments)
    return value


def _write_connectedline(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "CONNECTEDLINE")
    item, option = _words("CONNECTEDLINE", arguments)
    is_inhibited = _inhibits("CONNECTEDLINE", option)
    if item.startswith(PRIVATE):
        known = _write_item("CONNECTEDLINE", identity_of(channel, "priv-connected"), item.removeprefix(PRIVATE), value)
    else:
        connected = _full(channel, "connected")
        known = _write_item("CONNECTEDLINE", connected, item, value)
        channel.set_connected(_party(connected, channel.connected), tells=not is_inhibited)
    if not known:
        raise _unknown("CONNECTEDLINE", arguments)


def _inhibits(function: str, option: str) -> bool:
    if option.lower() not in ("", "i"):
        raise FunctionError(function, f"option {option[:64]!r} is not i")
    return bool(option)


# ---------------------------------------------------------------------------------------------------------- redirecting


def _redirected(redirection: Redirection, item: str) -> tuple[Identity, str] | None:
    """The identity that an item is of, and the item of that; None for what is of none."""
    private = item.startswith(PRIVATE)
    role, _, rest = item.removeprefix(PRIVATE).partition("-")
    if role not in ROLES or not rest:
        return None
    if private:
        return redirection.private.setdefault(role, Identity()), rest
    return {"orig": redirection.orig, "from": redirection.from_, "to": redirection.to}[role], rest


def _read_redirecting(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    redirection = redirection_of(needed(channel, "REDIRECTING")) or Redirection()
    item, _ = _words("REDIRECTING", arguments)
    match item:
        case "reason":
            return redirection.reason
        case "orig-reason":
            return redirection.orig_reason
        case "count":
            return str(redirection.count)
    found = _redirected(redirection, item)
    value = _read_item(*found) if found is not None else None
    if value is None:
        raise _unknown("REDIRECTING", arguments)
    return value


def _write_redirecting(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel = needed(channel, "REDIRECTING")
    redirection = redirection_of(channel) or Redirection()
    item, option = _words("REDIRECTING", arguments)
    is_inhibited = _inhibits("REDIRECTING", option)
    match item:
        case "reason":
            redirection.reason = value.strip() or "unknown"
        case "orig-reason":
            redirection.orig_reason = value.strip() or "unknown"
        case "count":
            redirection.count = _number("REDIRECTING", item, value, HIGHEST_COUNT)
        case _:
            found = _redirected(redirection, item)
            if found is None or not _write_item("REDIRECTING", *found, value):
                raise _unknown("REDIRECTING", arguments)
    redirect(channel, redirection)
    if not is_inhibited:
        channel.indicate(Indication.REDIRECTING)


PARTY_ITEMS = (
    "`all`, `name`, `name-valid`, `name-charset`, `name-pres`, `num`, `num-valid`, `num-plan`, `num-pres`, `pres`, "
    "`subaddr`, `subaddr-valid`, `subaddr-type`, `subaddr-odd`, `tag`"
)

FUNCTIONS = (
    Function(
        "CALLERID",
        "CALLERID(item[,caller id])",
        f"The caller: {PARTY_ITEMS}; the same behind `priv-`, which no phone is shown, and `ani-`, who is charged; "
        "`ani`, `ani2`, `rdnis`, `dnid`, `dnid-num-plan`, `dnid-subaddr` and what is known of that. Of a caller id "
        "that is given: `all`, `name`, `num`.",
        _read_callerid,
        _write_callerid,
    ),
    Function(
        "CONNECTEDLINE",
        "CONNECTEDLINE(item[,i])",
        f"Who the channel talks to: {PARTY_ITEMS}, and the same behind `priv-`. With `i` the phone is not told of the "
        "change.",
        _read_connectedline,
        _write_connectedline,
    ),
    Function(
        "REDIRECTING",
        "REDIRECTING(item[,i])",
        "Who redirected the call: `reason`, `orig-reason`, `count`, and behind `orig-`, `from-`, `to-`, `priv-orig-`, "
        f"`priv-from-` and `priv-to-`: {PARTY_ITEMS}. With `i` the caller gets no 181.",
        _read_redirecting,
        _write_redirecting,
    ),
)
