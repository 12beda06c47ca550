"""The dialplan as a frozen tree, and finding the step that comes next in it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import msgspec

from arietta.config.conf import Problem
from arietta.dialplan.patterns import Pattern
from arietta.dialplan.timing import TimeCondition
from arietta.dialplan.variables import Template

MAX_REMEMBERED = 1024


class Step(msgspec.Struct, frozen=True):
    """One priority of an extension: an application and its arguments."""

    priority: int
    label: str
    """The step's name for Goto; "" if it has none."""
    application: str
    key: str
    """The application's name in lower case."""
    arguments: str | Template
    """What stands between the parentheses, compiled."""
    file: str
    line: int

    @property
    def where(self) -> str:
        """The place of the step in the configuration, for messages."""
        return f"{self.file} line {self.line}" if self.line else self.file

    @property
    def written(self) -> str:
        """The arguments as they stand in the file."""
        return self.arguments if isinstance(self.arguments, str) else self.arguments.text


class Extension(msgspec.Struct, frozen=True):
    """One extension, or one pattern, with its steps."""

    name: str
    """As it is written; a pattern has its leading ``_``."""
    pattern: Pattern | None
    caller: str | None
    """The caller number it is for, ``""`` for callers without one; None for all."""
    caller_pattern: Pattern | None
    steps: dict[int, Step]
    labels: dict[str, int]
    hint: str = ""
    """The devices its state is made of; "" if it has none."""

    def takes_caller(self, number: str) -> bool:
        """Whether the extension is for a caller with that number."""
        if self.caller is None:
            return True
        if self.caller_pattern is not None:
            return self.caller_pattern.matches(number)
        return self.caller == number


class Include(msgspec.Struct, frozen=True):
    """Another context whose extensions count too, perhaps at certain times only."""

    context: str
    condition: TimeCondition | None
    written: str
    """The line's value as it is written."""


class Context(msgspec.Struct, frozen=True):
    """One ``[context]``."""

    name: str
    exact: dict[str, tuple[Extension, ...]]
    """Extensions that are no patterns, by name without ``-``; those for one caller come first."""
    patterns: tuple[Extension, ...]
    """The narrowest first."""
    includes: tuple[Include, ...]
    ignored: tuple[Pattern | str, ...]
    """Numbers after which the dial tone goes on."""
    file: str
    line: int
    remembered: dict[str, tuple[Extension, ...]]
    """What was found lately, by extension; emptied when MAX_REMEMBERED is reached."""

    def matching(self, exten: str) -> tuple[Extension, ...]:
        """The context's own extensions that match, the narrowest first, whoever calls."""
        found = self.remembered.get(exten)
        if found is None:
            plain = exten.replace("-", "")
            found = self.exact.get(plain, ()) + tuple(
                entry for entry in self.patterns if entry.pattern is not None and entry.pattern.matches(plain)
            )
            if len(self.remembered) >= MAX_REMEMBERED:
                self.remembered.clear()
            self.remembered[exten] = found
        return found

    def extensions(self) -> Iterator[Extension]:
        """All extensions: the plain ones in the order of the file, then patterns by rank."""
        for entries in self.exact.values():
            yield from entries
        yield from self.patterns


def with_extensions(context: Context, extensions: Iterable[Extension]) -> Context:
    """A context with these extensions: those for one caller before those for all, narrow patterns before wide ones."""
    exact: dict[str, tuple[Extension, ...]] = {}
    patterns: list[Extension] = []
    for extension in extensions:
        if extension.pattern is not None:
            patterns.append(extension)
            continue
        name = extension.name.replace("-", "")
        exact[name] = tuple(sorted((*exact.get(name, ()), extension), key=lambda entry: entry.caller is None))
    patterns.sort(key=lambda entry: (entry.pattern.rank if entry.pattern else (), entry.caller is None))
    return msgspec.structs.replace(context, exact=exact, patterns=tuple(patterns), remembered={})


class General(msgspec.Struct, frozen=True):
    """The ``[general]`` section."""

    static: bool = True
    writeprotect: bool = False
    autofallthrough: bool = True
    clearglobalvars: bool = False
    userscontext: str = "default"


class Dialplan(msgspec.Struct, frozen=True):
    """All contexts, the global variables the file sets, and the general settings."""

    contexts: dict[str, Context] = {}
    globals: dict[str, str] = {}
    general: General = General()
    warnings: tuple[Problem, ...] = ()
    """What was odd in the file, but usable."""

    def find(self, context: str, exten: str, priority: int, caller_number: str = "") -> Step | None:
        """The step at a place: an extension that matches but lacks the priority lets the next one have its turn."""
        place = self.contexts.get(context)
        if place is None:
            return None
        for entry in place.matching(exten):
            step = entry.steps.get(priority)
            if step is not None and (entry.caller is None or entry.takes_caller(caller_number)):
                return step
        if place.includes:
            for entry in self._included(place, exten):
                step = entry.steps.get(priority)
                if step is not None and entry.takes_caller(caller_number):
                    return step
        return None

    def priority_of_label(self, context: str, exten: str, label: str, caller_number: str = "") -> int | None:
        """The priority a label stands at, or None."""
        for entry in self.matching(context, exten, caller_number):
            if label in entry.labels:
                return entry.labels[label]
        return None

    def exists(self, context: str, exten: str, priority: int = 1, caller_number: str = "") -> bool:
        """Whether there is such a step."""
        return self.find(context, exten, priority, caller_number) is not None

    def hint(self, context: str, exten: str) -> str | None:
        """The hint of an extension as it is written, or None."""
        found = self.hint_at(context, exten)
        return found[1].hint if found is not None else None

    def hint_at(self, context: str, exten: str) -> tuple[str, Extension] | None:
        """The extension or pattern that has the hint of an extension, and the context it stands in; None without."""
        for place in self._places(context):
            for entry in place.matching(exten):
                if entry.hint and entry.takes_caller(""):
                    return place.name, entry
        return None

    def can_match(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether an extension matches `exten`, or may match after more characters."""
        plain = exten.replace("-", "")
        for place in self._places(context):
            if any(_takes(entries, caller_number) for name, entries in place.exact.items() if name.startswith(plain)):
                return True
            for entry in place.patterns:
                if entry.pattern is not None and entry.pattern.begins_with(plain) and entry.takes_caller(caller_number):
                    return True
        return False

    def match_more(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether an extension could match after more characters."""
        plain = exten.replace("-", "")
        for place in self._places(context):
            for name, entries in place.exact.items():
                if len(name) > len(plain) and name.startswith(plain) and _takes(entries, caller_number):
                    return True
            for entry in place.patterns:
                if entry.pattern is not None and entry.pattern.wants_more(plain) and entry.takes_caller(caller_number):
                    return True
        return False

    def ignores(self, context: str, exten: str) -> bool:
        """Whether the dial tone goes on after `exten` (ignorepat)."""
        return any(
            entry.matches(exten) if isinstance(entry, Pattern) else entry == exten
            for place in self._places(context)
            for entry in place.ignored
        )

    def matching(self, context: str, exten: str, caller_number: str = "") -> Iterator[Extension]:
        """Every extension that matches, in the order in which they have their turn."""
        place = self.contexts.get(context)
        if place is not None:
            for entry in place.matching(exten):
                if entry.takes_caller(caller_number):
                    yield entry
            for entry in self._included(place, exten):
                if entry.takes_caller(caller_number):
                    yield entry

    def _included(self, place: Context, exten: str) -> Iterator[Extension]:
        places = self._places(place.name)
        next(places)
        for included in places:
            yield from included.matching(exten)

    def _places(self, context: str) -> Iterator[Context]:
        """The context, then what it includes now, depth first, each once."""
        seen: set[str] = set()
        waiting = [context]
        now: float | None = None
        while waiting:
            name = waiting.pop()
            place = self.contexts.get(name)
            if place is None or name in seen:
                continue
            seen.add(name)
            yield place
            for include in reversed(place.includes):
                if include.condition is not None:
                    now = time.time() if now is None else now
                    if not include.condition.holds(now):
                        continue
                waiting.append(include.context)


def _takes(entries: tuple[Extension, ...], caller_number: str) -> bool:
    return any(entry.takes_caller(caller_number) for entry in entries)
