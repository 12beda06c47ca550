"""Records that outlive the process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from arietta.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on disk."""
    made = Store(tmp_path / "store.sqlite3")
    yield made
    made.close()


def test_records_are_kept_replaced_and_forgotten(store: Store, tmp_path: Path):
    store.put("a", "1", {"x": 1})
    store.put("a", "1", [2])
    store.put("b", "1", "other")
    again = Store(tmp_path / "store.sqlite3")
    assert (again.get("a", "1"), again.get("a", "2"), list(again.items("b"))) == ([2], None, [("1", "other")])
    assert again.delete("a", "1") and not again.delete("a", "1")
    again.close()
    assert store.get("a", "1") is None


def test_another_thread_writes_many_at_once(store: Store):
    store.put("a", "gone", 1)
    records = {str(number): number for number in range(100)} | {"gone": None}
    with ThreadPoolExecutor(1) as pool:
        pool.submit(store.write, "a", records).result()
    assert dict(store.items("a")) == {str(number): number for number in range(100)}


@pytest.mark.parametrize("in_memory", [False, True])
def test_many_are_written_all_or_none(store: Store, in_memory: bool):
    used = Store(None) if in_memory else store
    with pytest.raises(TypeError):
        used.write("a", {"1": 1, "2": object()})
    assert list(used.items("a")) == []
    used.write("a", {"1": 1})
    assert used.get("a", "1") == 1
    if in_memory:
        used.close()
