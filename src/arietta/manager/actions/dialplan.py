"""The dialplan: ShowDialPlan, and its changes until extensions.conf is read again."""

from __future__ import annotations

from arietta.dialplan import editing
from arietta.dialplan.editing import Line
from arietta.dialplan.matcher import Context, Extension
from arietta.errors import NotFound
from arietta.manager.declared import Call, Reply, action, item, listing, success
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
            items += [_ignored(context, editing.ignored_text(entry)) for entry in context.ignored]
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


def _ignored(context: Context, digits: str) -> ManagerEvent:
    return item("ListDialplan", ("Context", context.name), ("IgnorePattern", digits), ("Registrar", REGISTRAR))


@action(
    "DialplanExtensionAdd",
    "Add a step to an extension, or a hint, until extensions.conf is read again.",
    ("Context", "The context, which is made if it is not there."),
    ("Extension", "The extension, with /CALLER for the calls of one caller."),
    ("Priority", "A number, or hint."),
    ("Application", "The application; of a hint the devices."),
    ("[ApplicationData]", "Its arguments."),
    ("[Replace]", "yes to take the place of a step that is there."),
    write="system",
)
def extension_add(call: Call) -> Reply:
    context, exten = call.need("Context", "Context not specified"), call.need("Extension", "Extension not specified")
    priority = call.need("Priority", "Priority not specified")
    application = call.need("Application", "Application not specified")
    if priority.lower() != "hint" and call.domain.dialplan.applications.get(application.lower()) is None:
        raise NotFound(f"Application {application[:80]} does not exist")
    plan, line = call.domain.dialplan, Line(exten, priority, application, call.get("ApplicationData"))
    plan.amend(editing.add_extension(plan.dialplan, context, line, replace=call.flag("Replace")))
    return success("Added requested extension")


@action(
    "DialplanExtensionRemove",
    "Take an extension out of the dialplan, or one of its steps, until extensions.conf is read again.",
    ("Context", "The context."),
    ("Extension", "The extension, with /CALLER the one for that caller."),
    ("[Priority]", "Only this priority, or hint."),
    write="system",
)
def extension_remove(call: Call) -> Reply:
    context, exten = call.need("Context", "Context not specified"), call.need("Extension", "Extension not specified")
    plan = call.domain.dialplan
    plan.amend(editing.remove_extension(plan.dialplan, context, exten, call.get("Priority")))
    return success("Removed the requested extension")
