"""dialplan …: what happens when a number is dialled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.commands.system import reload_report
from arietta.cli.switch import ContextView, ExtensionView
from arietta.cli.tables import plural


def show(console: Console, arguments: list[str]) -> str:
    wanted, at, context_name = arguments[0].rpartition("@") if arguments else ("", "", "")
    contexts = console.switch.contexts()
    if context_name:
        contexts = [context for context in contexts if context.name.lower() == context_name.lower()]
        if not contexts:
            raise CommandError(f"There is no existence of '{context_name}' context")
    lines: list[str] = []
    count_extensions = count_steps = 0
    for context in contexts:
        shown = [extension for extension in context.extensions if not at or extension.name == wanted]
        if at and not shown:
            continue
        lines += [f"[ Context '{context.name}' ]", *_body(context, shown, whole=not at), ""]
        count_extensions += len(shown)
        count_steps += sum(len(extension.steps) + bool(extension.hint) for extension in shown)
    if at and not lines:
        raise CommandError(f"There is no extension '{wanted}' in context '{context_name}'")
    counts = f"{plural(count_extensions, 'extension')} ({plural(count_steps, 'priority', 'priorities')})"
    return "\n".join([*lines, f"-= {counts} in {plural(len(contexts), 'context')}. =-"])


def _body(context: ContextView, extensions: Sequence[ExtensionView], *, whole: bool) -> Iterable[str]:
    for extension in extensions:
        head = f"'{extension.name}' =>"
        if extension.hint:
            yield f"{f'  {head}':<20}hint: {extension.hint}"
        for step in extension.steps:
            if step is extension.steps[0] and not extension.hint:
                lead = f"  {head}"
            else:
                lead = f"     [{step.label}]" if step.label else ""
            yield f"{lead:<20}{f'{step.priority}. {step.application}({step.data})':<45} [{step.place}]"
    if whole:
        for included in context.includes:
            yield f"{'  Include =>':<20}'{included}'"


def show_globals(console: Console, _: list[str]) -> str:
    found = console.switch.globals()
    return "\n".join(
        [*(f"   {name}={value}" for name, value in found.items()), "", f"    -- {plural(len(found), 'variable')}"]
    )


def set_global(console: Console, arguments: list[str]) -> str:
    name, value = arguments
    console.switch.set_global(name, value)
    return f"    -- Global variable '{name}' set to '{value}'"


async def reload(console: Console, _: list[str]) -> str:
    return await reload_report(console, ("pbx_config.so",))


def _globals(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else console.switch.globals()


def _places(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if arguments:
        return
    for context in console.switch.contexts():
        yield context.name
        for extension in context.extensions:
            yield f"{extension.name}@{context.name}"


COMMANDS = (
    Command(("dialplan", "show"), "Show the dialplan.", show, "[CONTEXT|EXTEN@CONTEXT]", most=1, complete=_places),
    Command(("dialplan", "show", "globals"), "Show the global variables.", show_globals),
    Command(("dialplan", "set", "global"), "Set a global variable.", set_global, "NAME VALUE", 2, 2, _globals),
    Command(("dialplan", "reload"), "Read extensions.conf again; calls go on.", reload),
)
