"""Functions on AstDB: texts by family and key that outlive the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Danger, Function, needed
from arietta.errors import AriettaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

RESULT = "DB_RESULT"
"""The variable that keeps what the last of these functions found."""


def family_and_key(name: str, arguments: str) -> tuple[str, str]:
    """Both parts of ``family/key``; raises FunctionError where one is missing."""
    family, _, key = arguments.strip().partition("/")
    if not family or not key:
        raise FunctionError(name, f"{arguments[:80]!r} is not FAMILY/KEY")
    return family, key


def _found(plan: Interpreter, channel: Channel | None, value: str) -> None:
    if channel is not None:
        plan.set_plain(channel, RESULT, value)


def _read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    value = plan.database.get(*family_and_key("DB", arguments)) or ""
    _found(plan, channel, value)
    return value


def _write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    family, key = family_and_key("DB", arguments)
    try:
        plan.database.put(family, key, value)
    except AriettaError as refusal:
        raise FunctionError("DB", str(refusal)) from refusal


def _blacklist(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    caller = needed(channel, "BLACKLIST").caller
    listed = (plan.database.get("blacklist", key) for key in (caller.number, caller.name) if key)
    return "1" if any(value is not None for value in listed) else "0"


def _exists(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    value = plan.database.get(*family_and_key("DB_EXISTS", arguments))
    if value is None:
        return "0"
    _found(plan, channel, value)
    return "1"


def _delete(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    family, key = family_and_key("DB_DELETE", arguments)
    value = plan.database.get(family, key) or ""
    plan.database.delete(family, key)
    _found(plan, channel, value)
    return value


def _delete_by_writing(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    _delete(plan, channel, arguments)


def _below(plan: Interpreter, name: str, arguments: str) -> list[str]:
    """The names below a prefix, the prefix and its slash taken off."""
    family, _, rest = arguments.strip().strip("/").partition("/")
    try:
        records = plan.database.tree(family, rest)
    except AriettaError as refusal:
        raise FunctionError(name, str(refusal)) from refusal
    prefix = f"/{family}/{rest}/" if rest else f"/{family}/" if family else "/"
    return [name.removeprefix(prefix) for name, _ in records if name.startswith(prefix)]


def _keys(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    names = dict.fromkeys(name.partition("/")[0] for name in _below(plan, "DB_KEYS", arguments))
    return ",".join(names)


def _keycount(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return str(len(_below(plan, "DB_KEYCOUNT", arguments)))


FUNCTIONS = (
    Function(
        "BLACKLIST",
        "BLACKLIST()",
        "1 if the caller's number or name is a key of the family `blacklist` in AstDB, else 0.",
        _blacklist,
    ),
    Function("DB", "DB(family/key)", "A text of AstDB; what is read is DB_RESULT too.", _read, _write),
    Function(
        "DB_DELETE",
        "DB_DELETE(family/key)",
        "Takes a text out of AstDB and gives it; `Set(DB_DELETE(family/key)=)` does the same.",
        _delete,
        _delete_by_writing,
        danger=Danger(reading=True),
    ),
    Function("DB_EXISTS", "DB_EXISTS(family/key)", "1 if AstDB has the key, with DB_RESULT, else 0.", _exists),
    Function("DB_KEYCOUNT", "DB_KEYCOUNT([prefix])", "How many keys AstDB has below a prefix.", _keycount),
    Function(
        "DB_KEYS",
        "DB_KEYS([prefix])",
        "The names right below a prefix in AstDB, with commas between them; its families without a prefix.",
        _keys,
    ),
)
