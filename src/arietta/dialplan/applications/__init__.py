"""The applications of the dialplan: what a step does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from arietta.dialplan.options import Options

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

Execute = Callable[["Channel", str, "Run"], Awaitable[None]]
"""Gets the channel, the substituted arguments and the run; in the owner of the channel.

It raises HungUp to end the call, and ApplicationError where its arguments make no sense.
"""


class Application(msgspec.Struct, frozen=True):
    """One application of the dialplan."""

    name: str
    syntax: str
    """How it is written."""
    summary: str
    """What it does, in one or two sentences."""
    execute: Execute
    lacks: str = ""
    """What of the documented application is not there; empty if it is complete."""
    options: Options | None = None
    """The letters it takes, if it takes any."""


class DeclaredApplication(msgspec.Struct, frozen=True):
    """An application that another part of the server does: what is said of it where no server runs."""

    name: str
    syntax: str
    summary: str
    lacks: str = ""
    options: Options | None = None

    def done_by(self, execute: Execute) -> Application:
        """The application itself."""
        return Application(self.name, self.syntax, self.summary, execute, self.lacks, self.options)


class Applications:
    """The applications there are, by name without case."""

    def __init__(self, applications: Iterable[Application] = ()) -> None:
        self._applications: dict[str, Application] = {}
        for application in applications:
            self.add(application)

    def add(self, application: Application) -> None:
        """Add an application, or replace the one of its name."""
        self._applications[application.name.lower()] = application

    def get(self, key: str) -> Application | None:
        """An application by its name in lower case."""
        return self._applications.get(key)

    def remove(self, name: str) -> Application | None:
        """Take an application out, and return it; None if there is none of that name."""
        return self._applications.pop(name.lower(), None)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._applications

    def __iter__(self) -> Iterator[Application]:
        return iter([self._applications[name] for name in sorted(self._applications)])
