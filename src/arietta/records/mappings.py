"""Mappings of records: texts with fields in them, read once so that they are filled in quickly each time.

What most mappings are made of, `${CDR(src)}` and `${CSV_QUOTE(${CHANNEL(exten)})}`, is filled in here. Whatever else
one has of the dialplan's expressions is left to the dialplan, then the whole text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import msgspec

Value = Callable[[str, str | None], str | None]
"""What a name in a mapping stands for, with its arguments if it has any; None for names that are not a record's."""
Render = Callable[[str, Value], str]
"""Fills a mapping in: the record's own values first, then what the dialplan knows."""

MOST_KEPT = 512
_FIELD = r"\$\{(?P<%s>\w+)(?:\((?P<%s>[^(){}$\\]*)\))?\}"
_FIELDS = re.compile(
    r"\$\{CSV_QUOTE\(" + _FIELD % ("quoted", "quoted_arguments") + r"\)\}|" + _FIELD % ("plain", "arguments")
)
_OTHERS = frozenset("$\\")
"""Signs that mean something to the dialplan, where they are not a field's."""


class Field(msgspec.Struct, frozen=True, gc=False):
    """One field of a mapping, and the text before it."""

    before: str
    name: str
    arguments: str | None
    is_quoted: bool


class Mapping(msgspec.Struct, frozen=True, gc=False):
    """A mapping that is made of fields alone, and what follows the last."""

    fields: tuple[Field, ...]
    after: str


def fill(text: str, value: Value, render: Render) -> str:
    """A mapping with the values of a record in it."""
    mapping = read_mapping(text)
    if mapping is None:
        return render(text, value)
    filled = []
    for field in mapping.fields:
        found = value(field.name, field.arguments)
        if found is None:
            return render(text, value)
        filled.append(field.before)
        filled.append(csv_quoted(found) if field.is_quoted else found)
    filled.append(mapping.after)
    return "".join(filled)


@functools.lru_cache(maxsize=MOST_KEPT)
def read_mapping(text: str) -> Mapping | None:
    """The fields of a mapping; None for one that needs the dialplan."""
    fields, end = [], 0
    for match in _FIELDS.finditer(text):
        before = text[end : match.start()]
        end = match.end()
        if match["quoted"] is not None:
            fields.append(Field(before, match["quoted"], match["quoted_arguments"], True))
        else:
            fields.append(Field(before, match["plain"], match["arguments"], False))
    mapping = Mapping(tuple(fields), text[end:])
    if any(_OTHERS.intersection(part) for part in (*(field.before for field in fields), mapping.after)):
        return None
    return mapping


def csv_quoted(text: str) -> str:
    """A text in quotes, as CSV_QUOTE gives it."""
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
