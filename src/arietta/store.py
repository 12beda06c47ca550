"""Durable keyed records: one SQLite file in WAL mode, JSON values, a family for each kind of record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


class Store:
    """Records by (family, key). Small and rare: every write is committed before it returns."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the file; None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # There are passwords of SIP objects among the records; what SQLite adds takes the same mode.
            path.touch(mode=0o600)
        self._database = sqlite3.connect(str(path) if path is not None else ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS records (family TEXT, key TEXT, value BLOB, PRIMARY KEY (family, key))"
        )

    def put(self, family: str, key: str, value: Any) -> None:
        """Keep a record in place of a former one."""
        self._database.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (family, key, msgspec.json.encode(value))
        )

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

    def close(self) -> None:
        """Write everything out and let go of the file."""
        self._database.close()
