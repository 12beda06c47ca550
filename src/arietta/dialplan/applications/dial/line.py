"""A called channel's own story: a subroutine before its call, its life until it is released, and the extension h."""

from __future__ import annotations

import asyncio
import logging

from arietta.channels.channel import Channel, HungUp
from arietta.dialplan.errands import Errands
from arietta.dialplan.errors import DialplanError
from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

SHOWN = ("AppDial", "(Outgoing Line)")
"""What a dialled channel shows as its application."""


class Line:
    """One called channel."""

    def __init__(self, peer: Channel, destination: str) -> None:
        self.peer = peer
        self.destination = destination
        self.errands = Errands(peer)
        self.runs_h_in = ""
        """The context whose extension h it runs at the end, if any."""
        loop = peer.registry.loop
        self.prepared: asyncio.Future[bool] = loop.create_future()
        """Whether its subroutine ran, once that is known."""
        self._released: asyncio.Future[None] = loop.create_future()

    @property
    def is_released(self) -> bool:
        """Whether it ends, or has ended."""
        return self._released.done()

    def release(self, cause: int) -> None:
        """Let it end."""
        if not self._released.done():
            if not self.peer.hangup_requested:
                self.peer.hangup_cause = cause
            self._released.set_result(None)

    async def live(self, run: Run, subroutine: str = "") -> None:
        """In the owner: run the subroutine, then do errands until it is released."""
        if not await self._prepare(run, subroutine):
            return
        try:
            await self.errands.until(self._released)
        except HungUp:
            if not self.runs_h_in:
                raise
        if self.runs_h_in:
            self.peer.set_place(self.runs_h_in, self.peer.exten, 1)
            await run.plan.run_hangup_extension(self.peer)

    async def _prepare(self, run: Run, subroutine: str) -> bool:
        prepared = not subroutine
        try:
            if subroutine:
                await run.gosub(subroutine)
                self.peer.set_app(*SHOWN)
                prepared = True
        except DialplanError as failure:
            log.error("%s: Dial: subroutine %s: %s", self.peer.name, subroutine, failure)
        finally:
            if not self.prepared.done():
                self.prepared.set_result(prepared)
        return prepared
