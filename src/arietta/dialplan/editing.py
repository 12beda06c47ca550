"""Changes to a dialplan that runs: each gives a new one, or raises Refused with the reason.

What is added here is forgotten when extensions.conf is read again. A line is read as if it stood in the file.
"""

from __future__ import annotations

import msgspec

from arietta.config.conf import ConfFile, ConfigError, Option, Section
from arietta.dialplan.matcher import Context, Dialplan, Extension, with_extensions
from arietta.dialplan.patterns import Pattern
from arietta.dialplan.reader import read_dialplan
from arietta.errors import BadRequest, Conflict, NotFound

ORIGIN = "run time"
"""What stands for a file where a step comes from none."""
RESERVED = frozenset(("general", "globals"))
MAX_CONTEXTS = 10_000
MAX_STEPS = 1_000_000


class Line(msgspec.Struct, frozen=True):
    """One step, or one hint, as it would be written in a file; the priority is a number or `hint`."""

    exten: str
    """With `/caller` where it is for one caller."""
    priority: str
    application: str
    """Of a hint: its devices."""
    data: str = ""

    @property
    def is_hint(self) -> bool:
        """Whether it is a hint."""
        return self.priority.lower() == "hint"

    @property
    def value(self) -> str:
        """What stands after ``exten =>``."""
        call = self.application if self.is_hint else f"{self.application}({self.data})"
        return f"{self.exten},{self.priority},{call}"


def add_extension(plan: Dialplan, context: str, line: Line, *, replace: bool = False) -> Dialplan:
    """Add a step or a hint, and the context if it is not there; one that is there already is a Conflict."""
    if not (line.is_hint or (line.priority.isascii() and line.priority.isdigit())):
        raise BadRequest(f"priority {line.priority[:20]!r} is neither a number nor hint")
    (added,) = _read(context, "exten", line.value).extensions()
    if line.exten != _written(added):
        raise BadRequest(f"extension {line.exten[:80]!r} cannot be one: it reads as {_written(added)[:80]!r}")
    if any(step.written != line.data for step in added.steps.values()):
        raise BadRequest(f"application {line.application[:80]!r} cannot be one")
    place = plan.contexts.get(context)
    if place is None:
        return _with(plan, with_extensions(_empty(plan, context), [added]))
    if sum(len(entry.steps) for entry in place.extensions()) >= MAX_STEPS:
        raise Conflict(f"context {context[:80]!r} has {MAX_STEPS} steps, which is the limit")
    others = [entry for entry in place.extensions() if _written(entry) != line.exten]
    found = next((entry for entry in place.extensions() if _written(entry) == line.exten), None)
    if found is not None:
        added = _joined(found, added, context, replace=replace)
    return _with(plan, with_extensions(place, [*others, added]))


def remove_extension(plan: Dialplan, context: str, exten: str, priority: str = "") -> Dialplan:
    """Take an extension away, with `/caller` the one for that caller; or one of its priorities, or its hint."""
    place = _context(plan, context)
    found = [entry for entry in place.extensions() if exten in (entry.name, _written(entry))]
    if not found:
        raise NotFound(f"extension {exten[:80]!r} does not exist in context {context[:80]!r}")
    kept = [entry for entry in place.extensions() if entry not in found]
    if priority:
        left = [_without(entry, priority) for entry in found]
        if left == found:
            raise NotFound(f"extension {exten[:80]!r} in context {context[:80]!r} has no priority {priority[:20]!r}")
        kept += [entry for entry in left if entry.steps or entry.hint]
    return _with(plan, with_extensions(place, kept))


def add_include(plan: Dialplan, context: str, written: str) -> Dialplan:
    """Let a context include another, perhaps at times only, as after ``include =>``."""
    place = _context(plan, context)
    (added,) = _read(context, "include", written).includes
    if any(include.written == added.written for include in place.includes):
        raise Conflict(f"context {context[:80]!r} includes {written[:80]!r} already")
    if added.context not in plan.contexts:
        raise NotFound(f"context {added.context[:80]!r} does not exist")
    return _with(plan, msgspec.structs.replace(place, includes=(*place.includes, added)))


def remove_include(plan: Dialplan, context: str, written: str) -> Dialplan:
    """Let a context include another no longer."""
    place = _context(plan, context)
    kept = tuple(include for include in place.includes if include.written != written)
    if len(kept) == len(place.includes):
        raise NotFound(f"context {context[:80]!r} does not include {written[:80]!r}")
    return _with(plan, msgspec.structs.replace(place, includes=kept))


def add_ignored(plan: Dialplan, context: str, written: str) -> Dialplan:
    """Let the dial tone go on after these digits, as after ``ignorepat =>``."""
    place = _context(plan, context)
    if written in map(ignored_text, place.ignored):
        raise Conflict(f"context {context[:80]!r} ignores {written[:80]!r} already")
    (added,) = _read(context, "ignorepat", written).ignored
    return _with(plan, msgspec.structs.replace(place, ignored=(*place.ignored, added)))


def remove_ignored(plan: Dialplan, context: str, written: str) -> Dialplan:
    """Let the dial tone end after these digits again."""
    place = _context(plan, context)
    kept = tuple(entry for entry in place.ignored if ignored_text(entry) != written)
    if len(kept) == len(place.ignored):
        raise NotFound(f"context {context[:80]!r} does not ignore {written[:80]!r}")
    return _with(plan, msgspec.structs.replace(place, ignored=kept))


def remove_context(plan: Dialplan, context: str) -> Dialplan:
    """Take a context away; calls that are in it end with their next step."""
    _context(plan, context)
    left = {name: place for name, place in plan.contexts.items() if name != context}
    return msgspec.structs.replace(plan, contexts=left)


def ignored_text(entry: Pattern | str) -> str:
    """An entry of a context's `ignored` as it is written."""
    return entry if isinstance(entry, str) else entry.text


# ------------------------------------------------------------------------------------------------------------ parts


def _read(context: str, option: str, value: str) -> Context:
    """A context with one line in it, read as from a file."""
    if not context or context.lower() in RESERVED or "]" in context:
        raise BadRequest(f"{context[:80]!r} cannot be the name of a context")
    if not (context + value).isprintable():
        raise BadRequest(f"{option} => {value[:80]!r} has a control character in it")
    section = Section(context, (Option(option, value, ORIGIN, 0, arrow=True),), ORIGIN, 0)
    try:
        return read_dialplan(ConfFile(ORIGIN, (section,))).contexts[context]
    except ConfigError as problem:
        raise BadRequest(str(problem.problems[0].message)) from None


def _context(plan: Dialplan, name: str) -> Context:
    found = plan.contexts.get(name)
    if found is None:
        raise NotFound(f"context {name[:80]!r} does not exist")
    return found


def _empty(plan: Dialplan, name: str) -> Context:
    if len(plan.contexts) >= MAX_CONTEXTS:
        raise Conflict(f"there are {MAX_CONTEXTS} contexts, which is the limit")
    return Context(name, {}, (), (), (), ORIGIN, 0, {})


def _with(plan: Dialplan, place: Context) -> Dialplan:
    return msgspec.structs.replace(plan, contexts={**plan.contexts, place.name: place})


def _written(entry: Extension) -> str:
    return entry.name if entry.caller is None else f"{entry.name}/{entry.caller}"


def _joined(entry: Extension, added: Extension, context: str, *, replace: bool) -> Extension:
    """An extension with the one step, or the hint, of another."""
    where = f"{_written(entry)}@{context}"[:160]
    if added.hint:
        if entry.hint and not replace:
            raise Conflict(f"{where} has a hint already")
        return msgspec.structs.replace(entry, hint=added.hint)
    ((priority, step),) = added.steps.items()
    if priority in entry.steps and not replace:
        raise Conflict(f"{where} has priority {priority} already")
    labels = {label: at for label, at in entry.labels.items() if at != priority}
    return msgspec.structs.replace(entry, steps={**entry.steps, priority: step}, labels=labels)


def _without(entry: Extension, priority: str) -> Extension:
    if priority.lower() == "hint":
        return msgspec.structs.replace(entry, hint="")
    steps = {number: step for number, step in entry.steps.items() if str(number) != priority}
    labels = {label: at for label, at in entry.labels.items() if at in steps}
    return msgspec.structs.replace(entry, steps=steps, labels=labels)
