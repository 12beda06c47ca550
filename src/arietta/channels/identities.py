"""All that is said of a party of a call, and of who redirected it: most calls have none of it.

What most calls have, name, number and presentation, is a `Party` of the channel; the rest is kept here, made when it is
first written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

KEPT_AS = "IDENTITIES"
REDIRECTION_KEPT_AS = "REDIRECTING"
RESTRICTED = 0x60
"""The bits of a presentation that forbid to show what it is of."""


class Identity(msgspec.Struct):
    """One party: how it is called, and its address."""

    name: str = ""
    name_valid: bool = False
    name_charset: str = "iso8859-1"
    name_pres: int = 0
    num: str = ""
    num_valid: bool = False
    num_plan: int = 0
    num_pres: int = 0
    subaddr: str = ""
    subaddr_valid: bool = False
    subaddr_type: int = 0
    subaddr_odd: bool = False
    tag: str = ""

    @property
    def pres(self) -> int:
        """The presentation of both: the stricter one."""
        return self.num_pres if self.num_pres & RESTRICTED >= self.name_pres & RESTRICTED else self.name_pres


class Redirection(msgspec.Struct):
    """Who was called first (`orig`), who redirected the call last (`from_`) and whereto, why, and how often it was."""

    orig: Identity = msgspec.field(default_factory=Identity)
    from_: Identity = msgspec.field(default_factory=Identity)
    to: Identity = msgspec.field(default_factory=Identity)
    private: dict[str, Identity] = msgspec.field(default_factory=dict)
    """Those of `orig`, `from` and `to` that stay in this server."""
    reason: str = "unknown"
    orig_reason: str = "unknown"
    count: int = 0


def identity_of(channel: Channel, role: str) -> Identity:
    """What is kept of a channel in a role, such as ``ani``; made at the first need."""
    kept: dict[str, Identity] = channel.functions.setdefault(KEPT_AS, {})
    return kept.setdefault(role, Identity())


def redirection_of(channel: Channel) -> Redirection | None:
    """Who redirected a call; None if nobody did."""
    found: Redirection | None = channel.functions.get(REDIRECTION_KEPT_AS)
    return found


def redirect(channel: Channel, redirection: Redirection) -> None:
    """Have a call be one that was redirected."""
    channel.functions[REDIRECTION_KEPT_AS] = redirection
    channel.redirecting_number = redirection.from_.num
    channel.changed()
