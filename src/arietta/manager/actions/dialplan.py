"""ShowDialPlan."""

from __future__ import annotations

from arietta.dialplan.matcher import Context, Extension
from arietta.errors import NotFound
from arietta.manager.declared import Call, Reply, action, item, listing
from arietta.manager.message import ManagerEvent

REGISTRAR = "pbx_config"


@action(
    "ShowDialPlan",
    "List the contexts and extensions of the dialplan.",
    ("[Extension]", "Only this extension."),
    ("[Context]", "Only this context."),
    write="config,reporting",
)
def show_dialplan(call: Call) -> Reply:
    wanted, exten = call.get("Context"), call.get("Extension")
    contexts = [
        context
        for name, context in sorted(call.domain.dialplan.dialplan.contexts.items())
        if not wanted or name == wanted
    ]
    if wanted and not contexts:
        raise NotFound(f"Did not find context {wanted[:80]}")
    items: list[ManagerEvent] = []
    extensions = priorities = shown = 0
    for context in contexts:
        found = [one for one in context.extensions() if not exten or _name(one) == exten]
        if exten and not found:
            continue
        shown += 1
        for one in found:
            extensions += 1
            steps = _steps(context, one)
            priorities += len(steps)
            items += steps
        if not exten:
            items += [_include(context, include.written) for include in context.includes]
    if exten and not extensions:
        raise NotFound(f"Did not find extension {exten[:80]}")
    totals = (("ListExtensions", str(extensions)), ("ListPriorities", str(priorities)), ("ListContexts", str(shown)))
    return listing("DialPlan list will follow", items, "ShowDialPlanComplete", ending=totals)


def _name(extension: Extension) -> str:
    return extension.name if extension.caller is None else f"{extension.name}/{extension.caller}"


def _steps(context: Context, extension: Extension) -> list[ManagerEvent]:
    name = _name(extension)
    start = (("Context", context.name), ("Extension", name))
    found = [
        item(
            "ListDialplan",
            *start,
            *((("ExtensionLabel", step.label),) if step.label else ()),
            ("Priority", step.priority),
            ("Application", step.application),
            ("AppData", step.written),
            ("Registrar", REGISTRAR),
        )
        for _, step in sorted(extension.steps.items())
    ]
    if extension.hint:
        found.append(
            item(
                "ListDialplan",
                *start,
                ("Priority", "hint"),
                ("Application", extension.hint),
                ("AppData", ""),
                ("Registrar", REGISTRAR),
            )
        )
    return found


def _include(context: Context, included: str) -> ManagerEvent:
    return item("ListDialplan", ("Context", context.name), ("IncludeContext", included), ("Registrar", REGISTRAR))
