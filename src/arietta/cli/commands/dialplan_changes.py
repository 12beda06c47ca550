"""dialplan add, remove, save and eval …: the dialplan changed until extensions.conf is read again, and looked into."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence

from arietta.cli.commands.core import channel_names
from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.config.editing import save as save_file
from arietta.config.tree import FILES
from arietta.dialplan import editing
from arietta.dialplan.editing import Line
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.saving import text_of

FILE = "extensions.conf"
Change = Callable[[Dialplan, str, str], Dialplan]


def add_extension(console: Console, arguments: list[str]) -> str:
    replace = arguments[-1].lower() == "replace"
    words = arguments[:-1] if replace else arguments
    if len(words) < 3 or words[-2].lower() != "into":
        raise CommandError("Usage: dialplan add extension EXTEN,PRIORITY,APPLICATION into CONTEXT [replace]")
    written, context = " ".join(words[:-2]), words[-1]
    line = _line(written)
    plan = console.switch.plan
    if not line.is_hint and plan.applications.get(line.application.lower()) is None:
        raise CommandError(f"There is no application {line.application}")
    plan.amend(editing.add_extension(plan.dialplan, context, line, replace=replace))
    return f"Extension '{line.exten}' priority {line.priority} added into '{context}' context"


def _line(written: str) -> Line:
    exten, _, rest = written.partition(",")
    priority, _, call = rest.partition(",")
    if not (exten and priority and call):
        raise CommandError(f"'{written}' is not EXTEN,PRIORITY,APPLICATION")
    if priority.strip().lower() == "hint":
        return Line(exten.strip(), "hint", call.strip())
    opening, comma = call.find("("), call.find(",")
    if opening >= 0 and (comma < 0 or opening < comma) and call.rstrip().endswith(")"):
        return Line(exten.strip(), priority.strip(), call[:opening].strip(), call.rstrip()[opening + 1 : -1])
    application, _, data = call.partition(",")
    return Line(exten.strip(), priority.strip(), application.strip(), data)


def remove_extension(console: Console, arguments: list[str]) -> str:
    exten, at, context = arguments[0].rpartition("@")
    if not at:
        raise CommandError(f"'{arguments[0]}' is not EXTEN@CONTEXT")
    plan, priority = console.switch.plan, arguments[1] if len(arguments) > 1 else ""
    plan.amend(editing.remove_extension(plan.dialplan, context, exten, priority))
    what = f"Priority {priority} of extension" if priority else "Extension"
    return f"{what} {exten}@{context} removed"


def remove_context(console: Console, arguments: list[str]) -> str:
    plan = console.switch.plan
    plan.amend(editing.remove_context(plan.dialplan, arguments[0]))
    return f"Context '{arguments[0]}' removed"


def _changing(change: Change, preposition: str, done: str) -> Callable[[Console, list[str]], str]:
    """A command WHAT into|from CONTEXT."""

    def carry_out(console: Console, arguments: list[str]) -> str:
        what, word, context = arguments
        if word.lower() != preposition:
            raise CommandError(f"'{word}' is not {preposition}")
        plan = console.switch.plan
        plan.amend(change(plan.dialplan, context, what))
        return done.format(what=what, context=context)

    return carry_out


def save(console: Console, arguments: list[str]) -> str:
    config, name = console.switch.config, arguments[0] if arguments else FILE
    general = config.extensions.general
    if not general.static or general.writeprotect:
        raise CommandError("The dialplan is saved where extensions.conf says static=yes and writeprotect=no alone")
    if "/" in name or not name.endswith(".conf") or (name in FILES and name != FILE):
        raise CommandError(f"'{name}' is no name of a .conf file of the dialplan in {config.directory}")
    if config.wizards.contexts:
        raise CommandError("The dialplan has extensions of pjsip_wizard.conf, which would be there twice")
    path = config.directory / name
    try:
        if path.exists():
            shutil.copy2(path, path.with_name(f"{name}.old"))
        save_file(path, text_of(console.switch.plan.dialplan), root=config.directory)
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror or problem}") from None
    return f"Dialplan saved into '{path}'; what it was made from is in '{name}.old'"


def eval_function(console: Console, arguments: list[str]) -> str:
    expression = arguments[0].removeprefix("${").removesuffix("}")
    if "(" not in expression:
        raise CommandError(f"'{arguments[0]}' is not NAME(arguments)")
    value = console.switch.plan.read(None, expression)
    return f"Return Value: Success (0)\nResult: {value or ''}"


def set_channel_variable(console: Console, arguments: list[str]) -> str:
    name, variable, value = arguments
    channel = console.switch.plan.registry.find(name)
    if channel is None:
        raise CommandError(f"{name} is not a known channel")
    console.switch.plan.write(channel, variable, value)
    return f"    -- Channel variable '{variable}' set to '{value}' for '{channel.name}'"


def show_channel_variables(console: Console, arguments: list[str]) -> str:
    view = console.switch.channel(arguments[0])
    if view is None:
        raise CommandError(f"{arguments[0]} is not a known channel")
    return "\n".join(f"{name}={value}" for name, value in view.variables.items())


def _contexts(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else [context.name for context in console.switch.contexts()]


def _extensions(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if arguments:
        return ()
    return [f"{e.name}@{c.name}" for c in console.switch.contexts() for e in c.extensions]


def _into(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return _placed(console, arguments, "into")


def _from(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return _placed(console, arguments, "from")


def _placed(console: Console, arguments: Sequence[str], word: str) -> Iterable[str]:
    if len(arguments) == 1:
        return (word,)
    return [context.name for context in console.switch.contexts()] if len(arguments) == 2 else ()


COMMANDS = (
    Command(
        ("dialplan", "add", "extension"), "Add a step to an extension until the dialplan is read again.",
        add_extension, "EXTEN,PRIORITY,APPLICATION into CONTEXT [replace]", 3, 100, _into,
    ),
    Command(
        ("dialplan", "add", "include"), "Let a context include another until the dialplan is read again.",
        _changing(editing.add_include, "into", "Context '{what}' included in '{context}' context"),
        "CONTEXT into CONTEXT", 3, 3, _into,
    ),
    Command(
        ("dialplan", "add", "ignorepat"), "Let the dial tone go on after digits until the dialplan is read again.",
        _changing(editing.add_ignored, "into", "Ignore pattern '{what}' added into the context '{context}'"),
        "DIGITS into CONTEXT", 3, 3, _into,
    ),
    Command(
        ("dialplan", "remove", "extension"), "Take an extension away until the dialplan is read again.",
        remove_extension, "EXTEN[/CALLER]@CONTEXT [PRIORITY]", 1, 2, _extensions,
    ),
    Command(
        ("dialplan", "remove", "include"), "Let a context include another no longer.",
        _changing(editing.remove_include, "from", "Context '{what}' is not included in '{context}' any more"),
        "CONTEXT from CONTEXT", 3, 3, _from,
    ),
    Command(
        ("dialplan", "remove", "ignorepat"), "Let the dial tone end after digits again.",
        _changing(editing.remove_ignored, "from", "Ignore pattern '{what}' removed from the context '{context}'"),
        "DIGITS from CONTEXT", 3, 3, _from,
    ),
    Command(
        ("dialplan", "remove", "context"), "Take a context away until the dialplan is read again.", remove_context,
        "CONTEXT", 1, 1, _contexts,
    ),
    Command(("dialplan", "save"), "Write the dialplan into extensions.conf, without comments.", save, "[FILE]", 0, 1),
    Command(("dialplan", "eval", "function"), "Read a function without a channel.", eval_function, "NAME(…)", 1, 1),
    Command(
        ("dialplan", "set", "chanvar"), "Set a variable of a channel.", set_channel_variable,
        "CHANNEL NAME VALUE", 3, 3, channel_names,
    ),
    Command(
        ("dialplan", "show", "chanvar"), "Show the variables of a channel.", show_channel_variables, "CHANNEL", 1, 1,
        channel_names,
    ),
)  # fmt: skip
