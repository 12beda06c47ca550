"""From what a client sent to the keyword arguments of an operation.

Sources are the query, a form and a JSON body: JSON wins over the query, the query over the form; of a
repeated parameter the last counts. Texts become lists at commas, integers as C's atoi reads them, and
booleans by the words yes, true, y, t, 1 and on. A JSON member of the wrong type, null where a text belongs
too, counts as not given.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote_plus

import msgspec

from arietta.errors import BadRequest

from .contract import Operation, Parameter

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"

_TRUE_WORDS = frozenset({"yes", "true", "y", "t", "1", "on"})
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,30})")
_INT_MAXIMUM, _INT_MINIMUM = 2**31 - 1, -(2**31)
_LONG_MAXIMUM, _LONG_MINIMUM = 2**63 - 1, -(2**63)
_decode_json = msgspec.json.decode

Texts = dict[str, str]
Arguments = dict[str, Any]
Convert = Callable[[str], Any]
Binder = Callable[["Carried", list[str]], Arguments]


class HeaderNames(Protocol):
    """Headers of a request, by names in any case."""

    def get(self, name: str, /) -> str | None: ...


class Carried(Protocol):
    """What of a request may hold parameters."""

    @property
    def query_string(self) -> str: ...
    @property
    def headers(self) -> HeaderNames: ...
    @property
    def body(self) -> bytes: ...


def parse_pairs(text: str) -> Texts:
    """Names and values of a query or a form; the last of equal names counts."""
    is_encoded = "%" in text or "+" in text
    pairs: Texts = {}
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if is_encoded:
            name, value = decode(name), decode(value)
        pairs[name] = value
    return pairs


def decode(text: str) -> str:
    """A percent-encoded text with `+` for spaces, as path segments and queries have it."""
    return unquote_plus(text) if "%" in text or "+" in text else text


def atoi(text: str) -> int:
    """The 32-bit number a text begins with; 0 if there is none, the nearest limit if it is too large."""
    found = _INTEGER.match(text)
    if found is None:
        return 0
    return max(_INT_MINIMUM, min(_INT_MAXIMUM, int(found[1])))


def atol(text: str) -> int:
    """As `atoi`, with 64 bits."""
    found = _INTEGER.match(text)
    if found is None:
        return 0
    return max(_LONG_MINIMUM, min(_LONG_MAXIMUM, int(found[1])))


def is_true(text: str) -> bool:
    """Whether a text says yes."""
    return text.lower() in _TRUE_WORDS


def read_body(content_type: str | None, body: bytes) -> tuple[Texts, dict[str, Any] | None]:
    """Texts of a form and members of a JSON object; other content types carry nothing."""
    if not body or content_type is None:
        return {}, None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON_TYPE:
        return {}, read_json(body)
    if kind == FORM_TYPE:
        return parse_pairs(body.decode("utf-8", "replace")), None
    return {}, None


def read_json(body: bytes) -> dict[str, Any] | None:
    """Members of a JSON object; an array or null carries nothing, a bare value is a 400."""
    try:
        value = _decode_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"Request body is not JSON: {error}") from None
    if isinstance(value, dict):
        return value
    if value is None or isinstance(value, list):
        return None
    raise BadRequest(f"Request body is a JSON {type(value).__name__}, not an object")


def compile_binder(operation: Operation) -> Binder:
    """The function that turns a request and its path segments into arguments, made once."""
    arguments = [parameter.argument for parameter in operation.parameters if parameter.where == "path"]
    others = [parameter for parameter in operation.parameters if parameter.where != "path"]
    names = [piece[1:-1] for piece in operation.path.split("/") if piece.startswith("{")]
    ordered = [parameter.name for parameter in operation.parameters if parameter.where == "path"]
    places = [names.index(name) for name in ordered]
    from_path = _path_binder(arguments, places)
    if not others:
        return _without_parameters(from_path)
    texts = [
        (parameter.name, parameter.argument, _text_converter(parameter), _json_converter(parameter))
        for parameter in others
        if parameter.where == "query"
    ]
    by_name = {name: (argument, convert) for name, argument, convert, _ in texts}
    bodies = [parameter for parameter in others if parameter.where == "body"]
    required = [(parameter.name, parameter.argument) for parameter in others if parameter.enforced]

    def bind(request: Carried, segments: list[str]) -> Arguments:
        bound = from_path(segments)
        query = request.query_string
        given = parse_pairs(query) if query else {}
        members: dict[str, Any] | None = None
        if request.body:
            form, members = read_body(request.headers.get("content-type"), request.body)
            if form:
                given = form | given
        for name, text in given.items():
            known = by_name.get(name)
            if known is not None:
                argument, convert = known
                bound[argument] = convert(text)
        if members is not None:
            for name, argument, _, convert_json in texts:
                if name in members:
                    value = convert_json(members[name])
                    if value is None:
                        bound.pop(argument, None)
                    else:
                        bound[argument] = value
            for parameter in bodies:
                bound[parameter.argument] = members if parameter.whole else members.get(parameter.name)
        for parameter in bodies:
            bound.setdefault(parameter.argument, None)
        for name, argument in required:
            value = bound.get(argument)
            if value is None or value == "" or (type(value) is list and not any(value)):
                raise BadRequest(f"Missing parameter {name}")
        return bound

    return bind


def _path_binder(arguments: list[str], places: list[int]) -> Callable[[list[str]], Arguments]:
    if not arguments:
        return lambda segments: {}
    if len(arguments) == 1:
        only = arguments[0]
        return lambda segments: {only: segments[0]}
    pairs = list(zip(arguments, places, strict=True))
    return lambda segments: {argument: segments[place] for argument, place in pairs}


def _without_parameters(from_path: Callable[[list[str]], Arguments]) -> Binder:
    def bind(request: Carried, segments: list[str]) -> Arguments:
        if request.body:
            read_body(request.headers.get("content-type"), request.body)
        return from_path(segments)

    return bind


def _text_converter(parameter: Parameter) -> Convert:
    if parameter.multiple:
        return lambda text: text.split(",")
    return _CONVERTERS.get(parameter.kind, str)


_CONVERTERS: dict[str, Convert] = {"int": atoi, "long": atol, "boolean": is_true, "string": str}


def _json_converter(parameter: Parameter) -> Callable[[Any], Any]:
    """Reads a JSON member; None means not given."""
    name = parameter.name

    def text(value: Any) -> str | None:
        return value if isinstance(value, str) else None

    def texts(value: Any) -> list[str] | None:
        if not isinstance(value, list):
            single = text(value)
            return None if single is None else [single]
        found = [text(element) for element in value]
        if None in found:
            raise BadRequest(f"Parameter {name} holds a value that is not a text")
        return [element for element in found if element is not None]

    if parameter.multiple:
        return texts
    if parameter.kind == "boolean":
        return lambda value: value is True
    if parameter.kind == "int":
        return lambda value: _whole(value, _INT_MINIMUM, _INT_MAXIMUM)
    if parameter.kind == "long":
        return lambda value: _whole(value, _LONG_MINIMUM, _LONG_MAXIMUM)
    return text


def _whole(value: Any, minimum: int, maximum: int) -> int:
    if type(value) is not int:
        return 0
    return max(minimum, min(maximum, value))
