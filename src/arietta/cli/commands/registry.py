"""The console's commands: how they are declared, found by their abbreviated words, run, completed and explained."""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from arietta.asterisk.absent import why_absent
from arietta.config.conf import ConfigError
from arietta.errors import AriettaError

if TYPE_CHECKING:
    from arietta.cli.switch import Switch
    from arietta.logs import Logs

UNLIMITED = 1000


class Console(msgspec.Struct, frozen=True):
    """What a command works on: the server, its logs, and the commands themselves."""

    switch: Switch
    logs: Logs
    commands: Commands


class CommandError(AriettaError):
    """A command that cannot be carried out; the text is the answer."""


Answer = str
Handler = Callable[[Console, list[str]], "Answer | Awaitable[Answer]"]
Completer = Callable[[Console, list[str]], Iterable[str]]


class Command(msgspec.Struct, frozen=True):
    """One command: its fixed words, how many arguments may follow, and what it does."""

    words: tuple[str, ...]
    summary: str
    handler: Handler
    syntax: str = ""
    """The arguments, as usage shows them."""
    least: int = 0
    most: int = 0
    complete: Completer | None = None
    """Values for the next argument, given those before it."""
    lacks: str = ""
    """What of Asterisk's command is not there; empty if it is complete."""

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def usage(self) -> str:
        return f"{self.name} {self.syntax}".rstrip()


class Reply(msgspec.Struct, frozen=True):
    """The output of a command line; status 0 means that it was carried out."""

    output: str
    status: int = 0


class Commands:
    """Every command, found by unique beginnings of its words; the iterable is read when the first one is wanted."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._given = commands

    @functools.cached_property
    def _commands(self) -> list[Command]:
        return sorted(self._given, key=lambda command: command.words)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def beginning_with(self, words: Sequence[str]) -> list[Command]:
        """The commands whose words begin with the given ones, which may be abbreviated."""
        found = self._commands
        for position, word in enumerate(words):
            found = _narrow([c for c in found if position < len(c.words)], position, word)
        return found

    def find(self, words: Sequence[str]) -> tuple[Command, list[str]]:
        """The command a line means and its arguments; CommandError if it means none, or several."""
        line = " ".join(words)
        matching = self._commands
        complete: list[Command] = []
        for position, word in enumerate(words):
            narrowed = _narrow([c for c in matching if position < len(c.words)], position, word)
            if not narrowed:
                break
            matching = narrowed
            complete = [c for c in matching if len(c.words) == position + 1] or complete
        else:
            if not complete:
                names = "\n".join(f"  {command.usage}" for command in matching)
                raise CommandError(f"'{line}' is only the beginning of a command:\n{names}")
        if not complete:
            reason = _why_absent(words)
            if reason:
                raise CommandError(reason)
            other = f"type 'core show help {words[0]}' for other possible commands"
            raise CommandError(f"No such command '{line}' ({other})")
        fitting = [c for c in complete if c.least <= len(words) - len(c.words) <= c.most]
        if len(fitting) > 1 or (not fitting and len(complete) > 1):
            names = ", ".join(command.name for command in fitting or complete)
            raise CommandError(f"'{line}' can mean: {names}")
        if not fitting:
            raise CommandError(f"Usage: {complete[0].usage}")
        return fitting[0], list(words[len(fitting[0].words) :])

    async def run(self, console: Console, line: str) -> Reply:
        """Carry out one line."""
        try:
            words = shlex.split(line)
        except ValueError as failure:
            return Reply(f"The line cannot be read: {str(failure).lower()}", 1)
        if not words:
            return Reply("")
        try:
            command, arguments = self.find(words)
            answer = command.handler(console, arguments)
            if inspect.isawaitable(answer):
                answer = await answer
        except ConfigError as refusal:
            problems = "\n".join(f"  {problem}" for problem in refusal.problems)
            return Reply(f"The configuration is refused, the one in force stays:\n{problems}", 1)
        except AriettaError as refusal:
            return Reply(str(refusal), 1)
        return Reply(answer)

    def complete(self, console: Console, text: str) -> list[str]:
        """What the last word of `text` can become; a text that ends in a space asks for the word after it."""
        words = text.split()
        begun = "" if not words or text[-1].isspace() else words.pop()
        found: set[str] = set()
        meant = self._commands
        for position, word in enumerate(words):
            ended = [c for c in meant if position >= len(c.words)]  # for them the word is an argument
            meant = ended + _narrow([c for c in meant if position < len(c.words)], position, word)
        for command in meant:
            size = len(command.words)
            if len(words) < size:
                found.add(command.words[len(words)])
            elif command.complete is not None and len(words) - size < command.most:
                found.update(command.complete(console, words[size:]))
        wanted = begun.lower()
        return sorted(word for word in found if word.lower().startswith(wanted))


def _why_absent(words: Sequence[str]) -> str:
    """Why a command of Asterisk is not here, with however many arguments; "" for what is none."""
    for size in range(len(words), 0, -1):
        name = " ".join(words[:size]).lower()
        reason = why_absent("commands", name)
        if reason:
            return f"'{name}' is not supported: {reason}"
    return ""


def _narrow(commands: list[Command], position: int, word: str) -> list[Command]:
    """The commands whose word at a position is `word`, or else begins with it."""
    word = word.lower()
    exact = [c for c in commands if c.words[position] == word]
    return exact or [c for c in commands if c.words[position].startswith(word)]
