"""Music on hold: one stream per class, that all its listeners hear at the same place."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ..codecs import Codec
from ..codecs.host import FRAME_MS
from ..engine import Files

if TYPE_CHECKING:
    from ..tracks import Track
    from .core import Core

__all__ = ["MusicStream"]


class MusicStream:
    """A class's pieces one after the other, for ever; its position follows the engine's ticks.

    The place goes on while at least one listener hears it and stands still when none does.
    """

    __slots__ = ("_at", "_core", "_failed", "_files", "_index", "_offset", "_shuffle", "_tracks")

    def __init__(self, core: Core, files: list[str], *, shuffle: bool = False) -> None:
        self._core = core
        self._files = list(files)
        self._shuffle = shuffle
        if shuffle:
            random.shuffle(self._files)
        self._index = 0
        self._offset = 0
        self._at = -1
        self._failed = 0
        self._tracks: dict[str, Track | None] = {}

    def payload(self, tick: int, codec: Codec) -> bytes:
        """What all hear at this tick, in a codec; silence while a piece is being read."""
        if tick != self._at:
            self._advance(tick)
        if not self._files:
            return codec.silence
        key = f"{codec.name}/{id(codec)}"
        if key not in self._tracks:
            self._tracks[key] = None
            index = self._index
            self._core.load(
                Files((self._files[index],)), codec, lambda track, error: self._loaded(index, key, track, error)
            )
        track = self._tracks.get(key)
        if track is None:
            return codec.silence
        size = codec.bytes_of(FRAME_MS)
        payload = track.data[self._offset * size : self._offset * size + size]
        if payload:
            return payload
        self._next_piece()
        return self.payload(tick, codec)

    def _loaded(self, index: int, key: str, track: Track | None, error: str | None) -> None:
        if index != self._index:
            return
        if track is None or not track.data:
            self._core.log(error or f"music file {self._files[index]} is empty")
            self._failed += 1
            if self._failed >= len(self._files):
                self._files = []
            else:
                self._next_piece()
            return
        self._failed = 0
        self._tracks[key] = track

    def _advance(self, tick: int) -> None:
        self._at = tick
        if any(track is not None for track in self._tracks.values()):
            self._offset += 1

    def _next_piece(self) -> None:
        self._index += 1
        if self._index >= len(self._files):
            self._index = 0
            if self._shuffle:
                random.shuffle(self._files)
        self._offset = 0
        self._tracks = {}
