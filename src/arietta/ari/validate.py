"""Whether what is sent keeps to its own declaration: for every answer and event that a test sees."""

import re
from typing import Any

import msgspec

from arietta.model import events

from .contract import Operation
from .projections.models import Model
from .projections.schemas import all_models

ALWAYS_POSSIBLE = frozenset({400, 500})
"""Statuses every operation may answer: a body that cannot be read, a fault of our own."""

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")
_MODELS: dict[str, Model] = {model.name: model for model in all_models()}


def response_problems(operation: Operation, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer; an empty list if it keeps to the declaration."""
    place = f"{operation.method} {operation.path} {status}"
    if status != operation.success:
        return _refusal_problems(operation, status, body, place)
    if operation.response == "void":
        return [f"{place}: a body where there is none"] if body else []
    if operation.response == "binary":
        return []
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return [f"{place}: {error}"]
    return _problems(value, operation.response, place)


def event_problems(frame: bytes | str) -> list[str]:
    """What is wrong with an event as it was sent; an empty list if it keeps to the declaration."""
    try:
        value = msgspec.json.decode(frame)
    except msgspec.DecodeError as error:
        return [f"event: {error}"]
    if not isinstance(value, dict) or value.get("type") not in events.CLASSES:
        return [f"event: no known type: {str(value)[:80]}"]
    name = str(value["type"])
    found = []
    for member, kind in (("timestamp", "Date"), ("application", "string"), ("asterisk_id", "string")):
        if member in value:
            found += _problems(value[member], kind, f"{name}.{member}")
        elif member != "asterisk_id":
            found.append(f"{name}: {member} is missing")
    own = {key: held for key, held in value.items() if key not in ("type", "timestamp", "application", "asterisk_id")}
    return found + _problems(own, name, name)


def _refusal_problems(operation: Operation, status: int, body: bytes, place: str) -> list[str]:
    declared = {failure.status for failure in operation.all_failures} | ALWAYS_POSSIBLE
    if status not in declared:
        return [f"{place}: not declared; declared are {sorted(declared)}"]
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return [f"{place}: {error}"]
    if not isinstance(value, dict) or list(value) not in (["message"], ["error"]):
        return [f"{place}: body is neither a message nor an error"]
    return [] if all(isinstance(text, str) and text for text in value.values()) else [f"{place}: no text"]


def _problems(value: Any, kind: str, place: str) -> list[str]:
    if kind.startswith("List["):
        if not isinstance(value, list):
            return [f"{place}: {type(value).__name__} where {kind} belongs"]
        return [
            problem
            for index, element in enumerate(value)
            for problem in _problems(element, kind[5:-1], f"{place}[{index}]")
        ]
    model = _MODELS.get(kind)
    if model is not None:
        return _model_problems(value, model, place)
    if not _FITS[kind](value):
        return [f"{place}: {value!r} where {kind} belongs"]
    return []


def _model_problems(value: Any, model: Model, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {type(value).__name__} where {model.name} belongs"]
    declared = {held.name: held for held in model.properties}
    found = [f"{place}.{name}: not declared" for name in value if name not in declared]
    for held in model.properties:
        if held.name not in value:
            if held.required:
                found.append(f"{place}.{held.name}: missing")
            continue
        found += _problems(value[held.name], held.type, f"{place}.{held.name}")
        if held.values and value[held.name] not in held.values:
            found.append(f"{place}.{held.name}: {value[held.name]!r} is none of {', '.join(held.values)}")
    return found


_FITS = {
    "string": lambda value: isinstance(value, str),
    "Date": lambda value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
    "int": lambda value: type(value) is int,
    "long": lambda value: type(value) is int,
    "double": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
}
