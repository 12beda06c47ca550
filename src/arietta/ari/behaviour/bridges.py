"""What bridge operations do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from arietta.ari.domain import Assignments, PlayRequest, RecordRequest, Soon
from arietta.bridges.bridge import HOLDING, MIXING, TYPE_WORDS, Bridge, BridgeRegistry, Membership
from arietta.channels.channel import HungUp
from arietta.channels.registry import ChannelRegistry
from arietta.errors import BadRequest, Conflict, NotFound, ServerFailure, Unprocessable
from arietta.media.engine import Music, Port
from arietta.model import snapshots
from arietta.model.snapshots import BridgeType
from arietta.model.wire import Encoded
from arietta.stasis.control import Control, Controls
from arietta.stasis.originating import KNOWN_FORMATS
from arietta.stasis.playbacks import Playbacks
from arietta.stasis.recordings import Recordings

T = TypeVar("T")

MAX_QUEUED = 1000


class Announcer:
    """A bridge's own voice or ear: one port of the mixer, and what it does one after the other."""

    def __init__(self, bridge: Bridge) -> None:
        self._port: Port | None = bridge.mixer.port()
        self._queue: list[tuple[Callable[[Announcer], Awaitable[None]], Callable[[], None]]] = []
        self._waiting: asyncio.Future[object] | None = None
        self._ended = False
        self._task: asyncio.Task[None] | None = None
        self._bridge = bridge

    @property
    def name(self) -> str:
        """What the console calls it."""
        return f"Announcer/{self._bridge.id}"

    @property
    def port(self) -> Port | None:
        """The mixer's port."""
        return self._port

    async def until(self, future: asyncio.Future[T], timeout: float | None = None) -> T:
        """Wait; HungUp when the bridge is destroyed."""
        if self._ended:
            raise HungUp
        self._waiting = future  # type: ignore[assignment]
        try:
            return await asyncio.wait_for(future, timeout) if timeout is not None else await future
        except asyncio.CancelledError:
            if self._ended:
                raise HungUp from None
            raise
        finally:
            self._waiting = None

    def submit(self, run: Callable[[Announcer], Awaitable[None]], abandoned: Callable[[], None]) -> None:
        """Do something after what is queued."""
        if len(self._queue) >= MAX_QUEUED:
            raise Conflict(f"bridge {self._bridge.id!r} has {MAX_QUEUED} playbacks waiting, which is the limit")
        self._queue.append((run, abandoned))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(), name=f"announcer {self._bridge.id}")

    def end(self) -> None:
        """The bridge is gone: what runs and waits ends."""
        self._ended = True
        if self._waiting is not None:
            self._waiting.cancel()
        while self._queue:
            self._queue.pop(0)[1]()
        if self._port is not None:
            self._port.close()
            self._port = None

    async def _work(self) -> None:
        while self._queue:
            run, _ = self._queue.pop(0)
            try:
                await run(self)
            except HungUp:
                return


class Bridges:
    """Bridges, and what applications do with theirs."""

    def __init__(
        self,
        bridges: BridgeRegistry,
        channels: ChannelRegistry,
        controls: Controls,
        playbacks: Playbacks,
        recordings: Recordings,
    ) -> None:
        self._bridges = bridges
        self._channels = channels
        self._controls = controls
        self._playbacks = playbacks
        self._recordings = recordings
        self._announcers: dict[str, Announcer] = {}
        self._recorders: dict[str, Announcer] = {}
        self._music: set[str] = set()

    def list(self) -> list[snapshots.Bridge | Encoded]:
        return [bridge.snapshot() for bridge in self._bridges]

    def get(self, bridge_id: str) -> snapshots.Bridge:
        return self._need(bridge_id).snapshot()

    def require(self, bridge_id: str) -> None:
        self._need_ours(bridge_id)

    def create(self, bridge_id: str | None, types: tuple[str, ...], name: str) -> snapshots.Bridge:
        unknown = [word for word in types if word not in TYPE_WORDS]
        if unknown:
            raise ServerFailure(f"bridge type {unknown[0]!r} is unknown")
        if bridge_id and self._bridges.get(bridge_id) is not None:
            raise Conflict(f"bridge {bridge_id!r} exists")
        bridge_type: BridgeType = HOLDING if HOLDING in types else MIXING
        bridge = self._bridges.create(
            bridge_id=bridge_id or None, bridge_type=bridge_type, words=frozenset(types), name=name
        )
        bridge.on_destroyed.append(self._forget)
        return bridge.snapshot()

    def destroy(self, bridge_id: str) -> None:
        self._need_ours(bridge_id).destroy()

    # ------------------------------------------------------------------------------------------------- members

    def add_channels(
        self,
        bridge_id: str,
        channel_ids: tuple[str, ...],
        role: str | None,
        absorb_dtmf: bool,
        mute: bool,
        inhibit_connected_line_updates: bool,
    ) -> Soon[None]:
        bridge = self._need_ours(bridge_id)
        controls = [self._control_of(channel_id) for channel_id in channel_ids]
        for control in controls:
            if control.recording:
                raise Conflict(f"channel {control.channel.id!r} is being recorded")

        def add(control: Control) -> None:
            if bridge.destroyed:
                raise NotFound(f"bridge {bridge_id!r} does not exist")
            membership = Membership(
                control.channel,
                absorb_dtmf=absorb_dtmf,
                mute=mute,
                role=role or "",
                inhibit_connected_line=inhibit_connected_line_updates,
            )
            self._controls.join_bridge(control, bridge, membership)

        return self._each(controls, add)

    def remove_channels(self, bridge_id: str, channel_ids: tuple[str, ...]) -> Soon[None]:
        bridge = self._need_ours(bridge_id)
        controls = [self._control_of(channel_id) for channel_id in channel_ids]
        for control in controls:
            if control.channel.bridge is not bridge:
                raise Unprocessable(f"channel {control.channel.id!r} is not in bridge {bridge_id!r}")
        return self._each(controls, lambda control: bridge.leave(control.channel, "removed"))

    def _each(self, controls: Sequence[Control], action: Callable[[Control], None]) -> Soon[None]:
        if not any(control.busy for control in controls):
            for control in controls:
                action(control)
            return None

        async def in_turn() -> None:
            for control in controls:
                await control.ask(partial(action, control))

        return in_turn()

    def _control_of(self, channel_id: str) -> Control:
        channel = self._channels.find(channel_id)
        if channel is None:
            raise BadRequest(f"channel {channel_id!r} does not exist")
        control = self._controls.get(channel.id)
        if control is None:
            raise Unprocessable(f"channel {channel_id!r} is not in a Stasis application")
        return control

    def set_video_source(self, bridge_id: str, channel_id: str) -> None:
        bridge = self._need_ours(bridge_id)
        control = self._control_of(channel_id)
        if control.channel.bridge is not bridge:
            raise Unprocessable(f"channel {channel_id!r} is not in bridge {bridge_id!r}")
        bridge.set_video_source(control.channel)

    def clear_video_source(self, bridge_id: str) -> None:
        self._need_ours(bridge_id).clear_video_source()

    # ------------------------------------------------------------------------------------------- music and sound

    def start_music(self, bridge_id: str, music_class: str | None) -> None:
        bridge = self._need_ours(bridge_id)
        bridge.mixer.generate(Music(music_class or "default"))
        self._music.add(bridge.id)

    def stop_music(self, bridge_id: str) -> None:
        bridge = self._need_ours(bridge_id)
        if bridge.id not in self._music:
            raise Conflict(f"bridge {bridge_id!r} has no music to stop")
        self._music.discard(bridge.id)
        bridge.mixer.generate(None)

    def play(self, bridge_id: str, order: PlayRequest) -> snapshots.Playback:
        bridge = self._need_ours(bridge_id)
        _check_format("announcer_format", order.format)
        playback = self._playbacks.create(
            order.playback_id,
            media=order.media,
            target_uri=f"bridge:{bridge.id}",
            language=order.language or self._channels.default_language,
            topics=bridge.topics,
            offset_ms=max(order.offset_ms, 0),
            skip_ms=order.skip_ms,
        )
        announcer = self._announcers.get(bridge.id)
        if announcer is None:
            announcer = self._announcers[bridge.id] = Announcer(bridge)

        async def run(voice: Announcer) -> None:
            for channel in bridge.channels:
                channel.hear_early()
            await playback.run(voice)

        announcer.submit(run, playback.abandoned)
        return playback.snapshot()

    def record(self, bridge_id: str, order: RecordRequest) -> snapshots.LiveRecording:
        bridge = self._need_ours(bridge_id)
        _check_format("recorder_format", order.recorder_format)
        recording = self._recordings.create(
            name=order.name,
            format=order.format,
            if_exists=order.if_exists,
            target_uri=f"bridge:{bridge.id}",
            topics=bridge.topics,
            max_duration_ms=order.max_duration_seconds * 1000,
            max_silence_ms=order.max_silence_seconds * 1000,
            beep=order.beep,
            terminate_on=order.terminate_on,
        )
        recorder = self._recorders.get(bridge.id)
        if recorder is None:
            recorder = self._recorders[bridge.id] = Announcer(bridge)
        recorder.submit(recording.run, recording.abandoned)
        return recording.snapshot()

    # ------------------------------------------------------------------------------------------------ variables

    def variable(self, bridge_id: str, name: str) -> str:
        value = self._need(bridge_id).variables.get(name)
        if not value:
            raise NotFound(f"variable {name!r} of bridge {bridge_id!r} is not set")
        return value

    def set_variables(self, bridge_id: str, assignments: Assignments) -> None:
        bridge = self._need_ours(bridge_id)
        for name, assignment in assignments.items():
            if assignment.report_events:
                bridge.reported_variables[name] = None
            else:
                bridge.reported_variables.pop(name, None)
            bridge.set_variable(name, assignment.value)

    # ------------------------------------------------------------------------------------------------- finding

    def _need(self, bridge_id: str) -> Bridge:
        bridge = self._bridges.get(bridge_id)
        if bridge is None:
            raise NotFound(f"bridge {bridge_id!r} does not exist")
        return bridge

    def _need_ours(self, bridge_id: str) -> Bridge:
        bridge = self._need(bridge_id)
        if bridge.bridge_class != "stasis":
            raise Conflict(f"bridge {bridge_id!r} was not made by an application")
        return bridge

    def _forget(self, bridge: Bridge) -> None:
        self._music.discard(bridge.id)
        for voices in (self._announcers, self._recorders):
            voice = voices.pop(bridge.id, None)
            if voice is not None:
                voice.end()


def _check_format(parameter: str, format: str | None) -> None:
    if format and format not in KNOWN_FORMATS:
        raise Unprocessable(f"{parameter} {format!r} is unknown")
