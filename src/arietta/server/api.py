"""The ARI behind the HTTP front: requests to the dispatcher, event sockets to their applications."""

from __future__ import annotations

import asyncio
from collections import deque
from urllib.parse import parse_qs

from arietta.ari.binding import is_true
from arietta.ari.dispatch import Api
from arietta.ari.over_socket import RestOverSocket
from arietta.http import Accept, Request, Response, WebSocket, WebSocketConnection, html_page, text_frame
from arietta.stasis.applications import Applications
from arietta.verbose import verbose

MAX_WAITING_REQUESTS = 1000
MAX_SHOWN_CHARACTERS = 4000


class AriApi:
    """What the HTTP front asks: operations, the methods of a path, and event sockets."""

    def __init__(self, api: Api, applications: Applications, over_socket: RestOverSocket) -> None:
        self.api = api
        self.handle = api.handle
        self.allowed_methods = api.allowed_methods
        self.applications = applications
        self.over_socket = over_socket
        self.sockets: set[EventSocket] = set()
        self.shown: set[str] = set()
        """Applications whose events and requests are told on the console; `all` stands for every one."""

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

    def show(self, names: list[str], direction: str, text: str) -> None:
        """Tell what goes to an application (>), or comes from it (<), if that is wanted."""
        if "all" in self.shown or not self.shown.isdisjoint(names):
            verbose(0, f"{direction} {','.join(names)} {text[:MAX_SHOWN_CHARACTERS]}")


class Requests:
    """The requests that come over one socket, answered one after the other as events of its first application."""

    def __init__(self, api: AriApi, socket: WebSocket, application: str, *, read_only: bool) -> None:
        self.read_only = read_only
        self._api = api
        self._socket = socket
        self.application = application
        self._waiting: deque[str] = deque()
        self._worker: asyncio.Task[None] | None = None

    def take(self, text: str) -> None:
        """Take one message; a socket that sends more than can wait is closed."""
        if len(self._waiting) >= MAX_WAITING_REQUESTS:
            self._socket.close(1008, f"{MAX_WAITING_REQUESTS} requests are waiting, which is the limit")
            return
        self._waiting.append(text)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name=f"requests of {self._socket.peer}")

    def drop(self) -> None:
        """Forget those that wait: the socket is gone."""
        self._waiting.clear()

    async def _work(self) -> None:
        while self._waiting:
            text = self._waiting.popleft()
            if self._api.shown:
                self._api.show([self.application], "<", text)
            answer = await self._api.over_socket.answer(text, self.application, read_only=self.read_only)
            application = self._api.applications.get(self.application)
            if application is None or application.passes("RESTResponse"):
                self._socket.send_frame(text_frame(answer))


class EventSocket:
    """One client's socket: the events of its applications go out, its requests come in."""

    def __init__(
        self, owner: AriApi, connection: WebSocketConnection, names: list[str], *, subscribe_all: bool
    ) -> None:
        self.names = names
        self._owner = owner
        self._connection = connection
        user = connection.request.user
        read_only = user is not None and user.read_only
        self._requests = Requests(owner, connection, names[0], read_only=read_only)
        connection.on_text = self._requests.take
        connection.on_closed = self._closed
        owner.sockets.add(self)
        verbose(2, f"WebSocket connection from '{connection.peer}' for protocol 'ari' accepted")
        for name in names:
            owner.applications.register(name, self, subscribe_all=subscribe_all)

    def send(self, payload: bytes) -> None:
        """Send one event; the connection bounds its queue and is aborted when that overflows."""
        if self._owner.shown:
            self._owner.show(self.names, ">", payload.decode("utf-8", "replace"))
        self._connection.send_frame(text_frame(payload))

    @property
    def peer(self) -> str:
        """Where the client is."""
        return str(self._connection.peer)

    def close(self, reason: str = "Server is stopping") -> None:
        """Close the socket because the server goes away, or for another reason of its own."""
        self._connection.close(1001, reason)

    def _closed(self, code: int, by: str) -> None:
        verbose(2, f"WebSocket connection from '{self._connection.peer}' closed ({code}, by {by})")
        self._owner.sockets.discard(self)
        self._requests.drop()
        for name in self.names:
            self._owner.applications.release(name, self)
