"""WebSocket channels: audio to and from a program as binary messages, commands and events as text.

The program connects to us (``INCOMING``, at ``/media/CONNECTION_ID``), or we connect to it (a section of
websocket_client.conf). Commands and events are words, or JSON objects with the option ``f(json)``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.channels.driver import CannotRequest, DialRequest, WithoutEndpoints
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import PortLeg
from arietta.drivers.pacing import PORT_BUFFER_MS, PacedAudio
from arietta.drivers.programs import new_channel, read_options
from arietta.media.codecs import CODECS
from arietta.media.engine import MediaError, StreamPort
from arietta.model import causes

log = logging.getLogger(__name__)

INCOMING = "INCOMING"
OPTIONS = "cnfv"
"""``c(format)``, ``n``: not answered by itself, ``f(json|plain-text)``, ``v(name=value,...)``: more of the URI."""
CONNECTION_VARIABLE = "MEDIA_WEBSOCKET_CONNECTION_ID"
FRAME_SIZE_VARIABLE = "MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE"
PTIME_MS = 20
MAX_MESSAGE_BYTES = 65500
XOFF_FRAMES, XON_FRAMES, MAX_FRAMES = 900, 800, 1000
"""Frames waiting at which the program is told to stop, to go on, and beyond which audio is dropped."""
MAX_WAITING_MARKS = 1000
MAX_UNSENT_BYTES = 64 << 10
"""Audio that the program does not read is dropped beyond so much."""
TOO_BIG = 1009  # RFC 6455 7.4.1


class MediaSocket(Protocol):
    """An open WebSocket; what comes is given to `take_text` and `take_audio` of the leg, its end to `lost`."""

    @property
    def unsent_bytes(self) -> int:
        """How much the program has not read."""
        ...

    def send_text(self, text: str) -> None: ...

    def send_audio(self, data: bytes) -> None: ...

    def close(self, code: int) -> None: ...


class CannotOpen(Exception):
    """The program did not take the WebSocket."""


class Clients(Protocol):
    """The WebSockets that we can open."""

    def refusal(self, name: str) -> str | None:
        """Why the client of that name cannot be used for media; None if it can."""
        ...

    def open(self, name: str, query: str, leg: WebSocketLeg) -> Coroutine[Any, Any, None]:
        """Connect, and give the socket to `leg.connected`; raises CannotOpen."""
        ...


class WebSocketLeg(PortLeg):
    """The leg of one WebSocket."""

    def __init__(self, registry: ChannelRegistry, name: str, format: str, options: Mapping[str, str]) -> None:
        super().__init__()
        self.name = name
        self.connection_id = str(uuid4()) if name == INCOMING else name
        self.format = format
        self.frame_bytes = CODECS[format].bytes_of(PTIME_MS)
        self.query = "&".join(options.get("v", "").split(",")) if options.get("v") else ""
        self.on_end: Callable[[], None] | None = None
        self._json = options.get("f") == "json"
        self._answers = "n" not in options
        self._loop = registry.loop
        self._stream: StreamPort = registry.engine.open_stream(
            format=format,
            on_event=self.heard,
            on_frame=self._send_audio,
            on_digit=self._send_digit,
            buffer_ms=PORT_BUFFER_MS,
        )
        self.attach(self._stream)
        self._audio = PacedAudio(
            registry.loop,
            self._stream,
            high=XOFF_FRAMES,
            low=XON_FRAMES,
            on_high=partial(self._tell, "MEDIA_XOFF"),
            on_low=partial(self._tell, "MEDIA_XON"),
        )
        self._silence = CODECS[format].silence
        self._socket: MediaSocket | None = None
        self._open: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._called = self._answered = False
        self._buffering = False
        self._rest = b""
        self._marks = 0
        self._hears, self._speaks = True, True  # the program
        self._dropped = 0

    # ------------------------------------------------------------------------------------------ what the channel asks

    def connect_with(self, open: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Open the socket like this when the channel is called."""
        self._open = open

    def call(self) -> None:
        if self._called:
            return
        self._called = True
        if self._open is not None:
            self._opening = self._loop.create_task(self._connect(self._open), name=f"media WebSocket {self.name}")
        elif self._socket is not None and self._answers:
            self._answer()

    async def _connect(self, open: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await open()
        except CannotOpen as problem:
            log.warning("media WebSocket %s: %s", self.name, problem)
            self._end(causes.DESTINATION_OUT_OF_ORDER)

    def answer(self) -> None:
        """The channel was answered from our side."""
        self._answered = True

    def read(self, item: str) -> str | None:
        return f"{self.name}/c({self.format})" if item == "dialstring" else None

    def hangup(self, cause: int) -> int | None:
        self._audio.close()
        if self._opening is not None:
            self._opening.cancel()
        if self.on_end is not None:
            self.on_end()
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close(1000)
        if self._dropped:
            log.warning("media WebSocket %s: %d frames were dropped", self.connection_id, self._dropped)
        return super().hangup(cause)

    def _answer(self) -> None:
        if not self._answered and self.channel is not None:
            self._answered = True
            self.channel.receive(signals.Answered())

    def _end(self, cause: int) -> None:
        if self.channel is not None:
            self.channel.receive(signals.HungUp(cause))

    # ---------------------------------------------------------------------------------------------- the connection

    @property
    def is_connected(self) -> bool:
        """Whether a program is there."""
        return self._socket is not None

    def connected(self, socket: MediaSocket) -> None:
        """A program is there: tell it which call this is."""
        channel = self.channel
        if channel is None or self._socket is not None:
            socket.close(1000)
            return
        self._socket = socket
        if self._json:
            self._tell_json(
                "MEDIA_START",
                connection_id=self.connection_id,
                channel=channel.name,
                format=self.format,
                optimal_frame_size=self.frame_bytes,
                ptime=PTIME_MS,
                channel_variables=dict(channel.variables),
            )
        else:
            socket.send_text(
                f"MEDIA_START connection_id:{self.connection_id} channel:{channel.name} channel_id:{channel.id} "
                f"format:{self.format} optimal_frame_size:{self.frame_bytes} ptime:{PTIME_MS}"
            )
        if self._called and self._answers:
            self._answer()

    def lost(self) -> None:
        """The program is gone, which is a hangup."""
        self._socket = None
        self._end(causes.NORMAL_CLEARING)

    # ----------------------------------------------------------------------------------------------- what is sent

    def _send_audio(self, frame: bytes) -> None:
        socket = self._socket
        if socket is None or not self._hears:
            return
        if socket.unsent_bytes > MAX_UNSENT_BYTES:
            self._dropped += 1
            return
        socket.send_audio(frame)

    def _send_digit(self, digit: str, _duration_ms: int) -> None:
        self._tell("DTMF_END", digit=digit)

    def _tell(self, event: str, **facts: Any) -> None:
        """Send an event: JSON, or its name with ``name:value`` behind it."""
        if self._json:
            self._tell_json(event, **facts)
        elif self._socket is not None:
            words = [
                f"{name}:{str(value).lower() if isinstance(value, bool) else value}" for name, value in facts.items()
            ]
            self._socket.send_text(" ".join((event, *words)))

    def _tell_json(self, event: str, **facts: Any) -> None:
        if self._socket is not None:
            channel_id = self.channel.id if self.channel is not None else ""
            self._socket.send_text(json.dumps({"event": event, "channel_id": channel_id, **facts}))

    def _tell_mark(self, event: str, correlation_id: str) -> None:
        self._marks -= 1
        if self._json:
            self._tell_json(event, **({"correlation_id": correlation_id} if correlation_id else {}))
        elif self._socket is not None:
            self._socket.send_text(f"{event} {correlation_id}".rstrip())

    def _refuse(self, reason: str) -> None:
        log.warning("media WebSocket %s: %s", self.connection_id, reason)
        if self._json:
            self._tell_json("ERROR", error_text=reason)
        elif self._socket is not None:
            self._socket.send_text(f"ERROR {reason}")

    # ----------------------------------------------------------------------------------------------- what comes

    def take_audio(self, data: bytes) -> None:
        """Take a binary message. Outside of START and STOP_MEDIA_BUFFERING what does not fill a frame is dropped."""
        if len(data) > MAX_MESSAGE_BYTES:
            log.warning(
                "media WebSocket %s: a message of %d bytes, %d at most",
                self.connection_id,
                len(data),
                MAX_MESSAGE_BYTES,
            )
            if self._socket is not None:
                self._socket.close(TOO_BIG)
            self._end(causes.NORMAL_CLEARING)
            return
        if self.channel is None or not self._speaks:
            return
        size = self.frame_bytes
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % size
        for start in range(0, whole, size):
            if self._audio.frames >= MAX_FRAMES:
                self._dropped += 1
            else:
                self._audio.put(data[start : start + size])
        self._rest = data[whole:] if self._buffering else b""

    def take_text(self, text: str) -> None:
        """Take a command; one that is unknown is answered with ERROR."""
        word, _, argument = text.strip().partition(" ")
        parameters: dict[str, Any] = {}
        if text.lstrip().startswith("{"):
            try:
                read = json.loads(text)
            except ValueError:
                self._refuse("a command is not JSON")
                return
            word = str(read.get("command", ""))
            parameters = read
            argument = str(read.get("correlation_id") or "")
        command = COMMANDS.get(word)
        if command is None:
            self._refuse(f"command {word[:64]!r} is not known; known are {', '.join(COMMANDS)}")
        elif word == "SET_MEDIA_DIRECTION":
            self._set_direction(str(parameters.get("direction", argument)).removeprefix("direction:"))
        else:
            command(self, argument.strip())

    def _command_answer(self, _argument: str) -> None:
        self._answer()

    def _command_hangup(self, _argument: str) -> None:
        self._end(causes.NORMAL_CLEARING)

    def _start_buffering(self, _argument: str) -> None:
        self._buffering = True

    def _stop_buffering(self, correlation_id: str) -> None:
        """Fill the last piece to a frame with silence, and tell when all was given to the call."""
        self._buffering = False
        if self._rest:
            self._audio.put(self._rest + self._silence[len(self._rest) : self.frame_bytes])
            self._rest = b""
        self._mark("MEDIA_BUFFERING_COMPLETED", correlation_id)

    def _mark(self, event: str, correlation_id: str) -> None:
        if self._marks >= MAX_WAITING_MARKS:
            self._refuse(f"{MAX_WAITING_MARKS} marks are waiting, which is the limit")
            return
        self._marks += 1
        self._audio.mark(partial(self._tell_mark, event, correlation_id))

    def _mark_media(self, correlation_id: str) -> None:
        self._mark("MEDIA_MARK_PROCESSED", correlation_id)

    def _flush(self, _argument: str) -> None:
        self._buffering = False
        self._rest = b""
        self._marks = 0
        self._audio.paused = False
        self._audio.clear()

    def _pause(self, _argument: str) -> None:
        self._audio.pause()

    def _continue(self, _argument: str) -> None:
        self._audio.resume()

    def _status(self, _argument: str) -> None:
        self._tell(
            "STATUS",
            queue_length=self._audio.frames,
            xon_level=XON_FRAMES,
            xoff_level=XOFF_FRAMES,
            queue_full=self._audio.frames >= MAX_FRAMES,
            bulk_media=self._buffering,
            media_paused=self._audio.paused,
        )

    def _report_drained(self, _argument: str) -> None:
        self._audio.when_drained(partial(self._tell, "QUEUE_DRAINED"))

    def _set_direction(self, direction: str) -> None:
        if direction not in ("both", "in", "out"):
            self._refuse(f"direction {direction[:64]!r} is none of both, in, out")
            return
        self._hears = direction != "out"
        self._speaks = direction != "in"


COMMANDS: Mapping[str, Callable[[WebSocketLeg, str], None]] = {
    "ANSWER": WebSocketLeg._command_answer,
    "HANGUP": WebSocketLeg._command_hangup,
    "START_MEDIA_BUFFERING": WebSocketLeg._start_buffering,
    "STOP_MEDIA_BUFFERING": WebSocketLeg._stop_buffering,
    "MARK_MEDIA": WebSocketLeg._mark_media,
    "FLUSH_MEDIA": WebSocketLeg._flush,
    "PAUSE_MEDIA": WebSocketLeg._pause,
    "CONTINUE_MEDIA": WebSocketLeg._continue,
    "GET_STATUS": WebSocketLeg._status,
    "REPORT_QUEUE_DRAINED": WebSocketLeg._report_drained,
    "SET_MEDIA_DIRECTION": WebSocketLeg._set_direction,
}
"""What a program may say as text, case-sensitive; each gets what stands behind its name."""


class WebSocketDriver(WithoutEndpoints):
    """Makes WebSocket channels: ``INCOMING/OPTIONS`` or ``CLIENT/OPTIONS``."""

    technology = "WebSocket"

    def __init__(self, registry: ChannelRegistry) -> None:
        self.clients: Clients | None = None
        self._registry = registry
        self._waiting: dict[str, WebSocketLeg] = {}

    def request(self, wanted: DialRequest) -> Channel:
        """A channel whose connection is awaited from now on, or opened when it is called."""
        registry = self._registry
        what = f"WebSocket/{wanted.resource}"
        name, _, option_text = wanted.resource.partition("/")
        options = read_options(option_text, OPTIONS, what)
        format = options.get("c") or (wanted.formats[0] if wanted.formats else "ulaw")
        if format not in CODECS or CODECS[format].frame_bytes == 0:
            raise CannotRequest(f"{what}: format {format!r} is not carried")
        if options.get("f", "json") not in ("json", "plain-text"):
            raise CannotRequest(f"{what}: f({options['f']}) is neither f(json) nor f(plain-text)")
        clients = self.clients
        if name != INCOMING:
            refusal = clients.refusal(name) if clients is not None else "no WebSockets can be opened"
            if refusal is not None:
                raise CannotRequest(f"{what}: {refusal}")
        channel_id = wanted.channel_id or registry.new_id()
        registry.check_free(channel_id)
        try:
            leg = WebSocketLeg(registry, name, format, options)
        except MediaError as problem:
            raise CannotRequest(f"{what}: {problem}", causes.SWITCH_CONGESTION) from problem
        if name == INCOMING:
            self._waiting[leg.connection_id] = leg
            leg.on_end = partial(self._forget, leg.connection_id)
        elif clients is not None:
            leg.connect_with(partial(clients.open, name, leg.query, leg))
        channel = new_channel(registry, leg, wanted, channel_id, f"WebSocket/{name}/{id(leg):#x}")
        channel.set_variable(CONNECTION_VARIABLE, leg.connection_id)
        channel.set_variable(FRAME_SIZE_VARIABLE, str(leg.frame_bytes))
        return channel

    def waiting(self, connection_id: str) -> WebSocketLeg | None:
        """The leg that waits for the program that knows this id, which cannot be guessed."""
        leg = self._waiting.get(connection_id)
        return leg if leg is not None and not leg.is_connected else None

    def _forget(self, connection_id: str) -> None:
        self._waiting.pop(connection_id, None)
