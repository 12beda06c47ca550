"""The dialplan's interpreter, with all that it borrows from the other parts of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.ports import Folders
from arietta.server.dialplan import (
    Devices,
    DialBridges,
    DialplanMedia,
    Presences,
    broadcast_application,
    stasis_application,
    transfer_handling,
)
from arietta.server.web import ask

if TYPE_CHECKING:
    from arietta.server.server import Server


def interpreter_of(server: Server, dialplan: Dialplan) -> Interpreter:
    """An interpreter that knows Stasis() and follows the states of devices; the drivers' own are added to it later."""
    config, directories = server.config, server.config.directories
    interpreter = Interpreter(
        dialplan,
        server.channels,
        media=DialplanMedia(lambda: server.library),
        bridges=DialBridges(server.bridges),
        devices=Devices(server.device_states),
        presences=Presences(server.presence_states),
        database=server.astdb,
        web=ask,
        folders=Folders(config.directory, directories.sounds, directories.spool / "monitor", directories.agi),
        entity_id=server.asterisk_id,
        system_name=config.asterisk.options.systemname,
        version=server.version,
    )
    interpreter.live_dangerously = config.asterisk.options.live_dangerously
    interpreter.amd = config.amd
    interpreter.applications.add(stasis_application(server.controls))
    interpreter.applications.add(broadcast_application(server.broadcasts))
    interpreter.functions.add(transfer_handling())
    server.device_states.follower = interpreter.hints
    server.presence_states.follower = interpreter.hints.device_changed
    return interpreter
