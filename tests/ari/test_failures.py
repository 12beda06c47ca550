"""Every failure an operation declares can be had, and nothing else comes out."""

from typing import Any

import pytest

from arietta.ari.contract import Operation, operations
from arietta.ari.failures import Failure
from arietta.ari.resources import RESOURCES
from arietta.ari.validate import response_problems

from .asking import Server, body_of

SENSIBLE = {
    "endpoint": "Local/a@b",
    "app": "conf",
    "media": "sound:x",
    "name": "r1",
    "format": "wav",
    "direction": "both",
    "dtmf": "1",
    "spy": "both",
    "external_host": "127.0.0.1:9000",
    "operation": "pause",
    "eventSource": "channel:c1",
    "deviceState": "BUSY",
    "source": "channel:c1",
    "destinationRecordingName": "r2",
    "otherChannelId": "y",
}
LEFT_OUT = {"encapsulation", "transport", "connection_type", "reason_code", "formats", "originator", "label"}
CASES: list[Any] = [
    pytest.param(operation, failure, id=f"{operation.nickname}-{failure.status}-{index}")
    for resource in RESOURCES
    for operation in operations(resource)
    for index, failure in enumerate(operation.all_failures)
    if operation.upgrade is None
]


def sensible_request(operation: Operation) -> tuple[str, dict[str, Any]]:
    """A request no parameter of which is wrong, as request line and JSON body."""
    path = operation.path
    members: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.where == "path":
            path = path.replace("{" + parameter.name + "}", "Stasis:x" if parameter.name == "deviceName" else "x")
        elif parameter.where == "body":
            if parameter.name == "fields":
                members["fields"] = [{"attribute": "a", "value": "b"}]
            elif not parameter.whole:
                members["variables"] = {"A": "b"}
        elif parameter.name not in LEFT_OUT:
            members[parameter.name] = SENSIBLE.get(parameter.name) or _value(parameter.kind, parameter.values)
    return f"{operation.method} {path}", members


def _value(kind: str, values: tuple[str, ...]) -> Any:
    if values:
        return values[-1]
    return {"int": 5, "long": 5, "boolean": True}.get(kind, "x")


@pytest.mark.parametrize(("operation", "failure"), CASES)
def test_a_refusal_of_the_domain_is_the_declared_answer(operation: Operation, failure: Failure) -> None:
    server = Server()
    refusal = failure.kind("Allocation failed") if failure.status == 500 else failure.kind("the reason")
    for part in server.parts.values():
        part.answers["*"] = refusal
    line, members = sensible_request(operation)
    answer = server.ask(line, json_body=members)
    assert answer.status == failure.status
    assert list(body_of(answer).values()) == [str(refusal)]
    assert response_problems(operation, answer.status, answer.body) == []


@pytest.mark.parametrize(
    ("line", "status", "wrong"),
    [
        ("POST /channels?endpoint=Local/a@b", 400, "Application or extension"),
        ("POST /channels?endpoint=Local&app=a", 400, "TECH/RESOURCE"),
        ("POST /channels?endpoint=/x&app=a", 400, "TECH/RESOURCE"),
        ("POST /channels?endpoint=Local/a@b&app=a&formats=ulaw&originator=x", 400, "Originator and formats"),
        ("POST /channels?endpoint=Local/a@b&app=a&channelId=" + "x" * 150, 400, "150 characters"),
        ("POST /channels?endpoint=Local/a@b&app=a&channelId=x&otherChannelId=x", 409, "equal: x"),
        ("POST /channels/x?endpoint=Local/a@b&app=a&otherChannelId=x", 409, "equal: x"),
        ("POST /channels?endpoint=Local/a@b&extension=a&label=0", 400, "Label 0"),
        ("POST /channels/create?endpoint=Local&app=a", 400, "TECH/RESOURCE"),
        ("POST /channels/c1/continue?label=0", 400, "Label 0"),
        ("DELETE /channels/c1?reason=nonsense", 400, "nonsense"),
        ("DELETE /channels/c1?reason=Busy", 400, "Busy"),
        ("DELETE /channels/c1?reason=busy&reason_code=17", 400, "both"),
        ("DELETE /channels/c1?reason_code=abc", 400, "abc"),
        ("POST /channels/c1/mute", 400, "Invalid direction: none"),
        ("POST /channels/c1/mute?direction=sideways", 400, "sideways"),
        ("DELETE /channels/c1/mute?direction=", 400, "Invalid direction"),
        ("POST /channels/c1/dtmf", 400, "DTMF is required"),
        ("POST /channels/c1/dtmf?dtmf=", 400, "DTMF is required"),
        ("POST /channels/c1/play", 500, "media"),
        ("POST /channels/c1/play?media=", 500, "media"),
        ("POST /channels/c1/record?format=wav", 500, "name"),
        ("POST /channels/c1/record?name=r", 422, "format"),
        ("POST /channels/c1/record?name=r&format=wav&terminateOn=maybe", 400, "maybe"),
        ("POST /channels/c1/record?name=r&format=wav&ifExists=maybe", 400, "maybe"),
        ("POST /channels/c1/record?name=r&format=wav&maxDurationSeconds=-1", 400, "-1"),
        ("POST /channels/c1/record?name=r&format=wav&maxSilenceSeconds=-2", 400, "-2"),
        ("POST /channels/c1/record?name=..%2Fr&format=wav", 500, "../r"),
        ("POST /channels/c1/variables", 400, "variables"),
        ("POST /channels/c1/snoop?app=a", 400, "Direction"),
        ("POST /channels/c1/snoop?app=a&spy=none&whisper=none", 400, "Direction"),
        ("POST /channels/c1/snoop?app=a&spy=up", 400, "up"),
        ("POST /channels/c1/snoop?spy=in", 400, "app"),
        ("POST /channels/externalMedia?external_host=127.0.0.1:9&format=ulaw", 400, "app"),
        ("POST /channels/externalMedia?app=a&format=ulaw", 400, "external_host"),
        ("POST /channels/externalMedia?app=a&external_host=127.0.0.1:9", 400, "format"),
        ("POST /channels/externalMedia?app=a&external_host=127.0.0.1&format=ulaw", 400, "HOST:PORT"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&direction=up", 400, "up"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&encapsulation=nonsense", 501, "nonsense"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&transport=tcp", 400, "udp, not tcp"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&encapsulation=audiosocket", 400, "tcp"),
        (
            "POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&encapsulation=audiosocket&transport=tcp",
            400,
            "data",
        ),
        ("POST /channels/externalMedia?app=a&external_host=x&format=ulaw&transport=websocket", 400, "udp"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&connection_type=server", 400, "server"),
        ("POST /channels/externalMedia?app=a&external_host=h:9&format=ulaw&encapsulation=none", 501, "none over udp"),
        ("POST /bridges/b1/play", 500, "Allocation failed"),
        ("POST /bridges/b1/record?name=r&format=wav&terminateOn=maybe", 400, "maybe"),
        ("POST /bridges/b1/variables", 400, "variables"),
        ("GET /bridges/b1/variables?variables=A,,B", 400, "empty name"),
        ("POST /applications/a/subscription", 400, "eventSource"),
        ("POST /applications/a/subscription?eventSource=", 400, "eventSource"),
        ("POST /applications/a/subscription?eventSource=nonsense:x", 400, "nonsense:x"),
        ("POST /applications/a/subscription?eventSource=justtext", 400, "justtext"),
        ("DELETE /applications/a/subscription?eventSource=nonsense:x", 400, "nonsense:x"),
        ("POST /asterisk/logging/l", 400, "configuration"),
        ("GET /asterisk/variable", 400, "variable"),
        ("PUT /deviceStates/PJSIP%2F6001?deviceState=BUSY", 409, "PJSIP/6001"),
        ("PUT /deviceStates/Stasis:?deviceState=BUSY", 404, "missing"),
        ("PUT /deviceStates/Stasis:x?deviceState=NONSENSE", 500, "NONSENSE"),
        ("PUT /deviceStates/Stasis:x?deviceState=UNKNOWN", 500, "UNKNOWN"),
        ("PUT /deviceStates/Stasis:x", 500, "none"),
        ("DELETE /deviceStates/plain", 409, "plain"),
        ("DELETE /deviceStates/Stasis:", 404, "missing"),
        ("POST /events/user/e", 400, "application"),
        ("POST /events/user/e?application=a&source=deviceState:x", 400, "deviceState:x"),
        ("POST /playbacks/p/control?operation=stop", 400, "stop"),
        ("POST /recordings/stored/r/copy", 400, "destinationRecordingName"),
    ],
)
def test_a_parameter_that_is_refused_names_what_is_wrong(line: str, status: int, wrong: str) -> None:
    server = Server()
    answer = server.ask(line)
    assert answer.status == status
    text = next(iter(body_of(answer).values()))
    assert wrong in text
    method, _, target = line.partition(" ")
    operation = server.api.operation(method, target.partition("?")[0])
    assert operation is not None
    assert response_problems(operation, answer.status, answer.body) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"X": 5},
        {"X": {"value": 5}},
        {"X": {"value": "5", "report_events": "yes"}},
        {"X": {}},
        {"X": [1]},
        ["X"],
        {"": "x"},
    ],
)
def test_variables_that_are_no_texts(variables: Any) -> None:
    server = Server()
    for line in (
        "POST /channels?endpoint=Local/a@b&app=a",
        "POST /channels/c1/variables",
        "POST /bridges/b1/variables",
    ):
        assert server.ask(line, json_body={"variables": variables}).status == 400
    texts = server.ask("PUT /endpoints/sendMessage?to=pjsip:a&from=b", json_body={"variables": variables})
    assert texts.status == (202 if variables == {"": "x"} else 400)


@pytest.mark.parametrize(
    "body", [{"allowed": "StasisStart"}, {"allowed": ["StasisStart"]}, {"disallowed": [{"name": "x"}]}]
)
def test_filters_that_are_none(body: Any) -> None:
    assert Server().ask("PUT /applications/a/eventFilter", json_body=body).status == 400


@pytest.mark.parametrize("fields", [{}, ["a"], [{"attribute": "a"}], [{"attribute": "a", "value": 5}]])
def test_fields_that_are_none(fields: Any) -> None:
    answer = Server().ask("PUT /asterisk/config/dynamic/res_pjsip/aor/x", json_body={"fields": fields})
    assert answer.status == 400
