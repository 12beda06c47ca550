"""How an action is declared: its name, who may ask for it, its headers; the lists and the pages are made from this.

An action is a function that gets a `Call` and returns a `Reply`, at once or later. What cannot be is raised as
`arietta.errors.AriettaError`, whose text is the message of the error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from arietta.channels.channel import Channel
from arietta.config.regexes import Regex
from arietta.errors import BadRequest, NotFound
from arietta.manager.message import Action, Headers, ManagerEvent

if TYPE_CHECKING:
    from arietta.manager.domain import Domain
    from arietta.manager.session import Session

MAX_NUMBER_LENGTH = 10


class Reply(msgspec.Struct, frozen=True):
    """The answer to an action: a response, and the events that belong to it, which are for this session alone."""

    headers: Headers = ()
    response: str = "Success"
    events: tuple[ManagerEvent, ...] = ()
    heard: tuple[ManagerEvent, ...] = ()
    """Events that happened, and are told before those."""


SILENT = Reply(response="")
"""No answer at all."""


class Call(msgspec.Struct, frozen=True):
    """One action that a session asks for."""

    action: Action
    session: Session
    domain: Domain

    def get(self, name: str, default: str = "") -> str:
        """A header, empty if it was not given."""
        return self.action.get(name, default)

    def need(self, name: str, message: str = "") -> str:
        """A header that must be given."""
        value = self.action.get(name)
        if not value:
            raise BadRequest(message or f"{name} not specified")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A header that is a whole number within limits."""
        text = self.action.get(name)
        if not text:
            return default
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= MAX_NUMBER_LENGTH and least <= int(text) <= most:
            return int(text)
        raise BadRequest(f"{name} {text[:40]!r} is not a number in {least}..{most}")

    def flag(self, name: str, default: bool = False) -> bool:
        """A header that is yes or no in any of Asterisk's words; anything else is no."""
        text = self.action.get(name)
        return text.lower() in ("yes", "true", "y", "t", "1", "on") if text else default

    def channel(self, name: str = "Channel", missing: str = "No channel specified") -> Channel:
        """The living channel that a header names."""
        text = self.need(name, missing)
        found = self.domain.channels.find(text)
        if found is None:
            raise NotFound("No such channel")
        return found


Handler = Callable[[Call], "Reply | Awaitable[Reply]"]
Handling = TypeVar("Handling", bound=Handler)


class Declared(msgspec.Struct, frozen=True):
    """One action."""

    name: str
    summary: str
    """What it does, in a sentence."""
    headers: tuple[tuple[str, str], ...]
    """Its headers: those in brackets may be left out; the second is what it means."""
    write: tuple[str, ...]
    """The kinds of actions of which a user must be allowed one; empty for everybody who is logged in."""
    lacks: str
    """What of the documented action is not there; empty if it is complete."""
    handler: Handler

    @property
    def privilege(self) -> str:
        """As ListCommands shows it."""
        return f"{','.join(self.write)},all" if self.write else "<none>"

    @property
    def syntax(self) -> str:
        """The action as a client writes it."""
        lines = [f"Action: {self.name}", "[ActionID:] <value>"]
        lines += [f"{name.removesuffix(']')}:{']' * name.endswith(']')} <value>" for name, _ in self.headers]
        return "\n".join(lines)


ACTIONS: dict[str, Declared] = {}
"""Every action by its name in lower case."""


def action(
    name: str, summary: str, *headers: tuple[str, str], write: str = "", lacks: str = ""
) -> Callable[[Handling], Handling]:
    """Declare an action; `write` has the kinds between commas."""

    def declare(handler: Handling) -> Handling:
        assert name.lower() not in ACTIONS, name
        kinds = tuple(write.split(",")) if write else ()
        ACTIONS[name.lower()] = Declared(name, summary, headers, kinds, lacks, handler)
        return handler

    return declare


def regex(pattern: str) -> Regex:
    """An expression of a client; raises BadRequest with what is wrong with it."""
    try:
        return Regex(pattern)
    except ValueError as problem:
        raise BadRequest(f"Regex compile failed: {problem}") from None


def success(message: str = "", *headers: tuple[str, str]) -> Reply:
    """It was done."""
    return Reply(((("Message", message), *headers)) if message else headers)


def failure(message: str) -> Reply:
    """It cannot be done, and why."""
    return Reply((("Message", message),), "Error")


def listing(
    message: str, items: Iterable[ManagerEvent], complete: str, *more: tuple[str, str], ending: Headers = ()
) -> Reply:
    """A list: the response that announces it, an event for each item, and the one that ends it."""
    events = tuple(items)
    last = ManagerEvent(complete, "", (("EventList", "Complete"), ("ListItems", str(len(events))), *ending))
    return Reply((("EventList", "start"), ("Message", message), *more), events=(*events, last))


def item(name: str, *headers: tuple[str, str | int], privilege: str = "") -> ManagerEvent:
    """One item of a list."""
    return ManagerEvent(name, privilege, tuple((header, str(value)) for header, value in headers))
