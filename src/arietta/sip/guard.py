"""What keeps the internet's noise from the calls: limits for each source, bans, scanners dropped unread.

`admits` is asked before a message is parsed; what it refuses is dropped without a word, for an answer would tell a
scanner that somebody is here, and would go to whomever a forged source names. A source is a host: all ports of an
IPv4 address, or a /64 of IPv6, which is what one customer has.

A source is a stranger until it has proved itself: with credentials, by being configured, or by answering a request of
ours, whose branch nobody can guess. Strangers have token buckets, one for each kind of message, and one together, so
that forged sources without number cannot take what known phones need. A proven source has no limits for an hour. Failed
authentications count against a source only when they answer a nonce that was sent to it, so that nobody can have
another banned by forging its address; a success forgives them. Tables are bounded: what was heard of longest ago goes.

`now` is the caller's clock in seconds. Nothing here answers, logs or waits: the caller logs `notes()`.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address, IPv6Network

import msgspec

__all__ = ["Ban", "Guard", "Rules", "source_of"]

MAX_SOURCES = 10_000
"""Strangers, and apart from them proven sources, that are remembered."""
MAX_BANS = 10_000
PROVEN_S = 3600.0
"""How long a source counts as proven after its last proof."""
BURST_S = 5.0
"""Seconds' worth of messages that a stranger may send at once."""
NOTE_EVERY_S = 60.0
"""One line for each source in this time,"""
MAX_NOTES = 30
"""and so many for all of them."""

_KINDS = {b"INVITE": 0, b"REGISTER": 1, b"OPTIONS": 2}
_OTHER, _IN_DIALOG, _RESPONSE = 3, 4, 5
_WORDS = ("INVITE", "REGISTER", "OPTIONS", "other requests", "requests in dialogs", "responses")
_TO_TAG = re.compile(rb"\r\n(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.IGNORECASE)
_HEAD_BYTES = 4096


class Rules(msgspec.Struct, frozen=True):
    """What the configuration says; rates are messages a second."""

    enabled: bool = True
    invite_rate: float = 10.0
    register_rate: float = 20.0
    options_rate: float = 20.0
    other_rate: float = 20.0
    """Of requests outside of a dialog, and, apart from them, of requests in dialogs and of responses."""
    strangers_rate: float = 1000.0
    """Of all strangers together."""
    auth_failures: int = 10
    """Failed authentications without a success between them that lead to a ban; 0 for no bans."""
    auth_failure_period: float = 600.0
    ban_time: float = 600.0
    scanners: tuple[str, ...] = ()
    """Parts of a User-Agent, or of the display name in From, that give a scanner away."""
    unidentified_count: int = 5
    """Requests of nobody known, within the period, after which they are reported."""
    unidentified_period: float = 5.0

    def rate(self, kind: int) -> float:
        """The rate of one kind of message."""
        return (self.invite_rate, self.register_rate, self.options_rate)[kind] if kind < _OTHER else self.other_rate


class Ban(msgspec.Struct, frozen=True):
    """A source that is not listened to."""

    source: str
    until: float
    failures: int


class Source:
    """What is known of one source."""

    __slots__ = (
        "dropped",
        "failing_since",
        "failures",
        "name",
        "proven_until",
        "refilled_at",
        "tokens",
        "told_at",
        "unidentified",
        "unidentified_since",
    )  # fmt: skip

    def __init__(self, name: str, now: float, tokens: list[float]) -> None:
        self.name = name
        self.tokens = tokens
        self.refilled_at = now
        self.proven_until = 0.0
        self.failures = self.unidentified = self.dropped = 0
        self.failing_since = self.unidentified_since = now
        self.told_at = float("-inf")


class Guard:
    """The limits of one server; see the module text."""

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        trusts: Callable[[str], bool] = lambda host: False,
        counters: Counter[str] | None = None,
    ) -> None:
        """`trusts` names hosts without limits and bans."""
        self.counters: Counter[str] = Counter() if counters is None else counters
        self._proven: OrderedDict[str, Source] = OrderedDict()
        self._strangers: OrderedDict[str, Source] = OrderedDict()
        self._bans: OrderedDict[str, Ban] = OrderedDict()
        self._notes: list[str] = []
        self._notes_since = float("-inf")
        self._notes_left_out = self._notes_said = 0
        self.configure(rules or Rules(), trusts=trusts)

    def configure(self, rules: Rules, *, trusts: Callable[[str], bool]) -> None:
        """Take new rules; what is known of the sources stays."""
        self.rules = rules
        self._trusts = lru_cache(maxsize=MAX_SOURCES)(trusts)
        self._full = [max(1.0, rules.rate(kind) * BURST_S) for kind in range(len(_WORDS))]
        self._shared, self._shared_at = rules.strangers_rate, float("-inf")
        names = b"|".join(re.escape(name.encode()) for name in rules.scanners)
        pattern = (
            rb"\r\n(?:user-agent[ \t]*:|(?:from|f)[ \t]*:[ \t]*\")[^\"\r\n]*(?:" + names + rb")" if names else rb"(?!)"
        )
        self._scanner = re.compile(pattern, re.IGNORECASE)

    def __len__(self) -> int:
        return len(self._proven) + len(self._strangers) + len(self._bans)

    # -- what the skin asks -----------------------------------------------------------------------------------

    def admits(self, data: bytes, host: str, now: float) -> bool:
        """Whether a message may be read; False: drop it without an answer."""
        if not self.rules.enabled:
            return True
        name = source_of(host)
        known = self._proven.get(name)
        if known is not None and known.proven_until > now:
            return True
        kind = _kind_of(data)
        if kind != _RESPONSE and _TO_TAG.search(data, 0, _HEAD_BYTES) is not None:
            kind = _IN_DIALOG
        if kind < _IN_DIALOG and name in self._bans and self._is_banned(name, now):  # calls may go on and end
            self.counters["guard.banned"] += 1
            return False
        if kind != _RESPONSE and self._scanner.search(data, 0, _HEAD_BYTES) is not None:
            return self._drop("guard.scanner", host, now, "scans")
        return self._trusts(host) or self._takes_token(name, kind, host, now)

    def admits_connection(self, host: str, now: float) -> bool:
        """Whether a source may open a connection, which may cost a TLS handshake before it says a word."""
        name = source_of(host)
        return not self.rules.enabled or name not in self._bans or not self._is_banned(name, now)

    def is_proven(self, host: str, now: float) -> bool:
        """Whether a source is one of ours."""
        known = self._proven.get(source_of(host))
        return known is not None and known.proven_until > now

    def prove(self, host: str, now: float) -> None:
        """Take the news that a source is one of ours."""
        name = source_of(host)
        source = self._proven.get(name)
        if source is None:
            source = self._strangers.pop(name, None) or Source(name, now, list(self._full))
            self._keep(self._proven, source)
        elif source.proven_until - now < PROVEN_S / 2:
            self._proven.move_to_end(name)
        source.proven_until = now + PROVEN_S
        source.failures = 0

    def fail(self, host: str, now: float, *, is_genuine: bool, what: str) -> None:
        """Take the news that credentials were wrong. `is_genuine`: the source cannot be forged, it knew our nonce."""
        self.counters["guard.auth_failures"] += 1
        source = self._source(source_of(host), now)
        self._note(source, now, f"{what} from {host} failed authentication")
        rules = self.rules
        if not is_genuine or not rules.enabled or not rules.auth_failures or self._trusts(host):
            return
        if now - source.failing_since > rules.auth_failure_period:
            source.failures, source.failing_since = 0, now
        source.failures += 1
        if source.failures >= rules.auth_failures:
            self._ban(source, now)

    def see_stranger(self, host: str, now: float, what: str) -> None:
        """Take the news that a request was of nobody known (Asterisk's unidentified_request_count)."""
        self.counters["guard.unidentified"] += 1
        source = self._source(source_of(host), now)
        rules = self.rules
        if now - source.unidentified_since > rules.unidentified_period:
            source.unidentified, source.unidentified_since = 0, now
        source.unidentified += 1
        if source.unidentified == rules.unidentified_count:
            self._note(source, now, f"{what} from {host}: no endpoint after {source.unidentified} tries")

    def see_outsider(self, host: str, now: float, acl: str) -> None:
        """Take the news that an access list has refused a source."""
        self.counters["guard.acl"] += 1
        source = self._source(source_of(host), now)
        self._note(source, now, f"{host} is refused by access list {acl}")

    def bans(self, now: float) -> list[Ban]:
        """Who is not listened to, the oldest first."""
        return [ban for name, ban in tuple(self._bans.items()) if self._is_banned(name, now)]

    def unban(self, host: str) -> bool:
        """Listen to a source again; False when it was not banned."""
        name = source_of(host)
        for table in (self._strangers, self._proven):
            if name in table:
                table[name].failures = 0
        return self._bans.pop(name, None) is not None

    def notes(self) -> list[str]:
        """Lines for the log since the last call; usually none."""
        notes, self._notes = self._notes, []
        return notes

    # -- buckets ----------------------------------------------------------------------------------------------

    def _takes_token(self, name: str, kind: int, host: str, now: float) -> bool:
        source = self._source(name, now)
        elapsed = now - source.refilled_at
        if elapsed > 0:
            source.refilled_at = now
            tokens = source.tokens
            for each, full in enumerate(self._full):
                tokens[each] = min(full, tokens[each] + elapsed * self.rules.rate(each))
        if source.tokens[kind] < 1.0:
            return self._drop("guard.limited", host, now, f"sends too many {_WORDS[kind]}")
        source.tokens[kind] -= 1.0
        return self._takes_shared_token(host, now)

    def _takes_shared_token(self, host: str, now: float) -> bool:
        rate = self.rules.strangers_rate
        self._shared = min(rate, self._shared + max(0.0, now - self._shared_at) * rate)
        self._shared_at = now
        if self._shared < 1.0:
            self.counters["guard.crowded"] += 1
            return False
        self._shared -= 1.0
        return True

    def _source(self, name: str, now: float) -> Source:
        source = self._proven.get(name)
        if source is not None and source.proven_until > now:
            return source
        if source is not None:
            del self._proven[name]
        source = source or self._strangers.get(name) or Source(name, now, list(self._full))
        self._keep(self._strangers, source)
        return source

    def _keep(self, table: OrderedDict[str, Source], source: Source) -> None:
        table[source.name] = source
        table.move_to_end(source.name)
        if len(table) > MAX_SOURCES:
            table.popitem(last=False)
            self.counters["guard.forgotten"] += 1

    # -- bans -------------------------------------------------------------------------------------------------

    def _ban(self, source: Source, now: float) -> None:
        self._bans[source.name] = Ban(source.name, now + self.rules.ban_time, source.failures)
        self.counters["guard.bans"] += 1
        if len(self._bans) > MAX_BANS:
            self._bans.popitem(last=False)
        source.told_at = float("-inf")
        failures, time_s = source.failures, self.rules.ban_time
        self._note(source, now, f"{source.name} is banned for {time_s:.0f} s: {failures} failed authentications")
        source.failures, source.proven_until = 0, 0.0

    def _is_banned(self, name: str, now: float) -> bool:
        ban = self._bans.get(name)
        if ban is not None and ban.until <= now:
            del self._bans[name]
            return False
        return ban is not None

    # -- what is told -----------------------------------------------------------------------------------------

    def _drop(self, counter: str, host: str, now: float, why: str) -> bool:
        self.counters[counter] += 1
        source = self._source(source_of(host), now)
        source.dropped += 1
        self._note(source, now, f"{host} {why}: dropped, {source.dropped} so far")
        return False

    def _note(self, source: Source, now: float, text: str) -> None:
        if now - source.told_at < NOTE_EVERY_S:
            return
        source.told_at = now
        if now - self._notes_since >= NOTE_EVERY_S:
            if self._notes_left_out:
                self._notes.append(f"{self._notes_left_out} more sources made noise")
            self._notes_since, self._notes_said, self._notes_left_out = now, 0, 0
        if self._notes_said >= MAX_NOTES:
            self._notes_left_out += 1
            return
        self._notes_said += 1
        self._notes.append(text)


@lru_cache(maxsize=MAX_SOURCES)
def source_of(host: str) -> str:
    """The source a host belongs to: itself, for IPv6 its /64, for a mapped address the IPv4 address in it."""
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host.partition("%")[0])
    except AddressValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, 64), strict=False))


def _kind_of(data: bytes) -> int:
    if data.startswith(b"SIP/2.0 "):
        return _RESPONSE
    return _KINDS.get(data[:16].partition(b" ")[0], _OTHER)
