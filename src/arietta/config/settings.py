"""How a declared class of settings is filled from the sections of a file.

A file's options are the annotated fields of a Settings class, such as
`bindport: Annotated[int, Integer("TCP port to listen on.", 1, 65535)] = 8088`.
The kind in the annotation reads the text and holds the sentence about it, the field holds type and default.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from arietta.asterisk.names import nearest
from arietta.asterisk.names import options as published
from arietta.config import support
from arietta.config.conf import Option, Problem, Section
from arietta.config.kinds import Invalid, Kind


class Placed(Protocol):
    """Whatever came from a line of a file."""

    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...


class Report:
    """The problems found while a tree is built."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, at: Placed, message: str) -> None:
        self.problems.append(Problem(at.file, at.line, "error", message))

    def warn(self, at: Placed, message: str) -> None:
        self.problems.append(Problem(at.file, at.line, "warning", message))

    def add(self, severity: str, at: Placed, message: str) -> None:
        (self.error if severity == "error" else self.warn)(at, message)


_PLACES = ("file", "line", "set_at")


class Settings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Base of all declared settings: values, the place of the section and the line that set each field."""

    TITLE: ClassVar[str] = ""

    name: str = ""
    file: str = ""
    line: int = 0
    set_at: dict[str, Option] = msgspec.field(default_factory=dict)

    @property
    def where(self) -> str:
        """The place of the section in words, `pjsip.conf line 12`, or "the defaults" without one."""
        if not self.file:
            return "the defaults"
        return f"{self.file} line {self.line}" if self.line else self.file

    def at(self, field: str) -> Placed:
        """The line that set a field, the section when it has its default, the file when there is no section."""
        found = self.set_at.get(field)
        if found is not None or self.file:
            return found or self
        return Option(field, "", self.TITLE.partition(" ")[0], 0)

    def __eq__(self, other: object) -> bool:
        """Whether all values are the same, wherever they were written."""
        if type(self) is not type(other):
            return NotImplemented
        return all(
            getattr(self, field) == getattr(other, field) for field in self.__struct_fields__ if field not in _PLACES
        )

    def __ne__(self, other: object) -> bool:
        """Its opposite; the one that msgspec's structs inherit compares identities."""
        return not self == other

    __hash__ = None  # type: ignore[assignment]


class Declared(msgspec.Struct, frozen=True):
    """One declared option: the field, its names in the file, its kind and default."""

    field: str
    names: tuple[str, ...]
    kind: Kind
    default: Any


@cache
def declared(settings: type[Settings]) -> tuple[Declared, ...]:
    """The options of a Settings class in the order they are declared."""
    defaults = settings()
    found: dict[str, Declared] = {}
    for base in reversed(settings.__mro__):
        for field, annotation in inspect.get_annotations(base).items():
            kind = getattr(annotation, "__metadata__", (None,))[0]
            if isinstance(kind, Kind):
                found[field] = Declared(field, kind.names or (field,), kind, getattr(defaults, field))
    return tuple(found.values())


@cache
def _by_name(settings: type[Settings]) -> dict[str, Declared]:
    return {name: entry for entry in declared(settings) for name in entry.names}


SettingsType = TypeVar("SettingsType", bound=Settings)


def read_settings(
    settings: type[SettingsType], sections: Iterable[Section], report: Report, *, ignore: tuple[str, ...] = ()
) -> SettingsType:
    """Fill one Settings class from sections of one name, later lines over earlier ones; mistakes go to the report."""
    values: dict[str, Any] = {}
    set_at: dict[str, Option] = {}
    refused: set[str] = set()
    first: Section | None = None
    table = _by_name(settings)
    for section in sections:
        if first is None:
            first = section
        for option in section.options:
            name = option.name.lower()
            entry = table.get(name)
            if entry is None:
                if name not in ignore:
                    report.warn(option, _not_an_option(settings.TITLE, option.name, tuple(table)))
                continue
            field = entry.field

            def note(message: str, at: Option = option) -> None:
                report.warn(at, message)

            set_at[field] = option
            try:
                values[field] = entry.kind.read(option.value, option.name, values.get(field, entry.default), note)
            except Invalid as refusal:
                message = f"{option.name} has no value, it takes {entry.kind.label()}"
                report.error(option, str(refusal) if option.value else message)
                refused.add(field)
    if first is not None:
        values.update(name=first.name, file=first.file, line=first.line)
    filled = settings(**values, set_at=set_at)
    judge_support(filled, refused, report)
    return filled


def _not_an_option(title: str, name: str, known: tuple[str, ...]) -> str:
    """What is to be said of an option that is not declared: Asterisk has it, or nobody."""
    if name.lower() in map(str.lower, published().get(title, ())):
        return f"{name} of {title} is not supported by this version, it is ignored"
    meant = nearest(name, known)
    return f"{name} is not an option of {title}, it is ignored{f': is {meant} meant?' if meant else ''}"


def judge_support(filled: Settings, refused: set[str], report: Report) -> None:
    """Report what is set but not supported: an error where it changes behaviour, a warning where it does not.

    Fields whose value was refused already are left out.
    """
    title = filled.TITLE
    if filled.file and title in support.SECTIONS:
        severity, message = support.SECTIONS[title]
        report.add(severity, filled, f"[{filled.name}]: {message}")
    if title not in support.SUPPORTED and title not in support.VALUES:
        return
    supported = support.SUPPORTED.get(title)
    without_effect = support.WITHOUT_EFFECT.get(title, frozenset())
    values = support.VALUES.get(title, {})
    for entry in declared(type(filled)):
        option = filled.set_at.get(entry.field)
        if option is None or entry.field in refused:
            continue
        value = getattr(filled, entry.field)
        if entry.field in values:
            verdict = values[entry.field].get(value)
            if verdict is not None:
                report.add(verdict[0], option, f"{option.name}={option.value} {verdict[1]}")
        elif supported is None or entry.field in supported or value == entry.default:
            continue
        elif entry.field in without_effect:
            report.warn(option, f"{option.name} has no effect in this version")
        else:
            shown = option.name if entry.kind.secret else f"{option.name}={option.value}"
            report.error(option, f"{shown} is not supported by this version")


def merged(sections: tuple[Section, ...], report: Report) -> tuple[Section, ...]:
    """Sections of one name that mean one thing: repetition is legal, but worth a word."""
    for again in sections[1:]:
        report.warn(again, f"[{again.name}] is repeated, its options are added to those of line {sections[0].line}")
    return sections
