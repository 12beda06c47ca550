"""The secretary: a client of the manager interface, who places and moves calls and keeps all that is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from panoramisk import Manager

from .switches import OFFICE

Headers = dict[str, str]


class Secretary:
    """panoramisk, logged in as the secretary: what it hears, and what it asks for."""

    def __init__(self) -> None:
        self.heard: list[Headers] = []
        self.manager = Manager(
            loop=asyncio.get_running_loop(), host=OFFICE, port=5038, username="secretary", secret="manager-secret-4711"
        )
        self.manager.register_event("*", self._hear)

    def _hear(self, _manager: Manager, event: Any) -> None:
        self.heard.append(dict(event))

    async def asks(self, action: str, **headers: str) -> Any:
        """Carry out an action that is to succeed; gives its answer."""
        async with asyncio.timeout(10):
            answer = await self.manager.send_action({"Action": action, **headers})
        first = answer[0] if isinstance(answer, list) else answer
        assert first.response in ("Success", "Follows"), answer
        return answer

    def of(self, *kinds: str) -> list[Headers]:
        """The events of these kinds, in order."""
        return [event for event in self.heard if event["Event"] in kinds]


@contextlib.asynccontextmanager
async def secretary() -> AsyncIterator[Secretary]:
    """Log in; log off at the end."""
    watcher = Secretary()
    await watcher.manager.connect()
    try:
        yield watcher
    finally:
        watcher.manager.close()
