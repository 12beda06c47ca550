"""Messages cut out of a TCP or TLS stream by Content-Length (RFC 3261 18.3), keepalives (RFC 5626 3.5.1)."""

from __future__ import annotations

import re

from .errors import ProtocolError
from .message import MAX_MESSAGE

__all__ = ["StreamFramer"]

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?(\S*)[ \t]*(?=\r\n|$)", re.IGNORECASE)
_END = b"\r\n\r\n"
_BEGIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~\r\n")


class StreamFramer:
    """The bytes of one connection, cut into messages.

    Feed what was read to `receive`; it returns the whole messages. Send `pongs` times CRLF when the property is
    not zero. ProtocolError means the boundary of the next message cannot be known: close the connection.
    """

    __slots__ = ("_buffer", "_limit", "_need", "_scanned", "pongs")

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._buffer = bytearray()
        self._limit = limit
        self._need = 0
        self._scanned = 0
        self.pongs = 0
        """CRLF answers owed for the double-CRLF pings in the last `receive` (RFC 5626 3.5.1)."""

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes; return the messages they complete."""
        buffer = self._buffer
        buffer += data
        self.pongs = 0
        messages: list[bytes] = []
        while buffer:
            if not self._need:
                self._skip_keepalives()
                if not self._find_need():
                    break
            if len(buffer) < self._need:
                break
            messages.append(bytes(buffer[: self._need]))
            del buffer[: self._need]
            self._need = self._scanned = 0
        return messages

    @property
    def is_midway(self) -> bool:
        """True when a message has begun and not ended: a connection closed now was cut."""
        return bool(self._buffer.lstrip(b"\r\n"))  # a lone CRLF answers a ping of ours

    def _skip_keepalives(self) -> None:
        buffer = self._buffer
        while buffer.startswith(_END):
            del buffer[:4]
            self.pongs += 1
        if len(buffer) > 2 and buffer.startswith(b"\r\n") and buffer[2] not in b"\r":
            del buffer[:2]

    def _check_begin(self) -> None:
        """ProtocolError as soon as it is seen that the peer speaks something else."""
        buffer = self._buffer
        if buffer[0] not in _BEGIN:
            raise ProtocolError(400, f"no SIP message begins with {bytes(buffer[:8])!r}")
        line_end = buffer.find(b"\n", 2)
        if line_end >= 0 and b"SIP/" not in buffer[:line_end].upper():
            raise ProtocolError(400, f"{bytes(buffer[:32])!r} is no first line of SIP")

    def _find_need(self) -> bool:
        """Work out how long the message at the start of the buffer is; False while its head is not there yet."""
        buffer = self._buffer
        if len(buffer) < 4 and b"\r\n\r".startswith(buffer):
            return False
        self._check_begin()
        end = buffer.find(_END, max(0, self._scanned - 3))
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > self._limit:
                raise ProtocolError(513, f"header fields of {len(buffer)} bytes are over the limit of {self._limit}")
            return False
        lengths = set(_LENGTH.findall(bytes(buffer[:end])))
        if len(lengths) != 1:
            raise ProtocolError(400, f"{len(lengths)} Content-Length values on a stream where one is needed")
        text = lengths.pop()
        if not text.isdigit() or len(text) > 9:
            raise ProtocolError(400, f"Content-Length {text[:32]!r} is no length")
        self._need = end + 4 + int(text)
        if self._need > self._limit:
            raise ProtocolError(513, f"message of {self._need} bytes is over the limit of {self._limit}")
        return True
