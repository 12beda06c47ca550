"""The records of the day as tables of text, to be laid beside those that are expected."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

from .switches import Switch

COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid",
    "sequence",
)  # fmt: skip
"""Of cdr-csv/Master.csv."""
CUSTOM = (
    "src", "dst", "dcontext", "channel", "dstchannel", "disposition", "billsec", "accountcode", "peeraccount",
    "uniqueid", "linkedid", "group", "mailbox",
)  # fmt: skip
"""Of cdr-custom/Calls.csv, as cdr_custom.conf has them."""
LOGGED = ("event", "time", "src", "exten", "context", "channel", "app", "accountcode", "uniqueid", "linkedid")
"""The first of cel-custom/Master.csv, as cel_custom.conf has them."""
SHOWN = ("src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "disposition", "accountcode", "peeraccount")

Record = dict[str, str]


def _rows(file: Path, columns: tuple[str, ...]) -> list[Record]:
    with file.open(newline="") as lines:
        return [dict(zip(columns, line, strict=False)) for line in csv.reader(lines)]


def calls_of(switch: Switch) -> list[Record]:
    """The records of calls, in the order in which they began."""
    found = _rows(switch.path("/var/log/asterisk/cdr-csv/Master.csv"), COLUMNS)
    return sorted(found, key=lambda record: int(record["sequence"]))


def custom_calls_of(switch: Switch) -> list[Record]:
    """The same as cdr_custom writes them, in the order of the file."""
    return _rows(switch.path("/var/log/asterisk/cdr-custom/Calls.csv"), CUSTOM)


def stored_calls_of(switch: Switch) -> list[Record]:
    """The same as cdr_sqlite3_custom writes them, in the order of the table."""
    database = sqlite3.connect(switch.path("/var/log/asterisk/master.db"))
    try:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM cdr ORDER BY AcctId")]
    finally:
        database.close()


def log_of(switch: Switch) -> list[Record]:
    """The log of channels, in order."""
    return _rows(switch.path("/var/log/asterisk/cel-custom/Master.csv"), LOGGED)


def table_of_calls(records: list[Record]) -> str:
    """A line for each record; its first column counts the calls, which are the linkedids."""
    calls = list(dict.fromkeys(record["linkedid"] for record in records))
    lines = [["call", *SHOWN]]
    lines += [[str(1 + calls.index(record["linkedid"])), *(record[name] for name in SHOWN)] for record in records]
    return "".join(" | ".join(line) + "\n" for line in lines)


def table_of_log(entries: list[Record]) -> str:
    """A line for each channel with what happened to it, in order; LINKEDID_END belongs to calls, not channels."""
    channels: dict[str, list[str]] = {}
    for entry in entries:
        if entry["event"] != "LINKEDID_END":
            channels.setdefault(entry["channel"], []).append(entry["event"])
    return "".join(f"{channel}: {' '.join(events)}\n" for channel, events in channels.items())
