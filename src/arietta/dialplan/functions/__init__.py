"""The functions of the dialplan: what stands in ``${NAME(arguments)}`` and before the ``=`` of Set."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.dialplan.errors import FunctionError, UnknownFunction

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

Read = Callable[["Interpreter", "Channel | None", str], str]
"""Gets the interpreter, the channel if there is one, and what stands between the parentheses."""
Write = Callable[["Interpreter", "Channel | None", str, str], None]
"""Gets the value as well."""
Wait = Callable[["Interpreter", "Channel", str], Coroutine[Any, Any, str]]
"""A Read that takes its time, in the owner of the channel; a hangup cancels it."""


class Danger(msgspec.Struct, frozen=True):
    """Whether a function lets who uses it out of the dialplan: to files, programs, what others have kept."""

    reading: bool = False
    writing: bool = False


HARMLESS = Danger()
EVERYTHING = "everything"
"""What a function lacks that is there to refuse what is asked of it."""


class Function(msgspec.Struct, frozen=True):
    """One function of the dialplan."""

    name: str
    syntax: str
    """How it is written."""
    summary: str
    """What it is, in one or two sentences."""
    read: Read | None = None
    write: Write | None = None
    wait: Wait | None = None
    """In place of `read` where the answer takes its time: for steps of the dialplan alone."""
    danger: Danger = HARMLESS
    lacks: str = ""
    """What of the documented function is not there; empty if it is complete."""

    @property
    def can_read(self) -> bool:
        return self.read is not None or self.wait is not None

    @property
    def can_set(self) -> bool:
        return self.write is not None


class DeclaredFunction(msgspec.Struct, frozen=True):
    """A function that another part of the server does: what is said of it where no server runs."""

    name: str
    syntax: str
    summary: str
    can_read: bool = True
    can_set: bool = False
    lacks: str = ""

    def done_by(self, read: Read | None = None, write: Write | None = None, wait: Wait | None = None) -> Function:
        """The function itself."""
        function = Function(self.name, self.syntax, self.summary, read, write, wait, lacks=self.lacks)
        assert (function.can_read, function.can_set) == (self.can_read, self.can_set), self.name
        return function


class Functions:
    """The functions there are, by name without case."""

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self._functions: dict[str, Function] = {}
        self.slow: frozenset[str] = frozenset()
        """The names of those that take their time."""
        for function in functions:
            self.add(function)

    def add(self, function: Function) -> None:
        """Add a function, or replace the one of its name."""
        self._functions[function.name.upper()] = function
        self._note_slow()

    def _note_slow(self) -> None:
        self.slow = frozenset(name for name, function in self._functions.items() if function.wait is not None)

    def get(self, name: str) -> Function | None:
        """A function by its name."""
        return self._functions.get(name) or self._functions.get(name.upper())

    def remove(self, name: str) -> Function | None:
        """Take a function out, and return it; None if there is none of that name."""
        removed = self._functions.pop(name.upper(), None)
        self._note_slow()
        return removed

    def __contains__(self, name: str) -> bool:
        return name.upper() in self._functions

    def __iter__(self) -> Iterator[Function]:
        return iter([self._functions[name] for name in sorted(self._functions)])

    def read(self, plan: Interpreter, channel: Channel | None, name: str, arguments: str) -> str:
        """The value of a function; raises UnknownFunction or FunctionError."""
        function = self.get(name)
        if function is None:
            raise UnknownFunction(name)
        if function.read is None:
            raise FunctionError(
                function.name,
                "can be written only" if function.wait is None else "takes its time: only a step can read it",
            )
        return function.read(plan, channel, arguments)

    def write(self, plan: Interpreter, channel: Channel | None, name: str, arguments: str, value: str) -> None:
        """Write a function; raises UnknownFunction or FunctionError."""
        function = self.get(name)
        if function is None:
            raise UnknownFunction(name)
        if function.write is None:
            raise FunctionError(function.name, "can be read only")
        function.write(plan, channel, arguments, value)


def needed(channel: Channel | None, name: str) -> Channel:
    """The channel of a function that makes no sense without one."""
    if channel is None:
        raise FunctionError(name, "needs a channel")
    return channel
