"""Music on hold for the engine in C, which asks for the pieces as it comes to them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ..engine import Files
from ..files import sound_files

if TYPE_CHECKING:
    from ._engine import Track
    from .core import NativeCore

__all__ = ["MusicLibrary"]


class _Class:
    """The pieces of one class, in the order of this round."""

    __slots__ = ("failed", "files", "round", "shuffle")

    def __init__(self, files: list[str], *, shuffle: bool) -> None:
        self.files = files
        self.shuffle = shuffle
        self.round = -1
        self.failed: set[str] = set()

    def file(self, piece: int) -> str:
        """The file of a piece, counted from the beginning."""
        if self.shuffle and piece // len(self.files) != self.round:
            self.round = piece // len(self.files)
            random.shuffle(self.files)
        return self.files[piece % len(self.files)]


class MusicLibrary:
    """Classes by the numbers that the engine knows them by."""

    def __init__(self, core: NativeCore) -> None:
        self._core = core
        self._ids: dict[str, int] = {}
        self._classes: dict[int, _Class] = {}

    def id_of(self, name: str) -> int:
        """The number of a class; an unknown one is `default`."""
        classes = self._core.settings.music
        known = name if name in classes else "default"
        found = self._ids.get(known)
        if found is None:
            found = self._ids[known] = self._core.engine.new_id()
            place = classes.get(known, ())
            files = sound_files(place) if isinstance(place, str) else list(place)
            self._classes[found] = _Class(files, shuffle=known in self._core.settings.music_random)
        return found

    def wanted(self, music: int, piece: int, form: int, shard: int) -> None:
        """The engine has come to a piece; a class without one that can be read stays silent."""
        pieces = self._classes[music]
        if len(pieces.failed) >= len(pieces.files):
            return
        path = pieces.file(piece)

        def loaded(track: Track | None, error: str | None) -> None:
            if track is None:
                pieces.failed.add(path)
                self._core.log(error or f"music file {path} is empty")
            else:
                pieces.failed.discard(path)
            self._core.engine.load_music(shard, music, piece, form, track)

        self._core.loader.load(Files((path,)), self._core.engine.form(form), loaded)
