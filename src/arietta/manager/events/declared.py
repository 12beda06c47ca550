"""The events there are: declared once, with their class; the documentation is made from this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from arietta.manager.message import Headers, ManagerEvent

if TYPE_CHECKING:
    from arietta.manager.events.blocks import Blocks

KINDS: dict[str, Kind] = {}
"""Every declared event by its name."""

Translation = Callable[[Any, "Blocks"], ManagerEvent | None]
TRANSLATIONS: dict[type, Translation] = {}
"""What turns a fact of a type into an event; None for one that the manager interface does not tell."""

Translating = TypeVar("Translating", bound=Translation)


class Kind:
    """One event: its name, its class, when it is told; called with headers it is an event of the kind."""

    __slots__ = ("lacks", "name", "privilege", "told")

    def __init__(self, name: str, class_: str, told: str, *, lacks: str = "") -> None:
        assert name not in KINDS
        self.name = name
        self.privilege = f"{class_},all"
        self.told = told
        self.lacks = lacks
        """What of the documented event is not there; empty if it is complete."""
        KINDS[name] = self

    def __call__(self, headers: Headers) -> ManagerEvent:
        return ManagerEvent(self.name, self.privilege, headers)

    @property
    def class_(self) -> str:
        """What a session must be allowed to read."""
        return self.privilege.partition(",")[0]


def translates(*kinds: type) -> Callable[[Translating], Translating]:
    """Let a function translate facts of these types."""

    def register(translation: Translating) -> Translating:
        for kind in kinds:
            assert kind not in TRANSLATIONS
            TRANSLATIONS[kind] = translation
        return translation

    return register
