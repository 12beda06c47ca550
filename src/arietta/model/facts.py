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
