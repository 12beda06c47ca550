"""What channel operations do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import msgspec

from arietta.ari.domain import (
    Assignments,
    Dialling,
    Direction,
    ExternalMedia,
    Origination,
    PlayRequest,
    RecordRequest,
    SnoopDirection,
    Soon,
)
from arietta.channels.callerid import parse_caller_id
from arietta.channels.channel import Channel
from arietta.channels.driver import CannotRequest, DialRequest, Indication
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import snoop
from arietta.errors import (
    AriettaError,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidState,
    NotFound,
    NotSupported,
    ServerFailure,
    Unprocessable,
)
from arietta.media.codecs import codec, is_codec
from arietta.media.engine import DigitOut, RtpPort, Side, Silence
from arietta.media.experience import experience
from arietta.model import snapshots
from arietta.model.wire import Encoded
from arietta.stasis.control import Continue, Control, Controls, Move
from arietta.stasis.originating import Entrance, Originating, Place, Wanted
from arietta.stasis.playbacks import Playbacks
from arietta.stasis.recordings import Recordings

log = logging.getLogger(__name__)

MAX_DIGITS = 1000
DIGITS = frozenset("0123456789*#ABCD")
TRANSFER_STATES = ("channel_progress", "channel_answered", "channel_unavailable", "channel_declined")
TECHNOLOGIES = {"rtp": "UnicastRTP", "audiosocket": "AudioSocket", "none": "WebSocket"}
"""Which channels carry an encapsulation of external media."""
SIDES = {"none": Side.NONE, "both": Side.BOTH, "in": Side.IN, "out": Side.OUT}


class Channels:
    """Channels, and what applications do with theirs."""

    def __init__(
        self,
        channels: ChannelRegistry,
        controls: Controls,
        originating: Originating,
        playbacks: Playbacks,
        recordings: Recordings,
    ) -> None:
        self._channels = channels
        self._controls = controls
        self._originating = originating
        self._playbacks = playbacks
        self._recordings = recordings

    # ------------------------------------------------------------------------------------------------- looking

    def list(self) -> Encoded:
        return msgspec.Raw(b"[" + b",".join([c.encoded() for c in self._channels if not c.internal]) + b"]")

    def get(self, channel_id: str) -> Encoded:
        return msgspec.Raw(self._need(channel_id).encoded())

    def require(self, channel_id: str) -> None:
        self._need(channel_id)

    def require_in_application(self, channel_id: str) -> None:
        self._controls.need(channel_id)

    def require_up(self, channel_id: str) -> None:
        self._need_up(channel_id)

    def _need(self, channel_id: str) -> Channel:
        channel = self._channels.find(channel_id)
        if channel is None or channel.internal:
            raise NotFound(f"channel {channel_id!r} does not exist")
        return channel

    def _need_up(self, channel_id: str) -> Control:
        control = self._controls.need(channel_id)
        if control.channel.state in ("Down", "Ringing"):
            raise InvalidState(f"channel {channel_id!r} is {control.channel.state}")
        return control

    # -------------------------------------------------------------------------------------------------- making

    def originate(self, order: Origination) -> Encoded:
        then: Entrance | Place
        if order.app:
            then = Entrance(order.app, order.app_args or "")
        else:
            assert order.extension is not None
            then = self._place(order)
        timeout = order.timeout_seconds
        channel = self._originating.originate(self._wanted(order, order.caller_id), then, timeout)
        return msgspec.Raw(channel.encoded())

    def create(self, order: Dialling) -> Encoded:
        channel = self._originating.create(self._wanted(order, None), Entrance(order.app or "", order.app_args or ""))
        return msgspec.Raw(channel.encoded())

    def dial(self, channel_id: str, caller: str | None, timeout_seconds: int) -> None:
        self._originating.dial(channel_id, caller, timeout_seconds)

    def _wanted(self, order: Dialling, caller_id: str | None) -> Wanted:
        for ident in (order.channel_id, order.other_channel_id):
            if ident and self._channels.get(ident) is not None:
                raise Conflict(f"channel id {ident!r} is in use")
        variables = order.variables
        return Wanted(
            endpoint=order.endpoint,
            channel_id=order.channel_id,
            other_channel_id=order.other_channel_id,
            originator=order.originator,
            formats=order.formats,
            caller=parse_caller_id(caller_id) if caller_id else None,
            variables={name: (a.value, a.report_events) for name, a in variables.items()} if variables else None,
        )

    def _place(self, order: Origination) -> Place:
        context, exten = order.context or "default", order.extension or "s"
        priority = order.priority or 1
        if order.label:
            priority = self._label(context, exten, order.label)
        return Place(context, exten, priority)

    def _label(self, context: str, exten: str, label: str, caller_number: str = "") -> int:
        if label.isdigit():
            if int(label) < 1:
                raise BadRequest(f"label {label!r} is no priority: those begin at 1")
            return int(label)
        dialplan = self._channels.dialplan
        found = dialplan.priority_of_label(context, exten, label, caller_number) if dialplan else None
        if found is None:
            raise NotFound(f"there is no label {label!r} at {exten}@{context}")
        return found

    def external_media(self, order: ExternalMedia) -> Soon[snapshots.Channel]:
        channel, dialstring = self._external_program(order)
        for name, assignment in (order.variables or {}).items():
            self._write(channel, name, assignment.value, assignment.report_events)
        self._originating.call(channel, dialstring, Entrance(order.app, order.data or ""), 30)
        return msgspec.structs.replace(channel.snapshot(), channelvars=dict(channel.variables))

    def _external_program(self, order: ExternalMedia) -> tuple[Channel, str]:
        """The channel to a program behind RTP, an AudioSocket or a WebSocket, and its dialstring."""
        # A byte stream cannot tell where a frame of varying size ends.
        if not is_codec(order.format) or (order.encapsulation != "rtp" and codec(order.format).frame_bytes == 0):
            raise ServerFailure(f"format {order.format!r} is not carried")
        technology = TECHNOLOGIES[order.encapsulation]
        if order.encapsulation == "rtp":
            dialstring = f"{order.external_host}/c({order.format})"
        elif order.encapsulation == "audiosocket":
            dialstring = f"{order.external_host}/{order.data}/c({order.format})"
        else:
            client = order.external_host if order.connection_type == "client" else "INCOMING"
            dialstring = f"{client}/c({order.format}){order.transport_data or ''}"
        driver = self._channels.driver(technology)
        if driver is None:
            raise NotSupported(f"{technology} channels are not carried")
        if order.channel_id and self._channels.get(order.channel_id) is not None:
            raise Conflict(f"channel id {order.channel_id!r} is in use")
        try:
            return driver.request(DialRequest(resource=dialstring, channel_id=order.channel_id)), dialstring
        except CannotRequest as problem:
            raise BadRequest(str(problem)) from problem

    def snoop(
        self,
        channel_id: str,
        spy: SnoopDirection,
        whisper: SnoopDirection,
        app: str,
        app_args: str | None,
        snoop_id: str | None,
    ) -> Encoded:
        target = self._need(channel_id)
        if snoop_id and self._channels.get(snoop_id) is not None:
            raise ServerFailure(f"snoop id {snoop_id!r} is in use")
        application = self._controls.applications.get(app)
        if application is None or not application.active:
            raise ServerFailure(f"application {app!r} does not exist")
        if target.port is None:
            raise ServerFailure(f"channel {channel_id!r} has no audio to snoop on")
        channel = snoop(self._channels, target, SIDES[spy], SIDES[whisper], snoop_id)
        self._originating.enter(channel, Entrance(app, app_args or ""))
        return msgspec.Raw(channel.encoded())

    # ------------------------------------------------------------------------------------------ ways out and on

    def hang_up(self, channel_id: str, cause: int) -> None:
        self._need(channel_id).request_hangup(cause)

    def continue_in_dialplan(
        self,
        channel_id: str,
        context: str | None,
        extension: str | None,
        priority: int | None,
        label: str | None,
    ) -> None:
        control = self._need_up(channel_id)
        channel = control.channel
        context, extension = context or None, extension or None
        if label:
            priority = self._label(
                context or channel.context,
                extension or ("s" if context else channel.exten),
                label,
                channel.caller.number,
            )
            if extension is None and context is None:
                extension = channel.exten
        elif priority is not None and priority < 1:
            priority = None
        control.leave(Continue(context, extension, priority))

    def move(self, channel_id: str, app: str, app_args: str | None) -> None:
        control = self._controls.need(channel_id)
        control.leave(Move(app, tuple(app_args.split(",")) if app_args else ()))

    def redirect(self, channel_id: str, endpoint: str) -> Soon[None]:
        control = self._need_up(channel_id)
        technology, slash, resource = endpoint.partition("/")
        if not slash or not resource:
            raise Unprocessable(f"endpoint {endpoint!r} is not TECHNOLOGY/RESOURCE")
        if technology.lower() != control.channel.technology.lower():
            raise Unprocessable(f"channel {channel_id!r} is {control.channel.technology}, the endpoint {technology}")
        return control.ask(lambda: control.channel.leg.redirect(resource))

    # ---------------------------------------------------------------------------------------------- the far end

    def answer(self, channel_id: str) -> Soon[None]:
        control = self._need_up(channel_id)
        if control.busy:
            return control.ask(control.channel.answer)
        control.channel.answer()
        return None

    def ring(self, channel_id: str) -> None:
        self._indicate(channel_id, Indication.RINGING)

    def stop_ringing(self, channel_id: str) -> None:
        self._indicate(channel_id, Indication.STOP_RINGING)

    def progress(self, channel_id: str) -> None:
        self._indicate(channel_id, Indication.PROGRESS)

    def hold(self, channel_id: str) -> None:
        self._indicate(channel_id, Indication.HOLD)

    def unhold(self, channel_id: str) -> None:
        self._indicate(channel_id, Indication.UNHOLD)

    def _indicate(self, channel_id: str, indication: Indication) -> None:
        control = self._need_up(channel_id)
        self._do(control, lambda: control.channel.indicate(indication))

    def send_dtmf(
        self, channel_id: str, digits: str, before_ms: int, between_ms: int, duration_ms: int, after_ms: int
    ) -> None:
        control = self._need_up(channel_id)
        channel = control.channel
        wanted = [digit for digit in digits.upper() if digit in DIGITS]
        if len(wanted) > MAX_DIGITS:
            raise BadRequest(f"dtmf has {len(wanted)} digits, {MAX_DIGITS} at most")
        between, duration = max(between_ms, 0), max(duration_ms, 1)

        async def run() -> None:
            if before_ms > 0:
                await channel.sleep(before_ms / 1000)
            if wanted:
                done = self._channels.loop.create_future()
                channel.send_digits(
                    [DigitOut(digit, duration, between) for digit in wanted],
                    lambda: None if done.done() else done.set_result(None),
                )
                await channel.until(done)
            if after_ms > 0:
                await channel.sleep(after_ms / 1000)

        control.submit(run)

    def mute(self, channel_id: str, direction: Direction) -> Soon[None]:
        return self._mute(channel_id, direction, True)

    def unmute(self, channel_id: str, direction: Direction) -> Soon[None]:
        return self._mute(channel_id, direction, False)

    def _mute(self, channel_id: str, direction: Direction, on: bool) -> Soon[None]:
        control = self._need_up(channel_id)
        port = control.channel.port
        if port is not None:
            port.mute(
                incoming=on if direction in ("both", "in") else None,
                outgoing=on if direction in ("both", "out") else None,
            )
        return None

    def start_music(self, channel_id: str, music_class: str | None) -> None:
        control = self._need_up(channel_id)
        wanted = music_class or control.channel.music_class or "default"
        self._do(control, lambda: control.channel.play_music(wanted))

    def stop_music(self, channel_id: str) -> None:
        control = self._need_up(channel_id)
        self._do(control, control.channel.stop_music)

    def start_silence(self, channel_id: str) -> None:
        self._generate(self._need_up(channel_id), Silence())

    def stop_silence(self, channel_id: str) -> None:
        self._generate(self._need_up(channel_id), None)

    def _generate(self, control: Control, generator: Silence | None) -> None:
        def act() -> None:
            control.channel.forget_background()
            if control.channel.port is not None:
                control.channel.port.generate(generator)

        self._do(control, act)

    # --------------------------------------------------------------------------------------- sounds in and out

    def play(self, channel_id: str, order: PlayRequest) -> snapshots.Playback:
        control = self._need_up(channel_id)
        channel = control.channel
        playback = self._playbacks.create(
            order.playback_id,
            media=order.media,
            target_uri=f"channel:{channel.id}",
            language=order.language or channel.language,
            topics=channel.topics,
            offset_ms=max(order.offset_ms, 0),
            skip_ms=order.skip_ms,
        )

        async def run() -> None:
            channel.stop_tone()
            channel.hear_early()
            await playback.run(channel)

        control.submit(run, playback.abandoned)
        return playback.snapshot()

    def record(self, channel_id: str, order: RecordRequest) -> snapshots.LiveRecording:
        control = self._controls.need(channel_id)
        channel = control.channel
        recording = self._recordings.create(
            name=order.name,
            format=order.format,
            if_exists=order.if_exists,
            target_uri=f"channel:{channel.id}",
            topics=channel.topics,
            max_duration_ms=order.max_duration_seconds * 1000,
            max_silence_ms=order.max_silence_seconds * 1000,
            beep=order.beep,
            terminate_on=order.terminate_on,
        )

        async def run() -> None:
            if channel.bridge is not None:
                recording.fail("Cannot record channel while in bridge")
                return
            control.recording = True
            channel.listeners.append(recording.hear)
            try:
                await recording.run(channel)
            finally:
                control.recording = False
                if recording.hear in channel.listeners:
                    channel.listeners.remove(recording.hear)

        control.submit(run, recording.abandoned)
        return recording.snapshot()

    # ------------------------------------------------------------------------------------------------ variables

    def variable(self, channel_id: str, name: str) -> str:
        channel = self._need(channel_id)
        dialplan = self._channels.dialplan
        assert dialplan is not None
        try:
            value = dialplan.read(channel, name)
        except AriettaError as problem:
            raise ServerFailure(str(problem)) from problem
        if value is None or (value == "" and "(" not in name):
            raise NotFound(f"variable {name!r} is not set")
        return value

    def set_variables(self, channel_id: str, assignments: Assignments) -> None:
        control = self._controls.need(channel_id)
        for name, assignment in assignments.items():
            self._write(control.channel, name, assignment.value, assignment.report_events)

    def _write(self, channel: Channel, name: str, value: str, reported: bool) -> None:
        dialplan = self._channels.dialplan
        assert dialplan is not None
        if reported:
            channel.reported_variables[name] = None
        else:
            channel.reported_variables.pop(name, None)
        try:
            if value or "(" in name:
                dialplan.write(channel, name, value)
            else:
                channel.unset_variable(name)
        except AriettaError as problem:
            # A function that does not exist, or takes no value, is no refusal in ARI.
            log.warning("channel %s: %s", channel.name, problem)

    # ----------------------------------------------------------------------------------------------- the rest

    def rtp_statistics(self, channel_id: str) -> snapshots.RTPstat:
        channel = self._need(channel_id)
        if channel.technology != "PJSIP":
            if channel.technology == "UnicastRTP":
                raise NotFound(f"channel {channel_id!r} has no RTP session of a call")
            raise Forbidden(f"channels of technology {channel.technology} have no RTP")
        port = channel.port
        statistics: Callable[[], Any] | None = getattr(port, "statistics", None)
        if port is None or statistics is None:
            raise NotFound(f"channel {channel_id!r} has no RTP session yet")
        rtp: RtpPort = port  # type: ignore[assignment]
        figures = rtp.statistics()
        return snapshots.RTPstat(
            **{name: getattr(figures, name) for name in figures.__dataclass_fields__},
            **cast("dict[str, Any]", experience(figures)),
            channel_uniqueid=channel.id,
        )

    def transfer_progress(self, channel_id: str, state: str) -> None:
        control = self._controls.need(channel_id)
        if state not in TRANSFER_STATES:
            raise BadRequest(f"states {state!r} is none of {', '.join(TRANSFER_STATES)}")
        report = getattr(control.channel.leg, "transfer_progress", None)
        if report is not None:
            report(state)

    def _do(self, control: Control, action: Callable[[], None]) -> None:
        """Carry out what cannot fail, in its turn; nobody waits for it, since a tone before it may never end."""
        if not control.busy:
            action()
            return

        async def run() -> None:
            action()

        control.submit(run)
