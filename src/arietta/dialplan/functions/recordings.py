"""MIXMONITOR: what there is to know of a MixMonitor of the channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.applications.mixmonitor import monitors_of
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


def _mix_monitor(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    ident, key = (*split_arguments(arguments, 2), "", "")[:2]
    if key.lower() != "filename":
        raise FunctionError("MIXMONITOR", f"{key[:40]!r} is no key, which filename is")
    monitor = monitors_of(needed(channel, "MIXMONITOR")).get(ident)
    if monitor is None:
        raise FunctionError("MIXMONITOR", f"the channel has no MixMonitor {ident[:40]!r}")
    return monitor.filename


FUNCTIONS = (
    Function(
        "MIXMONITOR",
        "MIXMONITOR(id,filename)",
        "The file of a MixMonitor, by the id that its option `i` keeps.",
        _mix_monitor,
    ),
)
