"""Registered contacts on disk, so that phones are reached after a restart without registering anew.

What changed is gathered and written a second later, all in one transaction and on another thread: a REGISTER costs the
loop a dictionary entry. Ends are kept as times of day. A crash may lose the last second of changes; a stop loses none.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from arietta.drivers.sip.location import ContactState, Location
from arietta.sip.errors import ProtocolError
from arietta.sip.flows import Flow
from arietta.sip.registrar import Binding
from arietta.sip.transactions import Address

log = logging.getLogger(__name__)

FAMILY = "sip contacts"
WRITE_AFTER_S = 1.0


class Records(Protocol):
    """Durable records by (family, key), such as `store.Store`."""

    def items(self, family: str) -> Iterator[tuple[str, Any]]:
        """The records of a family, by key."""
        ...

    def write(self, family: str, records: Mapping[str, Any]) -> None:
        """Keep many records at once, None forgets one; called from any thread."""
        ...


class KeptContact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One contact as it is kept."""

    uri: str
    ends_at: float
    """Seconds since 1970."""
    call_id: str
    cseq: int
    transport: str = ""
    """Name of the transport it was registered on."""
    protocol: str = ""
    q: float = 1.0
    parameters: tuple[tuple[str, str | None], ...] = ()
    path: tuple[str, ...] = ()
    source: Address | None = None
    user_agent: str = ""
    flow: Flow | None = None

    def binding(self, now: float, wall: float, longest_s: float) -> Binding:
        """The binding on our clock; a clock of the day that went astray makes it live no longer than `longest_s`."""
        left_s = min(self.ends_at - wall, longest_s)
        return Binding(
            self.uri, now + left_s, self.call_id, self.cseq, self.q, self.parameters, self.path, self.source,
            self.user_agent, self.flow,
        )  # fmt: skip


Change = tuple[str, tuple[tuple[Binding, str, str], ...]]
"""An address of record; each of its bindings with name and protocol of the transport."""


class ContactKeeper:
    """Writes the contacts of a location."""

    def __init__(
        self,
        location: Location,
        records: Records,
        loop: asyncio.AbstractEventLoop,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._loop = loop
        self._location, self._records, self.wall = location, records, wall
        self._changed: dict[str, None] = {}
        self._batches: deque[tuple[float, list[Change]]] = deque()
        self._writing = threading.Lock()  # batches are written in their order, by whoever
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False
        self._stopped = False

    def read(self) -> list[tuple[str, list[KeptContact]]]:
        """What was kept, by address of record; a record that nobody can read is left out."""
        found = []
        for aor, value in self._records.items(FAMILY):
            try:
                kept = msgspec.convert(value, list[KeptContact])
                found.append((aor, [contact for contact in kept if _is_usable(contact)]))
            except msgspec.ValidationError as problem:
                log.warning("the kept contacts of %s cannot be read: %s", aor, problem)
                found.append((aor, []))
        return found

    def change(self, aors: Iterable[str]) -> None:
        """The contacts of these are others now."""
        for aor in aors:
            self._changed[aor] = None
        if self._timer is None and self._changed and not self._stopped:
            self._timer = self._loop.call_later(WRITE_AFTER_S, self._write_later)

    def stop(self) -> None:
        """Write what is left, before it returns."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        changes = self._take_changes()
        try:
            self._write()
        except Exception as problem:
            log.error("contacts of %d addresses of record are not kept: %s", len(changes), problem)

    def _write_later(self) -> None:
        self._timer = None
        aors = [aor for aor, _ in self._take_changes()]
        future = self._loop.run_in_executor(None, self._write)
        future.add_done_callback(lambda done: self._written(done, aors))

    def _take_changes(self) -> list[Change]:
        """Put the contacts of what changed, as they are now, into the line of those that are to be written."""
        changes = [(aor, _bindings_of(self._location, aor)) for aor in self._changed]
        self._changed.clear()
        if changes:
            self._batches.append((self.wall() - self._loop.time(), changes))
        return changes

    def _write(self) -> None:
        """Write every batch; on any thread."""
        with self._writing:
            while self._batches:
                wall_minus_clock, changes = self._batches.popleft()
                self._records.write(FAMILY, {aor: _kept(bound, wall_minus_clock) for aor, bound in changes})

    def _written(self, done: asyncio.Future[None], aors: list[str]) -> None:
        problem = asyncio.CancelledError() if done.cancelled() else done.exception()
        if problem is None:
            self._failing = False
            return
        if not self._failing:
            log.error("registered contacts cannot be kept, which is tried again: %s", problem)
        self._failing = True
        self.change(aors)


def _bindings_of(location: Location, aor: str) -> tuple[tuple[Binding, str, str], ...]:
    state = location.aors.get(aor)
    contacts: Iterable[ContactState] = state.contacts.values() if state is not None else ()
    return tuple(
        (c.binding, c.transport.name if c.transport else "", c.transport.protocol if c.transport else "")
        for c in contacts
        if c.binding is not None
    )


def _kept(bound: tuple[tuple[Binding, str, str], ...], wall_minus_clock: float) -> list[KeptContact] | None:
    return [
        KeptContact(
            b.uri_text, round(b.expires_at + wall_minus_clock, 3), b.call_id, b.cseq, transport, protocol, b.q,
            b.parameters, b.path, b.source, b.user_agent, b.flow,
        )
        for b, transport, protocol in bound
    ] or None  # fmt: skip


def _is_usable(contact: KeptContact) -> bool:
    binding = contact.binding(0.0, 0.0, 0.0)
    try:
        _ = binding.uri
    except ProtocolError:
        return False
    return True
