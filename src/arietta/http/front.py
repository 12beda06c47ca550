"""The front of `/ari`: who may ask what, before any operation is looked for."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Protocol, cast

from arietta.http.auth import Users
from arietta.http.cors import cors_headers, preflight_headers
from arietta.http.messages import Answer, Handler, Request, Response, json_message
from arietta.http.user import User, acl_permits
from arietta.http.websocket import Accept, Handshake, read_handshake, refuse_handshake

log = logging.getLogger("arietta.http")

DEFAULT_REALM = "Asterisk REST Interface"
DOCS = "/docs"


class Api(Protocol):
    """The operations behind the front. `request.rest` is the path below `/ari`, percent-encoded."""

    def handle(self, request: Request) -> Response | Awaitable[Response] | None:
        """Run the operation of this method and path; None when there is none."""
        ...

    def allowed_methods(self, path: str) -> tuple[str, ...] | None:
        """The methods of a path, without OPTIONS; None when there is no such path."""
        ...

    def websocket(self, request: Request) -> Accept | Response | Awaitable[Accept | Response]:
        """Take or refuse an event socket whose handshake is in order."""
        ...


@dataclass(frozen=True, slots=True)
class FrontOptions:
    """What the general section of ari.conf says about requests."""

    realm: str = DEFAULT_REALM
    allowed_origins: frozenset[str] = frozenset()
    pretty: bool = False


class AriFront:
    """Checks in Asterisk's order: authentication 401, read-only 403, trailing slash 404, path 404, OPTIONS, method 405.

    `users` and `options` may be replaced at any time; the next request sees the new ones. `docs` answers what is
    below `/ari/docs`, for the same users.
    """

    def __init__(
        self, api: Api, users: Users, options: FrontOptions = FrontOptions(), docs: Handler | None = None
    ) -> None:
        self.api = api
        self.users = users
        self.options = options
        self.docs = docs

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer a request, at once if it can be."""
        if request.headers.origin is not None:
            request.extra_headers = cors_headers(request, self.options.allowed_origins)
        user = self.users.authenticate(request)
        if user is None or type(user) is User:
            return self._admit(request, user)
        return self._handle_later(request, cast(Awaitable[User | None], user))

    async def _handle_later(self, request: Request, authentication: Awaitable[User | None]) -> Answer:
        answer = self._admit(request, await authentication)
        return await answer if inspect.isawaitable(answer) else answer

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """A refusal of the HTTP layer, as ARI words it."""
        return json_message(status, message, pretty=self.options.pretty)

    def _admit(self, request: Request, user: User | None) -> Answer | Awaitable[Answer]:
        method = request.method
        if user is None:
            challenge = (("WWW-Authenticate", f'Basic realm="{self.options.realm}"'),)
            return json_message(401, "Authentication required", challenge, pretty=self.options.pretty)
        if user.acls and not all(acl_permits(rules, request.peer.host) for rules in user.acls):
            log.warning("user %r is not permitted to connect from %s", user.name, request.peer.host)
            return self.refuse(request, 403, f"Not permitted from {request.peer.host}")
        request.user = user
        rest = request.rest
        if method == "GET" and rest == "/events":
            return self._open_socket(request)
        if self.docs is not None and rest.startswith(DOCS) and (rest == DOCS or rest[len(DOCS)] == "/"):
            request.rest = rest[len(DOCS) :]
            return self.docs.handle(request)
        return self.dispatch(request)

    def dispatch(self, request: Request) -> Response | Awaitable[Response]:
        """The checks behind authentication, and the operation: what a request over a socket needs, too.

        `request.user` and `request.rest` must be set.
        """
        method = request.method
        user = request.user
        if (user is None or user.read_only) and method != "GET" and method != "OPTIONS":
            return self.refuse(request, 403, "Write access denied")
        path = request.rest
        if path.endswith("/"):
            return self.refuse(request, 404, "Resource not found: trailing slash")
        if method != "OPTIONS":
            answer = self.api.handle(request)
            if answer is not None:
                return answer
        return self._describe(request, path)

    def _describe(self, request: Request, path: str) -> Response:
        """Answer from what the path allows: 404, the OPTIONS request, or 405."""
        methods = self.api.allowed_methods(path)
        if methods is None:
            return self.refuse(request, 404, "Resource not found")
        others = tuple(method for method in methods if method != "OPTIONS")
        allow = ",".join(("OPTIONS", *others))
        if request.method != "OPTIONS":
            return json_message(405, "Invalid method", (("Allow", allow),), pretty=self.options.pretty)
        if request.extra_headers:
            request.extra_headers += preflight_headers(request, allow, ("OPTIONS", *others))
        return Response(204, headers=(("Allow", allow),))

    def _open_socket(self, request: Request) -> Answer | Awaitable[Answer]:
        handshake = read_handshake(request)
        if isinstance(handshake, Response):
            return handshake
        decision = self.api.websocket(request)
        if isinstance(decision, Accept | Response):
            return _decide(handshake, decision)
        return _decide_later(handshake, decision)


async def _decide_later(handshake: Handshake, decision: Awaitable[Accept | Response]) -> Answer:
    return _decide(handshake, await decision)


def _decide(handshake: Handshake, decision: Accept | Response) -> Answer:
    if isinstance(decision, Accept):
        return handshake.switch(decision)
    return refuse_handshake(decision)


def origins_of(text: Iterable[str]) -> frozenset[str]:
    """The allowed origins, without the spaces and empty elements of a comma-separated list."""
    return frozenset(origin.strip() for origin in text if origin.strip())
