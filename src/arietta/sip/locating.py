"""Where a SIP URI leads: which servers, by which protocol, in which order (RFC 3263, 2782, 3403), sans-IO.

    steps = locate(uri, able=("UDP", "TCP"), families=(4,))
    questions = next(steps)
    while True: questions = steps.send(answers)          # until StopIteration, whose value is the tuple of targets

Each step asks for records, several at once, and is sent one answer a question, in their order: the records, or () for
none. A URI that names an address asks for nothing. Nothing here knows where records come from or how long they last.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable
from ipaddress import ip_address
from typing import Literal, TypeVar

import msgspec

from .uri import SipUri

__all__ = ["Address4or6", "Naptr", "Question", "Record", "Srv", "Target", "locate", "order_services", "services_of"]

Kind = Literal["NAPTR", "SRV", "A", "AAAA"]

MAX_TARGETS = 24
"""Servers that one request may be sent to, one after the other."""
MAX_SERVICES = 12
"""Records of one kind that are looked at."""
SERVICES = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}
"""What NAPTR calls a protocol; WebSockets (RFC 7118 4) are left out, since only clients open them."""
PREFIXES = {"UDP": "_sip._udp.", "TCP": "_sip._tcp.", "TLS": "_sips._tcp."}
"""What SRV calls it."""
DEFAULT_PORTS = {"TLS": 5061, "WSS": 5061}


class Naptr(msgspec.Struct, frozen=True):
    """One NAPTR record (RFC 3403 4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str
    regexp: str = ""
    """What rewrites a number (RFC 3402 3.2); SIP's own records have none."""


class Srv(msgspec.Struct, frozen=True):
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str
    """Without the dot at its end; "" says that the service is not there."""


class Address4or6(msgspec.Struct, frozen=True):
    """One A or AAAA record."""

    host: str


Record = Naptr | Srv | Address4or6


class Question(msgspec.Struct, frozen=True):
    """What records are asked for."""

    kind: Kind
    name: str


class Target(msgspec.Struct, frozen=True):
    """One server that a request may be sent to."""

    protocol: str
    """UDP, TCP, TLS, WS or WSS."""
    host: str
    """Its IP address."""
    port: int


Answers = tuple[tuple[Record, ...], ...]
Steps = Generator[tuple[Question, ...], Answers, tuple[Target, ...]]
_R = TypeVar("_R", Naptr, Srv, Address4or6)


def locate(
    uri: SipUri,
    *,
    able: tuple[str, ...],
    families: tuple[int, ...] = (4, 6),
    draw: Callable[[int], int] = random.randrange,
) -> Steps:
    """The targets of a URI, best first; none when it leads nowhere that we can speak to.

    `able` are the protocols we have, in the order we like them; one alone means that the configuration has chosen.
    `families` are the IP versions we have, 4 or 6, `draw` picks a number below another for weights.
    """
    host = uri.parameter("maddr") or uri.host
    said = _said_protocol(uri)
    protocols = tuple(p for p in ((said,) if said else able) if p in able)
    if uri.scheme == "sips" and not said:
        protocols = tuple(p for p in able if p == "TLS")
    if not protocols:
        return ()
    literal = _literal(host)
    if literal is not None or uri.port is not None or not set(protocols) & PREFIXES.keys():
        protocol = said or ("UDP" if "UDP" in protocols else protocols[0])  # 4.1: UDP unless it says otherwise
        port = uri.port or DEFAULT_PORTS.get(protocol, 5060)
        if literal is not None:
            return (Target(protocol, literal, port),)
        return (yield from _resolve(((protocol, host, port),), families))
    if len(protocols) > 1:
        (found,) = yield (Question("NAPTR", host),)
        services = _services(_of(found, Naptr), protocols)
    else:
        services = []
    services = services or [(protocol, PREFIXES[protocol] + host) for protocol in protocols if protocol in PREFIXES]
    answers = yield tuple(Question("SRV", name) for _, name in services)
    places: list[tuple[str, str, int]] = []
    is_denied = False
    for (protocol, _), records in zip(services, answers, strict=True):
        servers = _of(records, Srv)
        is_denied = is_denied or any(not server.target for server in servers)
        places += [(protocol, server.target, server.port) for server in order_services(servers, draw) if server.target]
    if not places and not is_denied:  # 4.2: without SRV the name itself
        protocol = said or ("UDP" if "UDP" in protocols else protocols[0])
        places = [(protocol, host, DEFAULT_PORTS.get(protocol, 5060))]
    return (yield from _resolve(tuple(places), families))


def order_services(servers: Iterable[Srv], draw: Callable[[int], int] = random.randrange) -> list[Srv]:
    """SRV records in the order they are tried: by priority, within one by lot with their weights (RFC 2782)."""
    waiting = sorted(servers, key=lambda server: (server.priority, server.weight))[:MAX_SERVICES]
    ordered: list[Srv] = []
    while waiting:
        same = [server for server in waiting if server.priority == waiting[0].priority]
        lot = draw(sum(server.weight for server in same) + 1)
        for server in same:
            lot -= server.weight
            if lot <= 0:
                break
        waiting.remove(server)
        ordered.append(server)
    return ordered


def services_of(host: str) -> tuple[str, ...]:
    """The names of the SRV records that a host's SIP services have."""
    return tuple(prefix + host for prefix in PREFIXES.values())


def _services(records: list[Naptr], protocols: tuple[str, ...]) -> list[tuple[str, str]]:
    """The protocols that NAPTR names and we have, with the names of their SRV records, as the domain prefers them."""
    usable = [
        (record, SERVICES[record.service.upper()])
        for record in records
        if record.flags.lower() == "s" and record.replacement and SERVICES.get(record.service.upper()) in protocols
    ]
    usable.sort(key=lambda found: (found[0].order, found[0].preference))
    return [(protocol, record.replacement) for record, protocol in usable[:MAX_SERVICES]]


def _resolve(places: tuple[tuple[str, str, int], ...], families: tuple[int, ...]) -> Steps:
    """The addresses of named servers, each server's together."""
    kinds: tuple[Kind, ...] = tuple("A" if family == 4 else "AAAA" for family in families)
    targets: dict[Target, None] = {}
    names = tuple(dict.fromkeys(name for _, name, _ in places if _literal(name) is None))
    questions = tuple(Question(kind, name) for name in names for kind in kinds)
    answers = dict(zip(questions, (yield questions), strict=True)) if questions else {}
    for protocol, name, port in places:
        literal = _literal(name)
        hosts = (
            [literal]
            if literal is not None
            else [found.host for kind in kinds for found in _of(answers[Question(kind, name)], Address4or6)]
        )
        for host in hosts[:MAX_SERVICES]:
            targets[Target(protocol, host, port)] = None
    return tuple(targets)[:MAX_TARGETS]


def _of(records: Iterable[Record], kind: type[_R]) -> list[_R]:
    return [record for record in records if isinstance(record, kind)]


def _said_protocol(uri: SipUri) -> str:
    """The protocol that a URI names itself, "" if it names none (RFC 3261 26.2.2, RFC 7118 5)."""
    protocol = (uri.parameter("transport") or "").upper()
    if uri.scheme == "sips":
        return "WSS" if protocol in ("WS", "WSS") else "TLS"
    return protocol


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None
