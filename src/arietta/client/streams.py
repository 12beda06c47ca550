"""Events of applications as they come: a bounded queue behind a socket that is opened again when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from arietta.model import events
from arietta.model.events import Event

from .errors import ApiError, CannotConnect, ConnectionLost, TooSlow
from .sockets import EventSocket

log = logging.getLogger("arietta.client")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""Between attempts to open a lost socket again: twice as long each time, up to this."""
OpenSocket = Callable[[tuple[str, ...]], Awaitable[EventSocket]]
MAX_STRANGERS = 100
"""Unknown types of events that are logged, once each."""


class Reconnected(Event, frozen=True, kw_only=True, gc=False):
    """The client's own event: its socket was lost and is open again; what happened meanwhile was not told."""

    applications: Annotated[list[str], Meta(description="Applications of the socket.")]
    lost_seconds: Annotated[float, Meta(description="How long it was lost.")]


class _Kind(msgspec.Struct):
    type: str
    application: str = ""


_kind = msgspec.json.Decoder(_Kind)


@cache
def _decoder(kind: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(kind)


class EventStream:
    """Events in order, one consumer: `async for event in stream`, or `async with stream:` to end it there.

    Up to `limit` events wait. When one more comes the stream ends: the consumer gets those that wait, then TooSlow;
    nothing is left out silently. A lost socket is opened again, as often as it takes, and `Reconnected` tells of it.
    The first attempt must succeed. An application that another socket took over (ApplicationReplaced) is left to it;
    the stream ends by itself when none is left, or when the server refuses the user.
    """

    def __init__(self, open_socket: OpenSocket, applications: tuple[str, ...], limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit {limit} is under 1")
        self.applications = applications
        self.unknown = 0
        """Messages that were no event of the model; they are passed over, with a warning for each new type."""
        self._open_socket = open_socket
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._strangers: set[str] = set()
        self._problem: BaseException | None = None
        self._held = applications

    async def open(self) -> None:
        """Open the socket unless it is; raises CannotConnect or an ApiError."""
        if self._task is None:
            socket = await self._open_socket(self._held)
            self._task = asyncio.get_running_loop().create_task(self._receive(socket), name="ari events")
            self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Close the socket; events that wait can still be taken."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        await self.open()
        task = self._task
        assert task is not None
        while not self._waiting:
            if task.done():
                raise self._problem or StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._problem = task.exception()
        self._news.set()

    async def _receive(self, socket: EventSocket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                while True:
                    for message in await socket.receive():
                        self._take(message)
            except ConnectionLost as problem:
                if not self._held:
                    return
                log.warning("events of %s: %s; connecting again", ",".join(self._held), problem)
            finally:
                await socket.close()
            lost_at = loop.time()
            socket = await self._open_again()
            self._put(Reconnected(applications=list(self._held), lost_seconds=loop.time() - lost_at))

    async def _open_again(self) -> EventSocket:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                return await self._open_socket(self._held)
            except (CannotConnect, ConnectionLost) as problem:
                log.info("events of %s: %s", ",".join(self.applications), problem)
            except ApiError as problem:
                if problem.status < 500:
                    raise
                log.info("events of %s: %s", ",".join(self.applications), problem)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _take(self, message: bytes) -> None:
        name = "not JSON"
        try:
            seen = _kind.decode(message)
            name = seen.type
            event = _decoder(events.CLASSES[name]).decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as problem:
            self.unknown += 1
            if name not in self._strangers and len(self._strangers) < MAX_STRANGERS:
                self._strangers.add(name)
                log.warning("events of %s: %s passed over: %s", ",".join(self.applications), name, problem)
            return
        if isinstance(event, events.ApplicationReplaced):
            self._held = tuple(each for each in self._held if each != seen.application)
        self._put(event)

    def _put(self, event: Event) -> None:
        if len(self._waiting) >= self._limit:
            raise TooSlow(f"{self._limit} events of {','.join(self.applications)} wait, and one more came")
        self._waiting.append(event)
        self._news.set()
