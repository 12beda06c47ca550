"""Models as the documents see them: names, properties, types, who belongs to which file."""

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, UnsetType

from arietta.model import events, snapshots

MODELS_OF: dict[str, tuple[str, ...]] = {
    "applications": ("Application",),
    "asterisk": (
        "BuildInfo",
        "SystemInfo",
        "SetId",
        "ConfigInfo",
        "StatusInfo",
        "AsteriskInfo",
        "AsteriskPing",
        "Module",
        "LogChannel",
        "Variable",
        "Variables",
        "ConfigTuple",
    ),
    "bridges": ("Bridge",),
    "channels": ("Dialed", "DialplanCEP", "CallerID", "RTPstat", "Channel"),
    "deviceStates": ("DeviceState",),
    "endpoints": ("Endpoint", "TextMessage"),
    "mailboxes": ("Mailbox",),
    "playbacks": ("Playback",),
    "recordings": ("StoredRecording", "LiveRecording"),
    "sounds": ("FormatLangPair", "Sound"),
}
"""Models of each resource but `events`, which has all the rest."""

_SUPPORTING = (
    events.MissingParams,
    events.ContactInfo,
    events.Peer,
    events.ReferTo,
    events.ReferredBy,
    events.RequiredDestination,
    events.AdditionalParam,
    events.RESTHeader,
    events.RESTQueryStringParameter,
    events.RESTRequest,
)


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a model."""

    name: str
    type: str
    """Swagger's name: a primitive, a model, or `List[...]`."""
    description: str
    required: bool
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One model."""

    name: str
    description: str
    properties: tuple[Property, ...]
    sub_types: tuple[str, ...] = ()
    discriminator: str | None = None


def models_of(resource: str) -> list[Model]:
    """Models that a resource's file defines."""
    if resource == "events":
        return _event_models()
    return [_model(getattr(snapshots, name)) for name in MODELS_OF[resource]]


def _event_models() -> list[Model]:
    kinds: list[type[Struct]] = [*_SUPPORTING, *events.CLASSES.values()]
    base = Model(
        "Message",
        "What is sent over the event socket.",
        (
            Property("type", "string", "Kind of the message.", True),
            Property("asterisk_id", "string", "Identifier of the server that sends it.", False),
        ),
        ("MissingParams", "Event"),
        "type",
    )
    event = Model(
        "Event",
        "Something that happened.",
        (
            Property("application", "string", "Application that is told.", True),
            Property("timestamp", "Date", "Time at which it happened.", True),
        ),
        tuple(events.CLASSES),
    )
    return [base, event, *map(_model, kinds)]


def _model(kind: type[Struct]) -> Model:
    hints = get_type_hints(kind, include_extras=True)
    is_event = issubclass(kind, events.Event)
    fields = [
        field for field in msgspec.structs.fields(kind) if not (is_event and field.encode_name in ("type", "timestamp"))
    ]
    properties = [_property(field.encode_name, hints[field.name], field.required) for field in fields]
    if kind is events.RESTRequest:
        properties.insert(0, Property("type", "string", "Always `RESTRequest`.", True))
    description = (kind.__doc__ or "").strip().partition("\n")[0]
    return Model(kind.__name__, description, tuple(properties))


def _property(name: str, hint: Any, required: bool) -> Property:
    description = ""
    if get_origin(hint) is Annotated:
        description = "".join(extra.description or "" for extra in hint.__metadata__ if hasattr(extra, "description"))
    type_name, values = _type(hint)
    return Property(name, type_name, description, required, values)


def _type(hint: Any) -> tuple[str, tuple[str, ...]]:
    """Swagger's name of a type, with the values it is limited to."""
    if get_origin(hint) is Annotated:
        for extra in hint.__metadata__:
            named = (getattr(extra, "extra", None) or {}).get("dataType")
            if named:
                return named, ()
        return _type(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        options = [option for option in get_args(hint) if option not in (UnsetType, NoneType)]
        return _type(options[0])
    if get_origin(hint) is Literal:
        return "string", get_args(hint)
    if get_origin(hint) is list:
        return f"List[{_type(get_args(hint)[0])[0]}]", ()
    if get_origin(hint) is dict:
        return "object", ()
    return _PRIMITIVES.get(hint, getattr(hint, "__name__", "object")), ()


_PRIMITIVES = {str: "string", int: "int", float: "double", bool: "boolean"}
