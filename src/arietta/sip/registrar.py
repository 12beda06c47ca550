"""The bindings of an address-of-record and what REGISTER does to them (RFC 3261 10.3); values and one function.

```
update = register(aor_bindings, request, rules, now, source=address)
aor_bindings = update.bindings                      # keep them
agent.respond(transaction, now, update.status, headers=update.headers)
```
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from .errors import ProtocolError
from .flows import Flow, flow_of, is_outbound, supports_outbound
from .headers import parse_contacts, parse_delta_seconds
from .message import Request
from .transactions import Address
from .uri import NameAddr, SipUri

__all__ = ["Binding", "Rules", "Update", "expire", "register"]

MAX_BINDINGS = 100
"""Contacts that one REGISTER may name, whatever the rules say."""
MAX_PATH = 10
"""Proxies that may stand between a contact and us."""


class Binding(msgspec.Struct, frozen=True):
    """One contact of an address-of-record."""

    uri_text: str
    """The contact's URI as it came."""
    expires_at: float
    """When it ends, on the caller's clock."""
    call_id: str
    cseq: int
    q: float = 1.0
    """Preference, 0..1."""
    parameters: tuple[tuple[str, str | None], ...] = ()
    """Contact parameters other than expires and q, such as +sip.instance."""
    path: tuple[str, ...] = ()
    """Path values (RFC 3327) to be used as route set."""
    source: Address | None = None
    """Where the REGISTER came from."""
    user_agent: str = ""
    flow: Flow | None = None
    """What a newer registration replaces it by, whatever the URI is (RFC 5626 6); None where the URI decides."""

    @property
    def key(self) -> str:
        """What tells it from the other bindings of its address-of-record."""
        return self.uri_text if self.flow is None else f"{self.flow.instance};reg-id={self.flow.reg_id}"

    @property
    def uri(self) -> SipUri:
        """The contact's URI parsed; it was checked when it was bound."""
        return NameAddr("", self.uri_text).uri

    def is_renewed_by(self, new: Binding) -> bool:
        """Whether a newer binding takes the place of this one: by its flow, or by URI where it has none."""
        return self.flow == new.flow if self.flow is not None else self.uri == new.uri


class Rules(msgspec.Struct, frozen=True):
    """What the configuration of an address-of-record allows; durations in seconds."""

    default_expiration: int = 3600
    minimum_expiration: int = 60
    maximum_expiration: int = 7200
    max_contacts: int = 1
    remove_existing: bool = False
    """True: new contacts push the oldest out when max_contacts is reached. False: they are refused with 403."""
    remove_unavailable: bool = False
    """Whether they push those out first that cannot be reached, also without remove_existing."""
    support_path: bool = False
    """Whether Path is kept and confirmed (RFC 3327); else it is not looked at."""


class Update(msgspec.Struct, frozen=True):
    """What a REGISTER did, with what answers it."""

    status: int
    """200, or why nothing changed: 400, 403, 423, 439, 500."""
    bindings: tuple[Binding, ...]
    """All bindings from now on."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header fields of the response: Contact with expires, Min-Expires, Path, Require."""
    added: tuple[Binding, ...] = ()
    refreshed: tuple[Binding, ...] = ()
    removed: tuple[Binding, ...] = ()
    """Those taken away, and those that had ended before."""


def register(
    bindings: tuple[Binding, ...],
    request: Request,
    rules: Rules,
    now: float,
    *,
    source: Address | None = None,
    unavailable: Collection[str] = (),
) -> Update:
    """Apply a REGISTER to the bindings of its address-of-record, all of it or nothing (10.3 steps 6 to 8).

    `unavailable` has the keys of bindings that cannot be reached.
    """
    bindings, ended = expire(bindings, now)
    try:
        update = _apply(bindings, request, rules, now, source, unavailable)
    except ProtocolError as error:
        update = Update(error.status, bindings, error.headers)
    return msgspec.structs.replace(update, removed=ended + update.removed) if ended else update


def expire(bindings: tuple[Binding, ...], now: float) -> tuple[tuple[Binding, ...], tuple[Binding, ...]]:
    """Part the bindings that live from those that ended."""
    if all(binding.expires_at > now for binding in bindings):
        return bindings, ()
    alive = tuple(binding for binding in bindings if binding.expires_at > now)
    return alive, tuple(binding for binding in bindings if binding.expires_at <= now)


def _apply(
    bindings: tuple[Binding, ...],
    request: Request,
    rules: Rules,
    now: float,
    source: Address | None,
    unavailable: Collection[str],
) -> Update:
    call_id, cseq = request.call_id, request.cseq.number
    values = request.values("Contact")
    if not values:
        return Update(200, bindings, _contact_headers(bindings, now))
    if "*" in values:
        if len(values) > 1 or request.expires != 0:
            raise ProtocolError(400, "Contact * stands with other contacts or without Expires: 0")
        for binding in bindings:
            _check_order(binding, call_id, cseq)
        return Update(200, (), (), removed=bindings)
    if len(values) > MAX_BINDINGS:
        raise ProtocolError(400, f"{len(values)} contacts are over the limit of {MAX_BINDINGS}")
    kept = list(bindings)
    added: list[Binding] = []
    refreshed: list[Binding] = []
    removed: list[Binding] = []
    path = _path_of(request, rules)
    contacts = parse_contacts(values)
    with_flows = is_outbound(request, contacts, path)
    for contact in contacts:
        new = _bind(contact, request, rules, now, source, path)
        if with_flows:
            new = msgspec.structs.replace(new, flow=flow_of(contact))
        old = next((binding for binding in kept if binding.is_renewed_by(new)), None)
        if old is not None:
            _check_order(old, call_id, cseq)
            position = kept.index(old)
            if new.expires_at <= now:
                removed.append(kept.pop(position))
            else:
                kept[position] = new
                refreshed.append(new)
        elif new.expires_at > now:
            kept.append(new)
            added.append(new)
    excess = len(kept) - rules.max_contacts
    if excess > 0:
        fresh = {id(binding) for binding in added}
        leaving = _who_may_leave([b for b in kept if id(b) not in fresh], rules, unavailable)[:excess]
        if len(leaving) < excess:
            raise ProtocolError(403, f"{len(kept)} contacts are over max_contacts {rules.max_contacts}")
        removed += leaving
        kept = [binding for binding in kept if all(binding is not gone for gone in leaving)]
    result = tuple(kept)
    gone = {id(binding) for binding in removed}
    return Update(
        200,
        result,
        (
            *_contact_headers(result, now),
            *(("Path", value) for value in path),
            *((("Require", "outbound"),) if with_flows and supports_outbound(request) else ()),
        ),
        tuple(added),
        tuple(binding for binding in refreshed if id(binding) not in gone),
        tuple(removed),
    )


def _who_may_leave(bindings: list[Binding], rules: Rules, unavailable: Collection[str]) -> list[Binding]:
    """Who makes room for new contacts, the first to leave before the others."""
    by_end = sorted(bindings, key=lambda binding: binding.expires_at)
    leaving = [binding for binding in by_end if binding.key in unavailable] if rules.remove_unavailable else []
    if rules.remove_existing:
        leaving += [binding for binding in by_end if all(binding is not gone for gone in leaving)]
    return leaving


def _path_of(request: Request, rules: Rules) -> tuple[str, ...]:
    """The proxies that requests to the contacts go through, the one nearest to us first (RFC 3327 5.3)."""
    if not rules.support_path or "Path" not in request.headers:
        return ()
    values = tuple(request.values("Path"))
    if len(values) > MAX_PATH:
        raise ProtocolError(400, f"{len(values)} Path values are over the limit of {MAX_PATH}")
    for address in parse_contacts(list(values)):
        if address.uri.parameter("lr") is None:  # section 4 wants it, so that the Request-URI stays the contact's
            raise ProtocolError(400, f"Path {address.uri_text[:64]!r} has no lr")
    return values


def _bind(
    contact: NameAddr, request: Request, rules: Rules, now: float, source: Address | None, path: tuple[str, ...]
) -> Binding:
    _ = contact.uri  # 400 or 416 for what could not be called
    asked = contact.parameter("expires")
    seconds = parse_delta_seconds(asked) if asked is not None else request.expires
    if seconds is None:  # 10.2.1.1: malformed counts as the default
        seconds = rules.default_expiration
    if 0 < seconds < rules.minimum_expiration:
        minimum = str(rules.minimum_expiration)
        raise ProtocolError(423, f"{seconds} s is under the minimum of {minimum}", headers=(("Min-Expires", minimum),))
    seconds = min(seconds, rules.maximum_expiration)
    return Binding(
        contact.uri_text,
        now + seconds,
        request.call_id,
        request.cseq.number,
        _read_q(contact.parameter("q")),
        tuple((name, value) for name, value in contact.parameters if name not in ("expires", "q")),
        path,
        source,
        request.get("User-Agent") or "",
    )


def _check_order(binding: Binding, call_id: str, cseq: int) -> None:
    if binding.call_id == call_id and cseq <= binding.cseq:  # 10.3 step 7: out of order, the update fails
        raise ProtocolError(500, f"CSeq {cseq} after {binding.cseq}")


def _contact_headers(bindings: tuple[Binding, ...], now: float) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    for binding in bindings:
        left = max(1, round(binding.expires_at - now))
        parameters: tuple[tuple[str, str | None], ...] = (*binding.parameters, ("expires", str(left)))
        if binding.q != 1.0:
            parameters = (*parameters, ("q", f"{binding.q:.3g}"))
        headers.append(("Contact", str(NameAddr("", binding.uri_text, parameters))))
    return tuple(headers)


def q_of(contact: NameAddr) -> float:
    """How much a contact is wished for, 0 to 1 (RFC 3261 20.10)."""
    return _read_q(contact.parameter("q"))


def _read_q(text: str | None) -> float:
    try:
        value = float(text) if text else 1.0
    except ValueError:
        return 1.0
    return value if 0.0 <= value <= 1.0 else 1.0
