"""Who redirected a call, as SIP says it: Diversion (RFC 5806)."""

from __future__ import annotations

from arietta.channels.channel import Channel
from arietta.channels.identities import RESTRICTED, Identity, Redirection, redirect
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Message
from arietta.sip.uri import NameAddr, SipUri, parse_name_addr

REASONS = {
    "away": "away",
    "cfb": "user-busy",
    "cfnr": "no-answer",
    "cfu": "unconditional",
    "deflection": "deflection",
    "dnd": "do-not-disturb",
    "follow_me": "follow-me",
    "out_of_order": "out-of-service",
    "time_of_day": "time-of-day",
    "unavailable": "unavailable",
    "unknown": "unknown",
}
"""What the reasons of REDIRECTING() are called in Diversion; others stand there as they are."""
NAMES = {token: name for name, token in REASONS.items()}
MAX_DIVERSIONS = 20
"""Header fields that are read; those behind them are as good as none."""
HIGHEST_COUNT = 65535


def take_diversion(channel: Channel, message: Message, dialled: str) -> None:
    """Note who diverted a call that comes in: the first Diversion is the last one's, the last that of the first."""
    found = _read(message)
    if not found:
        return
    last, first = found[0], found[-1]
    redirection = Redirection(
        from_=_identity(last),
        to=Identity(num=dialled, num_valid=bool(dialled)),
        reason=_reason(last),
        count=min(sum(_count(one) for one in found), HIGHEST_COUNT),
    )
    if len(found) > 1:
        redirection.orig, redirection.orig_reason = _identity(first), _reason(first)
    redirect(channel, redirection)


def diversions(redirection: Redirection | None, host: str) -> tuple[tuple[str, str], ...]:
    """The header fields that say who redirected a call; `host` is ours."""
    if redirection is None or not redirection.from_.num:
        return ()
    orig = redirection.orig
    has_first = bool(orig.num) and orig.num != redirection.from_.num
    count = redirection.count - 1 if has_first else redirection.count
    fields = [_field(redirection.from_, redirection.reason, count, host)]
    if has_first:
        fields.append(_field(orig, redirection.orig_reason, 1, host))
    return tuple(("Diversion", field) for field in fields)


def reason_of(message: Message) -> str:
    """Why a call is redirected by a 3xx, in REDIRECTING()'s words."""
    found = _read(message)
    return _reason(found[0]) if found else "unknown"


def _read(message: Message) -> list[NameAddr]:
    try:
        values = message.values("Diversion") if "Diversion" in message.headers else []
    except ProtocolError:
        return []
    found = []
    for value in values[:MAX_DIVERSIONS]:
        try:
            address = parse_name_addr(value)
            if address.uri.user:
                found.append(address)
        except ProtocolError:
            continue
    return found


def _identity(address: NameAddr) -> Identity:
    hidden = (address.parameter("privacy") or "off").strip('"').lower() != "off"
    screened = (address.parameter("screen") or "no").strip('"').lower() == "yes"
    pres = (32 if hidden else 0) | (1 if screened else 0)
    name, number = address.display, address.uri.user or ""
    return Identity(name, bool(name), "utf8" if not name.isascii() else "iso8859-1", pres, number, True, num_pres=pres)


def _reason(address: NameAddr) -> str:
    text = (address.parameter("reason") or "unknown").strip().strip('"')
    return NAMES.get(text.lower(), text) or "unknown"


def _count(address: NameAddr) -> int:
    text = (address.parameter("counter") or "1").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _field(identity: Identity, reason: str, count: int, host: str) -> str:
    parameters: list[tuple[str, str | None]] = [("reason", REASONS.get(reason, reason).strip('"'))]
    if count > 1:
        parameters.append(("counter", str(count)))
    if identity.pres & RESTRICTED:
        parameters.append(("privacy", "full"))
    return str(NameAddr(identity.name, str(SipUri("sip", identity.num, host)), tuple(parameters)))
