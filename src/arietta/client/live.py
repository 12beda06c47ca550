"""A channel while it lives, so that the story of a call reads from top to bottom."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from msgspec import UNSET

from arietta.model import events, snapshots
from arietta.model.events import Event

from .errors import ChannelGone, NotFound
from .operations import IfExists, Reason, TerminateOn

if TYPE_CHECKING:
    from .client import Client

MAX_EVENTS = 1000
"""Events of a channel that wait for somebody to ask for them; the oldest are forgotten first."""

Answer = TypeVar("Answer")
Kind = TypeVar("Kind", bound=Event)


class LiveChannel:
    """One channel. Its methods raise ChannelGone once it has left the application or was hung up.

    Each event is given once; others wait for later calls, so a digit that is dialled ahead is not lost.
    Made by `Client.live`; it hears what `Client.run` hears.
    """

    def __init__(self, client: Client, channel_id: str) -> None:
        self.id = channel_id
        self.is_gone = False
        self._client = client
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._waiters: set[asyncio.Future[None]] = set()

    def __repr__(self) -> str:
        return f"<LiveChannel {self.id}{' (gone)' if self.is_gone else ''}>"

    # -- what it does ------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Answer it."""
        await self._do(self._client.channels.answer(channel_id=self.id))

    async def hang_up(self, reason: Reason | None = None) -> None:
        """Hang it up, if it is not gone yet."""
        try:
            await self._client.channels.hangup(channel_id=self.id, reason=reason)
        except NotFound:
            pass

    async def play(self, *media: str) -> snapshots.Playback:
        """Play media (`sound:hello`, `number:5`, …) one after the other; gives the playback when it is over."""
        playback = await self._start(media)
        return await self._finished(playback)

    async def ask(self, *media: str, within: float = 5.0) -> str:
        """Play media and wait for a digit, which ends the playback; empty if none comes so many seconds after it."""
        playback = await self._start(media)

        def matters(event: Event) -> bool:
            if isinstance(event, events.PlaybackFinished):
                return event.playback.id == playback.id
            return isinstance(event, events.ChannelDtmfReceived)

        event = await self.until(Event, matters)
        if not isinstance(event, events.ChannelDtmfReceived):
            return await self.digit(within)
        try:
            await self._client.playbacks.stop(playback_id=playback.id)
        except NotFound:
            pass
        await self._finished(playback)
        return event.digit

    async def digit(self, within: float = 5.0) -> str:
        """Wait for a digit; empty if none comes within so many seconds."""
        try:
            return (await self.until(events.ChannelDtmfReceived, within=within)).digit
        except TimeoutError:
            return ""

    async def record(
        self,
        name: str,
        *,
        format: str = "wav",
        beep: bool = True,
        terminate_on: TerminateOn = "#",
        max_duration_seconds: int = 0,
        max_silence_seconds: int = 0,
        if_exists: IfExists = "overwrite",
    ) -> snapshots.LiveRecording:
        """Record what the far end says; gives the recording when it is over, however it ended.

        Digits that came until then are forgotten: they were meant for the recording.
        """
        await self._do(
            self._client.channels.record(
                channel_id=self.id,
                name=name,
                format=format,
                beep=beep,
                terminate_on=terminate_on,
                max_duration_seconds=max_duration_seconds,
                max_silence_seconds=max_silence_seconds,
                if_exists=if_exists,
            )
        )

        def is_over(event: Event) -> bool:
            ends = events.RecordingFinished | events.RecordingFailed
            return isinstance(event, ends) and event.recording.name == name

        event = await self.until(Event, is_over)
        assert isinstance(event, events.RecordingFinished | events.RecordingFailed)
        self.forget_digits()
        return event.recording

    def forget_digits(self) -> None:
        """Forget the digits that came and were not asked for."""
        kept = [event for event in self._events if not isinstance(event, events.ChannelDtmfReceived)]
        self._events = deque(kept, maxlen=MAX_EVENTS)

    # -- what happens to it ------------------------------------------------------------------------------------

    async def until(
        self, kind: type[Kind], where: Callable[[Kind], bool] | None = None, within: float | None = None
    ) -> Kind:
        """Wait for an event of the channel. TimeoutError after `within` seconds, ChannelGone when it cannot come."""
        async with asyncio.timeout(within):
            while True:
                for index, event in enumerate(self._events):
                    if isinstance(event, kind) and (where is None or where(event)):
                        del self._events[index]
                        return event
                if self.is_gone:
                    raise ChannelGone(self.id)
                await self._wait()

    async def gone(self) -> None:
        """Wait until it has left the application or was hung up."""
        while not self.is_gone:
            await self._wait()

    async def during(self, other: Awaitable[Answer]) -> Answer:
        """Wait for something else; when the channel goes first, that is cancelled and ChannelGone raised."""
        waiting = asyncio.ensure_future(other)
        going = asyncio.ensure_future(self.gone())
        try:
            await asyncio.wait((waiting, going), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise ChannelGone(self.id)
        finally:
            waiting.cancel()
            going.cancel()
            await asyncio.wait((waiting, going))

    def take(self, event: Event, *, is_last: bool = False) -> None:
        """Hear an event; for the client."""
        self._events.append(event)
        if is_last:
            self.end()
        self._wake()

    def end(self) -> None:
        """Be gone; for the client."""
        self.is_gone = True
        self._wake()

    async def _start(self, media: tuple[str, ...]) -> snapshots.Playback:
        return await self._do(self._client.channels.play(channel_id=self.id, media=media))

    async def _finished(self, playback: snapshots.Playback) -> snapshots.Playback:
        return (await self.until(events.PlaybackFinished, lambda event: event.playback.id == playback.id)).playback

    async def _do(self, operation: Awaitable[Answer]) -> Answer:
        try:
            return await operation
        except NotFound as refusal:
            raise ChannelGone(self.id) from refusal

    async def _wait(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def channels_of(event: Event) -> Iterator[str]:
    """Identifiers of the channels an event is about."""
    for name in ("channel", "peer", "caller"):
        channel = getattr(event, name, UNSET)
        if isinstance(channel, snapshots.Channel):
            yield channel.id
    for name in ("playback", "recording"):
        held = getattr(event, name, UNSET)
        if isinstance(held, snapshots.Playback | snapshots.LiveRecording):
            kind, _, target = held.target_uri.partition(":")
            if kind == "channel":
                yield target
