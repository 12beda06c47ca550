"""Python's garbage collector on a busy server: many short looks, and a long one only while nobody waits.

Calls leave it nothing (``tests/journeys/test_garbage.py``), but what it looks at costs it about half a microsecond for
each object, every time, and finished SIP transactions live for half a minute: with Python's own thresholds the loop
stands still for tens, at some hundred calls a second for hundreds of milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

YOUNG = 1_000
"""New objects, less those that went, after which the collector looks at them: half a millisecond."""
NEVER = 2**31 - 1
LOOKS_BEFORE_ALL = 200
"""So many looks make it worth while to look at everything once there are no calls."""
LOOKS_AT_MOST = 20_000
"""After so many, everything is looked at although there are calls."""
CHECK_SECONDS = 60.0


class Collector:
    """The collector looks at new objects once; those that stay are set aside until all are looked at.

    `idle` tells whether there are no calls.
    """

    def __init__(self, idle: Callable[[], bool]) -> None:
        self._idle = idle
        self._looks = 0
        self._thresholds = gc.get_threshold()

    def start(self) -> None:
        """Set aside what there is, and look at little at a time from now on."""
        self._look_at_all()
        self._thresholds = gc.get_threshold()
        gc.set_threshold(YOUNG, NEVER, NEVER)
        gc.callbacks.append(self._looked)

    def stop(self) -> None:
        """Everything as it was before."""
        gc.callbacks.remove(self._looked)
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()

    async def run(self) -> None:
        """Look at everything from time to time; until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check()

    def check(self) -> None:
        """Look at everything if enough has gathered and nobody waits, or far too much has."""
        if self._looks >= LOOKS_AT_MOST or (self._looks >= LOOKS_BEFORE_ALL and self._idle()):
            self._look_at_all()

    def _looked(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == 0:
            self._looks += 1
            gc.freeze()

    def _look_at_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._looks = 0
