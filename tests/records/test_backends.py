"""Where records go: files of one's own, tables, events; what cannot be written; reloads."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arietta.config.record_files import split_values
from arietta.records.writing import Line, RecordWriter, Row
from arietta.server import Server
from arietta.testing import Phone

from .conftest import CDR, Rows

CUSTOM = "[mappings]\nmine.csv => ${CSV_QUOTE(${CDR(src)})},${CDR(billsec)},${CDR(order)}\n"
TABLE = """[master]
table = calls
columns = number, seconds, note
values = '${CDR(src)}','${CDR(billsec)}','it''s, DROP "calls"'
"""
MANAGER = "[general]\nenabled=yes\n[mappings]\norder => Order\n"


async def call_1700(alice: Phone) -> None:
    call = await alice.invite("1700")
    await call.answered()
    await call.ended()
    await asyncio.sleep(1)


async def test_a_reload_brings_files_tables_and_events(server: Server, alice: Phone, rows: Rows) -> None:
    folder = server.config.directory
    (folder / "cdr_custom.conf").write_text(CUSTOM)
    (folder / "cdr_sqlite3_custom.conf").write_text(TABLE)
    (folder / "cdr_manager.conf").write_text(MANAGER)
    server.reload(("cdr",))
    told: list[Any] = []
    server.bus.subscribe("manager:", told.append)
    await call_1700(alice)
    server.bus.unsubscribe("manager:", told.append)
    assert len(rows()) == 1
    log = server.config.directories.log
    assert (log / "cdr-custom" / "mine.csv").read_text() == '"6001",3,17\n'
    with closing(sqlite3.connect(log / "master.db")) as database:
        assert database.execute("SELECT * FROM calls").fetchall() == [(1, "6001", "3", 'it\'s, DROP "calls"')]
    (event,) = (one for one in told if one.name == "Cdr")
    headers = dict(event.headers)
    assert (event.privilege, headers["Source"], headers["BillableSeconds"]) == ("cdr,all", "6001", "3")
    assert (headers["Disposition"], headers["AMAFlags"], headers["Order"]) == ("ANSWERED", "DOCUMENTATION", "17")


async def test_a_batch_waits_for_its_time(server: Server, alice: Phone, rows: Rows) -> None:
    (server.config.directory / "cdr.conf").write_text(CDR.replace("[csv]", "batch=yes\nsize=10\ntime=60\n[csv]"))
    server.reload(("cdr",))
    await call_1700(alice)
    assert (rows(), server.records.waiting) == ([], 1)
    await asyncio.sleep(60)
    assert (len(rows()), server.records.waiting) == (1, 0)


async def test_records_that_are_turned_off_cost_nothing(server: Server, alice: Phone, rows: Rows) -> None:
    (server.config.directory / "cdr.conf").write_text("[general]\nenable=no\n")
    (server.config.directory / "cel.conf").write_text("[general]\nenable=no\n")
    server.reload()
    assert not server.bus.wanted(("channel:", "bridge:"))
    await call_1700(alice)
    assert rows() == []
    assert server.dialplan.globals["SEEN"] == "////"


async def test_a_file_that_was_moved_is_begun_anew(server: Server, alice: Phone, rows: Rows) -> None:
    await call_1700(alice)
    assert len(rows()) == 1
    master = server.config.directories.log / "cdr-csv" / "Master.csv"
    master.rename(master.with_suffix(".1"))
    await call_1700(alice)
    assert len(rows()) == 1


def test_what_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    writer = RecordWriter()
    for _ in range(3):
        writer.write(Line(tmp_path / "file" / "below.csv", "a\n"))
        writer.write(Line(tmp_path / "good.csv", "a\n"))
        writer.stop()
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (len(errors), writer.lost) == (1, 3)
    assert (tmp_path / "good.csv").read_text() == "a\na\na\n"


def test_a_table_that_has_other_columns_loses_the_row(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = RecordWriter()
    writer.write(Row(tmp_path / "master.db", "cdr", "AcctId", ("a", "b"), ("1", "2")))
    writer.stop()
    writer.write(Row(tmp_path / "master.db", "cdr", "AcctId", ("a", "c"), ("1", "2")))
    writer.stop()
    assert writer.lost == 1
    assert "c" in caplog.text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("'a','b'", ("a", "b")),
        ("'it''s' , plain,'${X(1,2)}'", ("it's", "plain", "${X(1,2)}")),
        ("", ()),
        ("''", ("",)),
    ],
)
def test_values_of_a_row(text: str, values: tuple[str, ...]) -> None:
    assert split_values(text) == values


@pytest.mark.parametrize("text", ["'a", "'a' b", "'a''"])
def test_values_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="quote"):
        split_values(text)
