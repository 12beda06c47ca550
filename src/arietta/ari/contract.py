"""An operation of the ARI, declared once: its route, parameters, failures and documents.

Keyword-only arguments of a method are the parameters of its operation:

    @operation("GET", "/channels/{channelId}", since=("12.0.0",), failures=(CHANNEL_NOT_FOUND,))
    def get(self, *, channel_id: Annotated[str, Path("channelId", "Channel's id.")]) -> Channel:
        \"\"\"Channel details.\"\"\"

A parameter without a default is required: its absence is a 400 before the method runs.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from arietta.model.wire import Encoded

from .failures import Failure

Method = TypeVar("Method", bound=Callable[..., Any])
PROPERTY = "__ari_operations__"


@dataclass(frozen=True, slots=True)
class Path:
    """A parameter that is a segment of the path."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter from the query, a form, or a member of a JSON body.

    `required`, `default` and `kind` say what the documents claim where that differs from what is enforced.
    """

    name: str
    description: str
    values: tuple[str, ...] = ()
    minimum: int | None = None
    required: bool | None = None
    default: str | int | bool | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A parameter from a JSON body: its member `name`, or the `whole` of it."""

    name: str
    description: str
    whole: bool = False
    kind: Literal["containers", "object"] = "containers"
    required: bool = False


Where = Literal["path", "query", "body"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, with what its documents say."""

    name: str
    where: Where
    argument: str
    """Name of the method's keyword."""
    kind: str
    """Type on the wire: string, int, long, boolean, object or containers."""
    description: str
    required: bool
    """What the documents claim."""
    enforced: bool
    """Whether its absence is a 400 before the operation runs."""
    multiple: bool
    whole: bool
    values: tuple[str, ...]
    minimum: int | None
    default: str | int | bool | None
    """What the documents claim; None if they claim nothing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a client may ask."""

    method: str
    path: str
    nickname: str
    summary: str
    notes: str
    since: tuple[str, ...]
    failures: tuple[Failure, ...]
    undocumented: tuple[Failure, ...]
    success: int
    location: Callable[[Any], str] | None
    response: str
    """Model of the answer: `void`, `binary`, a name, or `List[NAME]`."""
    parameters: tuple[Parameter, ...]
    upgrade: str | None
    function: Callable[..., Any] = field(repr=False)

    @property
    def all_failures(self) -> tuple[Failure, ...]:
        """What is declared, with what happens although the documents do not list it."""
        return self.failures + self.undocumented


@dataclass(frozen=True, slots=True)
class _Declaration:
    method: str
    path: str
    nickname: str
    since: tuple[str, ...]
    failures: tuple[Failure, ...]
    undocumented: tuple[Failure, ...]
    success: int | None
    location: Callable[[Any], str] | None
    upgrade: str | None


def operation(
    method: str,
    path: str,
    *,
    nickname: str,
    since: tuple[str, ...],
    failures: tuple[Failure, ...] = (),
    undocumented: tuple[Failure, ...] = (),
    success: int | None = None,
    location: Callable[[Any], str] | None = None,
    upgrade: str | None = None,
) -> Callable[[Method], Method]:
    """Declare a method as an operation; declared twice, it serves two paths.

    `failures` are what Asterisk documents, `undocumented` what happens besides. `success` is 200 with a
    body and 204 without unless told. `location` makes the Location header from the answer.
    """

    def declare(function: Method) -> Method:
        declaration = _Declaration(
            method,
            path,
            nickname,
            since,
            failures,
            undocumented,
            success,
            location,
            upgrade,
        )
        declared: list[_Declaration] = getattr(function, PROPERTY, [])
        declared.insert(0, declaration)
        setattr(function, PROPERTY, declared)
        return function

    return declare


def operations(resource: type) -> tuple[Operation, ...]:
    """All operations a resource class and its bases declare, in the order they stand there."""
    found = _COMPILED.get(resource)
    if found is None:
        found = _COMPILED[resource] = tuple(
            _compile(function, declaration)
            for part in resource.__mro__
            for function in vars(part).values()
            for declaration in getattr(function, PROPERTY, ())
        )
    return found


_COMPILED: dict[type, tuple[Operation, ...]] = {}


def _compile(function: Callable[..., Any], declared: _Declaration) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters: list[Parameter] = []
    leading = 0
    for argument in signature.parameters.values():
        if argument.name == "self":
            continue
        parameter = _parameter(argument, hints[argument.name])
        if parameter.where == "query" and "{" + parameter.name + "}" in declared.path:
            parameters.insert(leading, _as_path(parameter))
            continue
        if parameter.where == "path" and "{" + parameter.name + "}" not in declared.path:
            raise TypeError(f"{function.__qualname__}: {declared.path} has no {{{parameter.name}}}")
        if parameter.where == "path" and leading == len(parameters):
            leading += 1
        parameters.append(parameter)
    response = _response(hints.get("return", NoneType))
    success = declared.success or (204 if response == "void" else 200)
    summary, _, notes = inspect.cleandoc(function.__doc__ or "").partition("\n")
    return Operation(
        method=declared.method,
        path=declared.path,
        nickname=declared.nickname,
        summary=summary,
        notes=" ".join(notes.split()),
        since=declared.since,
        failures=declared.failures,
        undocumented=declared.undocumented,
        success=success,
        location=declared.location,
        response=response,
        parameters=tuple(parameters),
        upgrade=declared.upgrade,
        function=function,
    )


def _parameter(argument: inspect.Parameter, hint: Any) -> Parameter:
    if argument.kind is not inspect.Parameter.KEYWORD_ONLY or get_origin(hint) is not Annotated:
        raise TypeError(f"{argument.name} must be keyword-only with Path, Query or Body")
    mark = next((extra for extra in hint.__metadata__ if isinstance(extra, Path | Query | Body)), None)
    kind, multiple = _kind(get_args(hint)[0])
    given = argument.default is not inspect.Parameter.empty
    default = argument.default if given else None
    if isinstance(mark, Path):
        return Parameter(
            mark.name, "path", argument.name, kind, mark.description, True, True, False, False, (), None, None
        )
    if isinstance(mark, Body):
        return Parameter(
            mark.name,
            "body",
            argument.name,
            mark.kind,
            mark.description,
            mark.required,
            False,
            False,
            mark.whole,
            (),
            None,
            None,
        )
    if not isinstance(mark, Query):
        raise TypeError(f"{argument.name} is neither Path, Query nor Body")
    required = mark.required if mark.required is not None else not given
    return Parameter(
        name=mark.name,
        where="query",
        argument=argument.name,
        kind=mark.kind or kind,
        description=mark.description,
        required=required,
        enforced=not given,
        multiple=multiple,
        whole=False,
        values=mark.values,
        minimum=mark.minimum,
        default=mark.default if mark.default is not None or required else default,
    )


def _as_path(parameter: Parameter) -> Parameter:
    return Parameter(
        parameter.name,
        "path",
        parameter.argument,
        parameter.kind,
        parameter.description,
        True,
        True,
        False,
        False,
        (),
        None,
        None,
    )


def _kind(hint: Any) -> tuple[str, bool]:
    """Wire type and whether there may be several."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(option for option in get_args(hint) if option is not NoneType)
    if get_origin(hint) is Annotated:
        for extra in hint.__metadata__:
            named = (getattr(extra, "extra", None) or {}).get("dataType")
            if named:
                return named, False
        return _kind(get_args(hint)[0])
    if get_origin(hint) is list:
        return _kind(get_args(hint)[0])[0], True
    if get_origin(hint) is Literal:
        return "string", False
    return {str: "string", int: "int", bool: "boolean"}.get(hint, "object"), False


def _response(hint: Any) -> str:
    """Name of the model that a return annotation promises."""
    if get_origin(hint) in (Union, UnionType):
        names = {_response(option) for option in get_args(hint)} - {""}
        if len(names) != 1:
            raise TypeError(f"{hint} promises more than one model: {sorted(names)}")
        return names.pop()
    if get_origin(hint) in (list, Sequence):
        inner = _response(get_args(hint)[0])
        return f"List[{inner}]" if inner else ""
    if get_origin(hint) is Awaitable:
        return _response(get_args(hint)[0])
    if hint is Encoded:
        return ""
    if hint is NoneType or hint is None:
        return "void"
    name: str = hint.__name__
    return {"Download": "binary", "Upgrade": "Message"}.get(name, name)
