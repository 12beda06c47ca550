"""The generated methods: they are what the declarations say, and the server reads what they send."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

import arietta.client.operations
from arietta.ari.binding import compile_binder, decode
from arietta.ari.contract import Operation, operations
from arietta.ari.projections import python_client
from arietta.ari.projections.python_client import snake
from arietta.ari.resources import RESOURCES
from arietta.client.carrier import Carrier, Place
from arietta.client.operations import Resources
from arietta.client.responses import Response

EVERY = [(resource, held) for resource in RESOURCES for held in operations(resource) if held.upgrade is None]
VALUES = {"string": "a b/c,d+é&=", "int": 7, "long": 7_000_000_000, "boolean": True}


class Recorder(Carrier):
    """A carrier that keeps what it would send, and answers nothing."""

    def __init__(self) -> None:
        super().__init__(Place.parse("http://host:8088/ari", "user", "password"), tls=None, within=1, most=1)
        self.sent: list[bytes] = []

    async def _request(self, *asked: Any) -> Response:
        self.sent.append(self._encode(*asked, *([None] * (5 - len(asked)))))
        return Response(200, "OK", b"")


def given(operation: Operation) -> dict[str, Any]:
    """A value for each parameter, by the name the server binds it to."""
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.where == "body":
            is_list = parameter.name == "fields"
            values[parameter.argument] = [{"attribute": "a", "value": "b"}] if is_list else {"PLACE": "väl,ue"}
            continue
        value = parameter.values[-1] if parameter.values else VALUES[parameter.kind]
        if parameter.where == "query" and parameter.multiple:
            value = ["one", "two"]
        values[parameter.argument] = value
    return values


def test_the_file_is_what_the_generator_writes() -> None:
    path = Path(arietta.client.operations.__file__)
    assert path.read_text(encoding="utf-8") == python_client.module(), "run `arietta reference`"


@pytest.mark.parametrize(
    ("resource", "operation"), EVERY, ids=[f"{resource.NAME}.{held.nickname}" for resource, held in EVERY]
)
def test_the_server_binds_what_the_method_sends(resource: Any, operation: Operation) -> None:
    carrier = Recorder()
    method = getattr(getattr(Resources(carrier), snake(resource.NAME)), snake(operation.nickname))
    values = given(operation)
    by_name = {snake(parameter.name): values[parameter.argument] for parameter in operation.parameters}
    try:
        asyncio.run(method(**by_name))
    except arietta.client.UnexpectedAnswer:
        assert operation.response not in ("void", "binary")  # an empty body is no model
    head, _, body = carrier.sent[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    verb, target, _ = first.split(" ")
    parts = urlsplit(target)
    sent, declared = parts.path.split("/")[2:], operation.path.split("/")[1:]
    assert verb == operation.method and len(sent) == len(declared)
    segments = [decode(piece) for piece, name in zip(sent, declared, strict=True) if name.startswith("{")]
    assert all(piece == name for piece, name in zip(sent, declared, strict=True) if not name.startswith("{"))
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    carried = SimpleNamespace(query_string=parts.query, headers=fields, body=body)
    bound = compile_binder(operation)(carried, segments)
    assert {name: values[name] for name in bound} == bound
    assert set(bound) == set(values)


def test_defaults_are_those_of_the_documents() -> None:
    signature = inspect.signature(arietta.client.operations.Channels.mute)
    assert signature.parameters["direction"].default == "both"
    signature = inspect.signature(arietta.client.operations.Channels.record)
    assert signature.parameters["name"].default is inspect.Parameter.empty
    assert (signature.parameters["if_exists"].default, signature.parameters["beep"].default) == ("fail", False)


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("channelId", "channel_id"),
        ("sendDTMF", "send_dtmf"),
        ("absorbDTMF", "absorb_dtmf"),
        ("reason_code", "reason_code"),
        ("from", "from_"),
        ("RTPstat", "rt_pstat"),
    ],
)
def test_names(wire: str, python: str) -> None:
    assert snake(wire) == python
