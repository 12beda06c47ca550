"""The ARI behind the HTTP front: requests to the dispatcher, event sockets to their applications."""

from __future__ import annotations

import asyncio
from collections import deque
from urllib.parse import parse_qs

from arietta.ari.binding import is_true
from arietta.ari.dispatch import Api
from arietta.ari.over_socket import RestOverSocket
from arietta.http import Accept, Request, Response, WebSocketConnection, html_page, text_frame
from arietta.stasis.applications import Applications
from arietta.verbose import verbose

MAX_WAITING_REQUESTS = 1000


class AriApi:
    """What the HTTP front asks: operations, the methods of a path, and event sockets."""

    def __init__(self, api: Api, applications: Applications, over_socket: RestOverSocket) -> None:
        self.api = api
        self.handle = api.handle
        self.allowed_methods = api.allowed_methods
        self._applications = applications
        self._over_socket = over_socket
        self.sockets: set[EventSocket] = set()

    def websocket(self, request: Request) -> Accept | Response:
        """Take an event socket for its applications, or refuse it."""
        query = parse_qs(request.query_string, keep_blank_values=True)
        wanted = ",".join(query.get("app", [])[-1:])
        names = [name.strip() for name in wanted.split(",")]
        if not wanted.strip():
            return html_page(400, "The app parameter names no application.")
        if not all(names):
            refusal: Response = self.api.refuse(500, f"app {wanted!r} has an empty name")
            return refusal
        subscribe_all = is_true(query.get("subscribeAll", ["no"])[-1])

        def opened(connection: WebSocketConnection) -> None:
            EventSocket(self, connection, names, subscribe_all=subscribe_all)

        return Accept(opened)


class EventSocket:
    """One client's socket: the events of its applications go out, its requests come in one after the other."""

    def __init__(
        self, owner: AriApi, connection: WebSocketConnection, names: list[str], *, subscribe_all: bool
    ) -> None:
        self.names = names
        self._owner = owner
        self._connection = connection
        self._user = connection.request.user
        self._requests: deque[str] = deque()
        self._worker: asyncio.Task[None] | None = None
        connection.on_text = self._take
        connection.on_closed = self._closed
        owner.sockets.add(self)
        verbose(2, f"WebSocket connection from '{connection.peer}' for protocol 'ari' accepted")
        for name in names:
            owner._applications.register(name, self, subscribe_all=subscribe_all)

    def send(self, payload: bytes) -> None:
        """Send one event; the connection bounds its queue and is aborted when that overflows."""
        self._connection.send_frame(text_frame(payload))

    def close(self) -> None:
        """Close the socket because the server goes away."""
        self._connection.close(1001, "Server is stopping")

    def _take(self, text: str) -> None:
        if len(self._requests) >= MAX_WAITING_REQUESTS:
            self._connection.close(1008, f"{MAX_WAITING_REQUESTS} requests are waiting, which is the limit")
            return
        self._requests.append(text)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(
                self._work(), name=f"requests of {self._connection.peer}"
            )

    async def _work(self) -> None:
        read_only = self._user is not None and self._user.read_only
        while self._requests:
            text = self._requests.popleft()
            answer = await self._owner._over_socket.answer(text, self.names[0], read_only=read_only)
            application = self._owner._applications.get(self.names[0])
            if application is None or application.passes("RESTResponse"):
                self.send(answer)

    def _closed(self, code: int, by: str) -> None:
        verbose(2, f"WebSocket connection from '{self._connection.peer}' closed ({code}, by {by})")
        self._owner.sockets.discard(self)
        self._requests.clear()
        for name in self.names:
            self._owner._applications.release(name, self)
