"""The calls that Replaces names, in an INVITE and in a Refer-To (RFC 3891)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arietta.channels.channel import Channel
from arietta.sip.errors import ProtocolError
from arietta.sip.invite import SessionState
from arietta.sip.message import Request
from arietta.sip.uri import parse_parameters

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver


def channel_to_replace(driver: SipDriver, request: Request) -> Channel | None:
    """The channel whose place an INVITE wants (RFC 3891 3), None if it wants none; ProtocolError says why it cannot."""
    if "Join" in request.headers:
        raise ProtocolError(420, "Join is not supported", headers=(("Unsupported", "join"),), message=request)
    values = request.headers.get("Replaces")
    if values is None:
        return None
    named = named_dialog(values[0])
    if len(values) != 1 or named is None:
        raise ProtocolError(400, f"Replaces {', '.join(values)[:64]!r} names no dialog", message=request)
    session = driver.agent.find_session(*named)
    if session is None or session.state is SessionState.INCOMING:
        # An early dialog that the caller of it has not begun with us cannot be taken from it.
        raise ProtocolError(481, "Replaces names no dialog of ours", message=request)
    channel = getattr(session.user, "channel", None)
    if not isinstance(channel, Channel) or driver.transfers is None or not driver.transfers.can_replace(channel):
        raise ProtocolError(603, "the call that Replaces names is over, or cannot be taken", message=request)
    if "early-only" in values[0].lower().replace(" ", "").split(";") and session.state is not SessionState.CALLING:
        raise ProtocolError(486, "the call that Replaces names was answered", message=request)
    return channel


def named_dialog(value: str) -> tuple[str, str, str] | None:
    """Call-ID, to-tag and from-tag of a Replaces value (RFC 3891 6.1); None if one of them is missing."""
    call_id, _, tail = value.partition(";")
    try:
        parameters = dict(parse_parameters(tail))
    except ProtocolError:
        return None
    to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
    return (call_id.strip(), to_tag, from_tag) if call_id.strip() and to_tag and from_tag else None


def channel_of_dialog(driver: SipDriver, replaces: str | None) -> Channel | None:
    """The channel of the call that a Replaces value names."""
    named = named_dialog(replaces) if replaces is not None else None
    if named is None:
        return None
    call_id, to_tag, from_tag = named
    # The tags are named from the far end's side (RFC 3891 3); some phones name them from their own.
    session = driver.agent.find_session(call_id, to_tag, from_tag) or driver.agent.find_session(
        call_id, from_tag, to_tag
    )
    user: Any = session.user if session is not None else None
    return getattr(user, "channel", None)
