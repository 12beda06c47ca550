"""What gives a port its payloads: tracks of encoded sound, players and generators on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..codecs import Codec
from ..codecs.host import FRAME_MS, feed_codec
from ..engine import Files, Generator, Music, PlayEnd, PlayEndReason, Source
from ..tracks import Track

if TYPE_CHECKING:
    from .core import Core
    from .music import MusicStream
    from .port import BasePort

__all__ = ["Feed", "PlayerUnit"]


class Feed:
    """A position on a track, or a listener of a music stream."""

    __slots__ = ("_codec", "_core", "_generation", "_music", "_size", "_source", "_track", "position")

    def __init__(self, core: Core, source: Source | Generator, codec: Codec) -> None:
        self._core = core
        self._source = source
        self._generation = 0
        self.position = 0
        """Offset in the track of the next frame, in bytes."""
        self.load(codec)

    def load(self, codec: Codec) -> None:
        """Fetch the track for a port's codec; the position in time stays."""
        codec = feed_codec(codec)
        old = getattr(self, "_codec", None)
        if old is not None:
            self.position = codec.bytes_of(old.ms_of(bytes(self.position)) // FRAME_MS * FRAME_MS)
        self._codec = codec
        self._size = codec.bytes_of(FRAME_MS)
        self._track: Track | None = None
        self._music: MusicStream | None = None
        self._generation += 1
        if isinstance(self._source, Music):
            self._music = self._core.music(self._source.music_class)
            return
        generation = self._generation
        self._core.load(self._source, codec, lambda track, error: self._loaded(generation, track, error))

    @property
    def loading(self) -> bool:
        """The track is being read; nothing comes until then."""
        return self._track is None and self._music is None

    def next(self, tick: int) -> bytes | None:
        """The payload of this tick; None at the end or while loading."""
        track = self._track
        if track is None:
            return self._music.payload(tick, self._codec) if self._music is not None else None
        position, size = self.position, self._size
        data = track.data
        payload = data[position : position + size]
        if len(payload) == size:
            self.position = position + size
            return payload
        if track.repeat is None or track.repeat >= len(data):
            return None
        while len(payload) < size:
            position = track.repeat
            missing = size - len(payload)
            payload += data[position : position + missing]
            self.position = position + missing
        return payload

    def _loaded(self, generation: int, track: Track | None, error: str | None) -> None:
        if generation != self._generation:
            return
        self._track = track if track is not None else Track(b"")
        if error is not None:
            self.failed(error)

    def failed(self, error: str) -> None:
        """The track could not be loaded."""
        self._core.log(error)


class GeneratorFeed(Feed):
    """A background source: files begin again at their end."""

    __slots__ = ()

    def _loaded(self, generation: int, track: Track | None, error: str | None) -> None:
        if track is not None and track.repeat is None and track.data and isinstance(self._source, Files):
            track = Track(track.data, 0)
        super()._loaded(generation, track, error)


class PlayerUnit(Feed):
    """One source being played on one port."""

    __slots__ = ("_elapsed_ms", "_error", "_on_end", "_port", "ended", "paused")

    def __init__(
        self, port: BasePort, source: Source, codec: Codec, offset_ms: int, on_end: Callable[[PlayEnd], None]
    ) -> None:
        self._port = port
        self._on_end = on_end
        self._elapsed_ms = 0
        self._error: str | None = None
        self.paused = False
        self.ended = False
        super().__init__(port.core, source, codec)
        if offset_ms > 0:
            self.position = self._codec.bytes_of(offset_ms // FRAME_MS * FRAME_MS)

    def next(self, tick: int) -> bytes | None:
        """The payload of this tick; at the end it tells so and leaves its port."""
        if self.paused:
            return None
        if self._error is not None:
            self.finish(PlayEndReason.FAILED, self._error)
            return None
        payload = super().next(tick)
        if payload is not None:
            self._elapsed_ms += FRAME_MS
        elif not self.loading:
            self.finish(PlayEndReason.DONE)
        return payload

    def failed(self, error: str) -> None:
        self._error = error

    def finish(self, reason: PlayEndReason, error: str | None = None) -> None:
        """End it once."""
        if self.ended:
            return
        self._elapsed_ms = self.position_ms
        end = PlayEnd(reason, self._elapsed_ms, error)
        self.ended = True
        self._track = Track(b"")
        self._port.player_ended(self)
        self._core.emit(self._on_end, end)

    @property
    def position_ms(self) -> int:
        """How much of the source was played."""
        track = self._track
        if self.ended or track is None or track.repeat is not None:
            return self._elapsed_ms
        return min(self.position, len(track.data)) * self._codec.frame_ms // self._codec.frame_bytes

    def pause(self) -> None:
        with self._core.lock:
            self.paused = True

    def resume(self) -> None:
        with self._core.lock:
            if self.paused and not self.ended:
                self.paused = False
                self._core.activate(self._port)

    def stop(self) -> None:
        with self._core.lock:
            self.finish(PlayEndReason.STOPPED)

    def restart(self) -> None:
        with self._core.lock:
            if not self.ended:
                self.position = 0
                self._elapsed_ms = 0

    def skip(self, ms: int) -> None:
        with self._core.lock:
            track = self._track
            if track is None or self.ended:
                return
            frames = round(ms / FRAME_MS)
            self.position = max(0, self.position + frames * self._size)
            self._elapsed_ms = max(0, self._elapsed_ms + frames * FRAME_MS)
            if track.repeat is None:
                self.position = min(self.position, len(track.data))
            elif self.position >= len(track.data):
                span = max(1, len(track.data) - track.repeat)
                self.position = track.repeat + (self.position - track.repeat) % span
