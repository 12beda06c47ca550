"""module … and core reload: the parts of the server and their configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.core import like_word
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, plural


def show_modules(console: Console, arguments: list[str]) -> str:
    like = like_word(arguments)
    shown = sorted((m for m in console.switch.modules() if like in m.name.lower()), key=lambda m: m.name)
    widths = (30, 44, 10, 12)
    lines = columns(widths, ("Module", "Description", "Use Count", "Status"))
    lines += columns(widths, *((m.name, m.description, m.use_count, m.status) for m in shown))
    return "\n".join([*lines, f"{plural(len(shown), 'module')} loaded"])


async def reload_modules(console: Console, arguments: list[str]) -> str:
    if not arguments:
        return await reload_report(console, None)
    known = {module.name for module in console.switch.modules()}
    names = tuple(map(_with_suffix, arguments))
    for name in names:
        if name not in known:
            raise CommandError(f"No such module '{name}'")
    return await reload_report(console, names)


def load_module(console: Console, arguments: list[str]) -> str:
    name = _with_suffix(arguments[0])
    console.switch.load_module(name)
    return f"Loaded {name}"


def unload_module(console: Console, arguments: list[str]) -> str:
    name = _with_suffix(arguments[0])
    console.switch.unload_module(name)
    return f"Unloaded {name}"


def _with_suffix(name: str) -> str:
    return name if name.endswith(".so") else f"{name}.so"


async def reload_all(console: Console, _: list[str]) -> str:
    return await reload_report(console, None)


async def reload_report(console: Console, modules: tuple[str, ...] | None) -> str:
    """Reload and tell what changed; a broken file is a ConfigError, which the caller's caller prints."""
    changed = await console.switch.reload(modules)
    what = "everything" if modules is None else ", ".join(modules)
    return "\n".join([f"Reloaded {what}.", *(f"  {line}" for line in changed or ["nothing changed"])])


def _module_names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return (module.name for module in console.switch.modules() if module.name not in arguments)


COMMANDS = (
    Command(("module", "show"), "List the parts of the server.", show_modules, "[like WORD]", most=2),
    Command(
        ("module", "reload"),
        "Read the configuration again, of some modules or of all.",
        reload_modules,
        "[MODULE ...]",
        most=100,
        complete=_module_names,
    ),
    Command(("module", "load"), "Put a part of the server back.", load_module, "MODULE", 1, 1),
    Command(("module", "unload"), "Take a part of the server out.", unload_module, "MODULE", 1, 1, _module_names),
    Command(("core", "reload"), "Read the whole configuration again; calls go on.", reload_all),
)
