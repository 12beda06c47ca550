"""One dispatcher for all carriers: a request goes in, its answer comes out.

`Api.handle` never raises: what is refused, and what fails by our own fault, is an answer too.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from arietta.errors import AllocationFailed, Refused

from .binding import Carried, compile_binder
from .contract import Operation, operations
from .domain import Download
from .routing import Node, Routes, Run

log = logging.getLogger(__name__)

JSON = "application/json"
HTML = "text/html"

Headers = tuple[tuple[str, str], ...]
_encode = msgspec.json.Encoder().encode


class Request(Carried, Protocol):
    """What the dispatcher reads of a request; authentication has happened."""

    @property
    def method(self) -> str: ...
    @property
    def rest(self) -> str:
        """The path below `/ari`, percent-encoded, with its first slash; empty for `/ari` itself."""
        ...


class Response:
    """One answer; `content_type` None means that there is no body to name."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", content_type: str | None = None, headers: Headers = ()) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.body[:80]!r}, {self.content_type!r}, {self.headers!r})"


Answer = Response | Awaitable[Response]


class Documents(Protocol):
    """Descriptions of the API, by path below `/ari`."""

    def owns(self, path: str) -> bool:
        """Whether a path is a description's, existing or not."""
        ...

    def get(self, path: str, base_path: str) -> bytes | None:
        """A description as JSON that names `base_path` as its place."""
        ...


class Api:
    """The operations of some resources, ready to be asked.

    `make_response` is called as `Response` is; a carrier gives its own class, to be spared a copy.
    """

    def __init__(
        self,
        resources: Iterable[object],
        documents: Documents | None = None,
        *,
        pretty: bool = False,
        make_response: Callable[..., Any] = Response,
    ) -> None:
        self.pretty = pretty
        self._documents = documents
        self._make_response = make_response
        self._routes = Routes()
        self._empty = {status: make_response(status) for status in (200, 202, 204)}
        for resource in resources:
            for operation in operations(type(resource)):
                self._routes.add(operation, self._runner(operation, resource))

    def handle(self, request: Request) -> Any:
        """The answer to a request, or an awaitable of it where the operation has to wait."""
        try:
            found = self._routes.find(request.rest)
            if found is None:
                return self._elsewhere(request)
            node, segments = found
            run = node.runs.get(request.method)
            if run is None:
                return self._other_method(node, request.method)
            return run(request, segments)
        except Refused as refusal:
            return self.refusal(refusal)
        except Exception:
            return self._fault(request)

    def allowed_methods(self, path: str) -> tuple[str, ...] | None:
        """Methods a path answers, OPTIONS first; None if there is no such path."""
        found = self._routes.find(path)
        return None if found is None else found[0].allow

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that serves a method and a path; None if there is none."""
        found = self._routes.find(path)
        return None if found is None else found[0].operations.get(method)

    def refuse(self, status: int, message: str, headers: Headers = ()) -> Any:
        """An error body in ARI's form."""
        return self._make_response(status, self._json({"message": message}), JSON, headers)

    def refusal(self, refusal: Refused) -> Any:
        """The answer for a refusal."""
        if isinstance(refusal, AllocationFailed):
            return self._make_response(refusal.status, self._json({"error": "Allocation failed"}), JSON)
        return self.refuse(refusal.status, refusal.message)

    def _runner(self, operation: Operation, resource: object) -> Run:
        bind = compile_binder(operation)
        function = operation.function.__get__(resource)
        finish = self._finisher(operation)
        empty = finish(None)

        def run(request: Request, segments: list[str]) -> Any:
            result = function(**bind(request, segments))
            if result is None:
                return empty
            if hasattr(result, "__await__"):
                return self._later(request, result, finish)
            return finish(result)

        if operation.upgrade is not None:
            return self._upgrade_runner(operation.upgrade)
        return run

    def _upgrade_runner(self, protocol: str) -> Run:
        headers = (("Upgrade", protocol), ("Connection", "Upgrade"))
        body = b"<!DOCTYPE html>\n<html><head><title>426 Upgrade Required</title></head></html>\n"
        return lambda request, segments: self._make_response(426, body, HTML, headers)

    def _finisher(self, operation: Operation) -> Callable[[Any], Any]:
        status = operation.success
        make_response = self._make_response
        empty = self._empty.get(status) or make_response(status)
        location = operation.location

        def finish(result: Any) -> Any:
            if result is None:
                return empty
            if type(result) is Download:
                return make_response(status, result.content, result.content_type)
            body = _encode(result)
            if self.pretty:
                body = msgspec.json.format(body, indent=2)
            if location is None:
                return make_response(status, body, JSON)
            return make_response(status, body, JSON, (("Location", location(result)),))

        return finish

    async def _later(self, request: Request, result: Awaitable[Any], finish: Callable[[Any], Any]) -> Any:
        try:
            return finish(await result)
        except Refused as refusal:
            return self.refusal(refusal)
        except Exception:
            return self._fault(request)

    def _fault(self, request: Request) -> Any:
        log.exception("%s %s failed", request.method, request.rest)
        return self.refuse(500, "Internal Server Error")

    def _other_method(self, node: Node, method: str) -> Any:
        allow = (("Allow", ",".join(node.allow)),)
        if method == "OPTIONS":
            return self._make_response(204, b"", None, allow)
        return self.refuse(405, "Invalid method", allow)

    def _elsewhere(self, request: Request) -> Any:
        documents = self._documents
        path = request.rest
        if documents is None or not documents.owns(path):
            return self.refuse(404, "Resource not found")
        if request.method != "GET":
            return self.refuse(405, "Invalid method")
        scheme = "https" if getattr(request, "is_tls", False) else "http"
        host = request.headers.get("host") or "localhost"
        document = documents.get(unquote(path), f"{scheme}://{host}/ari")
        if document is None:
            return self.refuse(404, "Resource not found")
        return self._make_response(200, document, JSON)

    def _json(self, value: object) -> bytes:
        body = _encode(value)
        return msgspec.json.format(body, indent=2) if self.pretty else body
