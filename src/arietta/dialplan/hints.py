"""Hints: the state of an extension, made of its devices and of the presence of its user.

A device knows the hints that name it, so a change of one costs a look into a table; a state is worked out only for
hints that somebody watches, or while facts about all of them are wanted (`facts.ExtensionStateChanged`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from arietta.dialplan.errors import DialplanError
from arietta.dialplan.variables import SubstitutionError, compile_template
from arietta.model import facts

if TYPE_CHECKING:
    from arietta.dialplan.interpreter import Interpreter
    from arietta.dialplan.matcher import Dialplan

log = logging.getLogger(__name__)

IDLE, IN_USE, BUSY, UNAVAILABLE, RINGING, ON_HOLD = 0, 1, 2, 4, 8, 16
HINT_REMOVED, EXTENSION_REMOVED = -1, -2
TEXTS = {
    EXTENSION_REMOVED: "Removed",
    HINT_REMOVED: "Deactivated",
    IDLE: "Idle",
    IN_USE: "InUse",
    BUSY: "Busy",
    UNAVAILABLE: "Unavailable",
    RINGING: "Ringing",
    RINGING | IN_USE: "InUse&Ringing",
    ON_HOLD: "Hold",
    ON_HOLD | IN_USE: "InUse&Hold",
}
"""The states of extensions by their number, in the manager interface's words."""
WORDS = {
    IDLE: "NOT_INUSE",
    IN_USE: "INUSE",
    BUSY: "BUSY",
    UNAVAILABLE: "UNAVAILABLE",
    RINGING: "RINGING",
    RINGING | IN_USE: "RINGINUSE",
    ON_HOLD: "ONHOLD",
    ON_HOLD | IN_USE: "HOLDINUSE",
}
"""The same in the words of EXTENSION_STATE()."""
MAX_DEVICES = 500
"""Devices that one hint may name; those after them are left out."""


class ExtensionState(msgspec.Struct, frozen=True):
    """What a hint shows."""

    context: str
    """Where the hint stands, which may be a context that the one asked for includes."""
    exten: str
    hint: str
    """As it is written, with variables filled in."""
    status: int
    """A key of `TEXTS`."""
    presence: str = "not_set"
    presence_subtype: str = ""
    presence_message: str = ""
    watchers: int = 0
    """How many watch it."""

    @property
    def text(self) -> str:
        """The status in words."""
        return TEXTS.get(self.status, "Unknown")

    @property
    def shown(self) -> tuple[int, str, str, str]:
        """What watchers are told: a change of anything else is no news."""
        return self.status, self.presence, self.presence_subtype, self.presence_message


Tell = Callable[[ExtensionState | None], None]
"""A watcher: told the new state, or None when the hint is gone and nothing more will be told."""


class _Hint:
    """One hint that is followed."""

    __slots__ = ("context", "devices", "exten", "presence", "text", "told", "watchers")

    def __init__(self, context: str, exten: str, text: str) -> None:
        self.context = context
        self.exten = exten
        self.text = text
        devices, _, presence = text.partition(",")
        names = [name.strip() for name in devices.split("&") if name.strip()]
        if len(names) > MAX_DEVICES:
            log.warning("hint %s@%s names %d devices, the first %d count", exten, context, len(names), MAX_DEVICES)
        self.devices = tuple(names[:MAX_DEVICES])
        self.presence = presence.strip()
        self.told: tuple[int, str, str, str] | None = None
        self.watchers: dict[Tell, tuple[str, str]] = {}  # with the place each of them asked for

    @property
    def names(self) -> Iterable[str]:
        """Everything its state comes from, as the index has it."""
        return {name.lower() for name in (*self.devices, *((self.presence,) if self.presence else ()))}


class ExtensionStates:
    """The states of all extensions that have hints."""

    def __init__(self, plan: Interpreter) -> None:
        self._plan = plan
        self._hints: dict[tuple[str, str], _Hint] = {}
        self._by_name: dict[str, list[_Hint]] = {}
        self.replace(plan.dialplan)

    # ------------------------------------------------------------------------------------------------- questions

    def get(self, context: str, exten: str) -> ExtensionState | None:
        """The state of an extension as seen from a context; None if it has no hint."""
        hint = self._find(context, exten)
        return self._state(hint) if hint is not None else None

    def all(self) -> list[ExtensionState]:
        """The state of every hint whose extension is no pattern, and of those of patterns that are watched."""
        return [self._state(hint) for hint in self._hints.values()]

    def text(self, context: str, exten: str) -> str:
        """A hint as it is written, with variables filled in; "" where there is none."""
        hint = self._find(context, exten)
        return hint.text if hint is not None else ""

    def __len__(self) -> int:
        return len(self._hints)

    # -------------------------------------------------------------------------------------------------- watching

    def watch(self, context: str, exten: str, tell: Tell) -> ExtensionState | None:
        """Have `tell` called with each new state; returns the present one, or None if there is no hint to watch."""
        hint = self._find(context, exten)
        if hint is None:
            return None
        self._attach(hint, tell, (context, exten))
        state = self._state(hint)
        if hint.told is None:
            hint.told = state.shown
        return state

    def unwatch(self, context: str, exten: str, tell: Tell) -> None:
        """Take `watch` back; nothing happens if the hint is gone."""
        hint = self._find(context, exten)
        if hint is not None and hint.watchers.pop(tell, None) is not None and not hint.watchers:
            self._let_go(hint)

    def _attach(self, hint: _Hint, tell: Tell, asked: tuple[str, str]) -> None:
        key = (hint.context, hint.exten)
        if key not in self._hints:  # one of a pattern: followed while it is watched
            self._enter(hint)
        hint.watchers[tell] = asked

    def _let_go(self, hint: _Hint) -> None:
        """Nobody watches it: forget it if a pattern makes it anew when it is wanted."""
        hint.told = None
        found = self._plan.dialplan.hint_at(hint.context, hint.exten)
        if found is not None and found[1].pattern is not None:
            del self._hints[hint.context, hint.exten]
            for name in hint.names:
                self._by_name[name].remove(hint)
                if not self._by_name[name]:
                    del self._by_name[name]

    # --------------------------------------------------------------------------------------------------- changes

    def follows(self, device: str) -> bool:
        """Whether the state of a device is wanted."""
        hints = self._by_name.get(device.lower())
        if hints is None:
            return False
        if self._plan.registry.bus.wanted(facts.ExtensionStateChanged.topics):
            return True
        return any(hint.watchers for hint in hints)

    def device_changed(self, device: str) -> None:
        """Take the news that a device is in another state, or that a presence is another one."""
        for hint in tuple(self._by_name.get(device.lower(), ())):
            self._refresh(hint)

    def replace(self, dialplan: Dialplan) -> None:
        """Take the hints of a new dialplan; watchers of those that are gone are told so."""
        former, self._hints, self._by_name = self._hints, {}, {}
        for context in dialplan.contexts.values():
            for entry in context.extensions():
                if entry.hint and entry.pattern is None and entry.takes_caller(""):
                    key = (context.name, entry.name.replace("-", ""))
                    if key not in self._hints:
                        self._enter(_Hint(*key, self._filled(entry.hint, *key)))
        for before in former.values():
            self._carry_over(before, dialplan)

    def _carry_over(self, before: _Hint, dialplan: Dialplan) -> None:
        same = self._hints.get((before.context, before.exten))
        if same is not None and same.text == before.text:
            same.told = before.told
        elif same is None and dialplan.hint_at(before.context, before.exten) is None:
            exists = any(dialplan.matching(before.context, before.exten))
            self._publish_status(before, HINT_REMOVED if exists else EXTENSION_REMOVED)
        for tell, (context, exten) in before.watchers.items():
            hint = self._find(context, exten, dialplan)
            if hint is None:
                tell(None)
                continue
            if hint.told is None:
                hint.told = before.told
            self._attach(hint, tell, (context, exten))
            self._refresh(hint)

    def _refresh(self, hint: _Hint) -> None:
        if not hint.watchers and not self._plan.registry.bus.wanted(facts.ExtensionStateChanged.topics):
            hint.told = None
            return
        state = self._state(hint)
        former, hint.told = hint.told, state.shown
        if state.shown == former:
            return
        if former is None or former[0] != state.status:
            self._publish_status(hint, state.status)
        if hint.presence and (former is None or former[1:] != state.shown[1:]):
            self._publish_presence(hint, *state.shown[1:])
        for tell in tuple(hint.watchers):
            tell(state)

    def _publish_status(self, hint: _Hint, status: int) -> None:
        bus, topics = self._plan.registry.bus, facts.ExtensionStateChanged.topics
        if bus.wanted(topics):
            text = TEXTS.get(status, "Unknown")
            place = {"exten": hint.exten, "context": hint.context, "hint": hint.text}
            bus.publish(facts.ExtensionStateChanged(**place, status=status, status_text=text), topics)

    def _publish_presence(self, hint: _Hint, state: str, subtype: str, message: str) -> None:
        bus, topics = self._plan.registry.bus, facts.ExtensionPresenceChanged.topics
        if bus.wanted(topics):
            place = {"exten": hint.exten, "context": hint.context, "hint": hint.text}
            changed = facts.ExtensionPresenceChanged(**place, state=state, subtype=subtype, message=message)
            bus.publish(changed, topics)

    # --------------------------------------------------------------------------------------------- one hint's state

    def _find(self, context: str, exten: str, dialplan: Dialplan | None = None) -> _Hint | None:
        """The hint of an extension; that of a pattern is a new one unless it is watched."""
        found = (dialplan or self._plan.dialplan).hint_at(context, exten)
        if found is None:
            return None
        place, entry = found
        exten = (exten if entry.pattern is not None else entry.name).replace("-", "")
        hint = self._hints.get((place, exten))
        return hint if hint is not None else _Hint(place, exten, self._filled(entry.hint, place, exten))

    def _enter(self, hint: _Hint) -> None:
        self._hints[hint.context, hint.exten] = hint
        for name in hint.names:
            self._by_name.setdefault(name, []).append(hint)

    def _state(self, hint: _Hint) -> ExtensionState:
        read = self._plan.devices.read
        status = combined([read(device) for device in hint.devices])
        presence, subtype, message = "not_set", "", ""
        if hint.presence:
            presence, subtype, message, _ = self._plan.presences.read(hint.presence)
        return ExtensionState(
            hint.context, hint.exten, hint.text, status, presence, subtype, message, len(hint.watchers)
        )

    def _filled(self, text: str, context: str, exten: str) -> str:
        """A hint with ``${EXTEN}``, ``${CONTEXT}``, global variables and functions filled in."""
        template = compile_template(text)
        if isinstance(template, str):
            return template
        try:
            return template.render(_Scope(self._plan, context, exten))
        except (SubstitutionError, DialplanError) as failure:
            log.warning("hint %s of %s@%s: %s", text, exten, context, failure)
            return ""


def combined(states: list[str]) -> int:
    """The status of an extension whose devices are in these states; without devices it is idle."""
    if states and all(state == "BUSY" for state in states):
        return BUSY
    held = "ONHOLD" in states
    used = any(state in ("INUSE", "RINGINUSE", "BUSY") for state in states)
    if any(state in ("RINGING", "RINGINUSE") for state in states):
        return RINGING | (IN_USE if used or held else 0)
    if held:
        return ON_HOLD | (IN_USE if used else 0)
    if used:
        return IN_USE
    if states and all(state in ("UNAVAILABLE", "INVALID") for state in states):
        return UNAVAILABLE
    return IDLE


class _Scope:
    """Where the names in a hint get their values."""

    def __init__(self, plan: Interpreter, context: str, exten: str) -> None:
        self._plan = plan
        self._known = {"EXTEN": exten, "CONTEXT": context}

    def variable(self, name: str) -> str:
        known = self._known.get(name)
        return known if known is not None else self._plan.lookup(None, name) or ""

    def function(self, name: str, arguments: str) -> str:
        return self._plan.functions.read(self._plan, None, name, arguments)
