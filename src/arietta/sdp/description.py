"""Session descriptions as values (RFC 8866, with the habits of RFC 4566 phones).

A description is parsed whole from bytes and written whole with ``bytes()``.  What phones really send is
taken: lines that end in LF alone, a missing ``v=``, ``o=``, ``s=`` or ``t=``, unknown letters (kept).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_BYTES = 65535
MAX_LINES = 2000
BEFORE_CONNECTION = "iuep"  # RFC 8866 5: these lines stand before c=


class SdpError(ValueError):
    """A session description that cannot be read: the line's number (from 1), its text, and why."""

    def __init__(self, line_number: int, line: str, reason: str) -> None:
        self.line_number = line_number
        self.line = line
        self.reason = reason
        super().__init__(f"SDP line {line_number} {line[:100]!r}: {reason}")


class Direction(StrEnum):
    """Which way media may flow, seen from whoever says it (RFC 8866 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """True if the speaker of this direction sends media."""
        return self is Direction.SENDRECV or self is Direction.SENDONLY

    @property
    def receives(self) -> bool:
        """True if the speaker of this direction receives media."""
        return self is Direction.SENDRECV or self is Direction.RECVONLY

    def reversed(self) -> Direction:
        """The same direction seen from the other side (RFC 3264 6.1)."""
        return direction_of(self.receives, self.sends)

    def intersect(self, other: Direction) -> Direction:
        """What both directions, seen from the same side, allow."""
        return direction_of(self.sends and other.sends, self.receives and other.receives)


def direction_of(sends: bool, receives: bool) -> Direction:
    """The direction of somebody who sends, receives, both or neither."""
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE


DIRECTIONS = {direction.value: direction for direction in Direction}

Line = tuple[str, str]
"""One line: its letter, and what follows the equals sign."""


class Origin(msgspec.Struct, frozen=True):
    """Who made the session, and which version of it this is (RFC 8866 5.2)."""

    username: str = "-"
    session_id: int = 0
    version: int = 0
    network: str = "IN"
    address_type: str = "IP4"
    address: str = "0.0.0.0"

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} {self.network} {self.address_type} {self.address}"


class Connection(msgspec.Struct, frozen=True):
    """Where media goes (RFC 8866 5.7): an IPv4 or IPv6 address, or a name."""

    address: str
    address_type: str = "IP4"
    network: str = "IN"
    suffix: str = ""
    """What follows the address: "/ttl" or "/ttl/count" of a multicast group."""

    def __str__(self) -> str:
        return f"{self.network} {self.address_type} {self.address}{self.suffix}"

    @property
    def unspecified(self) -> bool:
        """True for 0.0.0.0 and ::, which mean "send nothing" (RFC 3264 8.4)."""
        return self.address == "0.0.0.0" or self.address == "::"


def connection_to(address: str) -> Connection:
    """The connection line for an IPv4 or IPv6 address."""
    return Connection(address, "IP6" if ":" in address else "IP4")


class Media(msgspec.Struct, frozen=True):
    """One media section: its m= line and what belongs to it (RFC 8866 5.14)."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    port_count: int = 1
    connection: Connection | None = None
    lines: tuple[Line, ...] = ()
    """Every other line of the section, in order."""

    def attribute(self, name: str) -> str | None:
        """The value of the first such attribute: "" for a flag, None if absent."""
        return _attribute(self.lines, name)

    def attributes(self, name: str) -> list[str]:
        """The values of every such attribute, in order."""
        return _attributes(self.lines, name)

    def write(self, out: list[str]) -> None:
        """Append the section's lines."""
        ports = f"{self.port}/{self.port_count}" if self.port_count != 1 else str(self.port)
        out.append(f"m={self.kind} {ports} {self.protocol} {' '.join(self.formats)}")
        _write_lines(out, self.lines, self.connection)


class SessionDescription(msgspec.Struct, frozen=True):
    """A whole session description."""

    origin: Origin = Origin()
    name: str = "-"
    connection: Connection | None = None
    timing: str = "0 0"
    lines: tuple[Line, ...] = ()
    """Every other line of the session part, in order."""
    media: tuple[Media, ...] = ()

    def attribute(self, name: str) -> str | None:
        """The value of the first such session attribute: "" for a flag, None if absent."""
        return _attribute(self.lines, name)

    def attributes(self, name: str) -> list[str]:
        """The values of every such session attribute, in order."""
        return _attributes(self.lines, name)

    def connection_of(self, media: Media) -> Connection | None:
        """The section's own connection, or else the session's."""
        return media.connection or self.connection

    def direction_of(self, media: Media) -> Direction:
        """The section's direction, or else the session's, or else sendrecv."""
        for lines in (media.lines, self.lines):
            for letter, value in lines:
                if letter == "a" and value in DIRECTIONS:
                    return DIRECTIONS[value]
        return Direction.SENDRECV

    def __bytes__(self) -> bytes:
        out = ["v=0", f"o={self.origin}", f"s={self.name}"]
        _write_lines(out, self.lines, self.connection, self.timing)
        for media in self.media:
            media.write(out)
        out.append("")
        return "\r\n".join(out).encode("utf-8", "surrogateescape")


def parse(body: bytes) -> SessionDescription:
    """Read a session description; raises SdpError naming the line that cannot be read."""
    if len(body) > MAX_BYTES:
        raise SdpError(1, "", f"{len(body)} bytes, more than {MAX_BYTES}")
    texts = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(texts) > MAX_LINES:
        raise SdpError(MAX_LINES, texts[MAX_LINES - 1], f"{len(texts)} lines, more than {MAX_LINES}")
    return _Reader(texts).read()


class _Reader:
    """The state of one reading: the section that lines belong to now."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.origin = Origin()
        self.name = "-"
        self.timing: str | None = None
        self.session_connection: Connection | None = None
        self.session_lines: list[Line] = []
        self.media: list[Media] = []

    def read(self) -> SessionDescription:
        connection: Connection | None = None
        lines: list[Line] = []
        head: tuple[str, int, int, str, tuple[str, ...]] | None = None
        seen = False
        for number, text in enumerate(self.texts, 1):
            if not text or text.isspace():
                continue
            if len(text) < 2 or text[1] != "=" or not text[0].isalpha():
                raise SdpError(number, text, "not of the form letter=value")
            seen = True
            letter = text[0]
            value = text[2:].strip(" ")
            if letter == "a":
                lines.append((letter, value))
            elif letter == "m":
                self._close(head, connection, lines)
                head, connection, lines = _media_head(number, text, value), None, []
            elif letter == "c":
                if connection is None:  # several c= lines are for layered multicast: the first counts
                    connection = _connection(number, text, value)
            elif head is not None:
                lines.append((letter, value))
            elif letter == "v":
                if value != "0":
                    raise SdpError(number, text, "version is not 0")
            elif letter == "o":
                self.origin = _origin(number, text, value)
            elif letter == "s":
                self.name = value or "-"
            elif letter == "t" and self.timing is None:
                self.timing = value or "0 0"
            else:
                lines.append((letter, value))
        if not seen:
            raise SdpError(1, "", "empty")
        self._close(head, connection, lines)
        return SessionDescription(
            origin=self.origin,
            name=self.name,
            connection=self.session_connection,
            timing=self.timing or "0 0",
            lines=tuple(self.session_lines),
            media=tuple(self.media),
        )

    def _close(
        self,
        head: tuple[str, int, int, str, tuple[str, ...]] | None,
        connection: Connection | None,
        lines: list[Line],
    ) -> None:
        """End the section that was being read: the session part, or a media section."""
        if any(letter in BEFORE_CONNECTION for letter, _ in lines):
            lines.sort(key=lambda line: line[0] not in BEFORE_CONNECTION)
        if head is None:
            self.session_connection, self.session_lines = connection, lines
            return
        kind, port, count, protocol, formats = head
        self.media.append(Media(kind, port, protocol, formats, count, connection, tuple(lines)))


def _media_head(number: int, text: str, value: str) -> tuple[str, int, int, str, tuple[str, ...]]:
    parts = value.split()
    if len(parts) < 3:
        raise SdpError(number, text, "m= needs a kind, a port and a protocol")
    port_text, _, count_text = parts[1].partition("/")
    port = _number(number, text, port_text, "port", 65535)
    count = _number(number, text, count_text, "number of ports", 65535) if count_text else 1
    return parts[0], port, count, parts[2], tuple(parts[3:])


def _connection(number: int, text: str, value: str) -> Connection:
    parts = value.split()
    if len(parts) != 3:
        raise SdpError(number, text, "c= needs a network, an address type and an address")
    address, slash, suffix = parts[2].partition("/")
    if not address:
        raise SdpError(number, text, "no address")
    return Connection(address, parts[1], parts[0], slash + suffix)


def _origin(number: int, text: str, value: str) -> Origin:
    parts = value.rsplit(None, 5)
    if len(parts) != 6:
        raise SdpError(number, text, "o= needs six fields")
    limit = 1 << 128  # RFC 8866 5.2 sets none; phones write NTP timestamps
    return Origin(
        parts[0],
        _number(number, text, parts[1], "session id", limit),
        _number(number, text, parts[2], "session version", limit),
        parts[3],
        parts[4],
        parts[5],
    )


def _number(line_number: int, line: str, text: str, what: str, limit: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise SdpError(line_number, line, f"{what} {text[:40]!r} is not a number")
    if len(text) > 40 or int(text) > limit:
        raise SdpError(line_number, line, f"{what} {text[:40]} is above {limit}")
    return int(text)


def _attribute(lines: tuple[Line, ...], name: str) -> str | None:
    prefix = name + ":"
    for letter, value in lines:
        if letter == "a":
            if value.startswith(prefix):
                return value[len(prefix) :].strip()
            if value == name:
                return ""
    return None


def _attributes(lines: tuple[Line, ...], name: str) -> list[str]:
    prefix = name + ":"
    return [value[len(prefix) :].strip() for letter, value in lines if letter == "a" and value.startswith(prefix)]


def _write_lines(
    out: list[str], lines: tuple[Line, ...], connection: Connection | None, timing: str | None = None
) -> None:
    rest = 0
    while rest < len(lines) and lines[rest][0] in BEFORE_CONNECTION:
        out.append(f"{lines[rest][0]}={lines[rest][1]}")
        rest += 1
    if connection is not None:
        out.append(f"c={connection}")
    if timing is not None:
        while rest < len(lines) and lines[rest][0] == "b":
            out.append(f"b={lines[rest][1]}")
            rest += 1
        out.append(f"t={timing}")
    for letter, value in lines[rest:]:
        out.append(f"{letter}={value}")
