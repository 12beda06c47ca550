"""The documents against the facts of the interface: every operation, parameter, failure and model."""

import json
from pathlib import Path
from typing import Any

import pytest

from arietta.ari.projections import documents, openapi, swagger
from arietta.ari.projections.markdown import reference
from arietta.ari.resources import RESOURCES
from arietta.ari.routing import Routes

FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "surface.json").read_text())
TEXTS = ("description", "summary", "notes")
NAMES: tuple[str, ...] = tuple(vars(resource)["NAME"] for resource in RESOURCES)


def declaration(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(documents().get(f"/api-docs/{name}.json", "http://host/ari") or b"")
    return found


def described(value: Any) -> Any:
    """A document without what only people read."""
    if isinstance(value, dict):
        return {key: described(held) for key, held in value.items() if key not in TEXTS or isinstance(held, dict)}
    return [described(element) for element in value] if isinstance(value, list) else value


def stated(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation in the form of the facts."""
    found = {
        "method": operation["httpMethod"],
        "path": path,
        "nickname": operation["nickname"],
        "response": operation["responseClass"],
        "since": operation["since"],
        "parameters": operation.get("parameters", []),
        "errors": sorted(error["code"] for error in operation.get("errorResponses", [])),
    }
    if "upgrade" in operation:
        found["upgrade"] = operation["upgrade"]
    return found


def test_there_are_eleven_resources_with_109_operations() -> None:
    listed = json.loads(documents().get("/api-docs/resources.json", "http://host/ari") or b"")
    assert [api["path"] for api in listed["apis"]] == [f"/api-docs/{name}.{{format}}" for name in FACTS["resources"]]
    assert sum(len(facts["operations"]) for facts in FACTS["resources"].values()) == 109


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_those_of_the_interface(name: str) -> None:
    document = described(declaration(name))
    facts = FACTS["resources"][name]
    assert document["swaggerVersion"] == facts["swaggerVersion"]
    assert document["apiVersion"] == facts["apiVersion"]
    assert document["resourcePath"] == f"/api-docs/{name}.{{format}}"
    found = {
        operation["nickname"]: stated(api["path"], operation)
        for api in document["apis"]
        for operation in api["operations"]
    }
    assert sorted(found) == sorted(fact["nickname"] for fact in facts["operations"])
    for fact in facts["operations"]:
        expected = fact | {"errors": sorted(fact["errors"])}
        assert found[fact["nickname"]] == expected


@pytest.mark.parametrize("name", NAMES)
def test_models_are_those_of_the_interface(name: str) -> None:
    found = described(declaration(name))["models"]
    expected = {model: fact for model, fact in FACTS["models"].items() if fact["resource"] == name}
    assert sorted(found) == sorted(expected)
    for model, fact in expected.items():
        assert found[model]["properties"] == fact["properties"], model
        assert sorted(found[model].get("subTypes", [])) == sorted(fact["subTypes"]), model
        assert found[model].get("discriminator") == fact["discriminator"], model
        assert found[model]["id"] == model


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_described(name: str) -> None:
    document = declaration(name)
    for api in document["apis"]:
        assert api["description"]
        for operation in api["operations"]:
            assert operation["summary"].endswith("."), operation["nickname"]
            assert all(parameter["description"].endswith(".") for parameter in operation.get("parameters", []))
            assert all(error["reason"].endswith(".") for error in operation.get("errorResponses", []))
    for model in document["models"].values():
        assert model["description"].rstrip(".") != model["description"], model["id"]
        assert all(
            held["description"].endswith(".") or "`" in held["description"] for held in model["properties"].values()
        )


def test_no_operation_is_declared_twice() -> None:
    routes = Routes()
    for resource in RESOURCES:
        for operation in swagger.operations(resource):
            routes.add(operation, lambda request, segments: None)
    with pytest.raises(ValueError, match="declared twice"):
        routes.add(swagger.operations(RESOURCES[0])[0], lambda request, segments: None)


def test_openapi_names_every_operation_once_and_refers_to_what_is_there() -> None:
    document = openapi.document()
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == 109
    schemas = document["components"]["schemas"]
    references = {found.removeprefix("#/components/schemas/") for found in references_in(document)}
    assert references <= set(schemas)
    assert set(FACTS["models"]) <= set(schemas)


def test_asyncapi_refers_to_what_is_there() -> None:
    document = json.loads(documents().get("/asyncapi.json", "https://host/ari") or b"")
    assert document["servers"]["arietta"]["protocol"] == "wss"
    for found in references_in(document):
        place: Any = document
        for step in found.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_the_reference_page_has_every_operation_and_model() -> None:
    headings = [line.removeprefix("### ") for line in reference().splitlines() if line.startswith("### ")]
    operations = [fact for facts in FACTS["resources"].values() for fact in facts["operations"]]
    assert sorted(headings) == sorted(
        [f"{fact['method']} {fact['path']}" for fact in operations]
        + [name for name in FACTS["models"] if name not in ("Message", "Event")]
    )


def test_the_reference_page_tells_documented_failures_from_others() -> None:
    page = reference()
    section = page[page.index("### POST /channels/{channelId}/play\n") :]
    section = section[: section.index("\n### ", 1)]
    assert "| 412 | Channel in invalid state. |" in section
    assert "| *500* | *The server could not do it.* |" in section
    assert "| **media** | query | list of string | Media to play, in order. |" in section
    assert "Answers 201: `Playback`, with a Location." in section


def references_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for element in value for found in references_in(element)}
    if not isinstance(value, dict):
        return set()
    found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return found | {inner for element in value.values() for inner in references_in(element)}
