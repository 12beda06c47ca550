"""The presence of people: what ``CustomPresence:`` providers were set to, kept over restarts, told to who watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arietta.bus import Bus
from arietta.model import facts
from arietta.store import Store

PREFIX = "custompresence:"
FAMILY = "custom presence"
STATES = ("not_set", "unavailable", "available", "away", "xa", "chat", "dnd")
MAX_PROVIDERS = 100_000
MAX_LENGTH = 1024
"""The longest subtype and message, in characters."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What somebody is to be seen as."""

    state: str = "not_set"
    subtype: str = ""
    message: str = ""
    encoded: bool = False
    """Whether subtype and message were given in Base64, and are kept like that."""


class PresenceStates:
    """Presence by provider."""

    def __init__(self, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._kept: dict[str, Presence] = {str(name): Presence(*values) for name, values in store.items(FAMILY)}
        self.follower: Callable[[str], None] | None = None
        """Called with each provider that has changed."""

    def get(self, provider: str) -> Presence:
        """The presence a provider tells; not_set where nobody has set it."""
        return self._kept.get(_key(provider), Presence())

    def items(self) -> list[tuple[str, Presence]]:
        """Every provider that was set, by its name."""
        return sorted(self._kept.items())

    def set(self, provider: str, presence: Presence) -> None:
        """Set a ``CustomPresence:`` provider; ValueError for another one, for what is no state, and for long texts."""
        if not provider.lower().startswith(PREFIX) or not provider[len(PREFIX) :].strip():
            raise ValueError(f"presence {provider[:80]!r} cannot be set, CustomPresence:NAME can")
        if presence.state not in STATES:
            raise ValueError(f"{presence.state[:80]!r} is no presence, which are {', '.join(STATES)}")
        for name, text in (("subtype", presence.subtype), ("message", presence.message)):
            if len(text) > MAX_LENGTH:
                raise ValueError(f"{name} has {len(text)} characters, {MAX_LENGTH} at most")
        key = _key(provider)
        if key not in self._kept and len(self._kept) >= MAX_PROVIDERS:
            raise ValueError(f"there are {MAX_PROVIDERS} providers of presence, which is the limit")
        if self._kept.get(key) == presence:
            return
        self._kept[key] = presence
        self._store.put(FAMILY, key, [presence.state, presence.subtype, presence.message, presence.encoded])
        topics = facts.PresenceStateChanged.topics
        if self._bus.wanted(topics):
            changed = facts.PresenceStateChanged(
                provider=key, state=presence.state, subtype=presence.subtype, message=presence.message
            )
            self._bus.publish(changed, topics)
        if self.follower is not None:
            self.follower(key)


def _key(provider: str) -> str:
    name = provider.strip()
    return "CustomPresence:" + name[len(PREFIX) :].strip() if name.lower().startswith(PREFIX) else name
