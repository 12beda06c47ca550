"""AudioSocket channels: audio to and from a program over TCP, each message with its kind and length before it.

One message is a kind (one byte), the length of what follows (two bytes, big endian), and that. We connect, say the
UUID, and then both sides send audio and digits until one of them hangs up or closes.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from array import array
from collections.abc import Iterator
from typing import cast
from uuid import UUID

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

HANGUP, IDENTIFIER, DIGIT, AUDIO, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
KIND_OF_FORMAT = {
    "slin": 0x10, "slin12": 0x11, "slin16": 0x12, "slin24": 0x13, "slin32": 0x14, "slin44": 0x15, "slin48": 0x16,
    "slin96": 0x17, "slin192": 0x18,
}  # fmt: skip
"""Kinds of samples by their rate; other formats travel as kind 0x10, and both sides know what they mean by it."""
CONNECT_SECONDS = 2.0
DIGIT_MS = 100
"""How long a digit counts as pressed: the message tells nothing of that."""
MAX_UNSENT_BYTES = 64 << 10
"""Audio that the program does not read is dropped beyond so much."""
MAX_QUEUED_FRAMES, MAX_QUEUED_BYTES = 1000, 1 << 20
"""The program is not read from while it is further ahead, 20 s, until three quarters of it are left."""


def message(kind: int, payload: bytes = b"") -> bytes:
    """One message; the payload has at most 65535 bytes."""
    return bytes((kind,)) + len(payload).to_bytes(2, "big") + payload


class MessageReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take bytes as they come; gives kind and payload of each message that is whole."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= 3:
            end = start + 3 + int.from_bytes(buffer[start + 1 : start + 3], "big")
            if len(buffer) < end:
                break
            yield buffer[start], bytes(buffer[start + 3 : end])
            start = end
        del buffer[:start]


class AudioSocketLeg(PortLeg, asyncio.Protocol):
    """The leg of one connection."""

    def __init__(self, registry: ChannelRegistry, host: str, port: int, identifier: UUID, format: str) -> None:
        super().__init__()
        self.address = (host, port)
        self.identifier = identifier
        self._loop = registry.loop
        codec = CODECS[format]
        self._frame_bytes = codec.bytes_of(20)
        high = min(MAX_QUEUED_FRAMES, MAX_QUEUED_BYTES // self._frame_bytes)
        self._kind = KIND_OF_FORMAT.get(format, AUDIO)
        self._swapped = codec.linear and sys.byteorder == "big"
        stream = registry.engine.open_stream(
            format=format,
            on_event=self.heard,
            on_frame=self._send_audio,
            on_digit=self._send_digit,
            buffer_ms=PORT_BUFFER_MS,
        )
        self.attach(stream)
        self._stream: StreamPort = stream
        self._audio = PacedAudio(
            registry.loop,
            stream,
            high=high,
            low=high * 3 // 4,
            on_high=self._hold_back,
            on_low=self._let_come,
            live=True,
        )
        self._rest = b""
        self._reader = MessageReader()
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._dropped = 0
        self._strange: set[int] = set()

    # ------------------------------------------------------------------------------------------ what the channel asks

    def call(self) -> None:
        if self._connecting is None:
            name = f"AudioSocket {self.address[0]}:{self.address[1]}"
            self._connecting = self._loop.create_task(self._connect(), name=name)

    async def _connect(self) -> None:
        host, port = self.address
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._loop.create_connection(lambda: self, host, port)
        except OSError as problem:  # TimeoutError is one
            log.warning("AudioSocket %s:%d: %s", host, port, problem or f"no answer within {CONNECT_SECONDS} s")
            self._end(causes.DESTINATION_OUT_OF_ORDER)

    def read(self, item: str) -> str | None:
        return f"{self.address[0]}:{self.address[1]}/{self.identifier}" if item == "dialstring" else None

    def hangup(self, cause: int) -> int | None:
        self._audio.close()
        if self._connecting is not None:
            self._connecting.cancel()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.write(message(HANGUP))
            transport.close()
        if self._dropped:
            log.warning(
                "AudioSocket %s: %d frames were dropped, the program did not read", self.identifier, self._dropped
            )
        if self._audio.dropped:
            late_ms = self._audio.dropped * 20
            log.warning("AudioSocket %s: %d ms of the program came too late and were dropped", self.identifier, late_ms)
        return super().hangup(cause)

    # ----------------------------------------------------------------------------------------------- what is sent

    def _send_audio(self, frame: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._dropped += 1
            return
        transport.write(message(self._kind, self._little_endian(frame)))

    def _send_digit(self, digit: str, _duration_ms: int) -> None:
        if self._transport is not None:
            self._transport.write(message(DIGIT, digit.encode()))

    def _little_endian(self, samples: bytes) -> bytes:
        if not self._swapped:
            return samples
        values = array("h", samples)
        values.byteswap()
        return values.tobytes()

    # ----------------------------------------------------------------------------------------------- what comes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say which call it is; with that the channel is answered."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(message(IDENTIFIER, self.identifier.bytes))
        if self.channel is None:
            self._transport.close()
            return
        self.channel.receive(signals.Answered())

    def data_received(self, data: bytes) -> None:
        """Take messages of the program."""
        for kind, payload in self._reader.feed(data):
            if self.channel is None:
                return
            if kind == self._kind:
                self._take_audio(payload)
            elif kind == DIGIT:
                self._stream.digit(payload.decode("latin-1"), DIGIT_MS)
            elif kind == HANGUP:
                self._end(causes.NORMAL_CLEARING)
            elif kind == ERROR:
                log.warning("AudioSocket %s: the program tells error %s", self.identifier, payload.hex() or "(none)")
                self._end(causes.NORMAL_CLEARING)
            elif kind != IDENTIFIER and kind not in self._strange:
                self._strange.add(kind)
                log.warning("AudioSocket %s: messages of kind 0x%02x are ignored", self.identifier, kind)

    def connection_lost(self, error: Exception | None) -> None:
        """The program closed, which is a hangup."""
        self._transport = None
        self._end(causes.NORMAL_CLEARING)

    def _take_audio(self, payload: bytes) -> None:
        data = self._rest + payload if self._rest else payload
        size = self._frame_bytes
        whole = len(data) - len(data) % size
        for start in range(0, whole, size):
            self._audio.put(self._little_endian(data[start : start + size]))
        self._rest = data[whole:]

    def _hold_back(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _let_come(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, cause: int) -> None:
        if self.channel is not None:
            self.channel.receive(signals.HungUp(cause))


class AudioSocketDriver(WithoutEndpoints):
    """Makes AudioSocket channels: ``HOST:PORT/UUID[/c(FORMAT)]``."""

    technology = "AudioSocket"

    def __init__(self, registry: ChannelRegistry) -> None:
        self._registry = registry

    def request(self, wanted: DialRequest) -> Channel:
        """A channel that connects when it is called."""
        registry = self._registry
        host, port, identifier, format = _parse(wanted.resource)
        if wanted.formats:
            format = wanted.formats[0]
        if format not in CODECS or CODECS[format].frame_bytes == 0:
            raise CannotRequest(f"AudioSocket/{wanted.resource}: format {format!r} is not carried")
        channel_id = wanted.channel_id or registry.new_id()
        registry.check_free(channel_id)
        try:
            leg = AudioSocketLeg(registry, host, port, identifier, format)
        except MediaError as problem:
            raise CannotRequest(f"AudioSocket/{wanted.resource}: {problem}", causes.SWITCH_CONGESTION) from problem
        shown = f"[{host}]" if ":" in host else host
        return new_channel(registry, leg, wanted, channel_id, f"AudioSocket/{shown}:{port}-{identifier}")


def _parse(resource: str) -> tuple[str, int, UUID, str]:
    address, _, rest = resource.partition("/")
    text, _, option_text = rest.partition("/")
    host, _, port_text = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port_text.isdigit() or not 0 < int(port_text) < 65536:
        raise CannotRequest(f"AudioSocket/{resource}: {address!r} is not HOST:PORT")
    try:
        identifier = UUID(text)
    except ValueError:
        raise CannotRequest(f"AudioSocket/{resource}: {text!r} is not a UUID") from None
    options = read_options(option_text, "c", f"AudioSocket/{resource}")
    return host, int(port_text), identifier, options.get("c") or "slin"
