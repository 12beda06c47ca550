"""Writes records to files and tables in a thread of its own, so that no call waits for a disk.

A file is opened for each batch and closed again: one that was moved away is begun anew. What cannot be written is
lost, and the log says so once, until writing works again.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

MAX_WAITING = 20000
GATHER_SECONDS = 0.05
"""How long the thread lets records come before it opens a file."""
MAX_BATCH = 1000
STOP_SECONDS = 10.0


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line for the end of a file."""

    path: Path
    text: str


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row for a table of SQLite, which is made if it is missing."""

    path: Path
    table: str
    key: str
    """The column that counts the rows."""
    columns: tuple[str, ...]
    values: tuple[str, ...]
    busy_timeout_ms: int = 1000


class RecordWriter:
    """The thread and what waits for it: started by the first record, ended by `stop`."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Line | Row | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._broken: set[Path] = set()
        self.lost = 0
        """Records that could not be written, or not even wait."""

    def write(self, record: Line | Row) -> None:
        """Have a record written; never waits. One that finds the queue full is lost."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="records", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            if not self.lost % MAX_WAITING:
                log.error("%s: %d records wait to be written, this one is lost", record.path, MAX_WAITING)
            self.lost += 1

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Write what waits, for at most so long, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            pass
        thread.join(seconds)
        if thread.is_alive():
            log.error("records were not written within %g seconds, %d are lost", seconds, self._waiting.qsize())

    def _work(self) -> None:
        ends = False
        while not ends:
            batch: list[Line | Row] = []
            record = self._waiting.get()
            self._stopping.wait(GATHER_SECONDS)
            while record is not None:
                batch.append(record)
                if len(batch) >= MAX_BATCH:
                    break
                try:
                    record = self._waiting.get_nowait()
                except queue.Empty:
                    break
            ends = record is None
            self._write_batch(batch)

    def _write_batch(self, batch: Sequence[Line | Row]) -> None:
        by_path: dict[Path, list[Line | Row]] = {}
        for record in batch:
            by_path.setdefault(record.path, []).append(record)
        for path, records in by_path.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = [record.text for record in records if isinstance(record, Line)]
                if lines:
                    with path.open("a", encoding="utf-8", errors="surrogateescape", newline="") as file:
                        file.write("".join(lines))
                rows = [record for record in records if isinstance(record, Row)]
                if rows:
                    _insert(path, rows)
            except (OSError, sqlite3.Error, UnicodeError) as problem:
                self.lost += len(records)
                if path not in self._broken:
                    self._broken.add(path)
                    log.error("%s cannot be written, %d records are lost: %s", path, len(records), problem)
            else:
                self._broken.discard(path)


def _insert(path: Path, rows: Sequence[Row]) -> None:
    with closing(sqlite3.connect(path, timeout=max(row.busy_timeout_ms for row in rows) / 1000)) as database:
        known: set[str] = set()
        with database:
            for row in rows:
                table, columns = _quoted(row.table), ", ".join(map(_quoted, row.columns))
                if row.table not in known:
                    known.add(row.table)
                    database.execute(
                        f"CREATE TABLE IF NOT EXISTS {table} ({_quoted(row.key)} INTEGER PRIMARY KEY, {columns})"
                    )
                marks = ", ".join("?" * len(row.values))
                database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row.values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
