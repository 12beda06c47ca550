"""A dialplan as the text of an extensions.conf, without the comments, templates and includes it was made from."""

from __future__ import annotations

from collections.abc import Iterator

from arietta.dialplan.editing import ignored_text
from arietta.dialplan.matcher import Context, Dialplan, Extension, General


def text_of(plan: Dialplan) -> str:
    """The text, which is read as the same dialplan."""
    lines = ["[general]", *_general(plan.general), "", "[globals]"]
    lines += [f"{name} => {_escaped(value)}" for name, value in plan.globals.items()]
    for context in plan.contexts.values():
        lines += ["", f"[{context.name}]", *_lines(context)]
    return "\n".join([*lines, ""])


def _general(general: General) -> Iterator[str]:
    for name in ("static", "writeprotect", "autofallthrough", "clearglobalvars"):
        yield f"{name} = {'yes' if getattr(general, name) else 'no'}"
    yield f"userscontext = {general.userscontext}"


def _lines(context: Context) -> Iterator[str]:
    for include in context.includes:
        yield f"include => {_escaped(include.written)}"
    for entry in context.ignored:
        yield f"ignorepat => {_escaped(ignored_text(entry))}"
    for extension in context.extensions():
        yield from _steps(extension)


def _steps(extension: Extension) -> Iterator[str]:
    name = extension.name if extension.caller is None else f"{extension.name}/{extension.caller}"
    if extension.hint:
        yield f"exten => {name},hint,{_escaped(extension.hint)}"
    for priority, step in sorted(extension.steps.items()):
        labels = [label for label, at in extension.labels.items() if at == priority]
        place = f"{priority}({labels[0]})" if labels else str(priority)
        yield f"exten => {name},{place},{step.application}({_escaped(step.written)})"


def _escaped(text: str) -> str:
    """What stands in a line, where a semicolon would begin a comment."""
    return text.replace(";", "\\;")
