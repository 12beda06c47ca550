"""System and TrySystem: commands of the system's shell as steps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.programs import ProgramFailed, run_in_shell

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

STATUS = "SYSTEMSTATUS"


async def _status(channel: Channel, command: str, run: Run) -> str:
    """FAILURE, SUCCESS or APPERROR."""
    if not run.plan.live_dangerously:
        raise ApplicationError("runs programs, which asterisk.conf allows with live_dangerously only")
    waiting = channel.registry.loop.create_task(run_in_shell(command))
    try:
        status, output = await channel.until(waiting)
    except ProgramFailed as failure:
        log.warning("%s: %s", channel.name, failure)
        return "FAILURE"
    if output.strip():
        log.info("%s: %s: %s", channel.name, command, output.strip())
    return "SUCCESS" if not status else "APPERROR"


async def _system(channel: Channel, arguments: str, run: Run) -> None:
    channel.set_variable(STATUS, await _status(channel, arguments, run))


APPLICATIONS = (
    Application(
        "System",
        "System(command)",
        "Runs a command of the system's shell, with `live_dangerously` in asterisk.conf only; SYSTEMSTATUS is SUCCESS, "
        "APPERROR (it says that it failed) or FAILURE (it could not be run).",
        _system,
    ),
    Application("TrySystem", "TrySystem(command)", "System, which never ends a call here either.", _system),
)
