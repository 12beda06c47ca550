"""Recordings: frames of a port to a sound file, the disk on another thread."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..codecs.host import FRAME_MS
from ..engine import RecordEnd, RecordEndReason, RecordOptions, Side
from ..files import MOST_TRACKS
from ..writers import SoundWriter, WriteFormat, no_track_left
from .frame import Converter, Frame, level, mixed

if TYPE_CHECKING:
    from .port import BasePort

__all__ = ["RecorderUnit"]

CHUNK_MS = 1000
MOST_CHUNKS = 120
"""Written seconds that may wait for the disk; more fail the recording."""


class RecorderUnit:
    """One file being recorded from one port."""

    __slots__ = (
        "_buffer",
        "_buffered_ms",
        "_chunks",
        "_converters",
        "_core",
        "_crowded",
        "_duration_ms",
        "_error",
        "_form",
        "_muted",
        "_on_end",
        "_options",
        "_parties",
        "_path",
        "_paused",
        "_port",
        "_reason",
        "_said",
        "_silence_ms",
        "_silent_run_ms",
        "_started",
        "_writer",
    )

    def __init__(
        self,
        port: BasePort,
        path: str,
        form: WriteFormat,
        options: RecordOptions,
        on_end: Callable[[RecordEnd], None],
    ) -> None:
        self._core = port.core
        self._port = port
        self._path = path
        self._form = form
        self._options = options
        self._on_end = on_end
        self._converters = (Converter(), Converter(), Converter())
        self._parties: dict[BasePort, Converter] | None = None if form.channels else {}
        """Of those who have a track of their own, in the order of the tracks; None: the mix is not kept apart."""
        self._said: dict[BasePort, Frame] = {}
        """What they say in this tick."""
        self._crowded = False
        self._buffer = bytearray()
        self._buffered_ms = 0
        self._chunks = 0
        self._duration_ms = 0
        self._silence_ms = 0
        self._silent_run_ms = 0
        self._paused = self._muted = False
        self._started = not options.beep
        self._reason: RecordEndReason | None = None
        self._error: str | None = None
        self._writer: SoundWriter | None = None
        self._core.offload(self._open, self._failed)

    @property
    def duration_ms(self) -> int:
        return self._duration_ms

    def begin(self) -> None:
        """The beep is over."""
        self._started = True

    def pause(self) -> None:
        with self._core.lock:
            self._paused = True

    def resume(self) -> None:
        with self._core.lock:
            self._paused = False

    def mute(self) -> None:
        with self._core.lock:
            self._muted = True

    def unmute(self) -> None:
        with self._core.lock:
            self._muted = False

    def stop(self) -> None:
        with self._core.lock:
            self.finish(RecordEndReason.STOPPED)

    def cancel(self) -> None:
        with self._core.lock:
            self.finish(RecordEndReason.CANCELLED)

    @property
    def rate(self) -> int:
        """Of the file."""
        return self._form.rate

    @property
    def keeps_apart(self) -> bool:
        """Whether each party of the mix has a track."""
        return self._parties is not None

    def admit(self, party: BasePort) -> None:
        """A member of the mix gets a track, unless it has one or all are taken."""
        parties = self._parties
        if parties is None or self._reason is not None or party in parties:
            return
        if len(parties) < MOST_TRACKS:
            self._flush()
            parties[party] = Converter()
        elif not self._crowded:
            self._crowded = True
            self._core.log(no_track_left(f"{self._path}.{self._form.extension}"))

    def hear(self, said: dict[BasePort, Frame]) -> None:
        """What the members of the mix say in this tick, before `tick`."""
        self._said = said

    def tick(self, received: Frame | None, sent: Frame | None) -> None:
        """Take the frames of this tick."""
        said, self._said = self._said, {}
        if self._reason is not None or self._paused or not self._started:
            return
        options = self._options
        if self._parties is not None:
            loud = self._put_parties(self._parties, said)
        elif options.tracks:
            loud = self._put_tracks(received, sent)
        else:
            samples, loud = self._heard(self._frame(received, sent), self._converters[2])
            self._buffer += samples
        self._duration_ms += FRAME_MS
        self._buffered_ms += FRAME_MS
        if loud:
            self._silent_run_ms = 0
        else:
            self._silence_ms += FRAME_MS
            self._silent_run_ms += FRAME_MS
        if self._buffered_ms >= CHUNK_MS:
            self._flush()
        if 0 < options.max_duration_ms <= self._duration_ms:
            self.finish(RecordEndReason.MAX_DURATION)
        elif 0 < options.max_silence_ms <= self._silent_run_ms:
            self.finish(RecordEndReason.MAX_SILENCE)

    def finish(self, reason: RecordEndReason, error: str | None = None) -> None:
        """End it once; `on_end` follows when the file is complete."""
        if self._reason is not None:
            return
        self._reason = reason
        self._error = error
        if reason not in (RecordEndReason.CANCELLED, RecordEndReason.FAILED):
            self._flush()
        self._port.recorder_ended(self)
        self._core.offload(self._close, self._closed)

    def _frame(self, received: Frame | None, sent: Frame | None) -> Frame | None:
        if self._options.side is Side.IN:
            return received
        if self._options.side is Side.OUT:
            return sent
        return mixed(received, sent, self._form.rate, (self._converters[0], self._converters[1]))

    def _heard(self, frame: Frame | None, converter: Converter) -> tuple[bytes, bool]:
        """A tick's samples, and whether they are loud."""
        size = self._form.rate // 50 * 2
        if frame is None or self._muted:
            return bytes(size), False
        samples = converter.samples(frame, self._form.rate)
        loud = level(samples) >= self._options.silence_threshold
        return samples if len(samples) == size else samples[:size].ljust(size, b"\0"), loud

    def _put_tracks(self, received: Frame | None, sent: Frame | None) -> bool:
        left, left_loud = self._heard(received, self._converters[0])
        right, right_loud = self._heard(sent, self._converters[1])
        both = array("h", bytes(2 * len(left)))
        both[0::2], both[1::2] = array("h", left), array("h", right)
        self._buffer += both.tobytes()
        return left_loud or right_loud

    def _put_parties(self, parties: dict[BasePort, Converter], said: dict[BasePort, Frame]) -> bool:
        channels = max(1, len(parties))
        tracks = array("h", bytes(self._form.rate // 50 * 2 * channels))
        any_loud = False
        for track, (party, converter) in enumerate(parties.items()):
            samples, loud = self._heard(said.get(party), converter)
            tracks[track::channels] = array("h", samples)
            any_loud = any_loud or loud
        self._buffer += tracks.tobytes()
        return any_loud

    # -- on the worker thread, in order --

    def _open(self) -> None:
        self._writer = SoundWriter(self._path, self._form, append=self._options.append)

    def _close(self) -> None:
        if self._writer is None:
            return
        if self._reason in (RecordEndReason.CANCELLED, RecordEndReason.FAILED):
            self._writer.abandon()
        else:
            self._writer.finish()

    # -- on the engine's thread --

    def _flush(self) -> None:
        if not self._buffer:
            return
        chunk, channels = bytes(self._buffer), len(self._parties or ()) or 1
        self._buffer.clear()
        self._buffered_ms = 0
        self._chunks += 1
        if self._chunks > MOST_CHUNKS:
            self.finish(RecordEndReason.FAILED, f"recording {self._path}: the disk does not keep up")
            return
        self._core.offload(lambda: self._write(chunk, channels), self._written)

    def _write(self, chunk: bytes, channels: int) -> None:
        if self._writer is not None:
            self._writer.write(chunk, channels)

    def _written(self, error: Exception | None) -> None:
        self._chunks -= 1
        self._failed(error)

    def _failed(self, error: Exception | None) -> None:
        if error is None:
            return
        if self._reason is None:
            self.finish(RecordEndReason.FAILED, str(error))
        elif self._error is None and self._reason is not RecordEndReason.CANCELLED:
            self._reason, self._error = RecordEndReason.FAILED, str(error)

    def _closed(self, error: Exception | None) -> None:
        self._failed(error)
        reason = self._reason if self._reason is not None else RecordEndReason.STOPPED
        silence = self._silence_ms
        path = f"{self._path}.{self._form.extension}"
        end = RecordEnd(reason, path, self._duration_ms, self._duration_ms - silence, silence, self._error)
        self._core.emit(self._on_end, end)
