"""The SIP of every call, kept in memory for its life and some minutes after: what ladders are drawn from.

Messages are kept as the bytes they came and went as; nothing of them is looked at but the Call-ID. What is bounded:
the bytes of one call (its beginning stays, then the newest), the bytes of all (calls that are over leave first, the
longest over before the others), the number of calls, and the time after their end.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

import msgspec

from arietta.sip.transactions import Address, Transport

if TYPE_CHECKING:
    from arietta.config.pjsip import PjsipLadder

__all__ = ["CallHistory", "KeptMessage", "Limits", "RecordedCall", "call_id_of"]

MAX_CALLS = 20_000
OVERHEAD_BYTES = 200
"""What a message takes besides its bytes, about; a call takes three times that."""
_LOOSE_CALL_ID = re.compile(rb"(?i)\r?\n(?:call-id|i)[ \t]*:[ \t]*(?:\r?\n[ \t]+)?([^\s]+)")


class Limits(msgspec.Struct, frozen=True):
    """How much is kept."""

    total_bytes: int = 16 << 20
    """Of all calls; 0 keeps nothing."""
    call_bytes: int = 64 << 10
    """Of one call."""
    seconds: float = 600.0
    """After the end of a call."""


class KeptMessage(msgspec.Struct, frozen=True, gc=False):
    """One message as it came or went."""

    time: float
    """By the loop's clock."""
    direction: str
    """`<` came, `>` went."""
    data: bytes
    peer: Address
    transport: Transport
    number: int
    """Counts the messages of all calls: many have the same time."""


class RecordedCall:
    """The messages of one Call-ID that an INVITE began."""

    __slots__ = ("bytes_kept", "call_id", "channel_id", "first", "latest", "left_out", "linkedid", "name", "over_at")

    def __init__(self, call_id: bytes, now: float) -> None:
        self.call_id = call_id
        self.channel_id, self.name, self.linkedid = "", "", ""
        self.first: list[KeptMessage] = []
        """The beginning, which stays."""
        self.latest: deque[KeptMessage] = deque()
        self.left_out = 0
        """Messages between `first` and `latest` that were too many."""
        self.bytes_kept = 3 * OVERHEAD_BYTES + len(call_id)
        self.over_at = now
        """When its channel ended, or when it began if it has none; inf while the channel lives."""

    @property
    def messages(self) -> Iterator[KeptMessage]:
        """All that is kept, the oldest first."""
        yield from self.first
        yield from self.latest


class CallHistory:
    """The recorded calls; `observe` gets every message."""

    def __init__(self, now: Callable[[], float], limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.total_bytes = 0
        self._now = now
        self._count = 0
        self._calls: dict[bytes, RecordedCall] = {}
        self._over: OrderedDict[bytes, None] = OrderedDict()
        """The calls without a living channel, the longest over first."""

    @property
    def enabled(self) -> bool:
        """Whether anything is kept."""
        return self.limits.total_bytes > 0

    def configure(self, limits: Limits) -> None:
        """Keep so much from now on."""
        self.limits = limits
        self._make_room()

    def observe(self, direction: str, data: bytes, peer: Address, transport: Transport) -> None:
        """Keep one message if it belongs to a call."""
        call_id = call_id_of(data)
        call = self._calls.get(call_id)
        now = self._now()
        if call is None:
            if not data.startswith(b"INVITE ") or not call_id:
                return
            call = self._open(call_id, now)
        self._count += 1
        message = KeptMessage(now, direction, data, peer, transport, self._count)
        size = len(data) + OVERHEAD_BYTES
        call.bytes_kept += size
        self.total_bytes += size
        if not call.left_out and not call.latest and call.bytes_kept <= self.limits.call_bytes // 2:
            call.first.append(message)
        else:
            call.latest.append(message)
            while call.bytes_kept > self.limits.call_bytes and len(call.latest) > 1:
                self._leave_out(call)
        if self.total_bytes > self.limits.total_bytes:
            self._make_room(call_id)

    def begun(self, call_id: str, channel_id: str, name: str, linkedid: str) -> None:
        """A call has a channel; it is kept while that lives."""
        key = call_id.encode()
        call = self._calls.get(key)
        if call is None:
            if not self.enabled:
                return
            call = self._open(key, self._now())  # its INVITE is still to be sent
        call.channel_id, call.name, call.linkedid = channel_id, name, linkedid
        call.over_at = inf
        self._over.pop(key, None)

    def ended(self, call_id: str, linkedid: str) -> None:
        """The channel of a call has ended; `linkedid` is what it had last."""
        key = call_id.encode()
        call = self._calls.get(key)
        if call is None:
            return
        call.linkedid = linkedid or call.linkedid
        call.over_at = self._now()
        self._over[key] = None
        self._over.move_to_end(key)

    def calls(self) -> list[RecordedCall]:
        """All that are kept, in the order in which they began."""
        self._expire(self._now())
        return [call for call in self._calls.values() if call.first or call.latest]

    def find(self, name: str) -> RecordedCall | None:
        """The call of a channel's name or id, or of a Call-ID."""
        self._expire(self._now())
        if call := self._calls.get(name.encode(errors="surrogateescape")):
            return call
        wanted = name.lower()
        return next(
            (c for c in self._calls.values() if c.channel_id and (name == c.channel_id or wanted == c.name.lower())),
            None,
        )

    def _open(self, call_id: bytes, now: float) -> RecordedCall:
        self._expire(now)
        while len(self._calls) >= MAX_CALLS:
            self._forget_one()
        call = self._calls[call_id] = RecordedCall(call_id, now)
        self._over[call_id] = None
        self.total_bytes += call.bytes_kept
        self._make_room(call_id)
        return call

    def _leave_out(self, call: RecordedCall) -> None:
        size = len(call.latest.popleft().data) + OVERHEAD_BYTES
        call.bytes_kept -= size
        self.total_bytes -= size
        call.left_out += 1

    def _expire(self, now: float) -> None:
        oldest = now - self.limits.seconds
        while self._over:
            call_id = next(iter(self._over))
            if self._calls[call_id].over_at > oldest:
                return
            self._forget(call_id)

    def _make_room(self, but: bytes = b"") -> None:
        while self.total_bytes > self.limits.total_bytes and self._forget_one(but):
            pass

    def _forget_one(self, but: bytes = b"") -> bool:
        """Forget the call that is over longest, or else the oldest, but not the one that is being spoken."""
        for call_id in itertools.chain(self._over, self._calls):
            if call_id != but:
                self._forget(call_id)
                return True
        return False

    def _forget(self, call_id: bytes) -> None:
        self._over.pop(call_id, None)
        self.total_bytes -= self._calls.pop(call_id).bytes_kept


def limits_of(settings: PjsipLadder) -> Limits:
    """What pjsip.conf says."""
    return Limits(settings.memory << 20, settings.call_memory << 10, float(settings.keep_time))


def call_id_of(data: bytes) -> bytes:
    """The Call-ID of a message, without parsing it; empty if it has none."""
    at = data.find(b"\r\nCall-ID: ")
    if at >= 0:
        end = data.find(b"\r", at + 11)
        found = data[at + 11 : end] if end > 0 else b""
        if found and found[0] > 32:
            return found.rstrip()
    match = _LOOSE_CALL_ID.search(data)
    return match[1] if match is not None else b""
