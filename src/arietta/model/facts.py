"""Past-tense facts that ARI does not show: what the manager interface and the records of calls tell besides its events.

Each kind has a topic of its own. A publisher asks first whether anybody wants it, so a fact nobody hears costs a look
into a table: ``if bus.wanted(DigitBegan.topics): bus.publish(DigitBegan(...), DigitBegan.topics)``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from .snapshots import Channel


class Fact(Struct, frozen=True, gc=False):
    """Something that happened; the name of its class is the name of its topic."""

    topics: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.topics = (f"fact:{cls.__name__}",)


class AccountCodeChanged(Fact, frozen=True, gc=False):
    """The account code of a channel is another one."""

    channel: Channel
    former: str
    """What it was before."""


class ExtensionStateChanged(Fact, frozen=True, kw_only=True, gc=False):
    """A hint shows something else: the devices behind an extension, or the presence of its user."""

    exten: str
    context: str
    """Where the hint stands, which may be a context that another includes."""
    hint: str
    """As it is written, with variables filled in."""
    status: int
    """0 idle, 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 on hold, and sums of them; -1: the hint is gone."""
    status_text: str
    presence: str = "not_set"
    presence_subtype: str = ""
    presence_message: str = ""


class PresenceStateChanged(Fact, frozen=True, kw_only=True, gc=False):
    """The presence of somebody was set."""

    provider: str
    """``CustomPresence:NAME``."""
    state: str
    """not_set, unavailable, available, away, xa, chat or dnd."""
    subtype: str = ""
    message: str = ""


class MailboxChanged(Fact, frozen=True, kw_only=True, gc=False):
    """Other numbers of messages wait in a mailbox; none where it was deleted."""

    mailbox: str
    new_messages: int
    old_messages: int


ExtensionStateChanged.topics = ("extension:",)
PresenceStateChanged.topics = ("presence:",)
MailboxChanged.topics = ("mailbox:",)
