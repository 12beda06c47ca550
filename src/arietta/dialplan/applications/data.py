"""Applications that forget or fetch data: AstDB, associative lists, variables of other channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta import verbose as console
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.functions.database import family_and_key
from arietta.errors import AriettaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run


async def _db_del(channel: Channel, arguments: str, run: Run) -> None:
    family, key = family_and_key("DBdel", arguments)
    if not run.plan.database.delete(family, key):
        console.verbose(4, f"DBdel: there is no {family}/{key} in AstDB")


async def _db_deltree(channel: Channel, arguments: str, run: Run) -> None:
    family, _, tree = arguments.strip().strip("/").partition("/")
    if not family:
        raise ApplicationError("names no family")
    try:
        run.plan.database.delete_tree(family, tree)
    except AriettaError as refusal:
        raise ApplicationError(str(refusal)) from refusal


async def _clear_hash(channel: Channel, arguments: str, run: Run) -> None:
    channel.functions.get("HASH", {}).pop(arguments.strip(), None)


async def _import_var(channel: Channel, arguments: str, run: Run) -> None:
    name, equals, source = arguments.partition("=")
    parts = split_arguments(source, 2)
    if not equals or not name.strip() or len(parts) < 2:
        raise ApplicationError(f"{arguments[:80]!r} is not NAME=CHANNEL,VARIABLE")
    other = run.plan.registry.find(parts[0])
    channel.set_variable(name.strip(), "" if other is None else run.plan.variable(other, parts[1]))


APPLICATIONS = (
    Application("ClearHash", "ClearHash(name)", "Forgets an associative list of the channel.", _clear_hash),
    Application("DBdel", "DBdel(family/key)", "Takes a text out of AstDB; DB_DELETE() does the same.", _db_del),
    Application(
        "DBdeltree", "DBdeltree(family[/key])", "Takes a family, or what is below a key, out of AstDB.", _db_deltree
    ),
    Application(
        "ImportVar",
        "ImportVar(name=channel,variable)",
        "Sets a variable to that of another channel; IMPORT() does the same.",
        _import_var,
    ),
)
