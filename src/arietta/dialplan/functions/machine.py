"""SYSINFO: what there is to know of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

PROC = Path("/proc")
MEMORY = {
    "totalram": "MemTotal",
    "freeram": "MemFree",
    "bufferram": "Buffers",
    "totalswap": "SwapTotal",
    "freeswap": "SwapFree",
}
ITEMS = ("loadavg", "numcalls", "uptime", *MEMORY, "numprocs")


def _sysinfo(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    item = arguments.strip().lower()
    if item not in ITEMS:
        raise FunctionError("SYSINFO", f"{arguments[:40]!r} is none of {', '.join(ITEMS)}")
    if item == "numcalls":
        return str(sum(not one.internal for one in plan.registry))
    try:
        return _of_the_machine(item)
    except OSError as failure:
        raise FunctionError("SYSINFO", f"{item} is not known here: {failure.strerror}") from failure


def _of_the_machine(item: str) -> str:
    if item == "loadavg":
        return f"{os.getloadavg()[0]:.6f}"
    if item == "uptime":
        return str(int(float((PROC / "uptime").read_text().split()[0]) / 3600))
    if item == "numprocs":
        return str(sum(entry.name.isdigit() for entry in PROC.iterdir()))
    lines = (PROC / "meminfo").read_text().splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{MEMORY[item]}:")), "0")


FUNCTIONS = (
    Function(
        "SYSINFO",
        "SYSINFO(item)",
        "The machine: `loadavg` of a minute, `numcalls` channels, `uptime` in hours, `numprocs` processes; `totalram`, "
        "`freeram`, `bufferram`, `totalswap` and `freeswap` in KiB.",
        _sysinfo,
    ),
)
