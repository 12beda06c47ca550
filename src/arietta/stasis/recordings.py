"""Recordings: live ones with their events, and those that are kept as files."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from arietta.bus import Bus
from arietta.channels import signals
from arietta.channels.channel import Interruption
from arietta.errors import Conflict, Forbidden, NotFound, ServerFailure, Unprocessable
from arietta.media.engine import MediaError, Port, RecordEnd, RecordEndReason, Recorder, RecordOptions, Side
from arietta.model import events, snapshots
from arietta.model.snapshots import RecordingState
from arietta.model.times import wire_now

log = logging.getLogger(__name__)

FORMATS = frozenset("wav wav16 wav49 WAV gsm ulaw alaw sln sln12 sln16 sln24 sln32 sln44 sln48 sln96 sln192".split())
# What a client may call a format besides the name of its files.
TRACKS = {"wav-tracks": "wav", "wav16-tracks": "wav16"}
"""Formats of Arietta alone, tracks are channels of a file: a channel's two sides, received left and sent right; of a
bridge those in it, in the order in which they came."""
FORMAT_NAMES = {"ul": "ulaw", "mulaw": "ulaw", "pcm": "ulaw", "al": "alaw", "raw": "sln", "slin": "sln"}

T = TypeVar("T")


class Ear(Protocol):
    """Where a recording listens: a channel's owner, or a bridge's recorder."""

    @property
    def port(self) -> Port | None:
        """The port that is recorded."""
        ...

    async def until(self, future: asyncio.Future[T], timeout: float | None = None) -> T:
        """Wait; HungUp when the ear is to end."""
        ...


class LiveRecording:
    """A recording that is queued or being made."""

    def __init__(
        self,
        recordings: Recordings,
        *,
        name: str,
        format: str,
        target_uri: str,
        topics: tuple[str, ...],
        options: RecordOptions,
        terminate_on: str,
    ) -> None:
        self.name = name
        self.state: RecordingState = "queued"
        self.terminate_on = terminate_on
        self._recordings = recordings
        self._format = format
        self._target_uri = target_uri
        self._topics = topics
        self._options = options
        self._cause: str | None = None
        self._end: RecordEnd | None = None
        self._recorder: Recorder | None = None
        self._muted = False
        self._over = False

    def snapshot(self) -> snapshots.LiveRecording:
        """The recording as GET /recordings/live/{name} shows it."""
        end = self._end
        with_silence = end is not None and self._options.max_silence_ms > 0
        return snapshots.LiveRecording(
            name=self.name,
            format=self._format,
            state=self.state,
            target_uri=self._target_uri,
            cause=self._cause or msgspec.UNSET,
            duration=end.duration_ms // 1000 if end is not None else msgspec.UNSET,
            talking_duration=end.talking_ms // 1000 if end is not None and with_silence else msgspec.UNSET,
            silence_duration=end.silence_ms // 1000 if end is not None and with_silence else msgspec.UNSET,
        )

    async def run(self, ear: Ear) -> None:
        """Record until it is stopped, a limit is reached, or the ear ends; in the owner of the ear."""
        if self._over:
            return
        port = ear.port
        if port is None:
            self.fail("there is nothing to record")
            return
        ended: asyncio.Future[RecordEnd] = asyncio.get_running_loop().create_future()

        def end(how: RecordEnd) -> None:
            if not ended.done():
                ended.set_result(how)
            elif ended.cancelled():
                self._finish(how)

        path = self._recordings.path_of(self.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            form = TRACKS.get(self._format, self._format)
            self._recorder = port.record(str(path), form, self._options, on_end=end)
        except (OSError, MediaError) as problem:
            self.fail(str(problem))
            return
        self._enter("recording", events.RecordingStarted)
        try:
            how = await ear.until(ended)
        except (Interruption, asyncio.CancelledError):
            # The file is completed by the engine; what it says then comes too late for the owner.
            recorder = self._recorder
            self._finish(RecordEnd(RecordEndReason.CLOSED, str(path), recorder.duration_ms, 0, 0))
            recorder.stop()
            raise
        self._finish(how)

    def hear(self, signal: signals.Signal) -> None:
        """End on the digit that terminates the recording."""
        match signal:
            case signals.DigitEnded(digit, _, _) if self.terminate_on in ("any", digit):
                self.stop()
            case _:
                pass

    def fail(self, cause: str) -> None:
        """End as failed without having recorded."""
        if self._over:
            return
        self._over = True
        self._cause = cause
        self._enter("failed", events.RecordingFailed)
        self._recordings.forget(self)

    def abandoned(self) -> None:
        """The ear ended before this recording came to its turn."""
        self.fail("the channel left before the recording began")

    # ---------------------------------------------------------------------------------------------- from outside

    def stop(self) -> None:
        """Keep what there is."""
        if self._recorder is not None:
            self._recorder.stop()
        elif not self._over:
            self._over = True
            self._enter("done", events.RecordingFinished)
            self._recordings.forget(self)

    def cancel(self) -> None:
        """Throw away what there is."""
        if self._recorder is not None:
            self._recorder.cancel()
        else:
            self.stop()

    def pause(self) -> None:
        """Leave out what follows; twice is fine."""
        self._need_recorder().pause()
        self.state = "paused"

    def unpause(self) -> None:
        """Go on recording; twice is fine."""
        self._need_recorder().resume()
        self.state = "recording"

    def mute(self) -> None:
        """Record silence; twice is fine."""
        self._need_recorder().mute()

    def unmute(self) -> None:
        """Record sound again; twice is fine."""
        self._need_recorder().unmute()

    def _need_recorder(self) -> Recorder:
        if self._recorder is None:
            raise Conflict(f"recording {self.name!r} is {self.state}, not recording")
        return self._recorder

    def _finish(self, end: RecordEnd) -> None:
        if self._over:
            return
        self._over = True
        self._end = end
        if end.reason is RecordEndReason.FAILED:
            self._cause = end.error or "the file could not be written"
            self._enter("failed", events.RecordingFailed)
        else:
            self._enter("done", events.RecordingFinished)
        self._recordings.forget(self)

    def _enter(self, state: RecordingState, event: Callable[..., events.Event]) -> None:
        self.state = state
        self._recordings.publish(event(timestamp=wire_now(), recording=self.snapshot()), self._topics)


class Recordings:
    """Live recordings by their name, and the folder of those that are kept."""

    def __init__(self, bus: Bus, folder: Path) -> None:
        self.folder = folder
        self._bus = bus
        self._live: dict[str, LiveRecording] = {}

    def __len__(self) -> int:
        return len(self._live)

    def create(
        self,
        *,
        name: str,
        format: str,
        if_exists: str,
        target_uri: str,
        topics: tuple[str, ...],
        max_duration_ms: int,
        max_silence_ms: int,
        beep: bool,
        terminate_on: str,
    ) -> LiveRecording:
        """A new live recording, queued. 409 for a name in use, 422 for an unknown format, 500 outside the folder."""
        format = FORMAT_NAMES.get(format, format)
        if format not in FORMATS and format not in TRACKS:
            raise Unprocessable(f"recording format {format!r} is unknown")
        if self._inside(name) is None:
            raise ServerFailure(f"recording name {name!r} leads out of the folder of recordings")
        if name in self._live:
            raise Conflict(f"recording {name!r} is being made")
        if if_exists == "fail" and self._find(name) is not None:
            raise Conflict(f"recording {name!r} exists")
        recording = self._live[name] = LiveRecording(
            self,
            name=name,
            format=format,
            target_uri=target_uri,
            topics=topics,
            options=RecordOptions(
                beep=beep,
                max_duration_ms=max_duration_ms,
                max_silence_ms=max_silence_ms,
                append=if_exists == "append",
                side=Side.BOTH if format in TRACKS else Side.IN,
                tracks=format in TRACKS,
            ),
            terminate_on=terminate_on,
        )
        return recording

    def need(self, name: str) -> LiveRecording:
        """A live recording."""
        recording = self._live.get(name)
        if recording is None:
            raise NotFound(f"live recording {name!r} does not exist")
        return recording

    def forget(self, recording: LiveRecording) -> None:
        """A live recording has ended."""
        self._live.pop(recording.name, None)

    def publish(self, event: events.Event, topics: tuple[str, ...]) -> None:
        """Publish an event of a recording to those who watch its target."""
        self._bus.publish(event, topics)

    def path_of(self, name: str) -> Path:
        """Where the recording's file is, without its suffix."""
        path = self._inside(name)
        assert path is not None
        return path

    # --------------------------------------------------------------------------------------------------- stored

    def stored(self) -> list[snapshots.StoredRecording]:
        """Every recording in the folder and below, by name."""
        found = []
        if self.folder.is_dir():
            for path in sorted(self.folder.rglob("*")):
                if path.is_file() and path.suffix[1:] in FORMATS:
                    name = path.relative_to(self.folder).with_suffix("").as_posix()
                    found.append(snapshots.StoredRecording(name=name, format=path.suffix[1:]))
        return found

    def need_stored(self, name: str) -> Path:
        """The file of a stored recording."""
        path = self._find(name)
        if path is None:
            raise NotFound(f"recording {name!r} does not exist")
        return path

    def copy(self, name: str, destination: str) -> Path:
        """Copy a stored recording; 409 if the destination exists, 403 outside of the folder."""
        source = self.need_stored(name)
        base = self._inside(destination)
        if base is None:
            raise Forbidden(f"destination {destination!r} leads out of the folder of recordings")
        if self._find(destination) is not None:
            raise Conflict(f"recording {destination!r} exists")
        target = base.with_name(base.name + source.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return target

    def _inside(self, name: str) -> Path | None:
        if not name or "\0" in name or any(part in ("..", "") for part in name.split("/")):
            return None
        folder = self.folder.resolve()
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path != folder else None

    def _find(self, name: str) -> Path | None:
        base = self._inside(name)
        if base is None or not base.parent.is_dir():
            return None
        for suffix in sorted(FORMATS, key=lambda f: (f != "wav", f)):
            path = base.with_name(f"{base.name}.{suffix}")
            if path.is_file():
                return path
        return None
