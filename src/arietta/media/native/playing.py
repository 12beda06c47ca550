"""Players and generators of the engine in C."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

from ..engine import Generator, Music, PlayEnd, PlayEndReason, Source

if TYPE_CHECKING:
    from ._engine import Track
    from .core import NativeCore

__all__ = ["NativeGenerator", "NativePlayer"]

_REASONS = (PlayEndReason.DONE, PlayEndReason.STOPPED, PlayEndReason.FAILED, PlayEndReason.CLOSED)


class _Verb(IntEnum):
    """module_playing.c's player_verb."""

    PAUSE = 0
    RESUME = 1
    STOP = 2
    RESTART = 3
    SKIP = 4
    FAIL = 5
    POSITION = 6


class NativePlayer:
    """One source being played on one port."""

    __slots__ = ("_core", "_error", "_id", "_on_end", "_port", "_position_ms", "_source")

    def __init__(
        self, core: NativeCore, port: int, source: Source, offset_ms: int, on_end: Callable[[PlayEnd], None]
    ) -> None:
        self._core = core
        self._port = port
        self._source = source
        self._on_end = on_end
        self._error: str | None = None
        self._position_ms = 0
        music = core.music.id_of(source.music_class) if isinstance(source, Music) else 0
        self._id = core.engine.play(port, max(0, offset_ms), music) or 0
        if not self._id:
            core.post(lambda: on_end(PlayEnd(PlayEndReason.CLOSED, 0)))
            return
        core.players[self._id] = self
        self.load()

    def load(self) -> None:
        """Fetch the track for what the port sends now."""
        if isinstance(self._source, Music) or not self._id:
            return
        codec = self._core.engine.codec(self._port)
        if codec is not None:
            self._core.loader.load(self._source, codec[1], self._loaded)

    def _loaded(self, track: Track | None, error: str | None) -> None:
        if track is not None:
            self._core.engine.load(self._port, self._id, track)
            return
        self._error = error
        self._do(_Verb.FAIL)

    def ended(self, reason: int, position_ms: int) -> None:
        """The engine says so."""
        self._id = 0
        self._position_ms = position_ms
        why = _REASONS[reason]
        self._on_end(PlayEnd(why, position_ms, self._error if why is PlayEndReason.FAILED else None))

    @property
    def position_ms(self) -> int:
        """How much of the source was played."""
        return self._do(_Verb.POSITION)

    def pause(self) -> None:
        self._do(_Verb.PAUSE)

    def resume(self) -> None:
        self._do(_Verb.RESUME)

    def stop(self) -> None:
        self._do(_Verb.STOP)

    def restart(self) -> None:
        self._do(_Verb.RESTART)

    def skip(self, ms: int) -> None:
        self._do(_Verb.SKIP, ms)

    def _do(self, verb: _Verb, amount: int = 0) -> int:
        position_ms = self._core.engine.player(self._port, self._id, verb, amount) if self._id else None
        if position_ms is not None:
            self._position_ms = position_ms
        return self._position_ms


class NativeGenerator:
    """What a port or mixer sends in the background."""

    __slots__ = ("_core", "_id", "_place", "_source")

    def __init__(self, core: NativeCore, place: int, source: Generator) -> None:
        self._core = core
        self._place = place
        self._source = source
        music = core.music.id_of(source.music_class) if isinstance(source, Music) else 0
        self._id = core.engine.generate(place, True, music) or 0

    def load(self, form: str | int) -> None:
        """Fetch the track in a form."""
        if self._id and not isinstance(self._source, Music):
            self._core.loader.load(self._source, form, self._loaded, repeat=True)

    def _loaded(self, track: Track | None, error: str | None) -> None:
        if track is not None:
            self._core.engine.load(self._place, self._id, track)
        else:
            self._core.log(error or "a generator's sound is missing")
