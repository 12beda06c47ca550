"""AstDB: the small database of Asterisk's dialplan and manager, texts by family and key, kept in the store.

A family may have parts between slashes (``cfwd/sip``): the record is ``/FAMILY/KEY``, and a tree is what is below one
of its parts.
"""

from __future__ import annotations

from arietta.errors import BadRequest
from arietta.store import Store

RECORDS = "astdb"
MAX_NAME_BYTES = 255
"""Of ``/FAMILY/KEY`` together."""
MAX_VALUE_BYTES = 65536
MAX_RECORDS = 1_000_000


class AstDb:
    """Texts by family and key; each change is on the disk when the call returns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = store.count(RECORDS)

    def __len__(self) -> int:
        return self._count

    def get(self, family: str, key: str) -> str | None:
        """The text of a key, or None."""
        value = self._store.get(RECORDS, _name(family, key))
        return value if isinstance(value, str) else None

    def put(self, family: str, key: str, value: str) -> None:
        """Keep a text; raises BadRequest for names that are empty or too long, and beyond the limits of the table."""
        name = _checked(family, key)
        value = _storable(value)
        size = len(value.encode())
        if size > MAX_VALUE_BYTES:
            raise BadRequest(f"the value of {name} has {size} bytes, {MAX_VALUE_BYTES} at most")
        is_new = self._store.get(RECORDS, name) is None
        if is_new and self._count >= MAX_RECORDS:
            raise BadRequest(f"{name} cannot be kept: there are {MAX_RECORDS} records, which is the limit")
        self._store.put(RECORDS, name, value)
        self._count += is_new

    def delete(self, family: str, key: str) -> bool:
        """Forget a key; False if there was none."""
        deleted = self._store.delete(RECORDS, _name(family, key))
        self._count -= deleted
        return deleted

    def delete_tree(self, family: str = "", keytree: str = "") -> int:
        """Forget a family, or what is at and below one of its keys, or everything; returns how many there were."""
        top = _tree(family, keytree)
        deleted = self._store.delete_beginning_with(RECORDS, top + "/")
        if top:
            deleted += self._store.delete(RECORDS, top)
        self._count -= deleted
        return deleted

    def tree(self, family: str = "", keytree: str = "") -> list[tuple[str, str]]:
        """``/FAMILY/KEY`` and text of a family, of what is at and below one of its keys, or of everything, by name."""
        top = _tree(family, keytree)
        found = self._store.beginning_with(RECORDS, top + "/")
        if top:
            own = self._store.get(RECORDS, top)
            if own is not None:
                found.insert(0, (top, own))
        return [(name, value) for name, value in found if isinstance(value, str)]

    def with_key(self, key: str) -> list[tuple[str, str]]:
        """The records of all families that have this key."""
        return [(name, value) for name, value in self.tree() if name.endswith(f"/{key}")]


def _name(family: str, key: str) -> str:
    return _storable(f"/{family.strip('/')}/{key.strip('/')}")


def _tree(family: str, keytree: str) -> str:
    family, keytree = family.strip("/"), keytree.strip("/")
    if not family:
        if keytree:
            raise BadRequest(f"key {keytree!r} is given without its family")
        return ""
    return _storable(f"/{family}/{keytree}" if keytree else f"/{family}")


def _checked(family: str, key: str) -> str:
    for what, text in (("family", family), ("key", key)):
        if not text.strip("/"):
            raise BadRequest(f"the {what} {text!r} is empty")
    name = _name(family, key)
    size = len(name.encode())
    if size > MAX_NAME_BYTES:
        raise BadRequest(f"{name[:40]}... has {size} bytes, family and key together have {MAX_NAME_BYTES} at most")
    return name


def _storable(text: str) -> str:
    """Without half characters, which no text in a database can hold."""
    return text.encode("utf-8", "replace").decode()
