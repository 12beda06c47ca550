"""Sound for the engine in C: loaded once for all who play it, at once when it is in memory, else by the worker."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..codecs import CODECS, Codec
from ..codecs.host import host_codec
from ..engine import Files, Generator, MediaError, Source
from ..tracks import Track as Sound
from ..tracks import load_track, track_ready
from ._engine import Track

if TYPE_CHECKING:
    from .core import NativeCore

__all__ = ["Loader", "form_codec"]

Loaded = Callable[[Track | None, str | None], None]
LEAST_KEPT = 64


def form_codec(form: str | int) -> Codec:
    """The codec of what is played to a port: one by name, or samples at a rate."""
    return host_codec(form) if isinstance(form, int) else CODECS[form]


class Loader:
    """Tracks from sources; each piece of sound is kept in the engine once."""

    def __init__(self, core: NativeCore) -> None:
        self._core = core
        self._kept: OrderedDict[tuple[int, int], tuple[Sound, Track]] = OrderedDict()

    def load(self, source: Source | Generator, form: str | int, done: Loaded, *, repeat: bool = False) -> None:
        """Give the track of a source in a form; with repeat files begin again at their end."""
        codec = form_codec(form)
        cache = self._core.cache
        if track_ready(cache, source, codec):
            try:
                sound = load_track(cache, source, codec)
            except MediaError as error:
                done(None, str(error))
                return
            done(self._track(sound, repeat and isinstance(source, Files)), None)
            return
        sounds: list[Sound] = []

        def read() -> None:
            sounds.append(load_track(cache, source, codec))

        def finished(error: Exception | None) -> None:
            if error is not None:
                done(None, str(error))
            else:
                done(self._track(sounds[0], repeat and isinstance(source, Files)), None)

        self._core.offload(read, finished)

    def _track(self, sound: Sound, repeat: bool) -> Track:
        """The engine's copy of the sound; that of a cached file is shared while it is among the last used."""
        offset = sound.repeat if sound.repeat is not None else 0 if repeat and sound.data else -1
        key = (id(sound.data), offset)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[1]
        track = Track(sound.data, offset)
        self._kept[key] = (sound, track)  # which keeps the bytes, and with them the key, alive
        while len(self._kept) > LEAST_KEPT and self._size() > self._core.settings.cache_bytes:
            self._kept.popitem(last=False)
        return track

    def _size(self) -> int:
        return sum(len(sound.data) for sound, _ in self._kept.values())
