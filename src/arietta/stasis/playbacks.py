"""Playbacks: media URIs played one after the other to a channel or a bridge, with their events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar
from uuid import uuid4

import msgspec

from arietta.bus import Bus
from arietta.channels.channel import Interruption
from arietta.errors import Conflict, NotFound
from arietta.media.engine import Files, MediaError, PlayEnd, PlayEndReason, Player, Port, Source
from arietta.media.remote import RemoteFailed, shown
from arietta.model import events, snapshots
from arietta.model.snapshots import PlaybackState
from arietta.model.times import wire_now
from arietta.stasis.media_uris import MediaFailed, MediaLibrary, tell_playing

log = logging.getLogger(__name__)

QUEUED: Final = "queued"
PLAYING: Final = "playing"
PAUSED: Final = "paused"
CONTINUING: Final = "continuing"
DONE: Final = "done"
FAILED: Final = "failed"
OPERATIONS = ("restart", "pause", "unpause", "reverse", "forward")

T = TypeVar("T")


class Voice(Protocol):
    """Where a playback is heard: a channel's owner, or a bridge's announcer."""

    @property
    def name(self) -> str:
        """What the console calls it."""
        ...

    @property
    def port(self) -> Port | None:
        """The port that plays."""
        ...

    async def until(self, future: asyncio.Future[T], timeout: float | None = None) -> T:
        """Wait; HungUp when the voice is to end."""
        ...


class Playback:
    """Media URIs on their way to somebody's ear."""

    def __init__(
        self,
        playbacks: Playbacks,
        *,
        playback_id: str,
        media: Sequence[str],
        target_uri: str,
        language: str,
        topics: tuple[str, ...],
        offset_ms: int,
        skip_ms: int,
    ) -> None:
        self.id = playback_id
        self.state: PlaybackState = QUEUED
        self._playbacks = playbacks
        self._media = tuple(media)
        self._index = 0
        self._target_uri = target_uri
        self._language = language
        self._topics = topics
        self._offset_ms = offset_ms
        self._skip_ms = skip_ms
        self._player: Player | None = None
        self._fetching: asyncio.Future[str] | None = None
        self._stopped = False

    def snapshot(self) -> snapshots.Playback:
        """The playback as GET /playbacks/{id} shows it."""
        following = self._index + 1
        return snapshots.Playback(
            id=self.id,
            media_uri=self._media[self._index],
            next_media_uri=self._media[following] if following < len(self._media) else msgspec.UNSET,
            target_uri=self._target_uri,
            language=self._language,
            state=self.state,
        )

    async def run(self, voice: Voice) -> None:
        """Play every URI in turn; in the owner of the voice."""
        if self._stopped:
            self._finish(DONE)
            return
        outcome: PlaybackState = DONE
        try:
            for index in range(len(self._media)):
                if index:
                    self._enter(CONTINUING, events.PlaybackContinuing)
                self._index = index
                self._enter(PLAYING, events.PlaybackStarted)
                outcome = await self._play(voice, self._media[index], 0 if index else self._offset_ms)
                if self._stopped:
                    outcome = DONE
                    break
        except Interruption:
            outcome = FAILED
            raise
        except asyncio.CancelledError:
            outcome = FAILED
            raise
        finally:
            self._finish(outcome)

    def abandoned(self) -> None:
        """The voice ended before this playback came to its turn."""
        if self.state == QUEUED:
            self._enter(PLAYING, events.PlaybackStarted)
            self._finish(FAILED)

    async def _play(self, voice: Voice, uri: str, offset_ms: int) -> PlaybackState:
        port = voice.port
        try:
            source = await self._source(voice, uri)
        except (MediaFailed, MediaError) as failure:
            if not self._stopped:
                log.warning("playback %s: %s", self.id, failure)
            return FAILED
        if port is None or self._stopped:
            return FAILED
        tell_playing(voice.name, source, self._language)
        ended: asyncio.Future[PlayEnd] = asyncio.get_running_loop().create_future()

        def end(how: PlayEnd) -> None:
            if not ended.done():
                ended.set_result(how)

        self._player = player = port.play(source, offset_ms=offset_ms, on_end=end)
        try:
            how = await voice.until(ended)
        except (Interruption, asyncio.CancelledError):
            player.stop()
            raise
        finally:
            self._player = None
        if how.reason is PlayEndReason.FAILED:
            log.warning("playback %s: %s cannot be played: %s", self.id, shown(uri), how.error)
        return FAILED if how.reason in (PlayEndReason.FAILED, PlayEndReason.CLOSED) else DONE

    async def _source(self, voice: Voice, uri: str) -> Source:
        """What a URI names, fetched from another server if need be."""
        fetching = self._playbacks.library.fetch(uri)
        if fetching is None:
            return self._playbacks.library.resolve(uri, self._language)
        self._fetching = fetching
        try:
            return Files((await voice.until(fetching),))
        finally:
            self._fetching = None
            fetching.cancel()

    # ---------------------------------------------------------------------------------------------- from outside

    def stop(self) -> None:
        """Finish now; one that is still queued never starts."""
        self._stopped = True
        if self._player is not None:
            self._player.stop()
        elif self._fetching is not None:
            if not self._fetching.done():
                self._fetching.set_exception(RemoteFailed("it was stopped before it was here"))
        elif self.state == QUEUED:
            self._finish(DONE)

    def control(self, operation: str) -> None:
        """Restart, pause, unpause, reverse or forward; Conflict when it does not play."""
        player = self._player
        if player is None:
            raise Conflict(f"playback {self.id!r} is {self.state}, not playing")
        if operation == "pause":
            if self.state == PLAYING:
                player.pause()
                self.state = PAUSED
            return
        if operation == "unpause":
            if self.state == PAUSED:
                player.resume()
                self._enter(PLAYING, events.PlaybackStarted)
            return
        if self.state == PAUSED:
            raise Conflict(f"playback {self.id!r} is paused")
        if operation == "restart":
            player.restart()
        elif operation == "reverse":
            player.skip(-self._skip_ms)
        elif operation == "forward":
            player.skip(self._skip_ms)

    def _enter(self, state: PlaybackState, event: Callable[..., events.Event]) -> None:
        self.state = state
        self._playbacks.publish(event(timestamp=wire_now(), playback=self.snapshot()), self._topics)

    def _finish(self, state: PlaybackState) -> None:
        if self.state in (DONE, FAILED):
            return
        self._enter(state, events.PlaybackFinished)
        self._playbacks.forget(self)


class Playbacks:
    """The playbacks that are queued or play, by their id."""

    def __init__(self, bus: Bus, library: MediaLibrary) -> None:
        self.library = library
        self._bus = bus
        self._playbacks: dict[str, Playback] = {}

    def __len__(self) -> int:
        return len(self._playbacks)

    def need(self, playback_id: str) -> Playback:
        """A playback that has not finished."""
        playback = self._playbacks.get(playback_id)
        if playback is None:
            raise NotFound(f"playback {playback_id!r} does not exist")
        return playback

    def create(self, playback_id: str | None, **particulars: Any) -> Playback:
        """A new playback, queued; Conflict if the id is taken."""
        ident = playback_id or str(uuid4())
        if ident in self._playbacks:
            raise Conflict(f"playback id {ident!r} is in use")
        playback = self._playbacks[ident] = Playback(self, playback_id=ident, **particulars)
        return playback

    def forget(self, playback: Playback) -> None:
        """A playback has finished."""
        self._playbacks.pop(playback.id, None)

    def publish(self, event: events.Event, topics: tuple[str, ...]) -> None:
        """Publish an event of a playback to those who watch its target."""
        self._bus.publish(event, topics)
