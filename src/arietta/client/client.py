"""A program's end of the ARI."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar
from weakref import WeakSet

from arietta.model import events, snapshots
from arietta.model.events import Event

from . import operations
from .carrier import Carrier, Place
from .errors import ApiError, ChannelGone, ClientError, TooSlow
from .live import LiveChannel, channels_of
from .sockets import EventSocket
from .streams import EventStream, Reconnected

log = logging.getLogger("arietta.client")

MAX_WAITING_EVENTS = 10_000
MAX_STORIES = 10_000
"""Handlers that may be under way at a time."""
GOING_SECONDS = 1.0
"""How long after a refusal the end of the channel may come to explain it."""
MAX_ENDED = 1000
"""Channels that are remembered to be gone."""

Kind = TypeVar("Kind", bound=Event)
Handler = Callable[[Kind], Awaitable[None] | None]


class Events(operations.Events):
    """Event resources; called with names of applications, they are a stream of their events."""

    def __init__(self, carrier: Carrier, tls: ssl.SSLContext | None, within: float) -> None:
        super().__init__(carrier)
        self._tls = tls
        self._within = within
        self.streams: WeakSet[EventStream] = WeakSet()
        """Those that were made here and are still in use."""

    def __call__(self, *applications: str, subscribe_all: bool = False, limit: int = MAX_WAITING_EVENTS) -> EventStream:
        """Events of applications, on one socket; see EventStream. ValueError without a name."""
        if not applications or not all(applications):
            raise ValueError("events of no application: give at least one name")

        async def open_socket(held: tuple[str, ...]) -> EventSocket:
            return await EventSocket.open(self._carrier.place, held, subscribe_all, self._tls, self._within)

        stream = EventStream(open_socket, applications, limit)
        self.streams.add(stream)
        return stream


class Client(operations.Resources):
    """One user of a server: an attribute for each resource, events, and the stories of calls.

    Use it with `async with`: at its end connections and event streams are closed.
    """

    events: Events

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        tls: ssl.SSLContext | None = None,
        within: float = 30.0,
        connections: int = 10,
    ) -> None:
        """`url` is `http://HOST:PORT/ari` or `https://…`; ValueError when it is not.

        `tls` replaces the default trust in the system's certificates, `within` is how many seconds connecting and
        answering may take, `connections` how many requests travel at a time.
        """
        place = Place.parse(url, username, password)
        self._carrier = Carrier(place, tls=tls, within=within, most=connections)
        super().__init__(self._carrier)
        self.events = Events(self._carrier, tls, within)
        self._handlers: dict[type[Event], list[Handler[Any]]] = {}
        self._stories: set[asyncio.Task[None]] = set()
        self._live: dict[str, LiveChannel] = {}
        self._ended: dict[str, None] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all event streams and connections."""
        for stream in tuple(self.events.streams):
            await stream.close()
        self._carrier.close()

    # -- stories -----------------------------------------------------------------------------------------------

    def on(self, kind: type[Kind]) -> Callable[[Handler[Kind]], Handler[Kind]]:
        """Decorate a handler of one type of event, or with `Event` of all.

        A plain function is called before the next event is looked at. A coroutine function runs as a task, a story
        of its own: it may wait for what happens next. ChannelGone, or a refusal because the event's channel is gone,
        ends it quietly; another exception is logged.
        """

        def register(handler: Handler[Kind]) -> Handler[Kind]:
            self._handlers.setdefault(kind, []).append(handler)
            return handler

        return register

    async def run(self, *applications: str, subscribe_all: bool = False) -> None:
        """Give the events of applications to the handlers, until cancelled; stories that still run end with it.

        Raises what an EventStream raises, and TooSlow when 10,000 stories run.
        """
        stream = self.events(*applications, subscribe_all=subscribe_all)
        try:
            async with stream:
                async for event in stream:
                    self._hear(event)
                    for parent in type(event).__mro__:
                        for handler in self._handlers.get(parent, ()):
                            self._handle(handler, event)
        finally:
            stories = tuple(self._stories)
            for story in stories:
                story.cancel()
            if stories:
                await asyncio.wait(stories)

    def live(self, channel: snapshots.Channel | str) -> LiveChannel:
        """The living channel of a snapshot or an identifier, or of a channel that is yet to be made with it."""
        channel_id = channel if isinstance(channel, str) else channel.id
        found = self._live.get(channel_id)
        if found is None:
            found = LiveChannel(self, channel_id)
            if channel_id in self._ended:
                found.end()
            else:
                self._live[channel_id] = found
        return found

    def _hear(self, event: Event) -> None:
        """Tell living channels; a channel lives from StasisStart to StasisEnd, or to its destruction."""
        if isinstance(event, Reconnected):
            self._begin(self._bury_the_gone())
            return
        if isinstance(event, events.StasisStart):
            self._ended.pop(event.channel.id, None)
            self.live(event.channel)
        is_last = isinstance(event, events.StasisEnd | events.ChannelDestroyed)
        for channel_id in channels_of(event):
            live = self._live.get(channel_id)
            if live is not None:
                live.take(event, is_last=is_last)
                if is_last:
                    self._forget(channel_id)

    async def _bury_the_gone(self) -> None:
        """After a lost connection: end the channels whose end was not told."""
        before = tuple(self._live)
        there = {channel.id for channel in await self.channels.list()}
        for channel_id in before:
            if channel_id not in there and channel_id in self._live:
                self._live[channel_id].end()
                self._forget(channel_id)

    def _forget(self, channel_id: str) -> None:
        self._live.pop(channel_id, None)
        self._ended[channel_id] = None
        if len(self._ended) > MAX_ENDED:
            del self._ended[next(iter(self._ended))]

    def _handle(self, handler: Handler[Any], event: Event) -> None:
        try:
            outcome = handler(event)
        except ChannelGone:
            return
        except Exception:
            log.exception("handler of %s failed", type(event).__name__)
            return
        if outcome is not None:
            channel = getattr(event, "channel", None)
            live = self._live.get(channel.id) if isinstance(channel, snapshots.Channel) else None
            self._begin(_story(outcome, type(event).__name__, live))

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        if len(self._stories) >= MAX_STORIES:
            story.close()
            raise TooSlow(f"{MAX_STORIES} stories run, and one more was to begin")
        task = asyncio.get_running_loop().create_task(story, name="ari story")
        self._stories.add(task)
        task.add_done_callback(self._stories.discard)


async def _story(outcome: Awaitable[None], name: str, live: LiveChannel | None) -> None:
    try:
        await outcome
    except ChannelGone as end:
        log.debug("story of %s ended: %s", name, end)
    except ClientError as problem:
        if isinstance(problem, ApiError) and live is not None and await _is_going(live):
            log.debug("story of %s ended with its channel: %s", name, problem)
        else:
            log.error("story of %s ended: %s: %s", name, type(problem).__name__, problem)
    except Exception:
        log.exception("story of %s failed", name)


async def _is_going(live: LiveChannel) -> bool:
    """Whether a refusal is no wonder: the channel is gone, or its end is on the way."""
    try:
        async with asyncio.timeout(GOING_SECONDS):
            await live.gone()
    except TimeoutError:
        return False
    return True
