"""The reference in Markdown: every operation, every model, every event."""

from typing import Any

from arietta.model import events

from ..contract import Operation, Parameter, operations
from ..resources import RESOURCES
from .models import Model, models_of


def reference() -> str:
    """The whole reference."""
    resources: tuple[Any, ...] = RESOURCES
    lines = [
        "# Reference",
        "",
        "Every operation of the Asterisk REST Interface as Arietta serves it, below `/ari`. This page is made from",
        "the declarations in `src/arietta/ari/resources`; change those, and run `arietta reference`.",
        "",
        "Parameters may stand in the query, in a form or in a JSON body. Failures in italics happen although",
        "Asterisk's own documents do not list them.",
        "",
        *(f"- [{resource.NAME}](#{resource.NAME.lower()})" for resource in resources),
        "- [Models](#models)",
        "- [Events](#events-1)",
    ]
    for resource in resources:
        lines += ["", f"## {resource.NAME}"]
        for operation in operations(resource):
            lines += _operation(operation)
    lines += ["", "## Models"]
    for resource in resources:
        for model in models_of(resource.NAME):
            if model.name not in events.CLASSES and model.name not in ("Message", "Event"):
                lines += _model(model)
    lines += ["", "## Events", "", "All carry `type`, `timestamp`, `application` and `asterisk_id` as well."]
    for model in models_of("events"):
        if model.name in events.CLASSES:
            lines += _model(model)
    return "\n".join(lines) + "\n"


def _operation(operation: Operation) -> list[str]:
    lines = ["", f"### {operation.method} {operation.path}", "", operation.summary]
    if operation.notes:
        lines += ["", operation.notes]
    answer = "no body" if operation.response == "void" else f"`{operation.response}`"
    location = ", with a Location" if operation.location is not None else ""
    lines += ["", f"`{operation.nickname}`, since {', '.join(operation.since)}. Answers {operation.success}: "]
    lines[-1] += f"{answer}{location}." if operation.upgrade is None else "an upgrade to WebSocket."
    if operation.parameters:
        lines += ["", "| parameter | in | type | meaning |", "| --- | --- | --- | --- |"]
        lines += [_parameter(parameter) for parameter in operation.parameters]
    if operation.all_failures:
        lines += ["", "| failure | when |", "| --- | --- |"]
        listed = [(failure.status, f"| {failure.status} | {failure.reason} |") for failure in operation.failures]
        listed += [
            (failure.status, f"| *{failure.status}* | *{failure.reason}* |") for failure in operation.undocumented
        ]
        lines += [line for _, line in sorted(listed, key=lambda pair: pair[0])]
    return lines


def _parameter(parameter: Parameter) -> str:
    meaning = parameter.description
    if parameter.values:
        meaning += " One of " + ", ".join(f"`{value}`" for value in parameter.values) + "."
    if parameter.default is not None:
        default = str(parameter.default).lower() if isinstance(parameter.default, bool) else parameter.default
        meaning += f" Default: `{default}`."
    name = f"**{parameter.name}**" if parameter.required else parameter.name
    kind = f"list of {parameter.kind}" if parameter.multiple else parameter.kind
    return f"| {name} | {parameter.where} | {kind} | {meaning.replace('|', chr(92) + '|')} |"


def _model(model: Model) -> list[str]:
    lines = ["", f"### {model.name}", "", model.description]
    if model.properties:
        lines += ["", "| property | type | meaning |", "| --- | --- | --- |"]
    for held in model.properties:
        meaning = held.description
        if held.values:
            meaning += " One of " + ", ".join(f"`{value}`" for value in held.values) + "."
        name = f"**{held.name}**" if held.required else held.name
        lines.append(f"| {name} | {held.type} | {meaning} |")
    return lines
