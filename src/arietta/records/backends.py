"""Where records go: lines of files, rows of tables, events of the manager interface."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from arietta.config.cdr import CdrCsv, CdrSettings
from arietta.config.cel import CelSettings
from arietta.config.record_files import RecordFile, RecordTable
from arietta.records.channels import Entry
from arietta.records.detail import Detail, local_time, second_in_words
from arietta.records.mappings import Render, Value, csv_quoted, fill
from arietta.records.writing import Line, RecordWriter, Row

Headers = tuple[tuple[str, str], ...]
Tell = Callable[[str, Headers], None]
"""Tells an event of that name to the manager interface."""

DATABASE = "master.db"


class CallBackends:
    """Writes records of calls as cdr.conf and the files beside it say."""

    def __init__(self, settings: CdrSettings, folder: Path, writer: RecordWriter, render: Render, tell: Tell) -> None:
        self.settings = settings
        self._folder = folder
        self._writer = writer
        self._render = render
        self._tell = tell

    def names(self) -> tuple[str, ...]:
        """What the console calls those that are in use."""
        settings = self.settings
        used = (
            ("csv", settings.csv is not None),
            ("cdr-custom", bool(settings.files)),
            ("cdr_sqlite3_custom", settings.table is not None),
            ("cdr_manager", settings.manager.enabled),
        )
        return tuple(name for name, is_used in used if is_used)

    def write(self, detail: Detail) -> None:
        """Write one record everywhere."""
        settings = self.settings
        if settings.csv is not None:
            line = csv_line(detail, settings.csv)
            folder = self._folder / "cdr-csv"
            self._writer.write(Line(folder / "Master.csv", line))
            account = detail.accountcode
            if settings.csv.accountlogs and account:
                self._writer.write(Line(folder / f"{_file_name(account)}.csv", line))

        def value(name: str, arguments: str | None) -> str | None:
            if name.upper() != "CDR" or arguments is None:
                return None
            field, _, options = arguments.partition(",")
            return detail.field(field.strip(), options)

        _write_custom(settings.files, settings.table, value, self._folder / "cdr-custom", self, "AcctId")
        if settings.manager.enabled:
            self._tell("Cdr", cdr_headers(detail, settings.manager.mappings))


class ChannelLogBackends:
    """Writes the log of channels as cel.conf and the files beside it say."""

    def __init__(self, settings: CelSettings, folder: Path, writer: RecordWriter, render: Render, tell: Tell) -> None:
        self.settings = settings
        self._folder = folder
        self._writer = writer
        self._render = render
        self._tell = tell

    def names(self) -> tuple[str, ...]:
        """What the console calls those that are in use."""
        settings = self.settings
        used = (
            ("cel-custom", bool(settings.files)),
            ("cel_sqlite3_custom", settings.table is not None),
            ("Manager Event Logging", settings.manager.enabled),
        )
        return tuple(name for name, is_used in used if is_used)

    def write(self, entry: Entry) -> None:
        """Write one entry everywhere."""
        settings = self.settings
        at = event_time(entry.at, settings.general.dateformat)

        def value(name: str, arguments: str | None) -> str | None:
            return entry_value(entry, at, name, arguments)

        _write_custom(settings.files, settings.table, value, self._folder / "cel-custom", self, "AcctId")
        if settings.manager.enabled:
            name = entry.name
            if settings.manager.show_user_defined and name == "USER_DEFINED":
                name = entry.user_defined
            shown_at = event_time(entry.at, settings.general.dateformat or "%Y-%m-%d %H:%M:%S")
            self._tell("CEL", cel_headers(entry, name, shown_at))


def _write_custom(
    files: tuple[RecordFile, ...],
    table: RecordTable | None,
    value: Value,
    folder: Path,
    backends: CallBackends | ChannelLogBackends,
    key: str,
) -> None:
    render, writer = backends._render, backends._writer
    for file in files:
        writer.write(Line(folder / file.name, fill(file.template, value, render).replace("\0", "") + "\n"))
    if table is not None:
        values = tuple(fill(template, value, render) for template in table.templates)
        path = backends._folder / DATABASE
        writer.write(Row(path, table.table, key, table.column_names, values, table.busy_timeout))


def csv_line(detail: Detail, settings: CdrCsv) -> str:
    """One line of Master.csv, its columns in Asterisk's order: texts in quotes, numbers without."""

    def at(seconds: float) -> str:
        return csv_quoted(second_in_words(int(seconds), is_utc=settings.usegmtime)) if seconds else ""

    columns = [
        *map(csv_quoted, (detail.accountcode, detail.src, detail.dst, detail.dcontext, detail.clid, detail.channel)),
        *map(csv_quoted, (detail.dstchannel, detail.lastapp, detail.lastdata)),
        *(at(detail.start), at(detail.answer), at(detail.end), str(detail.duration), str(detail.billsec)),
        *map(csv_quoted, (detail.shown_disposition, detail.amaflags)),
    ]
    if settings.loguniqueid:
        columns.append(csv_quoted(detail.uniqueid))
    if settings.loguserfield:
        columns.append(csv_quoted(detail.userfield))
    if settings.newcdrcolumns:
        columns += [csv_quoted(detail.peeraccount), csv_quoted(detail.linkedid), str(detail.sequence)]
    return ",".join(columns) + "\n"


def cdr_headers(detail: Detail, mappings: tuple[tuple[str, str], ...]) -> Headers:
    """The headers of a Cdr event."""
    return (
        ("AccountCode", detail.accountcode),
        ("Source", detail.src),
        ("Destination", detail.dst),
        ("DestinationContext", detail.dcontext),
        ("CallerID", detail.clid),
        ("Channel", detail.channel),
        ("DestinationChannel", detail.dstchannel),
        ("LastApplication", detail.lastapp),
        ("LastData", detail.lastdata),
        ("StartTime", local_time(detail.start)),
        ("AnswerTime", local_time(detail.answer)),
        ("EndTime", local_time(detail.end)),
        ("Duration", str(detail.duration)),
        ("BillableSeconds", str(detail.billsec)),
        ("Disposition", detail.shown_disposition),
        ("AMAFlags", detail.amaflags),
        ("UniqueID", detail.uniqueid),
        ("UserField", detail.userfield),
        *((header, detail.field(field)) for field, header in mappings),
    )


def cel_headers(entry: Entry, name: str, at: str) -> Headers:
    """The headers of a CEL event."""
    return (
        ("EventName", name),
        ("AccountCode", entry.accountcode),
        ("CallerIDnum", entry.caller_number),
        ("CallerIDname", entry.caller_name),
        ("CallerIDani", entry.caller_number),
        ("CallerIDrdnis", entry.rdnis),
        ("CallerIDdnid", entry.dnid),
        ("Exten", entry.exten),
        ("Context", entry.context),
        ("Channel", entry.channel),
        ("Application", entry.application),
        ("AppData", entry.data),
        ("EventTime", at),
        ("AMAFlags", entry.amaflags),
        ("UniqueID", entry.uniqueid),
        ("LinkedID", entry.linkedid),
        ("Userfield", entry.userfield),
        ("Peer", entry.peer),
        ("PeerAccount", entry.peeraccount),
        ("Extra", entry.extra),
    )


CALLER_ITEMS: dict[str, Callable[[Entry], str]] = {
    "name": lambda entry: entry.caller_name,
    "num": lambda entry: entry.caller_number,
    "number": lambda entry: entry.caller_number,
    "ani": lambda entry: entry.caller_number,
    "rdnis": lambda entry: entry.rdnis,
    "dnid": lambda entry: entry.dnid,
}
CHANNEL_ITEMS: dict[str, Callable[[Entry], str]] = {
    "exten": lambda entry: entry.exten,
    "context": lambda entry: entry.context,
    "channame": lambda entry: entry.channel,
    "name": lambda entry: entry.channel,
    "appname": lambda entry: entry.application,
    "appdata": lambda entry: entry.data,
    "amaflags": lambda entry: entry.amaflags,
    "accountcode": lambda entry: entry.accountcode,
    "peeraccount": lambda entry: entry.peeraccount,
    "uniqueid": lambda entry: entry.uniqueid,
    "linkedid": lambda entry: entry.linkedid,
    "userfield": lambda entry: entry.userfield,
    "peer": lambda entry: entry.peer,
}


def entry_value(entry: Entry, at: str, name: str, arguments: str | None) -> str | None:
    """What a name in a mapping of the log of channels stands for."""
    if arguments is not None:
        items = {"CALLERID": CALLER_ITEMS, "CHANNEL": CHANNEL_ITEMS}.get(name.upper())
        if items is None:
            return None
        found = items.get(arguments.strip().lower())
        return found(entry) if found is not None else ""
    match name:
        case "eventtype":
            return entry.name
        case "eventtime":
            return at
        case "eventextra":
            return entry.extra
        case "userdeftype":
            return entry.user_defined
        case "BRIDGEPEER":
            return entry.peer
    return None


def event_time(seconds: float, form: str) -> str:
    """The time of an entry, as `dateformat` says."""
    return time.strftime(form, time.localtime(seconds)) if form else f"{seconds:.6f}"


def _file_name(account: str) -> str:
    """The name of an account's file, that stays in its folder."""
    return account.replace("/", "_").replace("\0", "_").lstrip(".")[:200] or "_"
