"""Ladders: what happened between the parties of a call, drawn as telephone engineers draw it.

    ladder = Ladder({"alice": "10.0.0.2", "arietta": "10.0.0.1"})
    ladder.sip(loop.time(), "10.0.0.2:5060", "10.0.0.1:5060", "INVITE sip:1000@10.0.0.1 SIP/2.0")
    print(ladder.render())

      0.000       alice                 arietta
                    │                      │
      0.000         │──── INVITE 1000 ────▶│

With `live=True` (or a rich Console) each row is printed as it happens. Rows that repeat the packets of one RTP stream
are one row with a count.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from .network import Network, Sent

__all__ = ["Ladder", "Row"]

MAX_ROWS = 5000
NARROWEST = 16
"""The least width of a column."""
STREAM_PAUSE = 1.0
"""Seconds without a packet after which an RTP stream gets a new row."""
MARGIN = 10
"""Columns of the time."""
ASCII = str.maketrans("│─▶◀…×╌", "|-><~x.")

STYLES = {
    "request": "bold cyan",
    "provisional": "cyan",
    "success": "bold green",
    "refusal": "bold red",
    "rtp": "dim",
    "rest": "yellow",
    "event": "magenta",
    "note": "italic dim",
}

Party = str
"""A party's name, or its address: `host` or `host:port`."""


@dataclass(slots=True)
class Row:
    """One thing that happened."""

    time: float
    kind: str
    """A key of `STYLES`."""
    source: str
    destination: str
    """Equal to `source`, or "", for a note."""
    label: str
    count: int = 1
    last: float = 0.0
    """When it happened last, for a row that counts."""
    detail: str = ""
    """What stands below it, between the same two parties."""

    @property
    def text(self) -> str:
        """The label with the count."""
        return f"{self.label} ×{self.count}" if self.count > 1 else self.label


class Ladder:
    """A recorder of rows."""

    def __init__(
        self,
        parties: Iterable[str] | Mapping[str, str | Iterable[str]] = (),
        *,
        live: bool | IO[str] | Console = False,
        width: int = 26,
        start: float | None = None,
    ) -> None:
        """`parties` are names from left to right, or names with their addresses; others get columns as they appear.

        `live` prints rows at once, to standard output, a file or a Console. `width` is that of a column, less on
        a narrow terminal. `start` is
        the time shown as 0, else that of the first row.
        """
        self.rows: deque[Row] = deque(maxlen=MAX_ROWS)
        """What happened, the oldest forgotten first."""
        self._names: list[str] = []
        self._of_address: dict[str, str] = {}
        self._width = width
        self._start = start
        self._streams: dict[tuple[str, str, str], Row] = {}
        self._console: Console | None = None
        self._header_shown: list[str] = []
        if isinstance(live, Console):
            self._console = live
        elif live:
            self._console = Console(file=sys.stdout if live is True else live, highlight=False)
        names = list(parties)
        if self._console is not None and self._console.is_terminal and names:
            self._width = min(width, max(NARROWEST, (self._console.width - MARGIN) // len(names)))
        for name in names:
            addresses = parties[name] if isinstance(parties, Mapping) else ()
            self.add_party(name, *([addresses] if isinstance(addresses, str) else addresses))

    def add_party(self, name: str, *addresses: str) -> None:
        """Give a party a column, and addresses by which it is known."""
        if name not in self._names:
            self._names.append(name)
        for address in addresses:
            self._of_address[address] = name

    # -- what happens ----------------------------------------------------------------------------------------------

    def sip(
        self,
        time: float,
        source: Party,
        destination: Party,
        first_line: str,
        method: str = "",
        *,
        suffix: str = "",
        detail: str = "",
    ) -> None:
        """A SIP message by its first line; `method` is that of a response's CSeq.

        `suffix` is put behind the label, `detail` on a line below.
        """
        words = first_line.split(" ", 2)
        if words[0].startswith("SIP/"):
            status = words[1] if len(words) > 1 else ""
            kind = "provisional" if status[:1] == "1" else "success" if status[:1] == "2" else "refusal"
            label = " ".join(words[1:]) + (f" ({method})" if method and method != "INVITE" else "")
        else:
            kind, label = "request", words[0]
            user = words[1].partition(":")[2].partition("@") if len(words) > 1 else ("", "", "")
            if user[1] and words[0] in ("INVITE", "MESSAGE", "SUBSCRIBE"):
                label = f"{words[0]} {user[0]}"
        self._add(time, kind, source, destination, label + suffix, detail)

    def rtp(self, time: float, source: Party, destination: Party, label: str = "RTP") -> None:
        """A packet of a stream; consecutive ones count up in one row."""
        key = (self._name(source), self._name(destination), label)
        row = self._streams.get(key)
        if row is not None and time - row.last < STREAM_PAUSE:
            row.count += 1
            row.last = time
            return
        self._streams[key] = self._add(time, "rtp", source, destination, label)

    def rest(self, time: float, source: Party, destination: Party, text: str) -> None:
        """A REST request or its answer, such as `POST /channels/1/answer` or `204 No Content`."""
        self._add(time, "rest", source, destination, text)

    def event(self, time: float, source: Party, destination: Party, name: str) -> None:
        """An event on a WebSocket."""
        self._add(time, "event", source, destination, name)

    def note(self, time: float, text: str, party: Party = "") -> None:
        """Words across the ladder, or beside one party."""
        self._add(time, "note", party, party, text)

    def watch(self, network: Network) -> None:
        """Record everything the virtual network carries from now on."""
        network.watchers.append(self.sent)

    def sent(self, sent: Sent) -> None:
        """Record one thing of the virtual network: SIP by its first line, RTP by counting, streams not at all."""
        source, destination = _address(sent.source), _address(sent.destination)
        data = sent.data
        if sent.protocol == "udp" and data[:1] and data[0] >> 6 == 2:
            self.rtp(sent.time, source, destination, "RTP" if not 192 <= data[1:2][0] <= 223 else "RTCP")
        elif b"SIP/2.0" in data[:512]:
            first_line, method = describe(data)
            if sent.fate == "lost" and sent.protocol == "udp":
                what = first_line.removeprefix("SIP/2.0 ").split(" sip:")[0]
                self._add(sent.time, "note", source, destination, f"{what} lost")
            else:
                self.sip(sent.time, source, destination, first_line, method)

    # -- drawing ---------------------------------------------------------------------------------------------------

    def render(self, *, colour: bool = False, ascii_only: bool = False) -> str:
        """The whole ladder as text, with terminal colours when wanted."""
        lines = [self._header(), *(line for row in self.rows for line in self._draw_all(row))]
        if not colour:
            text = "\n".join(line.plain.rstrip() for line in lines) + "\n"
            return text.translate(ASCII) if ascii_only else text
        width = MARGIN + self._width * len(self._names)
        console = Console(force_terminal=True, width=max(width, 80), highlight=False, color_system="standard")
        with console.capture() as capture:
            for line in lines:
                console.print(line, no_wrap=True, overflow="crop")
        return capture.get()

    def __str__(self) -> str:
        return self.render()

    def _add(self, time: float, kind: str, source: Party, destination: Party, label: str, detail: str = "") -> Row:
        if self._start is None:
            self._start = time
        label, detail = _printable(label), _printable(detail)
        row = Row(time, kind, self._name(source), self._name(destination), label, last=time, detail=detail)
        self.rows.append(row)
        if self._console is not None:
            self._print(row)
        return row

    def _print(self, row: Row) -> None:
        console = self._console
        if console is None:
            return
        lines = self._draw_all(row)
        if self._header_shown != self._names:
            self._header_shown = list(self._names)
            lines.insert(0, self._header())
        plain = (console.encoding or "utf-8").lower().replace("-", "") != "utf8"
        for line in lines:
            if plain:
                line = Text(line.plain.translate(ASCII))
            console.print(line, no_wrap=True, overflow="ignore", crop=False)

    def _name(self, party: Party) -> str:
        if not party or party in self._names:
            return party
        host = party.rpartition(":")[0] if not party.endswith("]") else party
        name = self._of_address.get(party) or self._of_address.get(host) or self._of_address.get(host.strip("[]"))
        if name is None:
            name = party
            self._names.append(name)
        return name

    def _place(self, name: str) -> int:
        return MARGIN + self._names.index(name) * self._width + self._width // 2

    def _header(self) -> Text:
        names = "".join(_fit(name, self._width - 2).center(self._width) for name in self._names)
        return Text(" " * MARGIN + names, style="bold")

    def _draw_all(self, row: Row) -> list[Text]:
        lines = [self._draw(row)]
        if row.detail and row.source != row.destination:
            line = self._rails()
            one, other = self._place(row.source), self._place(row.destination)
            begin, end = min(one, other) + 2, max(one, other) - 1
            detail = _fit(row.detail, end - begin)
            at = begin + (end - begin - len(detail)) // 2
            line[at : at + len(detail)] = detail
            text = Text("".join(line).rstrip())
            text.stylize(STYLES["rtp"], at, at + len(detail))
            lines.append(text)
        return lines

    def _rails(self) -> list[str]:
        line = [" "] * (MARGIN + self._width * len(self._names))
        for name in self._names:
            line[self._place(name)] = "│"
        return line

    def _draw(self, row: Row) -> Text:
        line = self._rails()
        stamp = f"{row.time - (self._start or 0.0):8.3f}"
        line[: len(stamp)] = stamp
        if row.source == row.destination:
            begin, label = self._beside(row)
            line[begin : begin + len(label)] = label
            end = begin + len(label)
        else:
            one, other = self._place(row.source), self._place(row.destination)
            begin, end = min(one, other) + 1, max(one, other)
            line[begin:end] = "╌" * (end - begin) if row.kind == "note" else "─" * (end - begin)
            label = f" {_fit(row.text, end - begin - 6)} "
            at = begin + (end - begin - len(label)) // 2
            line[at : at + len(label)] = label
            if other > one:
                line[end - 1] = "×" if row.kind == "note" else "▶"
            else:
                line[begin] = "×" if row.kind == "note" else "◀"
        text = Text("".join(line).rstrip())
        text.stylize(STYLES[row.kind], begin, end)
        return text

    def _beside(self, row: Row) -> tuple[int, str]:
        if row.source:
            return self._place(row.source) + 2, row.text
        return MARGIN, f"-- {row.text}"


def describe(data: bytes) -> tuple[str, str]:
    """The first line of a SIP message, and the method in its CSeq."""
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    first, *fields = head.lstrip("\r\n").split("\r\n")
    for field in fields:
        name, _, value = field.partition(":")
        if name.strip().lower() == "cseq":
            return first, value.split()[-1] if value.split() else ""
    return first, ""


def _address(address: object) -> str:
    if isinstance(address, tuple):
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    return str(address)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
