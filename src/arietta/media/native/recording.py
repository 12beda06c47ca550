"""Recorders of the engine in C: it gathers samples, the worker writes them."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

from ..engine import RecordEnd, RecordEndReason, RecordOptions
from ..writers import SoundWriter, WriteFormat, no_track_left

if TYPE_CHECKING:
    from .core import NativeCore

__all__ = ["SIDES", "NativeRecorder"]

SIDES = {"none": 0, "in": 1, "out": 2, "both": 3}
"""port.h's side_t."""

_REASONS = (
    RecordEndReason.STOPPED,
    RecordEndReason.CANCELLED,
    RecordEndReason.MAX_DURATION,
    RecordEndReason.MAX_SILENCE,
    RecordEndReason.CLOSED,
    RecordEndReason.FAILED,
)
_DISCARDED = (RecordEndReason.CANCELLED, RecordEndReason.FAILED)


class _Verb(IntEnum):
    """module_recording.c's recorder_verb."""

    BEGIN = 0
    PAUSE = 1
    MUTE = 2
    FINISH = 3
    DURATION = 4


class NativeRecorder:
    """One file being recorded from one port."""

    __slots__ = (
        "_core",
        "_duration_ms",
        "_error",
        "_form",
        "_id",
        "_on_end",
        "_options",
        "_path",
        "_reason",
        "_writer",
    )

    def __init__(
        self,
        core: NativeCore,
        port: int,
        path: str,
        form: WriteFormat,
        options: RecordOptions,
        on_end: Callable[[RecordEnd], None],
    ) -> None:
        self._core = core
        self._path = path
        self._form = form
        self._options = options
        self._on_end = on_end
        self._duration_ms = 0
        self._error: str | None = None
        self._reason: RecordEndReason | None = None
        self._writer: SoundWriter | None = None
        self._id = (
            core.engine.record(
                port,
                form.rate,
                SIDES[options.side.value],
                options.tracks,
                options.beep,
                options.max_duration_ms,
                options.max_silence_ms,
                options.silence_threshold,
            )
            or 0
        )
        core.offload(self._open, self._failed)
        if self._id:
            core.recorders[self._id] = self
        else:
            core.post(lambda: self.ended(_REASONS.index(RecordEndReason.CLOSED), 0, 0))

    def begin(self) -> None:
        """The beep is over."""
        self._do(_Verb.BEGIN)

    def pause(self) -> None:
        self._do(_Verb.PAUSE, 1)

    def resume(self) -> None:
        self._do(_Verb.PAUSE, 0)

    def mute(self) -> None:
        self._do(_Verb.MUTE, 1)

    def unmute(self) -> None:
        self._do(_Verb.MUTE, 0)

    def stop(self) -> None:
        self._finish(RecordEndReason.STOPPED)

    def cancel(self) -> None:
        self._finish(RecordEndReason.CANCELLED)

    @property
    def duration_ms(self) -> int:
        """How much was recorded."""
        return self._do(_Verb.DURATION)

    # -- told by the engine --

    def full(self) -> None:
        """Samples wait to be written."""
        self._core.offload(self._write, self._failed)

    def crowded(self) -> None:
        """A party came for whom there is no track."""
        self._core.log(no_track_left(f"{self._path}.{self._form.extension}"))

    def ended(self, reason: int, duration_ms: int, silence_ms: int) -> None:
        """It ended; what is left is written, then the owner is told."""
        self._duration_ms = duration_ms
        if self._reason is None:
            self._reason = _REASONS[reason]
        if self._reason is RecordEndReason.FAILED and self._error is None:
            self._error = f"recording {self._path}: the disk does not keep up"
        self._core.offload(self._close, lambda error: self._closed(error, silence_ms))

    # -- on the worker, in order --

    def _open(self) -> None:
        self._writer = SoundWriter(self._path, self._form, append=self._options.append)

    def _write(self) -> None:
        data, channels = self._core.engine.recorded(self._id)
        if self._writer is not None and data:
            self._writer.write(data, channels)

    def _close(self) -> None:
        if self._writer is None:
            return
        if self._reason in _DISCARDED:
            self._writer.abandon()
        else:
            self._write()
            self._writer.finish()

    # -- on the loop --

    def _finish(self, reason: RecordEndReason) -> None:
        self._do(_Verb.FINISH, _REASONS.index(reason))

    def _failed(self, error: Exception | None) -> None:
        if error is None:
            return
        if self._error is None and self._reason is not RecordEndReason.CANCELLED:
            self._error = str(error)
            self._reason = RecordEndReason.FAILED
        self._finish(RecordEndReason.FAILED)

    def _closed(self, error: Exception | None, silence_ms: int) -> None:
        if error is not None and self._error is None and self._reason is not RecordEndReason.CANCELLED:
            self._error, self._reason = str(error), RecordEndReason.FAILED
        if self._id:
            self._core.engine.free_recorder(self._id)
            self._id = 0
        path = f"{self._path}.{self._form.extension}"
        duration = self._duration_ms
        assert self._reason is not None
        self._on_end(RecordEnd(self._reason, path, duration, duration - silence_ms, silence_ms, self._error))

    def _do(self, verb: _Verb, value: int = 0) -> int:
        duration_ms = self._core.engine.recorder(self._id, verb, value) if self._id else None
        if duration_ms is not None:
            self._duration_ms = duration_ms
        return self._duration_ms
