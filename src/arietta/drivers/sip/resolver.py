"""Names of SIP's servers: the hosts file, DNS, and what the system knows besides, behind one bounded cache.

Answers are kept as long as their records say, refusals as long as their zone says, and failures for a moment. Nobody
waits longer than LOOKUP_S, no more than MAX_AT_ONCE questions are asked at a time, one question is asked once however
many want to know.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections import Counter, OrderedDict
from collections.abc import Awaitable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol

from arietta.config.resolver import SYSTEM, ResolverSettings
from arietta.sip.locating import Address4or6, Naptr, Question, Record, Srv, Target, locate, services_of
from arietta.sip.uri import SipUri

__all__ = ["Lookup", "Resolver", "Source"]

log = logging.getLogger(__name__)

LOOKUP_S = 10.0
"""Time in which a URI must have become addresses."""
QUESTION_S = 5.0
"""Time for one question, whoever is asked,"""
SERVER_S = 2.0
"""and for one server before the next one is asked."""
MAX_AT_ONCE = 64
MAX_WAITING = 1000
"""Questions that are asked or wait to be; more are answered with nothing."""
MAX_KEPT = 4096
MAX_RECORDS = 32
LONGEST_S, SHORTEST_S = 86_400.0, 1.0
"""Bounds of what a TTL may say."""
LONGEST_REFUSAL_S = 300.0
SYSTEM_S = 60.0
"""How long answers of the system are kept, which tells no TTL."""
FAILURE_S = 5.0
MAX_HOSTS_BYTES = 1 << 20

Lookup = tuple[tuple[Record, ...], float]
"""Records with the seconds for which they are good."""


class Source(Protocol):
    """Who is asked over the network."""

    async def ask(self, question: Question) -> Lookup:
        """The records; OSError when nobody answers."""
        ...


class Resolver:
    """Looks names up for one driver."""

    def __init__(self, settings: ResolverSettings, loop: asyncio.AbstractEventLoop, counters: Counter[str]) -> None:
        self.counters = counters
        self._loop = loop
        self._kept: OrderedDict[Question, tuple[tuple[Record, ...], float]] = OrderedDict()
        self._asked: dict[Question, asyncio.Task[tuple[Record, ...]]] = {}
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self.configure(settings)

    def configure(self, settings: ResolverSettings, folder: Path = Path()) -> None:
        """Take settings anew; what was learnt before is forgotten."""
        self._kept.clear()
        # A loop that brings its own network is a test's: the servers of this machine are none of its.
        has_system = getattr(self._loop, "network", None) is None
        self._hosts = _Hosts("/etc/hosts" if settings.hosts == SYSTEM else str(folder / settings.hosts))
        if settings.hosts == SYSTEM and not has_system:
            self._hosts = _Hosts("")
        file = "/etc/resolv.conf" if settings.resolv == SYSTEM else str(folder / settings.resolv)
        if settings.nameserver or settings.resolv != SYSTEM or has_system:
            self._source: Source | None = DnsServers(settings.nameserver, file, self._loop)
        else:
            self._source = None

    async def stop(self) -> None:
        """Ask no more."""
        tasks = tuple(self._asked.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------ what is asked

    async def targets(self, uri: SipUri, able: tuple[str, ...], families: tuple[int, ...]) -> tuple[Target, ...]:
        """Where a URI leads, best first; () for nowhere, or nowhere in time."""
        steps = locate(uri, able=able, families=families)
        try:
            async with asyncio.timeout(LOOKUP_S):
                questions = next(steps)
                while True:
                    answers = await asyncio.gather(*(self.records(question) for question in questions))
                    questions = steps.send(tuple(answers))
        except StopIteration as end:
            found: tuple[Target, ...] = end.value
            return found
        except TimeoutError:
            log.warning("%s: no answer within %.0f s about where it is", uri, LOOKUP_S)
            return ()

    async def hosts(self, name: str, *, with_services: bool) -> tuple[tuple[str, ...], float]:
        """The addresses that belong to a name, those of its SIP services too; with the time they are good for."""
        names = [name]
        if with_services:
            found = await asyncio.gather(*(self.records(Question("SRV", each)) for each in services_of(name)))
            names += [one.target for records in found for one in records if isinstance(one, Srv) and one.target]
        questions = [Question(kind, each) for each in dict.fromkeys(names[:MAX_RECORDS]) for kind in ("A", "AAAA")]
        answers = await asyncio.gather(*(self.records(question) for question in questions))
        now = self._loop.time()
        until = min((self._kept[each][1] for each in questions if each in self._kept), default=now)
        hosts = dict.fromkeys(one.host for records in answers for one in records if isinstance(one, Address4or6))
        return tuple(hosts), max(until - now, 0.0)

    async def records(self, question: Question) -> tuple[Record, ...]:
        """The records of a question; () where there are none."""
        question = Question(question.kind, question.name.rstrip(".").lower())
        if not question.name or len(question.name) > 253:
            return ()
        kept = self._kept.get(question)
        if kept is not None and kept[1] > self._loop.time():
            self._kept.move_to_end(question)
            return kept[0]
        task = self._asked.get(question)
        if task is None:
            if len(self._asked) >= MAX_WAITING:
                self.counters["dns.refused"] += 1
                return ()
            task = self._loop.create_task(self._learn(question), name=f"look up {question.name}")
            self._asked[question] = task
            task.add_done_callback(lambda _: self._asked.pop(question, None))
        return await asyncio.shield(task)

    # ------------------------------------------------------------------------------------------------ who is asked

    async def _learn(self, question: Question) -> tuple[Record, ...]:
        async with self._places:
            self.counters["dns.questions"] += 1
            records, ttl_s = await self._ask(question)
        self._kept[question] = (records[:MAX_RECORDS], self._loop.time() + ttl_s)
        self._kept.move_to_end(question)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return records[:MAX_RECORDS]

    async def _ask(self, question: Question) -> Lookup:
        is_address = question.kind in ("A", "AAAA")
        if is_address:
            family = 4 if question.kind == "A" else 6
            known = self._hosts.of(question.name)
            if known:
                return tuple(Address4or6(host) for host in known if ip_address(host).version == family), SYSTEM_S
        failed = False
        result: Lookup = ((), FAILURE_S)
        if self._source is not None:
            try:
                result = await _within(QUESTION_S, self._source.ask(question))
            except (OSError, TimeoutError) as problem:
                self.counters["dns.failures"] += 1
                failed = True
                log.debug("%s of %s: %s", question.kind, question.name, problem or "no answer")
        if result[0] or not is_address:
            return result
        return await self._ask_system(question, result[1] if self._source is not None and not failed else FAILURE_S)

    async def _ask_system(self, question: Question, none_s: float) -> Lookup:
        """What the system's own ways say: multicast DNS, directories, names of containers."""
        family = socket.AF_INET if question.kind == "A" else socket.AF_INET6
        try:
            found = await _within(
                QUESTION_S, self._loop.getaddrinfo(question.name, None, family=family, type=socket.SOCK_DGRAM)
            )
        except (OSError, TimeoutError, UnicodeError):
            return (), none_s
        return tuple(Address4or6(host) for host in dict.fromkeys(str(one[4][0]) for one in found)), SYSTEM_S


async def _within(seconds: float, work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await work


class DnsServers:
    """The servers of DNS, asked through dnspython."""

    def __init__(self, servers: tuple[tuple[str, int], ...], file: str, loop: asyncio.AbstractEventLoop) -> None:
        """Without `servers` those of a resolv.conf are asked."""
        self._servers = servers
        self._file = file
        self._loop = loop
        self._resolver: Any = None

    async def ask(self, question: Question) -> Lookup:
        """The records; OSError when nobody answers."""
        if self._resolver is None:  # importing takes a moment, which the loop has not
            self._resolver = await self._loop.run_in_executor(None, _build_resolver, self._servers, self._file)
        import dns.exception
        import dns.resolver

        if not self._resolver.nameservers:
            return (), FAILURE_S
        try:
            answer = await self._resolver.resolve(
                question.name, question.kind, lifetime=QUESTION_S, search=question.kind in ("A", "AAAA")
            )
        except dns.resolver.NXDOMAIN as refusal:
            responses = refusal.kwargs.get("responses", {}).values()
            return (), min((_refusal_s(response) for response in responses), default=FAILURE_S)
        except dns.resolver.NoAnswer as refusal:
            return (), _refusal_s(refusal.kwargs.get("response"))
        except (dns.exception.DNSException, EOFError) as problem:
            raise OSError(str(problem)) from None
        ttl_s = float(answer.chaining_result.minimum_ttl)
        return tuple(map(_record, answer)), min(max(ttl_s, SHORTEST_S), LONGEST_S)


def _build_resolver(servers: tuple[tuple[str, int], ...], file: str) -> Any:
    import dns.asyncresolver
    import dns.nameserver
    import dns.resolver

    resolver = dns.asyncresolver.Resolver(configure=False)
    with contextlib.suppress(dns.resolver.NoResolverConfiguration, OSError):
        resolver.read_resolv_conf(file)
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
    resolver.timeout = SERVER_S
    resolver.cache = None
    return resolver


def _record(found: Any) -> Record:
    match found.rdtype.name:
        case "NAPTR":
            texts = (value.decode("ascii", "replace") for value in (found.flags, found.service, found.regexp))
            flags, service, regexp = texts
            return Naptr(found.order, found.preference, flags, service, str(found.replacement).rstrip("."), regexp)
        case "SRV":
            return Srv(found.priority, found.weight, found.port, str(found.target).rstrip("."))
        case _:
            return Address4or6(str(found.address))


def _refusal_s(response: Any) -> float:
    """How long a name is known not to be there (RFC 2308 5)."""
    for rrset in getattr(response, "authority", ()):
        if rrset.rdtype.name == "SOA":
            return float(min(max(min(rrset.ttl, rrset[0].minimum), SHORTEST_S), LONGEST_REFUSAL_S))
    return FAILURE_S


class _Hosts:
    """The names of a hosts file, read again when it has changed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._names: dict[str, list[str]] = {}

    def of(self, name: str) -> list[str]:
        """The addresses of a name; [] when it is not in the file."""
        try:
            found = os.stat(self._path)
        except OSError:
            return []
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._stamp, self._names = stamp, self._read()
        return self._names.get(name, [])

    def _read(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                text = file.read(MAX_HOSTS_BYTES)
        except OSError as problem:
            log.warning("%s cannot be read: %s", self._path, problem.strerror)
            return names
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            with contextlib.suppress(ValueError):
                for name in words[1:]:
                    names.setdefault(name.lower().rstrip("."), []).append(str(ip_address(words[0])))
        return names
