"""Durable keyed records: one SQLite file in WAL mode, JSON values, a family for each kind of record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

_PREFIXED = "family = ? AND key >= ? AND key < ?"


class Store:
    """Records by (family, key). Small and rare: every write is committed before it returns; `write` takes many."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the file; None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # There are passwords of SIP objects among the records; what SQLite adds takes the same mode.
            path.touch(mode=0o600)
        self._path = path
        self._database = self._connect()
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS records (family TEXT, key TEXT, value BLOB, PRIMARY KEY (family, key))"
        )

    def put(self, family: str, key: str, value: Any) -> None:
        """Keep a record in place of a former one."""
        self._database.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (family, key, msgspec.json.encode(value))
        )

    def write(self, family: str, records: Mapping[str, Any]) -> None:
        """Keep many records at once, all or none; None forgets one. For another thread than that of the other calls:
        it has a connection of its own, so that nobody on the loop waits for the disk. sqlite3.Error: nothing is kept.
        """
        if self._path is None:
            self._write(self._database, family, records)
            return
        with closing(self._connect()) as database:
            self._write(database, family, records)

    def _write(self, database: sqlite3.Connection, family: str, records: Mapping[str, Any]) -> None:
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                ((family, key, msgspec.json.encode(value)) for key, value in records.items() if value is not None),
            )
            database.executemany(
                "DELETE FROM records WHERE family = ? AND key = ?",
                ((family, key) for key, value in records.items() if value is None),
            )
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise

    def _connect(self) -> sqlite3.Connection:
        path = str(self._path) if self._path is not None else ":memory:"
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA synchronous=NORMAL")
        return database

    def get(self, family: str, key: str) -> Any:
        """A record, or None."""
        row = self._database.execute("SELECT value FROM records WHERE family = ? AND key = ?", (family, key)).fetchone()
        return msgspec.json.decode(row[0]) if row is not None else None

    def delete(self, family: str, key: str) -> bool:
        """Forget a record; False if there was none."""
        return self._database.execute("DELETE FROM records WHERE family = ? AND key = ?", (family, key)).rowcount > 0

    def items(self, family: str) -> Iterator[tuple[str, Any]]:
        """The records of a family, by key."""
        rows = self._database.execute(
            "SELECT key, value FROM records WHERE family = ? ORDER BY key", (family,)
        ).fetchall()
        return ((key, msgspec.json.decode(value)) for key, value in rows)

    def count(self, family: str) -> int:
        """How many records a family has."""
        found: int = self._database.execute("SELECT COUNT(*) FROM records WHERE family = ?", (family,)).fetchone()[0]
        return found

    def beginning_with(self, family: str, prefix: str) -> list[tuple[str, Any]]:
        """The records of a family whose key begins with `prefix`, by key."""
        rows = self._database.execute(
            f"SELECT key, value FROM records WHERE {_PREFIXED} ORDER BY key", _range(family, prefix)
        ).fetchall()
        return [(key, msgspec.json.decode(value)) for key, value in rows]

    def delete_beginning_with(self, family: str, prefix: str) -> int:
        """Forget the records whose key begins with `prefix`; returns how many there were."""
        return self._database.execute(f"DELETE FROM records WHERE {_PREFIXED}", _range(family, prefix)).rowcount

    def close(self) -> None:
        """Write everything out and let go of the file."""
        self._database.close()


def _range(family: str, prefix: str) -> tuple[str, str, str]:
    """The keys that begin with `prefix`, which ends in ASCII, as a range: the primary key finds it, others are left."""
    return family, prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)
