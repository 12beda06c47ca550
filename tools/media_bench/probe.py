"""One leg's far end as a plain socket: it looks at each packet, with the time at which the kernel had it."""

from __future__ import annotations

import socket
import struct

from arietta.media.codecs import CODECS
from arietta.rtp import ProtocolError, RtpPacket

from .tones import loudness

__all__ = ["Probe"]

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; not in the socket module
TIMESPEC = struct.Struct("@ll")
LISTENED_PACKETS = 50
"""The latest second is what is listened to."""


class Probe:
    """Receives only: what the leg says is sent by a phone of the other kind."""

    def __init__(self, bind: str, codec: str) -> None:
        self.codec = CODECS[codec]
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.socket.bind((bind, 0))
        self.begin()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.socket.getsockname()[1]
        return port

    def begin(self) -> None:
        """Forget what was received."""
        self.drain(keep=False)
        self.packets = self.lost = self.disordered = 0
        self.intervals_ms: list[float] = []
        self._last: tuple[int, int] | None = None
        self._payloads: list[bytes] = []

    def drain(self, *, keep: bool = True) -> None:
        """Look at what came."""
        while True:
            try:
                data, extra, _, _ = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if keep:
                self._look(data, extra)

    def _look(self, data: bytes, extra: list[tuple[int, int, bytes]]) -> None:
        try:
            packet = RtpPacket.parse(data)
        except ProtocolError:
            return
        seconds, nanoseconds = TIMESPEC.unpack(extra[0][2])
        at_ns = seconds * 1_000_000_000 + nanoseconds
        self.packets += 1
        if self._last is not None:
            step = (packet.sequence - self._last[0]) & 0xFFFF
            if step == 0 or step > 0x8000:
                self.disordered += 1
                return
            self.lost += step - 1
            if step == 1:
                self.intervals_ms.append((at_ns - self._last[1]) / 1e6)
        self._last = packet.sequence, at_ns
        self._payloads = [*self._payloads[1 - LISTENED_PACKETS :], packet.payload]

    def complaint(self, heard: dict[int, int], own: int, level: int) -> str | None:
        """What is wrong with the audio of the latest second; None when nothing is."""
        decode = self.codec.decoder()
        samples = b"".join(decode(payload) for payload in self._payloads)
        if not samples:
            return "nothing was heard"
        missing = [one for one, loud in heard.items() if loudness(samples, one, self.codec.rate) < loud / 2]
        if missing:
            return f"{missing} Hz are not heard"
        if loudness(samples, own, self.codec.rate) > level / 5:
            return f"hears its own {own} Hz"
        return None
