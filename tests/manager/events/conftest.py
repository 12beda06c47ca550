"""A whole server, and whoever watches its manager events: each one is looked at the moment it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arietta.manager.events import KINDS, Translator
from arietta.manager.message import ManagerEvent
from arietta.server import Server
from journeys.conftest import alice, app, bob, files, server

from .documented import complaint
from .showing import ladder_of, wrong_blocks

__all__ = ["alice", "app", "bob", "files", "server"]


class Watch:
    """The events of a story; each is checked when it comes: its headers, its order, its channels as they are then."""

    def __init__(self, server: Server) -> None:
        self.events: list[ManagerEvent] = []
        self.complaints: list[str] = []
        self._server = server
        self.translator = Translator(server.bus, server.channels, server.bridges, self._take)

    def _take(self, event: ManagerEvent) -> None:
        self.events.append(event)
        wrong = complaint(event.name, [name for name, _ in event.headers])
        if wrong:
            self.complaints.append(wrong)
        kind = KINDS[event.name]
        if kind.privilege != event.privilege:
            self.complaints.append(f"{event.name} has class {event.privilege}")
        self.complaints.extend(wrong_blocks(event, self._server))

    def ladder(self, *, without: str = "", devices: bool = False) -> list[str]:
        """The story so far in short lines, without events of these names; devices lag behind and are left out too."""
        left_out = (*without.split(), *(() if devices else ("DeviceStateChange",)))
        return [ladder_of(event) for event in self.events if event.name not in left_out]

    def saw(self, story: str, *, without: str = "", devices: bool = False) -> None:
        """The story so far was this one, line by line; events of some names may be left out."""
        expected = [line.strip() for line in story.splitlines() if line.strip()]
        told = self.ladder(without=without, devices=devices)
        assert told == expected, "what was told:\n" + "\n".join(told)

    def named(self, name: str) -> list[dict[str, str]]:
        """The headers of the events of one name."""
        return [dict(event.headers) for event in self.events if event.name == name]

    def forget(self) -> None:
        """Begin a new story."""
        self.events.clear()


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    """Somebody who wants all events."""
    watching = Watch(server)
    watching.translator.start()
    yield watching
    watching.translator.stop()
    assert not watching.complaints, "\n".join(watching.complaints)
