"""Who guesses secrets: failed logins of each address, and the addresses that are not listened to for a while.

Over TCP an address is not forged, so a failure always counts; a success forgives. Tables are bounded: what was heard of
longest ago goes. `now` is the caller's clock in seconds.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache

import msgspec

MAX_SOURCES = 10_000


class LoginRules(msgspec.Struct, frozen=True):
    """What manager.conf says; 0 failures ban nobody."""

    failures: int = 10
    period_s: float = 600.0
    ban_s: float = 600.0


class _Source:
    __slots__ = ("banned_until", "failures", "since")

    def __init__(self, now: float) -> None:
        self.failures = 0
        self.since = now
        self.banned_until = 0.0


class Logins:
    """Failed logins by source: an IPv4 address, or a /64 of IPv6, which is what one customer has."""

    def __init__(self, rules: LoginRules | None = None) -> None:
        self.rules = rules or LoginRules()
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    def admits(self, host: str, now: float) -> bool:
        """Whether a host is listened to."""
        source = self._sources.get(source_of(host))
        return source is None or source.banned_until <= now

    def fail(self, host: str, now: float) -> bool:
        """Take a failed login; True if the host is banned from now on."""
        name = source_of(host)
        source = self._sources.pop(name, None) or _Source(now)
        self._sources[name] = source
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        if now - source.since > self.rules.period_s:
            source.failures, source.since = 0, now
        source.failures += 1
        if not self.rules.failures or source.failures < self.rules.failures:
            return False
        source.failures, source.banned_until = 0, now + self.rules.ban_s
        return True

    def succeed(self, host: str) -> None:
        """Take a login that went well."""
        self._sources.pop(source_of(host), None)

    def __len__(self) -> int:
        return len(self._sources)


@lru_cache(maxsize=1024)
def source_of(host: str) -> str:
    """The source a host belongs to."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
