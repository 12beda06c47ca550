"""database … and devstate …: what the dialplan keeps, and the devices that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console

STATES = ("UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD")


def _rows(found: Sequence[tuple[str, str]]) -> str:
    return "\n".join([*(f"{name:<50}: {value:<25}" for name, value in found), f"{len(found)} results found."])


def show(console: Console, arguments: list[str]) -> str:
    return _rows(console.switch.database().tree(*arguments))


def show_key(console: Console, arguments: list[str]) -> str:
    return _rows(console.switch.database().with_key(arguments[0]))


def get(console: Console, arguments: list[str]) -> str:
    value = console.switch.database().get(*arguments)
    if value is None:
        raise CommandError("Database entry not found.")
    return f"Value: {value}"


def put(console: Console, arguments: list[str]) -> str:
    console.switch.database().put(*arguments)
    return "Updated database successfully"


def delete(console: Console, arguments: list[str]) -> str:
    if not console.switch.database().delete(*arguments):
        raise CommandError("Database entry could not be removed.")
    return "Database entry removed."


def delete_tree(console: Console, arguments: list[str]) -> str:
    return f"{console.switch.database().delete_tree(*arguments)} database entries removed."


def list_devices(console: Console, _: list[str]) -> str:
    rule = "-" * 69
    lines = [rule, f"{'--- Custom Device States ':-<69}", rule, "---"]
    for device in console.switch.custom_devices():
        lines.append(f"--- Name: '{device.name}'  State: '{device.state}'")
    return "\n".join([*lines, "---", rule, rule])


def change_device(console: Console, arguments: list[str]) -> str:
    name, state = arguments
    console.switch.set_custom_device(name, state)
    return f"Changing {name} to {state.upper()}"


def _families(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    """The next part of the names that are kept, after the family that is given."""
    found = console.switch.database().tree(*arguments[:1])
    if not arguments:
        return {name.rpartition("/")[0].strip("/") for name, _ in found}
    family = arguments[0].strip("/")
    return {name.removeprefix(f"/{family}/") for name, _ in found} if len(arguments) == 1 else ()


def _devices(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return STATES if len(arguments) == 1 else (device.name for device in console.switch.custom_devices())


COMMANDS = (
    Command(
        ("database", "show"), "Show the database, a family or a tree.", show, "[FAMILY [KEYTREE]]", 0, 2, _families
    ),
    Command(("database", "showkey"), "Show what has a key, in all families.", show_key, "KEY", 1, 1),
    Command(("database", "get"), "Show the value of a key.", get, "FAMILY KEY", 2, 2, _families),
    Command(("database", "put"), "Keep a value.", put, "FAMILY KEY VALUE", 3, 3, _families),
    Command(("database", "del"), "Forget a key.", delete, "FAMILY KEY", 2, 2, _families),
    Command(("database", "deltree"), "Forget a family or a tree.", delete_tree, "FAMILY [KEYTREE]", 1, 2, _families),
    Command(("devstate", "list"), "List the Custom: devices.", list_devices),
    Command(("devstate", "change"), "Set a Custom: device.", change_device, "Custom:NAME STATE", 2, 2, _devices),
)
