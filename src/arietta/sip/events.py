"""What happened in an INVITE session, told to whoever drives it.

Each session ends with exactly one `Failed` (our INVITE was never answered) or `Ended`, and tells nothing after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from .headers import Reason
from .message import Request, Response
from .transactions import ServerTransaction
from .uri import NameAddr

if TYPE_CHECKING:
    from .invite import InviteSession

__all__ = [
    "Acked",
    "Answered",
    "Ended",
    "Failed",
    "Incoming",
    "InfoReceived",
    "OfferDue",
    "Pracked",
    "Provisional",
    "ReInvite",
    "ReInviteAnswered",
    "ReInviteFailed",
    "ReferReceived",
    "RequestAnswered",
    "RequestInDialog",
    "SessionEvent",
]


class Incoming(msgspec.Struct, frozen=True):
    """An INVITE wants a session: `ring`, `accept` or `reject` it."""

    session: InviteSession
    request: Request
    sdp: bytes
    """The offer, b"" when our 2xx must make it."""


class Provisional(msgspec.Struct, frozen=True):
    """The far end says how it goes (101..199)."""

    session: InviteSession
    status: int
    reason: str
    sdp: bytes
    """Early media description, b"" when none; the offer, to be answered with `prack`, when our INVITE had none."""
    response: Response


class Answered(msgspec.Struct, frozen=True):
    """Our INVITE was accepted; the ACK is sent unless our INVITE had no SDP: then call `acknowledge`."""

    session: InviteSession
    sdp: bytes
    """The answer, or the offer when our INVITE had none."""
    response: Response


class ReInvite(msgspec.Struct, frozen=True):
    """The peer wants to change the session: `accept` or `reject` it."""

    session: InviteSession
    request: Request
    sdp: bytes
    """The offer, b"" when our 2xx must make it."""


class ReInviteAnswered(msgspec.Struct, frozen=True):
    """Our re-INVITE was accepted; the same duty as with `Answered`."""

    session: InviteSession
    sdp: bytes
    response: Response


class ReInviteFailed(msgspec.Struct, frozen=True):
    """Our re-INVITE was refused; the session stays as it was."""

    session: InviteSession
    status: int
    reason: str


class OfferDue(msgspec.Struct, frozen=True):
    """An offer of ours that crossed one of the peer, or came too early for it, is to be made again now."""

    session: InviteSession
    headers: tuple[tuple[str, str], ...] = ()
    """The header fields that went with it."""


class Acked(msgspec.Struct, frozen=True):
    """The ACK to our 2xx came."""

    session: InviteSession
    sdp: bytes
    """The answer when our 2xx had the offer, else b""."""


class Pracked(msgspec.Struct, frozen=True):
    """The PRACK to our reliable provisional response came, with the answer to the offer in it (RFC 3262 5)."""

    session: InviteSession
    sdp: bytes


class Failed(msgspec.Struct, frozen=True):
    """Our INVITE was refused or reached nobody. Last event."""

    session: InviteSession
    status: int
    """The final status; 408 for no answer at all, 503 for a transport failure."""
    reason: str
    contacts: tuple[NameAddr, ...] = ()
    """Where to try instead, with 3xx."""
    reasons: tuple[Reason, ...] = ()
    """Reason header fields (RFC 3326)."""
    response: Response | None = None


class Ended(msgspec.Struct, frozen=True):
    """The session is over. Last event."""

    session: InviteSession
    by: Literal["local", "remote", "timeout"]
    """`remote`: BYE or CANCEL came. `timeout`: no ACK, or the peer does not know the dialog any more."""
    status: int = 0
    """The final status of an INVITE that was never answered (487 for a CANCEL), 0 for an established session."""
    reason: str = ""
    """BYE, CANCEL, or what went wrong."""
    reasons: tuple[Reason, ...] = ()
    """Reason header fields of the peer's BYE or CANCEL; with `timeout` the cause of our own, if there is one."""
    request: Request | None = None
    """The peer's BYE or CANCEL."""


class InfoReceived(msgspec.Struct, frozen=True):
    """INFO (RFC 6086): answer it with `session.respond`."""

    session: InviteSession
    transaction: ServerTransaction
    request: Request


class ReferReceived(msgspec.Struct, frozen=True):
    """REFER (RFC 3515): answer it with `session.respond`, then NOTIFY with `session.request`."""

    session: InviteSession
    transaction: ServerTransaction
    request: Request
    refer_to: NameAddr


class RequestInDialog(msgspec.Struct, frozen=True):
    """Any other request in the dialog: UPDATE, NOTIFY, MESSAGE, OPTIONS ...: answer it with `session.respond`.

    A PRACK is told when it makes an offer, which its 200 must answer; others are answered before.
    """

    session: InviteSession
    transaction: ServerTransaction
    request: Request


class RequestAnswered(msgspec.Struct, frozen=True):
    """A request sent by `session.request` has its final response."""

    session: InviteSession
    request: Request
    status: int
    """408 when nothing came, 503 when it could not be sent."""
    reason: str
    response: Response | None = None


SessionEvent = (
    Incoming
    | Provisional
    | Answered
    | ReInvite
    | ReInviteAnswered
    | ReInviteFailed
    | OfferDue
    | Acked
    | Pracked
    | Failed
    | Ended
    | InfoReceived
    | ReferReceived
    | RequestInDialog
    | RequestAnswered
)
