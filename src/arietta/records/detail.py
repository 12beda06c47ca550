"""One record of a call: what it says, and how its fields are read."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable

from arietta.channels.channel import Channel

ANSWERED, NO_ANSWER, BUSY, FAILED, CONGESTION, CANCEL = (
    "ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "CANCEL",
)  # fmt: skip
DISPOSITION_NUMBERS = {NO_ANSWER: 0, FAILED: 2, BUSY: 4, ANSWERED: 8, CONGESTION: 16, CANCEL: 32}
AMA_FLAGS = ("OMIT", "BILLING", "DOCUMENTATION")
DEFAULT_AMA_FLAGS = "DOCUMENTATION"
MAX_VARIABLES = 64


class Clock:
    """Seconds since 1970 that advance as the loop's time does: durations are right whatever is done to the date."""

    __slots__ = ("_loop_time", "_offset")

    def __init__(self, loop_time: Callable[[], float]) -> None:
        self._loop_time = loop_time
        self._offset = time.time() - loop_time()

    def __call__(self) -> float:
        return self._loop_time() + self._offset


class Detail:
    """A path between a channel and this server, or between two channels, while it lasts and after."""

    __slots__ = (
        "accountcode", "amaflags", "answer", "channel", "clid", "clock", "dcontext", "disposition", "dst", "dstchannel",
        "end", "ended", "initiated", "is_idle", "lastapp", "lastdata", "linkedid", "other", "peeraccount",
        "placed", "sequence", "src", "start", "talking", "uniqueid", "userfield", "variables",
    )  # fmt: skip

    def __init__(self, party: Channel, sequence: int, clock: Clock) -> None:
        self.channel, self.uniqueid, self.sequence = party.name, party.id, sequence
        self.clock = clock
        self.start = now = clock()
        self.answer = now if party.answered_at is not None else 0.0
        self.end = 0.0
        self.ended = False
        self.other: Channel | None = None
        """Party B, until the record ends."""
        self.dstchannel = ""
        self.placed = False
        """Whether the record says where party A was for good: when it met party B, or when its dialplan was over."""
        self.talking = False
        """Whether both parties are in one bridge."""
        self.disposition = ""
        """Empty until it is known."""
        self.is_idle = False
        """Whether it began when a bridge was left, and nothing has happened since."""
        self.initiated = False
        self.userfield = ""
        self.amaflags = ""
        self.variables: dict[str, str] = {}
        self.src = self.dst = self.dcontext = self.clid = self.lastapp = self.lastdata = ""
        self.accountcode = self.peeraccount = self.linkedid = ""
        self.show(party)

    def show(self, party: Channel) -> None:
        """Take what the record says of its party A."""
        caller = party.caller
        self.src = caller.number
        self.clid = caller_id(caller.name, caller.number)
        if not self.placed:
            self.dst, self.dcontext = party.exten, party.context
            if party.app_name:
                self.lastapp, self.lastdata = party.app_name, party.app_data
        self.accountcode = party.accountcode
        self.linkedid = party.linkedid
        self.userfield = str(party.functions.get("CHANNEL(userfield)", self.userfield))
        self.amaflags = str(party.functions.get("CHANNEL(amaflags)", self.amaflags)) or DEFAULT_AMA_FLAGS

    def meet(self, other: Channel) -> None:
        """Have another channel for its party B."""
        self.other = other
        self.placed = True
        self.dstchannel = other.name
        self.peeraccount = other.accountcode

    def fork(self, party: Channel, sequence: int) -> Detail:
        """A record that begins now and has the variables of this one."""
        forked = Detail(party, sequence, self.clock)
        forked.variables = dict(self.variables)
        forked.userfield, forked.amaflags, forked.initiated = self.userfield, self.amaflags, self.initiated
        return forked

    @property
    def shown_disposition(self) -> str:
        """How the call went, as far as it is known."""
        return self.disposition or (ANSWERED if self.answer else NO_ANSWER)

    def seconds(self, *, of_talk: bool) -> float:
        """How long it lasted, or was talked; until now if it has not ended."""
        end = self.end or self.clock()
        if not of_talk:
            return max(0.0, end - self.start)
        return max(0.0, end - self.answer) if self.answer and self.shown_disposition == ANSWERED else 0.0

    @property
    def duration(self) -> int:
        """Whole seconds from the start."""
        return int(self.seconds(of_talk=False) + 1e-6)

    @property
    def billsec(self) -> int:
        """Whole seconds of talk; with `initiated` those that have begun."""
        seconds = self.seconds(of_talk=True)
        return math.ceil(seconds - 1e-6) if self.initiated else int(seconds + 1e-6)

    def field(self, name: str, options: str = "") -> str:
        """A field as CDR() shows it: ``u`` for numbers in place of words, ``f`` for fractions of seconds."""
        reader = FIELDS.get(name)
        if reader is None:
            return self.variables.get(name, "")
        return reader(self, options)


def caller_id(name: str, number: str) -> str:
    """``"Name" <number>``, or as much of it as there is."""
    if not number:
        return name
    return f'"{name}" <{number}>' if name else number


def local_time(seconds: float) -> str:
    """A time as records show it; empty for one that never came."""
    return second_in_words(int(seconds)) if seconds else ""


@functools.lru_cache(maxsize=64)
def second_in_words(second: int, *, is_utc: bool = False) -> str:
    """A whole second since 1970, local or UTC; records come in bursts."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second) if is_utc else time.localtime(second))


def _time(seconds: float, options: str) -> str:
    return f"{seconds:.6f}" if "u" in options else local_time(seconds)


def _length(detail: Detail, options: str, *, of_talk: bool) -> str:
    if "f" in options:
        return f"{detail.seconds(of_talk=of_talk):.6f}"
    return str(detail.billsec if of_talk else detail.duration)


def _disposition(detail: Detail, options: str) -> str:
    shown = detail.shown_disposition
    return str(DISPOSITION_NUMBERS[shown]) if "u" in options else shown


def _amaflags(detail: Detail, options: str) -> str:
    flags = detail.amaflags
    return str(AMA_FLAGS.index(flags) + 1) if "u" in options and flags in AMA_FLAGS else flags


FIELDS: dict[str, Callable[[Detail, str], str]] = {
    "clid": lambda detail, _: detail.clid,
    "src": lambda detail, _: detail.src,
    "dst": lambda detail, _: detail.dst,
    "dcontext": lambda detail, _: detail.dcontext,
    "channel": lambda detail, _: detail.channel,
    "dstchannel": lambda detail, _: detail.dstchannel,
    "lastapp": lambda detail, _: detail.lastapp,
    "lastdata": lambda detail, _: detail.lastdata,
    "start": lambda detail, options: _time(detail.start, options),
    "answer": lambda detail, options: _time(detail.answer, options),
    "end": lambda detail, options: _time(detail.end, options),
    "duration": lambda detail, options: _length(detail, options, of_talk=False),
    "billsec": lambda detail, options: _length(detail, options, of_talk=True),
    "disposition": _disposition,
    "amaflags": _amaflags,
    "accountcode": lambda detail, _: detail.accountcode,
    "peeraccount": lambda detail, _: detail.peeraccount,
    "uniqueid": lambda detail, _: detail.uniqueid,
    "linkedid": lambda detail, _: detail.linkedid,
    "userfield": lambda detail, _: detail.userfield,
    "sequence": lambda detail, _: str(detail.sequence),
}
"""The fields every record has."""
WRITABLE = frozenset({"accountcode", "userfield", "amaflags"})
"""Those that the dialplan may set."""


def ama_flags(text: str) -> str:
    """OMIT, BILLING or DOCUMENTATION by their names or numbers; ValueError for others."""
    word = text.strip().upper()
    if word.isdigit() and 0 < int(word) <= len(AMA_FLAGS):
        return AMA_FLAGS[int(word) - 1]
    if word in ("", "DEFAULT"):
        return DEFAULT_AMA_FLAGS
    if word not in AMA_FLAGS:
        raise ValueError(f"{text!r} is none of {', '.join(AMA_FLAGS)}")
    return word
