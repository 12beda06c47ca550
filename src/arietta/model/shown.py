"""What consoles and manager sessions show of SIP, and ARI does not: frozen pictures, made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Contact(msgspec.Struct, frozen=True):
    """Where an address of record is reached."""

    aor: str
    endpoint: str
    uri: str
    status: str = "NonQualified"
    """Reachable, Unreachable, NonQualified or Unknown."""
    roundtrip_usec: int | None = None
    expires_in_s: int | None = None
    """Seconds until the registration ends; None for a contact of the configuration."""
    user_agent: str = ""
    call_id: str = ""
    via_address: str = ""
    path: str = ""
    expires_at: int = 0
    """Seconds since 1970; 0 for one of the configuration."""


class Registration(msgspec.Struct, frozen=True):
    """A registration of ours at another server."""

    name: str
    server_uri: str
    auth: str
    status: str
    """Registered, Unregistered, Rejected, Stopped …"""
    next_in_s: int = 0
    """Seconds until it is renewed or tried again; 0 where that will not be."""


class Subscription(msgspec.Struct, frozen=True):
    """A subscription that a phone has with us."""

    endpoint: str
    resource: str
    event: str
    expires_in_s: int
    call_id: str
    content_type: str = ""


class Ban(msgspec.Struct, frozen=True):
    """A source of SIP that is not listened to for a while."""

    source: str
    failures: int
    ends_in_s: int


class SipMessage(msgspec.Struct, frozen=True):
    """A SIP message of a call, with its secrets masked; `time` in seconds since the epoch."""

    number: int
    """Counts the messages of all calls in the order in which they were said."""
    time: float
    direction: str
    """`<` came, `>` went."""
    transport: str
    local: tuple[str, int]
    peer: tuple[str, int]
    data: bytes


class SipCall(msgspec.Struct, frozen=True):
    """The SIP of one call, that lives or has ended; without a channel what was refused before it got one."""

    call_id: str
    messages: Sequence[SipMessage]
    channel: str = ""
    channel_id: str = ""
    linkedid: str = ""
    alive: bool = False
    count: int = 0
    """Messages that are kept."""
    left_out: int = 0
    """Messages between the beginning and the newest that were too many to keep."""
