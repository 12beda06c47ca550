"""Operations asked for over the event socket: RESTRequest in, RESTResponse out.

What differs from HTTP: the uri has no first slash, methods are case-sensitive, of equal parameters those of
the form beat `query_strings`, which beat the uri's, and there is no Location. Requests of one socket are to
be answered one after the other; that is the caller's duty.
"""

import http
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import msgspec

from arietta.errors import BadRequest, Refused
from arietta.model.times import wire_time

from .binding import FORM_TYPE, JSON_TYPE
from .dispatch import JSON, Api

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"})
_READING = frozenset({"GET", "OPTIONS"})
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class _Headers:
    __slots__ = ("_content_type",)

    def __init__(self, content_type: str | None) -> None:
        self._content_type = content_type

    def get(self, name: str, /) -> str | None:
        return self._content_type if name == "content-type" else None


class SocketRequest:
    """A request that came over the event socket, as the dispatcher wants it."""

    __slots__ = ("body", "headers", "method", "query_string", "rest")

    def __init__(self, method: str, rest: str, query_string: str, content_type: str | None, body: bytes) -> None:
        self.method = method
        self.rest = rest
        self.query_string = query_string
        self.headers = _Headers(content_type)
        self.body = body


class NotAcceptable(Refused):
    """The answer would not be JSON, so it cannot be carried in an event."""

    status = 406


class RestOverSocket:
    """Answers RESTRequest messages for one server.

    `now` gives seconds since 1970, `asterisk_id` ends every answer.
    """

    def __init__(self, api: Api, asterisk_id: str, now: Callable[[], float]) -> None:
        self._api = api
        self._asterisk_id = asterisk_id
        self._now = now

    async def answer(self, message: str | bytes, application: str, *, read_only: bool = False) -> bytes:
        """The RESTResponse to a message: a whole event, for the socket whose first application is named."""
        asked: dict[str, Any] = {}
        try:
            asked = _read_message(message)
            request = _request(asked)
            if read_only and request.method not in _READING:
                response = self._api.refuse(403, "User has read-only access")
            else:
                response = await self._ask(request)
        except Refused as refusal:
            response = self._api.refusal(refusal)
        return self._event(asked, application, response)

    async def _ask(self, request: SocketRequest) -> Any:
        operation = self._api.operation(request.method, request.rest)
        if operation is not None and operation.upgrade is not None:
            raise BadRequest("The event socket cannot be opened over an event socket")
        if operation is not None and operation.response == "binary":
            raise NotAcceptable(f"{request.rest} is a file, which an event cannot carry")
        response = self._api.handle(request)
        return await response if hasattr(response, "__await__") else response

    def _event(self, asked: dict[str, Any], application: str, response: Any) -> bytes:
        event: dict[str, Any] = {
            "type": "RESTResponse",
            "transaction_id": _text(asked, "transaction_id"),
            "request_id": _text(asked, "request_id"),
            "status_code": response.status,
            "reason_phrase": reason_of(response.status),
            "uri": _text(asked, "uri").partition("?")[0],
        }
        if response.body:
            event["content_type"] = response.content_type or JSON
            event["message_body"] = response.body.decode("utf-8")
        event["application"] = application
        event["timestamp"] = wire_time(self._now())
        event["asterisk_id"] = self._asterisk_id
        body = _encode(event)
        return msgspec.json.format(body, indent=2) if self._api.pretty else body


def reason_of(status: int) -> str:
    """An HTTP status in words."""
    if status == 422:
        return "Unprocessable Entity"  # the phrase depends on Python's version
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _read_message(message: str | bytes) -> dict[str, Any]:
    try:
        asked = _decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"Message is not JSON: {error}") from None
    if not isinstance(asked, dict):
        raise BadRequest("Message is not a JSON object")
    return asked


def _request(asked: dict[str, Any]) -> SocketRequest:
    if asked.get("type") != "RESTRequest":
        raise BadRequest(f"Message type is not RESTRequest: {asked.get('type')}")
    method = _text(asked, "method")
    if method not in _METHODS:
        raise BadRequest(f"Unknown method: {method or 'none'}")
    uri = asked.get("uri")
    if not isinstance(uri, str) or not uri:
        raise BadRequest("Missing uri")
    path, _, query = uri.partition("?")
    pieces = [query] if query else []
    pieces.extend(_query_pieces(asked.get("query_strings")))
    content_type, body = _body(asked)
    if content_type == FORM_TYPE:
        pieces.append(body)
        content_type, body = None, ""
    # A uri that begins with a slash names nothing below the root.
    rest = "" if path.startswith("/") else "/" + path
    return SocketRequest(method, rest, "&".join(pieces), content_type, body.encode())


def _query_pieces(given: Any) -> list[str]:
    if not isinstance(given, list):
        return []
    pieces = []
    for pair in given:
        if not isinstance(pair, dict):
            continue
        name, value = pair.get("name"), pair.get("value")
        if isinstance(name, str) and isinstance(value, str):
            pieces.append(f"{quote_plus(name)}={quote_plus(value)}")
    return pieces


def _body(asked: dict[str, Any]) -> tuple[str | None, str]:
    body = asked.get("message_body")
    if not isinstance(body, str) or not body:
        return None, ""
    content_type = asked.get("content_type")
    if not isinstance(content_type, str):
        raise BadRequest("Request body has no content_type")
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (JSON_TYPE, FORM_TYPE):
        raise BadRequest(f"Request body has an unknown content_type: {content_type}")
    return kind, body


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    return value if isinstance(value, str) else ""
