"""AstDB: texts by family and key, trees of them, their limits, and that they survive."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta import astdb
from arietta.astdb import AstDb
from arietta.errors import BadRequest
from arietta.store import Store


@pytest.fixture
def database() -> AstDb:
    return AstDb(Store(None))


def test_put_get_and_delete(database: AstDb) -> None:
    database.put("cfwd", "6001", "6002")
    database.put("cfwd", "6001", "6003")
    assert (database.get("cfwd", "6001"), len(database)) == ("6003", 1)
    assert database.delete("cfwd", "6001")
    assert not database.delete("cfwd", "6001")
    assert (database.get("cfwd", "6001"), len(database)) == (None, 0)


def test_a_tree_is_what_is_below_a_part_and_not_what_begins_alike(database: AstDb) -> None:
    for family, key in (("cfwd", "1"), ("cfwd/sip", "2"), ("cfwd/sip/a", "3"), ("cfwd2", "4"), ("z", "1")):
        database.put(family, key, key)
    assert [name for name, _ in database.tree("cfwd")] == ["/cfwd/1", "/cfwd/sip/2", "/cfwd/sip/a/3"]
    assert database.tree("cfwd", "sip/2") == [("/cfwd/sip/2", "2")]
    assert [name for name, _ in database.tree()][-1] == "/z/1"
    assert database.with_key("1") == [("/cfwd/1", "1"), ("/z/1", "1")]
    assert (database.delete_tree("cfwd", "sip"), len(database)) == (2, 3)
    assert (database.delete_tree(), len(database)) == (3, 0)


def test_limits_name_what_is_beyond_them(database: AstDb, monkeypatch: pytest.MonkeyPatch) -> None:
    for family, key, value, words in (
        ("", "k", "v", "family '' is empty"),
        ("f", "", "v", "key '' is empty"),
        ("f", "k" * 253, "v", "256 bytes"),
        ("f", "k", "v" * 65537, "65537 bytes"),
    ):
        with pytest.raises(BadRequest, match=words):
            database.put(family, key, value)
    with pytest.raises(BadRequest, match="without its family"):
        database.tree("", "k")
    monkeypatch.setattr(astdb, "MAX_RECORDS", 1)
    database.put("f", "k", "v")
    database.put("f", "k", "w")
    with pytest.raises(BadRequest, match="the limit"):
        database.put("f", "l", "v")


def test_records_survive_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "db.sqlite3")
    AstDb(store).put("f", "k", "v")
    store.close()
    again = AstDb(Store(tmp_path / "db.sqlite3"))
    assert (again.get("f", "k"), len(again)) == ("v", 1)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=200))
def test_whatever_is_taken_is_given_back(family: str, key: str, value: str) -> None:
    database = AstDb(Store(None))
    try:
        database.put(family, key, value)
    except BadRequest:
        assert len(database) == 0
        return
    assert database.get(family, key) == value.encode("utf-8", "replace").decode()
    assert len(database.tree(family)) == len(database.tree()) == 1
    assert database.delete_tree(family) == 1
