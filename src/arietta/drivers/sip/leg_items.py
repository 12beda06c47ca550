"""CHANNEL(item) of a SIP call: whose it is, and what its dialog is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.sip.invite import InviteSession

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg

SECURE_TRANSPORTS = ("TLS", "WSS")


def read_item(leg: SipLeg, item: str) -> str | None:
    """An item in lower case; None for what is none. What is not known yet, or no more, is empty."""
    match item.removeprefix("pjsip,"):
        case "dialstring":
            return leg.dialstring
        case "call-id" | "protocol_id":
            return leg.protocol_id
        case "endpoint":
            return leg.endpoint.name
        case "peerip":
            return _of_session(leg.session, "remote_addr")
        case "audioreadformat" | "audionativeformat" | "audiowriteformat":
            return leg.media.agreed.codec if leg.media.agreed is not None else None
        case "t38state":
            return "DISABLED"  # there is no T.38
        case name:
            return _of_session(leg.session, name)


def _of_session(session: InviteSession | None, name: str) -> str | None:
    if name not in ITEMS:
        return None
    return ITEMS[name](session) if session is not None else ""


def _secure(session: InviteSession) -> str:
    return "1" if session.transport.protocol in SECURE_TRANSPORTS else "0"


def _remote_address(session: InviteSession) -> str:
    host, port = session.peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _target_uri(session: InviteSession) -> str:
    if session.dialog is not None:
        return session.dialog.remote_target
    return _request_uri(session) if session.is_caller else ""


def _request_uri(session: InviteSession) -> str:
    return session.invite.uri_text if session.invite is not None else ""


def _party_uri(session: InviteSession, *, is_ours: bool) -> str:
    """The URI of From or To, whichever is ours or the peer's."""
    invite = session.invite
    if invite is None:
        return ""
    return (invite.from_ if session.is_caller is is_ours else invite.to).uri_text


def _remote_tag(session: InviteSession) -> str:
    return session.dialog.remote_tag if session.dialog is not None else ""


ITEMS = {
    "secure": _secure,
    "local_addr": lambda session: session.transport.sent_by,
    "remote_addr": _remote_address,
    "target_uri": _target_uri,
    "request_uri": _request_uri,
    "local_uri": lambda session: _party_uri(session, is_ours=True),
    "remote_uri": lambda session: _party_uri(session, is_ours=False),
    "local_tag": lambda session: session.local_tag,
    "remote_tag": _remote_tag,
}
"""What is read of a session, by the name in CHANNEL(pjsip,name)."""
