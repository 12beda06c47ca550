"""The dialplan's functions on DNS: SRV records, and telephone numbers that DNS has addresses for (ENUM, RFC 6116).

They take their time, and ask as SIP does: resolver_unbound.conf says whom. Not done: the branches of infrastructure
ENUM, and ISN.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from arietta.config.regexes import Regex
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import DeclaredFunction, Function, needed
from arietta.sip.locating import Naptr, Question, Record, Srv

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

Ask = Callable[[Question], Awaitable[tuple[Record, ...]]]
"""Who answers: `arietta.drivers.sip.resolver.Resolver.records`."""

ENUM_ZONE = "e164.arpa"
MAX_DIGITS = 40
MAX_QUERIES = 100
"""Whose results one channel keeps."""

SRVQUERY = DeclaredFunction(
    "SRVQUERY", "SRVQUERY(service)", "Asks for the SRV records of a name such as `_sip._udp.example.com`; its id."
)
SRVRESULT = DeclaredFunction(
    "SRVRESULT",
    "SRVRESULT(id,number|getnum)",
    "A host that SRVQUERY found, the best one first, from 1 on; `getnum` says how many there are.",
)
ENUMLOOKUP = DeclaredFunction(
    "ENUMLOOKUP",
    "ENUMLOOKUP(number[,method[,options[,record[,zone]]]])",
    "What DNS has for a telephone number: the first address for `sip`, or for another method or `ALL`, without its "
    "scheme. Options: `u` leaves the scheme, `c` counts, `d` asks for the text as it is. The zone is e164.arpa.",
    lacks="without the options `s` and `i`",
)
ENUMQUERY = DeclaredFunction(
    "ENUMQUERY", "ENUMQUERY(number[,method[,zone]])", "Asks what DNS has for a telephone number; the id of the results."
)
ENUMRESULT = DeclaredFunction(
    "ENUMRESULT",
    "ENUMRESULT(id,number|getnum)",
    "An address that ENUMQUERY found, the best one first, from 1 on; `getnum` says how many there are.",
)
FUNCTIONS = (SRVQUERY, SRVRESULT, ENUMLOOKUP, ENUMQUERY, ENUMRESULT)


def dns_functions(ask: Ask) -> tuple[Function, ...]:
    """All of them, answered by `ask`."""

    async def srv_query(plan: Interpreter, channel: Channel, arguments: str) -> str:
        records = await ask(Question("SRV", arguments.strip()))
        found = sorted((one for one in records if isinstance(one, Srv)), key=lambda one: (one.priority, -one.weight))
        return _keep(SRVQUERY.name, channel, [one.target for one in found])

    async def enum_query(plan: Interpreter, channel: Channel, arguments: str) -> str:
        number, method, zone, *_ = [*split_arguments(arguments), *[""] * 3]
        found = await _addresses(ask, ENUMQUERY.name, number, method or "sip", zone)
        return _keep(ENUMQUERY.name, channel, [_without_scheme(uri) for uri in found])

    async def enum_lookup(plan: Interpreter, channel: Channel, arguments: str) -> str:
        number, method, options, place, zone, *_ = [*split_arguments(arguments), *[""] * 5]
        if set(options) - set("cud"):
            raise FunctionError(ENUMLOOKUP.name, f"options {options[:20]!r} are not supported, c, u and d are")
        found = await _addresses(ask, ENUMLOOKUP.name, number, method or "sip", zone, as_is="d" in options)
        if "c" in options:
            return str(len(found))
        uri = _at(ENUMLOOKUP.name, found, place or "1")
        return uri if "u" in options else _without_scheme(uri)

    return (
        SRVQUERY.done_by(wait=srv_query),
        SRVRESULT.done_by(_result_of(SRVQUERY.name, SRVRESULT.name)),
        ENUMLOOKUP.done_by(wait=enum_lookup),
        ENUMQUERY.done_by(wait=enum_query),
        ENUMRESULT.done_by(_result_of(ENUMQUERY.name, ENUMRESULT.name)),
    )


# ------------------------------------------------------------------------------------------------------------ results


def _keep(name: str, channel: Channel, results: list[str]) -> str:
    """Keep the results of a query for its channel, and give their id."""
    kept: dict[str, list[str]] = channel.functions.setdefault(name, {})
    if len(kept) >= MAX_QUERIES:
        raise FunctionError(name, f"{channel.name} keeps the results of {MAX_QUERIES} queries, which is the limit")
    ident = str(len(kept))
    kept[ident] = results
    return ident


def _result_of(query: str, name: str) -> Callable[[Interpreter, Channel | None, str], str]:
    def read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        ident, place, *_ = [*split_arguments(arguments), "", ""]
        results: list[str] | None = needed(channel, name).functions.get(query, {}).get(ident)
        if results is None:
            raise FunctionError(name, f"there is no query {ident[:20]!r}")
        return str(len(results)) if place.lower() == "getnum" else _at(name, results, place)

    return read


def _at(name: str, results: list[str], place: str) -> str:
    if not place.isascii() or not place.isdigit() or len(place) > 6 or int(place) < 1:
        raise FunctionError(name, f"number {place[:20]!r} is not a whole number from 1")
    return results[int(place) - 1] if int(place) <= len(results) else ""


# --------------------------------------------------------------------------------------------------------------- ENUM


async def _addresses(ask: Ask, name: str, number: str, method: str, zone: str, *, as_is: bool = False) -> list[str]:
    """The addresses of a number, or of a text as it is, for a method, the best one first (RFC 6116 3)."""
    subject = number.strip() if as_is else f"+{_digits(name, number)}"
    parts = [subject] if as_is else reversed(subject[1:])
    answer = await ask(Question("NAPTR", ".".join([*parts, zone or ENUM_ZONE])))
    records = [one for one in answer if isinstance(one, Naptr) and one.flags.lower() == "u"]
    found = []
    for record in sorted(records, key=lambda one: (one.order, one.preference)):
        if _serves(record.service, method):
            found.append(rewritten(record.regexp, subject))
    return [uri for uri in found if uri]


def _digits(name: str, number: str) -> str:
    digits = "".join(character for character in number if character in "0123456789")
    if not 0 < len(digits) <= MAX_DIGITS:
        raise FunctionError(name, f"number {number[:60]!r} has {len(digits)} digits, not 1..{MAX_DIGITS}")
    return digits


def _serves(service: str, method: str) -> bool:
    """Whether ``E2U+sip``, or ``sip+E2U`` of old, is for a method."""
    kinds = [kind.partition(":")[0] for kind in service.lower().split("+")]
    return "e2u" in kinds and (method.upper() == "ALL" or method.lower() in kinds)


def rewritten(rule: str, number: str) -> str:
    """What a rule such as ``!^.*$!sip:info@example.com!`` makes of a number (RFC 3402 3.2); "" if nothing usable."""
    separator, rest = rule[:1], rule[1:]
    if not rest:
        return ""
    pattern, _, rest = rest.partition(separator)
    replacement, _, flags = rest.partition(separator)
    try:
        uri = Regex(f"(?i){pattern}" if "i" in flags.lower() else pattern).replaced_in(number, replacement) or ""
    except ValueError as problem:
        log.info("a NAPTR record cannot be used: %s", problem)
        return ""
    return uri if uri.isascii() and uri.isprintable() and " " not in uri else ""


def _without_scheme(uri: str) -> str:
    return uri.partition(":")[2] if ":" in uri else uri
