"""What goes over a manager connection: actions in, responses and events out, each a block of ``Name: value`` lines.

Written text can never end a line early: CR, LF and NUL in a name or a value become spaces, so that no variable and no
caller's name adds a header or an event of its own. What is read is bounded in every direction.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

Headers = tuple[tuple[str, str], ...]

PROTOCOL_VERSION = "11.0.0"
BANNER = f"Asterisk Call Manager/{PROTOCOL_VERSION}\r\n".encode()

MAX_LINE_BYTES = 8192
MAX_HEADERS = 128
MAX_ACTION_BYTES = 65536

_AS_SPACES = str.maketrans("\r\n\0", "   ")


class ManagerEvent(msgspec.Struct, frozen=True):
    """A fact as the manager interface tells it; `privilege` is "call,all" as shown, empty where none is shown."""

    name: str
    privilege: str
    headers: Headers


class Action(msgspec.Struct, frozen=True):
    """What a client asks: its headers in the order in which they came, named without regard to case."""

    headers: Headers

    @property
    def name(self) -> str:
        """The action asked for; empty if there is none."""
        return self.get("Action")

    @property
    def action_id(self) -> str:
        """The client's mark, that every answer repeats."""
        return self.get("ActionID")

    def get(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        name = name.lower()
        return next((value for header, value in self.headers if header.lower() == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a header that may be repeated."""
        name = name.lower()
        return [value for header, value in self.headers if header.lower() == name]

    def __contains__(self, name: str) -> bool:
        name = name.lower()
        return any(header.lower() == name for header, _ in self.headers)


class Malformed(msgspec.Struct, frozen=True):
    """An action that goes beyond a limit: its block is skipped."""

    reason: str


def encode_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """A block of headers with the empty line that ends it."""
    headers = tuple(headers)
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    lines = len(headers)
    if text.count("\n") != lines or text.count("\r") != lines or "\0" in text:
        text = "".join([f"{one_line(name)}: {one_line(value)}\r\n" for name, value in headers])
    return (text + "\r\n").encode("utf-8", "replace")


def encode_event(event: ManagerEvent, *, timestamp: float | None = None) -> bytes:
    """An event as it is sent; with `timestamp` its time stands in it."""
    start: Headers = (("Event", event.name),)
    if event.privilege:
        start += (("Privilege", event.privilege),)
    if timestamp is not None:
        start += (("Timestamp", f"{timestamp:.6f}"),)
    return encode_lines(start + event.headers)


def encode_response(response: str, action_id: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A response: Success, Error or Goodbye, the client's mark if it gave one, and what there is to say."""
    mark = (("ActionID", action_id),) if action_id else ()
    return encode_lines((("Response", response), *mark, *headers))


def one_line(text: str) -> str:
    """The text without what could end a line."""
    return text.translate(_AS_SPACES)


class ActionReader:
    """Turns the bytes of a client into actions, whatever pieces they come in."""

    __slots__ = ("_bytes", "_fault", "_headers", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._headers: list[tuple[str, str]] = []
        self._bytes = 0
        self._fault = ""

    def receive(self, data: bytes) -> list[Action | Malformed]:
        """The actions that are complete now, in order; a block beyond a limit is skipped and told."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        complete: list[Action | Malformed] = []
        for line in lines:
            self._take(line.removesuffix(b"\r"), complete)
        if len(self._rest) > MAX_LINE_BYTES:
            # What this line says is not wanted any more, its end is.
            self._fail(f"A line is longer than {MAX_LINE_BYTES} bytes")
            self._rest = self._rest[: MAX_LINE_BYTES + 1]
        return complete

    def _take(self, line: bytes, complete: list[Action | Malformed]) -> None:
        if not line:
            self._finish(complete)
            return
        self._bytes += len(line)
        if len(line) > MAX_LINE_BYTES:
            self._fail(f"A line is longer than {MAX_LINE_BYTES} bytes")
        elif self._bytes > MAX_ACTION_BYTES:
            self._fail(f"The action is longer than {MAX_ACTION_BYTES} bytes")
        if self._fault:
            return
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            return  # as in Asterisk, what is no header says nothing
        if len(self._headers) >= MAX_HEADERS:
            self._fail(f"The action has more than {MAX_HEADERS} lines")
            return
        self._headers.append((name.strip(), value.strip()))

    def _finish(self, complete: list[Action | Malformed]) -> None:
        if self._fault:
            complete.append(Malformed(self._fault))
        elif self._headers:
            complete.append(Action(tuple(self._headers)))
        self._headers = []
        self._bytes = 0
        self._fault = ""

    def _fail(self, fault: str) -> None:
        self._fault = self._fault or fault
        self._headers = []
