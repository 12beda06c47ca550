"""AstDB: DBGet, DBPut, DBDel, DBDelTree, DBGetTree."""

from __future__ import annotations

from arietta.errors import NotFound
from arietta.manager.declared import Call, Reply, action, failure, item, listing, success

FAMILY = ("Family", "Family of the key, which may have parts between slashes.")
KEY = ("Key", "The key.")


@action("DBGet", "Read a key of AstDB.", FAMILY, KEY, write="system,reporting")
def db_get(call: Call) -> Reply:
    family, key = _family(call), _key(call)
    value = call.domain.astdb.get(family, key)
    if value is None:
        raise NotFound("Database entry not found")
    items = [item("DBGetResponse", ("Family", family), ("Key", key), ("Val", value))]
    return listing("Result will follow", items, "DBGetComplete")


@action("DBPut", "Write a key of AstDB.", FAMILY, KEY, ("[Val]", "The text to keep."), write="system")
def db_put(call: Call) -> Reply:
    call.domain.astdb.put(_family(call), _key(call), call.get("Val"))
    return success("Updated database successfully")


@action("DBDel", "Delete a key of AstDB.", FAMILY, KEY, write="system")
def db_del(call: Call) -> Reply:
    if not call.domain.astdb.delete(_family(call), _key(call)):
        return failure("Database entry not found")
    return success("Key deleted successfully")


@action(
    "DBDelTree",
    "Delete a family of AstDB, or what is below one of its keys.",
    FAMILY,
    ("[Key]", "The key that the deleted ones begin with."),
    write="system",
)
def db_del_tree(call: Call) -> Reply:
    if not call.domain.astdb.delete_tree(_family(call), call.get("Key")):
        return failure("Database entry not found")
    return success("Key tree deleted successfully")


@action(
    "DBGetTree",
    "List AstDB, a family of it, or what is below a key.",
    ("[Family]", FAMILY[1]),
    ("[Key]", "The key that the listed ones begin with."),
    write="system,reporting",
)
def db_get_tree(call: Call) -> Reply:
    found = call.domain.astdb.tree(call.get("Family"), call.get("Key"))
    items = [item("DBGetTreeResponse", ("Key", name), ("Val", value)) for name, value in found]
    return listing("Result will follow", items, "DBGetTreeComplete")


def _family(call: Call) -> str:
    return call.need("Family", "No family specified.")


def _key(call: Call) -> str:
    return call.need("Key", "No key specified.")
