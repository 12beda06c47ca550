"""Whether a call that comes in is taken: not while the server drains, nor beyond the limits of asterisk.conf."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

BYTES_OF_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server takes upon itself; 0 is no limit."""

    calls: int = 0
    """Calls at a time: channels in one bridge are one."""
    load: float = 0.0
    """The machine's load of the last minute."""
    free_megabytes: int = 0
    """Memory that has to be left."""

    def refusal(self, count_calls: Callable[[], int]) -> str:
        """Why no further call is taken; empty if it is."""
        if self.calls:
            calls = count_calls()
            if calls >= self.calls:
                return f"there are {calls} calls, maxcalls is {self.calls}"
        if self.load:
            load = os.getloadavg()[0]
            if load >= self.load:
                return f"the load is {load:.2f}, maxload is {self.load:g}"
        if self.free_megabytes:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // BYTES_OF_MEGABYTE
            if free < self.free_megabytes:
                return f"{free} MB of memory are free, minmemfree is {self.free_megabytes}"
        return ""
