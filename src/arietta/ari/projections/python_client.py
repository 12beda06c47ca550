"""The operations of the typed Python client, as the text of `arietta/client/operations.py`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ..contract import Body, Operation, Parameter, operations
from ..resources import RESOURCES

WIDTH = 110
LONGEST_LINE = 120
HEAD = '''"""Every operation of the ARI as a method. Made by `arietta reference` from the declarations; do not edit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec.json import Decoder

from arietta.model import snapshots

from .carrier import Carrier, segment
'''
ERRORS = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "InvalidState",
    422: "Unprocessable",
    500: "ServerError",
    501: "NotSupported",
}
"""What the client raises for a status; see `arietta/client/errors.py`."""
PLAIN = {str: "str", int: "int", bool: "bool", Any: "Any"}


def module() -> str:
    """The whole module."""
    resources: tuple[Any, ...] = RESOURCES
    shown = [(resource, [held for held in operations(resource) if held.upgrade is None]) for resource in resources]
    every = [held for _, found in shown for held in found]
    words = _words(every)
    lines = [HEAD]
    for (_, values), alias in words.items():
        quoted = [f'"{value}"' for value in values]
        many = [f"{alias} = Literal[", *(f"    {value}," for value in quoted), "]"]
        lines += many if len(quoted) > 1 else [f"{alias} = Literal[{quoted[0]}]"]
    lines += ["", *_decoders(every)]
    for resource, found in shown:
        lines += _resource(resource, found, words)
    lines += _all_resources(resources)
    return "\n".join(lines) + "\n"


def snake(name: str) -> str:
    """A name of the wire as Python writes it: `channelId` is `channel_id`, `sendDTMF` is `send_dtmf`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return words + "_" if words in ("from", "continue") else words


Words = dict[tuple[str, tuple[str, ...]], str]


def _words(every: Iterable[Operation]) -> Words:
    """Aliases for parameters that take one of a few words: by the parameter's name, with the operation's if need be."""
    found: Words = {}
    for operation in every:
        for parameter in operation.parameters:
            key = (parameter.name, parameter.values)
            if parameter.values and key not in found:
                alias = _pascal(parameter.name)
                found[key] = alias if alias not in found.values() else _pascal(operation.nickname) + alias
    return found


def _decoders(every: Iterable[Operation]) -> list[str]:
    answers = {held.response for held in every} - {"void", "binary"}
    ordered = sorted(answers, key=lambda name: (name.startswith("List["), name))
    return [f"{_constant(answer)} = Decoder({_answer_type(answer).replace('Sequence', 'list')})" for answer in ordered]


def _resource(resource: Any, found: list[Operation], words: Words) -> list[str]:
    lines = ["", "", f"class {resource.__name__}:", f'    """{resource.__doc__}."""', ""]
    lines += ["    def __init__(self, carrier: Carrier) -> None:", "        self._carrier = carrier"]
    for operation in found:
        lines += ["", *_method(operation, words)]
    return lines


def _method(operation: Operation, words: Words) -> list[str]:
    hints = get_type_hints(operation.function, include_extras=True)
    places = re.findall(r"{(\w+)}", operation.path)
    in_path = {held.name: held for held in operation.parameters if held.where == "path"}
    ordered = [in_path[name] for name in places] + [held for held in operation.parameters if held.where != "path"]
    answer = _answer_type(operation.response)
    name = snake(operation.nickname)
    if ordered:
        lines = [f"    async def {name}(", "        self,", "        *,"]
        lines += [f"        {_argument(held, hints[held.argument], words)}," for held in ordered]
        lines += [f"    ) -> {answer}:"]
    else:
        lines = [f"    async def {name}(self) -> {answer}:"]
    return [*lines, *_docstring(operation, ordered), *_call(operation, ordered)]


def _argument(parameter: Parameter, hint: Any, words: Words) -> str:
    kind = words.get((parameter.name, parameter.values)) or _type(hint)
    if parameter.values and parameter.multiple:
        kind = f"Sequence[{kind}]"
    if parameter.required:
        return f"{snake(parameter.name)}: {kind}"
    if parameter.default is None:
        return f"{snake(parameter.name)}: {kind} | None = None"
    default = f'"{parameter.default}"' if isinstance(parameter.default, str) else str(parameter.default)
    return f"{snake(parameter.name)}: {kind} = {default}"


def _docstring(operation: Operation, parameters: list[Parameter]) -> list[str]:
    paragraphs = [operation.summary.rstrip(".") + "."]
    if operation.notes:
        paragraphs += ["", *textwrap.wrap(operation.notes, WIDTH - 8)]
    if parameters:
        paragraphs.append("")
    for held in parameters:
        paragraphs += textwrap.wrap(
            f"{snake(held.name)}: {held.description}", WIDTH - 8, subsequent_indent="    ", break_on_hyphens=False
        )
    statuses = sorted({failure.status for failure in operation.all_failures})
    if statuses:
        paragraphs += ["", f"Raises {', '.join(ERRORS[status] for status in statuses)}."]
    if len(paragraphs) == 1:
        return [f'        """{paragraphs[0]}"""']
    first, *rest = paragraphs
    return [f'        """{first}', *(f"        {line}" if line else "" for line in rest), '        """']


def _call(operation: Operation, parameters: list[Parameter]) -> list[str]:
    path = re.sub(r"{(\w+)}", lambda found: "{segment(" + snake(found[1]) + ")}", operation.path)
    path = f'f"{path}"' if "{" in path else f'"{path}"'
    whole = [held for held in parameters if held.where == "body" and held.whole]
    given = [held for held in parameters if held.where != "path" and held not in whole]
    in_body = operation.method in ("POST", "PUT") and not whole
    lines = []
    for name, members in (("query", [] if in_body else given), ("body", given if in_body else [])):
        if members:
            lines += [f"            {name}={{"]
            lines += [f'                "{held.name}": {snake(held.name)},' for held in members]
            lines += ["            },"]
    lines += [f"            whole={snake(held.name)}," for held in whole]
    verb = {"void": "tell", "binary": "fetch"}.get(operation.response, "ask")
    start = "        await" if verb == "tell" else "        return await"
    decoder = [f"            {_constant(operation.response)},"] if verb == "ask" else []
    last = f", {_constant(operation.response)}" if decoder else ""
    short = f'{start} self._carrier.{verb}("{operation.method}", {path}{last})'
    if not lines and len(short) <= LONGEST_LINE:
        return [short]
    return [
        f"{start} self._carrier.{verb}(",
        f'            "{operation.method}",',
        f"            {path},",
        *decoder,
        *lines,
        "        )",
    ]


def _all_resources(resources: tuple[Any, ...]) -> list[str]:
    lines = ["", "", "class Resources:", '    """All of them, on one carrier."""', ""]
    lines += ["    def __init__(self, carrier: Carrier) -> None:"]
    return lines + [f"        self.{snake(resource.NAME)} = {resource.__name__}(carrier)" for resource in resources]


def _type(hint: Any) -> str:
    """A parameter's type as a client gives it; None is not part of it."""
    if get_origin(hint) is Annotated:
        return "Mapping[str, Any]" if _is_object(hint) else _type(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return _type(next(option for option in get_args(hint) if option is not NoneType))
    if get_origin(hint) is list:
        return f"Sequence[{_type(get_args(hint)[0])}]"
    if get_origin(hint) is dict:
        return "Mapping[" + ", ".join(_type(each) for each in get_args(hint)) + "]"
    return PLAIN[hint]


def _is_object(hint: Any) -> bool:
    return any(isinstance(extra, Body) and extra.kind == "object" for extra in hint.__metadata__)


def _answer_type(answer: str) -> str:
    if answer.startswith("List["):
        return f"Sequence[snapshots.{answer[5:-1]}]"
    return {"void": "None", "binary": "bytes"}.get(answer, f"snapshots.{answer}")


def _constant(answer: str) -> str:
    """The name of the decoder of an answer."""
    inner = answer.removeprefix("List[").removesuffix("]")
    return "_" + snake(inner).upper() + ("_LIST" if inner != answer else "")


def _pascal(name: str) -> str:
    return "".join(word.title() for word in snake(name).strip("_").split("_"))
