"""BlindTransfer and AttendedTransfer: whoever talks to the channel goes to an extension, at once or when asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.features.offered import settings_of
from arietta.dialplan.features.transferring import CONTEXT, consulting_rules
from arietta.errors import AriettaError, NotFound

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)


async def _blind_transfer(channel: Channel, arguments: str, run: Run) -> None:
    exten, context, *_ = [*split_arguments(arguments), "", ""]
    if not exten:
        raise ApplicationError("BlindTransfer names no extension")
    place = (context or channel.context, exten)
    transfer = run.plan.transferring.blind_transfer
    _report(channel, "BLINDTRANSFERSTATUS", "INVALID", lambda: transfer(channel, *place, is_external=False))


async def _attended_transfer(channel: Channel, arguments: str, run: Run) -> None:
    exten = arguments.strip()
    if not exten:
        raise ApplicationError("AttendedTransfer names no extension")
    place = (run.plan.variable(channel, CONTEXT) or channel.context, exten)
    rules = consulting_rules(settings_of(run.plan, channel).general)
    transfer = run.plan.transferring.attended_transfer
    _report(channel, "ATTENDEDTRANSFERSTATUS", "FAILURE", lambda: transfer(channel, *place, rules))


def _report(channel: Channel, variable: str, unknown: str, transfer: Callable[[], None]) -> None:
    """Transfer, and say in a variable how it went: `unknown` for an extension that does not exist."""
    status = "SUCCESS"
    try:
        transfer()
    except AriettaError as failure:
        log.warning("%s: %s", channel.name, failure)
        status = unknown if isinstance(failure, NotFound) else "FAILURE"
    channel.set_variable(variable, status)


APPLICATIONS = (
    Application(
        "AttendedTransfer",
        "AttendedTransfer(extension)",
        "Lets the channel call an extension of TRANSFER_CONTEXT, or of its own, while those that it talks to wait; it "
        "hands them over by hanging up. ATTENDEDTRANSFERSTATUS is SUCCESS or FAILURE. A feature of features.conf can "
        "execute it during a call.",
        _attended_transfer,
    ),
    Application(
        "BlindTransfer",
        "BlindTransfer(extension[,context])",
        "Sends those that talk to the channel to an extension. BLINDTRANSFERSTATUS is SUCCESS, FAILURE where there is "
        "nobody, or INVALID where there is no such extension.",
        _blind_transfer,
    ),
)
