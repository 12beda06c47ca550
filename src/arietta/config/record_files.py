"""What the files of both kinds of records share: mappings of files, and tables of SQLite."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile, Section
from arietta.config.kinds import Milliseconds, Text
from arietta.config.settings import Report, Settings, merged, read_settings

MAX_FILES = 50
MAX_COLUMNS = 200


class RecordFile(msgspec.Struct, frozen=True):
    """One file of records, and how a line of it is written."""

    name: str
    template: str
    where: str


class RecordTable(Settings, frozen=True, kw_only=True, eq=False):
    """A table of master.db: a value for each column."""

    TITLE: ClassVar[str] = "cdr_sqlite3_custom.conf [master]"

    table: Annotated[str, Text("Name of the table, which is made if it is missing.")] = ""
    columns: Annotated[str, Text("Names of the columns, between commas.")] = ""
    values: Annotated[str, Text("Their values, between commas and each in single quotes.")] = ""
    busy_timeout: Annotated[int, Milliseconds("Longest wait for others that write to the file.", 0, 60000)] = 1000

    column_names: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


def read_record_files(file: ConfFile, report: Report) -> tuple[RecordFile, ...]:
    """The files that [mappings] names."""
    found: dict[str, RecordFile] = {}
    for section in file.active():
        if section.name.lower() != "mappings":
            report.warn(section, f"[{section.name}] is not a section of {section.file}, it is ignored")
            continue
        for option in section.options:
            if not option.value:
                report.error(option, f"{option.name} has no value, it takes the fields of a line")
            elif option.name.startswith("/") or ".." in option.name.split("/") or "\0" in option.name:
                report.error(option, f"{option.name} is not the name of a file below the folder of records")
            elif len(found) >= MAX_FILES:
                report.error(option, f"{option.name} is one more than the {MAX_FILES} files there may be")
            else:
                found[option.name] = RecordFile(option.name, option.value, option.where)
    return tuple(found.values())


def read_record_table(file: ConfFile, report: Report) -> RecordTable | None:
    """The table that [master] describes; None without one."""
    sections: tuple[Section, ...] = tuple(section for section in file.active() if section.name.lower() == "master")
    if not sections:
        return None
    settings = read_settings(RecordTable, merged(sections, report), report)
    names = tuple(name.strip() for name in settings.columns.split(",") if name.strip())
    try:
        templates = split_values(settings.values)
    except ValueError as problem:
        report.error(settings.at("values"), f"values: {problem}")
        return None
    if not settings.table or not names:
        report.error(settings, "[master] needs table, columns and values")
    elif len(names) != len(templates) or len(names) > MAX_COLUMNS:
        report.error(
            settings.at("values"), f"{len(names)} columns and {len(templates)} values: as many of both, at most 200"
        )
    elif len({name.lower() for name in names}) < len(names):
        report.error(settings.at("columns"), "columns has a name twice")
    else:
        return msgspec.structs.replace(settings, column_names=names, templates=templates)
    return None


def split_values(text: str) -> tuple[str, ...]:
    """Values between commas: in single quotes, two of which mean one, or without any; ValueError for other texts."""
    found: list[str] = []
    position = 0
    while position < len(text):
        if text[position] in " \t":
            position += 1
            continue
        if text[position] == "'":
            value, position = _quoted(text, position + 1)
            rest = text[position:].lstrip()
            if rest and rest[0] != ",":
                raise ValueError(f"{rest[:20]!r} follows a quote, where only a comma can")
            position = len(text) - len(rest) + 1
        else:
            plain, _, after = text[position:].partition(",")
            value, position = plain.strip(), len(text) - len(after) if "," in text[position:] else len(text)
        found.append(value)
    return tuple(found)


def _quoted(text: str, position: int) -> tuple[str, int]:
    value = ""
    while True:
        end = text.find("'", position)
        if end < 0:
            raise ValueError("a quote is not closed")
        value += text[position:end]
        if text[end + 1 : end + 2] != "'":
            return value, end + 1
        value += "'"
        position = end + 2
