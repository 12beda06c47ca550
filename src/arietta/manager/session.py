"""One client of the manager interface: who it is, what it may ask and hear, and its actions one after the other.

Sans-IO: what carries a session, a connection or HTTP, gives it actions and takes what `perform` returns; events come
by `deliver`, from the hub.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import msgspec

from arietta.config.event_filter import EventFilter, passes
from arietta.config.manager import CLASSES, EVERYTHING, ManagerUser
from arietta.errors import AriettaError
from arietta.manager.declared import ACTIONS, SILENT, Call, Declared, Reply, failure
from arietta.manager.message import Action, ManagerEvent, encode_event, encode_response
from arietta.manager.refused import why_not
from arietta.model import facts

if TYPE_CHECKING:
    from arietta.manager.hub import Hub

log = logging.getLogger(__name__)

BEFORE_LOGIN = frozenset(("login", "logoff", "challenge"))
MAX_FILTERED_CHARACTERS = 16384
"""Of an event that are shown to a filter."""
MAX_FILTERS = 100
SECRETS = frozenset(("secret", "key", "password"))
NOBODY = ManagerUser()


class Encoded:
    """An event on its way to the sessions: its bytes are made once, and its text only where somebody filters."""

    __slots__ = ("_text", "data", "event")

    def __init__(self, event: ManagerEvent, data: bytes) -> None:
        self.event = event
        self.data = data
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The event as it is written."""
        if self._text is None:
            self._text = self.data.decode("utf-8", "replace")[:MAX_FILTERED_CHARACTERS].replace("\r\n", "\n")
        return self._text


class Session:
    """One client."""

    def __init__(self, hub: Hub, host: str, port: int, transport: str) -> None:
        """`transport` is TCP, TLS or HTTP."""
        self.hub = hub
        self.host = host
        self.port = port
        self.transport = transport
        self.name = ""
        """Who is logged in; empty before."""
        self.user: ManagerUser = NOBODY
        self.since = time.time()
        self.challenge = ""
        self.mask: frozenset[str] = EVERYTHING
        """The kinds of events that the client wants."""
        self.reads: frozenset[str] = frozenset()
        """Those of them that the user may hear."""
        self.filters: tuple[EventFilter, ...] = ()
        self.waiting: deque[bytes] = deque()
        """What goes out next."""
        self.kept: deque[ManagerEvent] = deque()
        """Events that wait for WaitEvent, where no connection takes them."""
        self.waiting_bytes = 0
        self.events_sent = 0
        self.ended = False
        self.overflowed = False
        self.refused = False
        """A login failed: nothing is listened to any more."""
        self.is_bound = transport != "HTTP"
        """Whether a connection carries it as long as it lives."""
        self._heard: asyncio.Future[None] | None = None

    def __str__(self) -> str:
        return f"'{self.name or 'nobody'}' from {self.address}"

    @property
    def address(self) -> str:
        """Where the client is."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_logged_in(self) -> bool:
        """Whether somebody is."""
        return bool(self.name)

    # ------------------------------------------------------------------------------------------------- actions

    def perform(self, action: Action) -> Reply | Awaitable[Reply]:
        """Carry out one action; a refusal is a reply too. One that takes its time comes later: ask no other before."""
        name = action.name
        if self.hub.settings.general.debug:
            log.debug("< %s %s", self, _masked(action))
        if not name:
            return failure("Missing action in request")
        if not self.is_logged_in and name.lower() not in BEFORE_LOGIN:
            return failure("Permission denied")
        declared = ACTIONS.get(name.lower())
        if declared is None:
            otherwise = f"{name[:80]}. Use Action: ListCommands to show available commands."
            return failure(f"Invalid/unknown command: {why_not(name) or otherwise}")
        if declared.write and not self.user.writes.intersection(declared.write):
            self.hub.tell_security(facts.RequestNotAllowed, self, request_type=f"Action: {declared.name}")
            return failure("Permission denied")
        try:
            reply = declared.handler(Call(action, self, self.hub.domain))
        except AriettaError as refusal:
            return failure(str(refusal))
        except Exception:
            log.exception("the action %s of %s failed", declared.name, self)
            return failure("Internal error; the server's log tells why")
        return reply if isinstance(reply, Reply) else self._later(declared, reply)

    async def _later(self, declared: Declared, reply: Awaitable[Reply]) -> Reply:
        try:
            return await reply
        except AriettaError as refusal:
            return failure(str(refusal))
        except Exception:
            log.exception("the action %s of %s failed", declared.name, self)
            return failure("Internal error; the server's log tells why")

    def answer(self, action_id: str, reply: Reply) -> None:
        """Let a reply go out, with the events that belong to it."""
        if reply is SILENT:
            return
        self.put(encode_response(reply.response, action_id, reply.headers))
        for event in reply.heard:
            self.put(encode_event(event))
        for event in reply.events:
            self.put(self.encode_own(event, action_id))

    def encode_own(self, event: ManagerEvent, action_id: str) -> bytes:
        """An event that answers an action of this session."""
        if action_id:
            event = msgspec.structs.replace(event, headers=(("ActionID", action_id), *event.headers))
        return encode_event(event)

    # -------------------------------------------------------------------------------------------------- events

    def log_in(self, name: str, user: ManagerUser, mask: str) -> None:
        """Be this user from now on."""
        self.name = name
        self.user = user
        self.filters = user.filters
        wanted = mask_of(mask) if mask else EVERYTHING
        self.wants(frozenset() if wanted is None else wanted)

    def wants(self, mask: frozenset[str]) -> None:
        """Hear events of these kinds, as far as the user may; the hub is to sort its sessions after that."""
        self.mask = mask
        self.reads = mask & self.user.reads

    def deliver(self, encoded: Encoded) -> None:
        """Take an event of a kind that the session reads, unless a filter is against it."""
        filters = self.filters
        if filters:
            event = encoded.event
            if not passes(filters, event.name, event.headers, encoded.text):
                return
        self.events_sent += 1
        if self.is_bound:
            self.put(encoded.data)
        else:
            self._keep(encoded)
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)

    def _keep(self, encoded: Encoded) -> None:
        """Keep an event until it is asked for; a client that never asks is let go."""
        self.kept.append(encoded.event)
        self.waiting_bytes += len(encoded.data)
        if self.waiting_bytes > self.hub.settings.general.queue_bytes:
            self.overflowed = True
            self.end()

    async def hear(self, timeout: float | None) -> tuple[ManagerEvent, ...]:
        """The events that are kept; where there are none, wait for one, at most so many seconds."""
        if not self.kept and not self.ended:
            loop = self.hub.domain.channels.loop
            if self._heard is not None:  # one that waits already has its answer now
                _wake(self._heard)
            heard = self._heard = loop.create_future()
            timer = loop.call_later(timeout, _wake, heard) if timeout is not None else None
            try:
                await heard
            finally:
                if self._heard is heard:
                    self._heard = None
                if timer is not None:
                    timer.cancel()
        events = tuple(self.kept)
        self.kept.clear()
        if not self.is_bound:
            self.waiting_bytes = 0
        return events

    def put(self, data: bytes) -> None:
        """Let bytes go out after those that wait; a client that reads too slowly is let go."""
        if self.ended:
            return
        self.waiting.append(data)
        self.waiting_bytes += len(data)
        if self.waiting_bytes > self.hub.settings.general.queue_bytes:
            self.overflowed = True
            self.end()
            return
        self.hub.wake(self)

    def take(self) -> bytes:
        """What waits to go out, as one piece."""
        data = b"".join(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0
        return data

    def end(self) -> None:
        """Hear nothing any more."""
        if self.ended:
            return
        self.ended = True
        if self.overflowed:
            log.warning(
                "the manager session of %s is closed: %d bytes wait for it, %d may",
                *(self, self.waiting_bytes, self.hub.settings.general.queue_bytes),
            )
            self.waiting.clear()
            self.kept.clear()
            self.waiting_bytes = 0
        if self._heard is not None:
            _wake(self._heard)
        self.hub.wake(self)
        self.hub.forget(self)


def _wake(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)


def mask_of(text: str) -> frozenset[str] | None:
    """The kinds that an event mask wants: on, off, kinds between commas, or a sum of their numbers.

    None if it is none of these.
    """
    word = text.strip().lower()
    if word in ("on", "yes", "true", "all", "-1"):
        return EVERYTHING
    if word in ("off", "no", "false", "none", "0"):
        return frozenset()
    if word.isascii() and word.isdigit() and len(word) <= 10:
        return frozenset(name for bit, name in enumerate(CLASSES) if int(word) >> bit & 1)
    words = frozenset(part.strip() for part in word.split(","))
    if not words & (EVERYTHING | {"all"}):
        return None
    return EVERYTHING if "all" in words else words & EVERYTHING


def _masked(action: Action) -> str:
    """An action for the log, without what is secret."""
    return ", ".join(f"{name}: {'***' if name.lower() in SECRETS else value[:200]}" for name, value in action.headers)
