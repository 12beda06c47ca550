"""Applications on the channels of devices: whether one could be called, and their end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.model import causes

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

MAX_DEVICES = 50
STATES = ("UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD")
"""In the order of their numbers in AVAILSTATUS."""
AVAILABLE_OPTIONS = Options(
    1,
    (
        Option("a", "names all, not the first alone"),
        Option("s", "wants them free"),
        Option("t", "looks at their states alone, as always here"),
    ),
)
HANGUP_OPTIONS = Options(1, (Option("a", "ends all of the device"),))
OUT_OF_REACH = frozenset(("INVALID", "UNAVAILABLE"))


async def _chan_is_avail(channel: Channel, arguments: str, run: Run) -> None:
    """``ChanIsAvail(TECH/resource[&TECH/resource…][,options])``."""
    parts = [*split_arguments(arguments), "", ""]
    options = AVAILABLE_OPTIONS.read("ChanIsAvail", parts[1])
    devices = [device.strip() for device in parts[0].split("&") if device.strip()]
    if not devices or len(devices) > MAX_DEVICES:
        raise ApplicationError(f"ChanIsAvail names {len(devices)} devices, 1 to {MAX_DEVICES} are wanted")
    available: list[str] = []
    state = "INVALID"
    for device in devices:
        state = run.plan.devices.read(device)
        if _is_free(state, strictly="s" in options):
            available.append(device)
            if "a" not in options:
                break
    channel.set_variable("AVAILCHAN", "&".join(available))
    channel.set_variable("AVAILORIGCHAN", "&".join(available))
    channel.set_variable("AVAILSTATUS", str(STATES.index(state)))
    channel.set_variable("AVAILCAUSECODE", str(0 if available else causes.REQUESTED_CHANNEL_UNAVAILABLE))


def _is_free(state: str, *, strictly: bool) -> bool:
    return state == "NOT_INUSE" if strictly else state not in OUT_OF_REACH


async def _soft_hangup(channel: Channel, arguments: str, run: Run) -> None:
    """``SoftHangup(TECH/resource[,a])``: a channel by its name, or by its device."""
    parts = [*split_arguments(arguments), "", ""]
    options = HANGUP_OPTIONS.read("SoftHangup", parts[1])
    wanted = parts[0].lower()
    if not wanted:
        raise ApplicationError("SoftHangup names no channel")
    found = [one for one in channel.registry if wanted in (one.name.lower(), one.device.lower())]
    if not found:
        log.info("%s: SoftHangup: there is no channel %s", channel.name, parts[0][:80])
    for one in found if "a" in options else found[:1]:
        one.request_hangup()


APPLICATIONS = (
    Application(
        "ChanIsAvail",
        "ChanIsAvail(TECH/resource[&TECH/resource…][,options])",
        "Looks which of some devices could be called, without calling: the first is AVAILCHAN and AVAILORIGCHAN, "
        "AVAILSTATUS the number of its state, AVAILCAUSECODE 0, or 44 where there is none.",
        _chan_is_avail,
        options=AVAILABLE_OPTIONS,
    ),
    Application(
        "SoftHangup",
        "SoftHangup(TECH/resource[,a])",
        "Ends another call, by the name of its channel or of its device.",
        _soft_hangup,
        options=HANGUP_OPTIONS,
    ),
)
