"""The API documents in the dialect of Swagger that ARI's clients read at run time."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from ..contract import Operation, Parameter, operations
from ..resources import RESOURCES
from . import quirks
from .models import Model, Property, models_of

API_VERSION = "2.0.0"
"""What each declaration claims."""
LISTED_VERSION = "10.0.0"
"""What the list of declarations claims, unless it is told otherwise; clients compare it."""
SWAGGER_VERSION = "1.1"
FOLDER = "/api-docs"
_MOST_KEPT = 64
_HEAD = {
    "_copyright": "The Arietta authors, Apache-2.0",
    "_author": "The Arietta authors",
    "_svn_revision": "$Revision$",
}


class ApiDocuments:
    """Descriptions of the API, as the dispatcher wants them; each is made when it is first asked for.

    `more` are further descriptions: their paths, with what makes them.
    """

    def __init__(
        self, more: Mapping[str, Callable[[], dict[str, Any]]] | None = None, api_version: str = LISTED_VERSION
    ) -> None:
        self._more = more or {}
        self._makers: dict[str, Callable[[], dict[str, Any]]] = {
            f"{FOLDER}/resources.json": partial(resource_list, api_version),
            **{f"{FOLDER}/{resource.NAME}.json": partial(api_declaration, resource) for resource in _resources()},
            **self._more,
        }
        self._made: dict[tuple[str, str], bytes] = {}

    def owns(self, path: str) -> bool:
        """Whether a path is a description's, existing or not."""
        return path in self._more or path == FOLDER or path.startswith(FOLDER + "/")

    def get(self, path: str, base_path: str) -> bytes | None:
        """A description as JSON that names `base_path` as its place."""
        made = self._made.get((path, base_path))
        if made is not None:
            return made
        make = self._makers.get(path)
        if make is None:
            return None
        document = make()
        if len(self._made) >= _MOST_KEPT:
            self._made.clear()
        made = self._made[path, base_path] = msgspec.json.encode(document | _place(document, base_path))
        return made


def resource_list(api_version: str = LISTED_VERSION) -> dict[str, Any]:
    """The list of all API declarations."""
    return {
        **_HEAD,
        "apiVersion": api_version,
        "swaggerVersion": SWAGGER_VERSION,
        "basePath": "",
        "apis": [
            {"path": f"{FOLDER}/{resource.NAME}.{{format}}", "description": _description(resource)}
            for resource in _resources()
        ],
    }


def api_declaration(resource: Any) -> dict[str, Any]:
    """The declaration of one resource: its operations by path, its models."""
    apis: dict[str, list[dict[str, Any]]] = {}
    for operation in operations(resource):
        apis.setdefault(operation.path, []).append(_operation(resource.NAME, operation))
    return {
        **_HEAD,
        "apiVersion": API_VERSION,
        "swaggerVersion": quirks.SWAGGER_VERSIONS.get(resource.NAME, SWAGGER_VERSION),
        "basePath": "",
        "resourcePath": f"{FOLDER}/{resource.NAME}.{{format}}",
        "apis": [
            {"path": path, "description": _path_description(found), "operations": found}
            for path, found in sorted(apis.items(), key=lambda pair: (pair[0].count("/"), pair[0]))
        ],
        "models": {model.name: _model(model) for model in models_of(resource.NAME)},
    }


def _operation(resource: str, operation: Operation) -> dict[str, Any]:
    declared: dict[str, Any] = {"httpMethod": operation.method, "since": list(operation.since)}
    if operation.upgrade is not None:
        declared |= {"upgrade": operation.upgrade, "websocketProtocol": "ari"}
    declared["summary"] = operation.summary
    if operation.notes:
        declared["notes"] = operation.notes
    declared["nickname"] = operation.nickname
    declared["responseClass"] = operation.response
    if operation.parameters:
        declared["parameters"] = [_parameter(resource, parameter) for parameter in operation.parameters]
    reasons: dict[int, str] = {}
    for failure in operation.failures:
        reasons.setdefault(failure.status, failure.reason)
    if reasons:
        declared["errorResponses"] = [{"code": code, "reason": reason} for code, reason in sorted(reasons.items())]
    return declared


def _parameter(resource: str, parameter: Parameter) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "name": parameter.name,
        "description": parameter.description,
        "paramType": parameter.where,
        "required": parameter.required,
        "allowMultiple": parameter.multiple,
        "dataType": parameter.kind,
    }
    if parameter.default is not None:
        declared["defaultValue"] = parameter.default
    if parameter.values:
        declared["allowableValues"] = {"valueType": "LIST", "values": list(parameter.values)}
    elif parameter.minimum is not None:
        declared["allowableValues"] = {"valueType": "RANGE", "min": parameter.minimum}
    for member in quirks.PARAMETERS_WITHOUT.get((resource, parameter.name), ()):
        del declared[member]
    return declared


def _model(model: Model) -> dict[str, Any]:
    declared: dict[str, Any] = {"id": model.name, "description": model.description}
    if model.sub_types:
        declared["subTypes"] = list(model.sub_types)
    if model.discriminator is not None:
        declared["discriminator"] = model.discriminator
    declared["properties"] = {
        held.name: _property(model.name, held)
        for held in model.properties
        if (model.name, held.name) not in quirks.UNDOCUMENTED_PROPERTIES
    }
    return declared


def _property(model: str, held: Property) -> dict[str, Any]:
    declared: dict[str, Any] = {"type": held.type, "description": held.description}
    if (model, held.name) not in quirks.PROPERTIES_WITHOUT_REQUIRED:
        declared["required"] = held.required
    values = quirks.VALUES.get((model, held.name), held.values)
    if values:
        declared["allowableValues"] = {"valueType": "LIST", "values": list(values)}
    return declared


def _resources() -> tuple[Any, ...]:
    return RESOURCES


def _description(resource: Any) -> str:
    return (resource.__doc__ or "").strip().partition("\n")[0]


def _path_description(found: list[dict[str, Any]]) -> str:
    return str(found[0]["summary"])


def _place(document: dict[str, Any], base_path: str) -> dict[str, Any]:
    """How a document says where its server is."""
    if "swaggerVersion" in document:
        return {"basePath": base_path}
    if "openapi" in document:
        return {"servers": [{"url": base_path}]}
    scheme, _, rest = base_path.partition("://")
    host, _, path = rest.partition("/")
    protocol = "wss" if scheme == "https" else "ws"
    return {"servers": {"arietta": {"host": host, "pathname": f"/{path}", "protocol": protocol}}}
