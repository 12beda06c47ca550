"""AGI: a command for a channel that waits in AGI(agi:async)."""

from __future__ import annotations

from arietta.dialplan.agi.carriers import MAX_WAITING_COMMANDS
from arietta.dialplan.agi.protocol import MAX_LINE_BYTES
from arietta.errors import BadRequest, Conflict, NotFound
from arietta.manager.declared import Call, Reply, action, success


@action(
    "AGI",
    "Send a command to a channel that waits in AGI(agi:async); AsyncAGIExec tells its result.",
    ("Channel", "Name or id of the channel."),
    ("Command", "The command, as a program of AGI writes it."),
    ("[CommandID]", "A mark that AsyncAGIExec has too."),
    write="agi",
)
def agi(call: Call) -> Reply:
    name = call.need("Channel", "Channel not specified")
    command = call.need("Command", "Command not specified")
    if len(command.encode("utf-8", "replace")) > MAX_LINE_BYTES:
        raise BadRequest(f"Command is longer than {MAX_LINE_BYTES} bytes")
    channel = call.domain.channels.find(name)
    if channel is None:
        raise NotFound(f"Channel {name[:80]} does not exist")
    queue = call.domain.dialplan.async_agi.get(channel.id)
    if queue is None:
        raise Conflict(f"Channel {channel.name} is not in AGI(agi:async)")
    if not queue.send(command, call.get("CommandID")):
        raise Conflict(f"Channel {channel.name} has {MAX_WAITING_COMMANDS} commands to do, which is the limit")
    return success("Added AGI command to queue")
