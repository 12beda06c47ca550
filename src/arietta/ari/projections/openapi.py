"""The API as an OpenAPI 3.1 document."""

from typing import Any

import arietta

from ..contract import Operation, Parameter, operations
from ..resources import RESOURCES
from .schemas import REFERENCE, body_schema, component_schemas, parameter_schema, type_schema

PATH = "/openapi.json"
BODY_UNREADABLE = "The body is not JSON, or holds a value of a kind that does not belong there."
_REFUSAL = {"application/json": {"schema": {"$ref": REFERENCE + "Refusal"}}}


def document() -> dict[str, Any]:
    """The whole document; `servers` is for whoever serves it."""
    paths: dict[str, dict[str, Any]] = {}
    for resource in RESOURCES:
        for operation in operations(resource):
            name: str = vars(resource)["NAME"]
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(name, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Asterisk REST Interface of Arietta",
            "version": arietta.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/ari"}],
        "security": [{"basic": []}, {"api_key": []}],
        "tags": [
            {"name": vars(resource)["NAME"], "description": (resource.__doc__ or "").strip()} for resource in RESOURCES
        ],
        "paths": paths,
        "components": {
            "schemas": component_schemas(),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "api_key": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "api_key",
                    "description": "USER:PASSWORD",
                },
            },
        },
    }


def _operation(resource: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{resource}_{operation.nickname}",
        "tags": [resource],
        "summary": operation.summary,
    }
    if operation.notes:
        described["description"] = operation.notes
    parameters = [_parameter(parameter) for parameter in operation.parameters if parameter.where != "body"]
    if parameters:
        described["parameters"] = parameters
    body = _request_body(operation)
    if body is not None:
        described["requestBody"] = body
    described["responses"] = _responses(operation)
    described["x-since"] = list(operation.since)
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        # Every parameter of the query may stand in the body instead.
        "required": parameter.where == "path",
        "schema": parameter_schema(parameter),
    }
    if parameter.multiple:
        described |= {"style": "form", "explode": False}
    return described


def _request_body(operation: Operation) -> dict[str, Any] | None:
    """Parameters as members of a JSON body, or as a form."""
    members = [parameter for parameter in operation.parameters if parameter.where != "path"]
    if not members or operation.upgrade is not None:
        return None
    texts = {member.name: _member(member) for member in members if member.where == "query"}
    body: dict[str, Any] = {"type": "object", "properties": dict(texts)}
    for member in members:
        if member.where == "body" and member.whole:
            content_of_body = body_schema(member)
            body["properties"] |= content_of_body.pop("properties", {})
            body |= {key: held for key, held in content_of_body.items() if key != "type"}
        elif member.where == "body":
            body["properties"][member.name] = _member(member)
    content: dict[str, Any] = {"application/json": {"schema": body}}
    if texts:
        content["application/x-www-form-urlencoded"] = {"schema": {"type": "object", "properties": texts}}
    return {"required": False, "content": content}


def _member(parameter: Parameter) -> dict[str, Any]:
    schema = body_schema(parameter) if parameter.where == "body" else parameter_schema(parameter)
    return schema | {"description": parameter.description}


def _responses(operation: Operation) -> dict[str, Any]:
    if operation.upgrade is not None:
        return {"101": {"description": "The socket is open."}, "426": {"description": "No upgrade was asked for."}}
    answered: dict[str, Any] = {"description": "Done."}
    if operation.response == "binary":
        answered["content"] = {"audio/*": {}}
    elif operation.response != "void":
        answered["content"] = {"application/json": {"schema": type_schema(operation.response)}}
    if operation.location is not None:
        answered["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Where it is found."}}
    responses = {str(operation.success): answered}
    reasons: dict[int, list[str]] = {}
    for failure in operation.all_failures:
        reasons.setdefault(failure.status, []).append(failure.reason)
    reasons.setdefault(400, []).append(BODY_UNREADABLE)
    for status, texts in sorted(reasons.items()):
        responses[str(status)] = {"description": " ".join(dict.fromkeys(texts)), "content": _REFUSAL}
    responses["401"] = {"description": "No such user, or a wrong password.", "content": _REFUSAL}
    return responses
