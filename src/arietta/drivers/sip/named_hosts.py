"""The addresses of the hosts that identify endpoints by name, looked up again whenever what was learnt is over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arietta.drivers.sip.endpoints import Endpoints
    from arietta.drivers.sip.resolver import Resolver

log = logging.getLogger(__name__)

MIN_NAMED_S, MAX_NAMED_S = 30.0, 3600.0
"""Bounds of the time after which they are looked up again."""


class NamedHosts:
    """What keeps the addresses of named hosts in a table of endpoints."""

    def __init__(self, resolver: Resolver, loop: asyncio.AbstractEventLoop) -> None:
        self._resolver, self._loop = resolver, loop
        self._task: asyncio.Task[None] | None = None

    def keep(self, table: Endpoints) -> None:
        """Look up the hosts of this table from now on, those of a former one no more."""
        self._cancel()
        if table.host_names:
            self._task = self._loop.create_task(self._look_up(table), name="identify hosts")

    async def stop(self) -> None:
        """Look up no more."""
        task = self._task
        self._cancel()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_up(self, table: Endpoints) -> None:
        while True:
            wait_s = MAX_NAMED_S
            for name, with_services in table.host_names.items():
                hosts, good_s = await self._resolver.hosts(name, with_services=with_services)
                if not hosts:
                    log.warning("identify: host %s cannot be found", name)
                table.learn(name, hosts)
                wait_s = min(wait_s, good_s)
            await asyncio.sleep(max(wait_s, MIN_NAMED_S))
