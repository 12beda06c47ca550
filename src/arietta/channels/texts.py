"""Texts: inside of a call (in SIP MESSAGE in its dialog, RFC 3428) to its far end and through a bridge, and outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from arietta.channels import signals
from arietta.channels.driver import Party

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

PLAIN = "text/plain"
MAX_BYTES = 32768
"""Of a text, which has to fit into one message of SIP with its headers."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its kind, and the names that are shown for both sides where they are not to be the call's."""

    body: str
    content_type: str = PLAIN
    from_name: str = ""
    to_name: str = ""

    @property
    def size(self) -> int:
        """Bytes in UTF-8."""
        return len(self.body.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text from outside of any call, on its way to an extension."""

    context: str
    exten: str
    caller: Party
    sender: str
    """As MESSAGE(from) has it: ``"Name" <sip:user@host>``."""
    to: str
    body: str
    data: Mapping[str, str]
    """What came with it, by name: header fields and where it came from."""


@runtime_checkable
class TextLeg(Protocol):
    """A leg whose technology carries texts."""

    def send_text(self, text: Text) -> bool:
        """Send a text of MAX_BYTES at most to the far end; False where the call is in no state for that."""
        ...


def can_carry(channel: Channel) -> bool:
    """Whether texts can be sent on a channel at all."""
    return isinstance(channel.leg, TextLeg)


def send(channel: Channel, text: Text) -> bool:
    """Send a text to the far end of a channel; False where that cannot be, now or at all."""
    leg = channel.leg
    return isinstance(leg, TextLeg) and not channel.hangup_requested and leg.send_text(text)


def take(channel: Channel, text: Text) -> None:
    """Let a channel hear a text of its far end, and those with whom it shares a bridge get it."""
    channel.receive(signals.TextReceived(text))
    if channel.bridge is not None:
        for other in channel.bridge.channels:
            if other is not channel:
                send(other, text)
