"""Models and parameters as JSON Schema, shared by OpenAPI and AsyncAPI."""

import copy
from typing import Any

from arietta.model import events

from ..contract import Parameter
from ..resources import RESOURCES
from .models import Model, Property, models_of

REFERENCE = "#/components/schemas/"
_PRIMITIVES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "Date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$"},
    "int": {"type": "integer"},
    "long": {"type": "integer", "format": "int64"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "containers": {"type": "object"},
}

_EVENT_TYPES = {"type": "array", "items": {"type": "object", "properties": {"type": {"type": "string"}}}}
_BODIES: dict[str, dict[str, Any]] = {
    "fields": {"type": "array", "items": {"$ref": REFERENCE + "ConfigTuple"}},
    "filter": {"type": "object", "properties": {"allowed": _EVENT_TYPES, "disallowed": _EVENT_TYPES}},
    "variables": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"value": {"type": "string"}, "report_events": {"type": "boolean"}},
                    "required": ["value"],
                },
            ]
        },
    },
}


def all_models() -> list[Model]:
    """Models of all resources."""
    return [model for resource in RESOURCES for model in models_of(_name(resource))]


def component_schemas() -> dict[str, Any]:
    """Every model, and the bodies of refusals."""
    return {
        **{model.name: _schema(model) for model in all_models()},
        "Refusal": {
            "description": "Why a request was refused: `message` mostly, `error` where nothing could be made.",
            "type": "object",
            "properties": {"message": {"type": "string"}, "error": {"type": "string"}},
        },
    }


def type_schema(name: str) -> dict[str, Any]:
    """A type by Swagger's name of it."""
    if name.startswith("List["):
        return {"type": "array", "items": type_schema(name[5:-1])}
    found = _PRIMITIVES.get(name)
    return dict(found) if found is not None else {"$ref": REFERENCE + name}


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """The values a parameter takes."""
    schema = type_schema(parameter.kind)
    if parameter.values:
        schema["enum"] = list(parameter.values)
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.multiple:
        schema = {"type": "array", "items": schema}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def body_schema(parameter: Parameter) -> dict[str, Any]:
    """What a parameter of a JSON body holds; Swagger's word for all of them is `containers` or `object`."""
    return copy.deepcopy(_BODIES.get(parameter.name) or type_schema(parameter.kind))


def _schema(model: Model) -> dict[str, Any]:
    if model.name == "Message":
        return {
            "description": model.description,
            "oneOf": [{"$ref": REFERENCE + name} for name in ("MissingParams", "Event")],
        }
    if model.name == "Event":
        return {
            "description": model.description,
            "oneOf": [{"$ref": REFERENCE + name} for name in model.sub_types],
            "discriminator": {"propertyName": "type"},
        }
    properties = {held.name: _property(held) for held in model.properties}
    required = [held.name for held in model.properties if held.required]
    kind = events.CLASSES.get(model.name)
    if kind is not None or model.name in ("MissingParams", "RESTRequest"):
        envelope: dict[str, Any] = {"type": {"const": model.name}}
        if kind is not None:
            envelope["timestamp"] = type_schema("Date")
        properties = {**envelope, **properties}
        properties["type"] = {"const": model.name}
        required = [*envelope, *(name for name in required if name not in envelope)]
    if kind is not None:
        properties["asterisk_id"] = {"type": "string", "description": "Identifier of the server."}
        properties["application"] = {"type": "string", "description": "Application that is told."}
        required.append("application")
    schema: dict[str, Any] = {"description": model.description, "type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


def _property(held: Property) -> dict[str, Any]:
    schema = type_schema(held.type)
    if held.values:
        schema["enum"] = list(held.values)
    return schema | {"description": held.description}


def _name(resource: Any) -> str:
    name: str = resource.NAME
    return name
