"""Where endpoints can be reached: the contacts of every address of record, and whether they answer."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from arietta.config.pjsip import Aor
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.message import Request
from arietta.sip.registrar import Binding, Rules, Update, register
from arietta.sip.transactions import Address, Transport

if TYPE_CHECKING:
    from arietta.drivers.sip.polls import Poll

UNKNOWN, REACHABLE, UNREACHABLE, NONQUALIFIED = "Unknown", "Reachable", "Unreachable", "NonQualified"
STALE_ENTRIES = 1000
"""Entries of contacts that are gone which may wait in the heap before it is made anew."""


@dataclass(slots=True, eq=False)
class ContactState:
    """One contact: its URI, how it was heard of, and what the last poll said."""

    uri: str
    aor: str
    status: str = NONQUALIFIED
    permanent: bool = False
    binding: Binding | None = None
    transport: Transport | None = None
    roundtrip_usec: int | None = None
    next_poll_at: float = 0.0
    poll: Poll | None = None
    """The question that is under way."""
    due_at: float | None = None
    """When the location looks at it next."""

    @property
    def key(self) -> str:
        """What tells it from the other contacts of its address of record."""
        return self.binding.key if self.binding is not None else self.uri

    @property
    def usable(self) -> bool:
        """Whether a call may be tried: everything but a contact that did not answer its poll."""
        return self.status != UNREACHABLE

    @property
    def source(self) -> Address | None:
        """Where the REGISTER came from."""
        return self.binding.source if self.binding is not None else None

    @property
    def flow(self) -> Address | None:
        """Where its requests go whatever its URI says: the connection, or the flow of UDP, that registered it."""
        binding = self.binding
        if binding is None or self.transport is None:
            return None
        is_flow = self.transport.reliable or (binding.flow is not None and not binding.path)
        return binding.source if is_flow else None

    @property
    def route_set(self) -> tuple[str, ...]:
        """The Route values of requests to it (RFC 3327 5.3)."""
        return self.binding.path if self.binding is not None else ()


@dataclass(slots=True)
class AorState:
    """One address of record."""

    settings: Aor
    contacts: dict[str, ContactState] = field(default_factory=dict)
    """By their keys."""
    bindings: tuple[Binding, ...] = ()

    @property
    def rules(self) -> Rules:
        """What the configuration allows a REGISTER."""
        return Rules(
            default_expiration=self.settings.default_expiration,
            minimum_expiration=self.settings.minimum_expiration,
            maximum_expiration=self.settings.maximum_expiration,
            max_contacts=self.settings.max_contacts,
            remove_existing=self.settings.remove_existing,
            remove_unavailable=self.settings.remove_unavailable,
            support_path=self.settings.support_path,
        )

    @property
    def unreachable_contacts(self) -> frozenset[str]:
        """The keys of contacts that make room for others, where the configuration wants that."""
        if not self.settings.remove_unavailable:
            return frozenset()
        return frozenset(key for key, contact in self.contacts.items() if not contact.usable)

    @property
    def first_status(self) -> str:
        """The status of a contact that was never polled."""
        return UNKNOWN if self.settings.qualify_frequency else NONQUALIFIED


@dataclass(frozen=True, slots=True)
class Changes:
    """What a REGISTER or the passing of time did to contacts."""

    update: Update | None
    added: tuple[ContactState, ...] = ()
    refreshed: tuple[ContactState, ...] = ()
    removed: tuple[ContactState, ...] = ()


class Location:
    """The contacts of every address of record.

    Each contact that will end or is polled waits in a heap for its time. A REGISTER that moves its end leaves the
    entry where it is: when that comes up, the contact is put back for its new time. So a refresh costs the same
    however many contacts there are.
    """

    def __init__(self) -> None:
        self.aors: dict[str, AorState] = {}
        self._due: list[tuple[float, int, ContactState]] = []
        self._stale = 0
        self._numbers = itertools.count()

    def configure(self, aors: dict[str, Aor]) -> tuple[str, ...]:
        """Take the configured addresses of record; registered contacts of those that stay are kept.

        Returns those that are gone with their contacts.
        """
        former = self.aors
        self.aors = {}
        for name, settings in aors.items():
            state = former.get(name) or AorState(settings)
            state.settings = settings
            contacts = {uri: contact for uri, contact in state.contacts.items() if not contact.permanent}
            for uri in settings.contact:
                contacts[uri] = state.contacts.get(uri) or ContactState(uri, name, state.first_status, permanent=True)
            state.contacts = contacts
            self.aors[name] = state
        self._reschedule()
        return tuple(name for name, state in former.items() if state.bindings and name not in aors)

    def contacts(self, aors: tuple[str, ...]) -> list[ContactState]:
        """The contacts of some addresses of record, permanent ones first."""
        found = [c for name in aors if name in self.aors for c in self.aors[name].contacts.values()]
        return sorted(found, key=lambda contact: not contact.permanent)

    def register(self, aor: str, request: Request, now: float, source: Address, transport: Transport) -> Changes:
        """Apply a REGISTER to an address of record."""
        state = self.aors[aor]
        update = register(
            state.bindings, request, state.rules, now, source=source, unavailable=state.unreachable_contacts
        )
        state.bindings = update.bindings
        added = tuple(self._add(aor, binding, transport) for binding in update.added)
        refreshed = []
        for binding in update.refreshed:
            old = next((c for c in state.contacts.values() if c.binding and c.binding.is_renewed_by(binding)), None)
            if old is not None:
                state.contacts.pop(old.key, None)
                old.uri, old.binding, old.transport = binding.uri_text, binding, transport
                state.contacts[old.key] = old
                self._schedule(old)
                refreshed.append(old)
        return Changes(update, added, tuple(refreshed), self._remove(state, update.removed))

    def restore(self, aor: str, binding: Binding, transport: Transport | None, poll_at: float) -> ContactState | None:
        """Take a contact that was known before the start; None where the configuration has no place for it now."""
        state = self.aors.get(aor)
        if state is None or len(state.bindings) >= state.settings.max_contacts or binding.key in state.contacts:
            return None
        state.bindings += (binding,)
        return self._add(aor, binding, transport, poll_at)

    def lose(self, aor: str, transport: Transport, source: Address) -> Changes:
        """A connection has ended, or a flow of UDP.

        A contact that is a flow, that names the address it was registered from, or none that can be connected to, is
        taken away; another is reached by its own URI from now on.
        """
        state = self.aors.get(aor)
        if state is None:
            return Changes(None)
        gone = []
        for contact in tuple(state.contacts.values()):
            binding = contact.binding
            if binding is None or binding.source != source or contact.transport is None:
                continue
            if contact.transport.name != transport.name or not (transport.reliable or binding.flow):
                continue
            kept = without_connection(binding, transport.protocol)
            if kept is None:
                gone.append(binding)
            else:
                state.bindings = tuple(kept if one is binding else one for one in state.bindings)
                contact.binding = kept
        state.bindings = tuple(one for one in state.bindings if all(one is not other for other in gone))
        return Changes(None, removed=self._remove(state, tuple(gone)))

    # ---------------------------------------------------------------------------------------------- what time does

    def advance(self, now: float) -> tuple[Changes, list[ContactState]]:
        """Take away the contacts whose time is over; with them those that are to be polled now."""
        ended: list[ContactState] = []
        polled: list[ContactState] = []
        while self._due and self._due[0][0] <= now:
            at, _, contact = heapq.heappop(self._due)
            state = self._state_of(contact)
            if state is None or contact.due_at != at:
                self._stale = max(0, self._stale - 1)
                continue
            contact.due_at = None
            if contact.binding is not None and contact.binding.expires_at <= now:
                state.bindings = tuple(one for one in state.bindings if one is not contact.binding)
                ended += self._remove(state, (contact.binding,))
                continue
            frequency = state.settings.qualify_frequency
            if frequency and contact.next_poll_at <= now:
                contact.next_poll_at = now + frequency
                polled.append(contact)
            self._schedule(contact)
        return Changes(None, removed=tuple(ended)), polled

    def spread_polls(self, now: float, within_s: float) -> None:
        """Poll every contact first within a time, or that between its polls if it is shorter, one after the other."""
        polled = [
            c for state in self.aors.values() if state.settings.qualify_frequency for c in state.contacts.values()
        ]
        if not within_s or not polled:
            return
        for number, contact in enumerate(polled):
            most = min(within_s, float(self.aors[contact.aor].settings.qualify_frequency))
            contact.next_poll_at = now + most * number / len(polled)
        self._reschedule()

    def next_due(self) -> float | None:
        """When `advance` is wanted, None for never; it may be that nothing is to do then."""
        return self._due[0][0] if self._due else None

    def _schedule(self, contact: ContactState) -> None:
        state = self.aors[contact.aor]
        at = contact.binding.expires_at if contact.binding is not None else None
        if state.settings.qualify_frequency and (at is None or contact.next_poll_at < at):
            at = contact.next_poll_at
        if at is None or (contact.due_at is not None and contact.due_at <= at):
            return
        had_entry, contact.due_at = contact.due_at is not None, at
        if had_entry:
            self._drop_entry()
        heapq.heappush(self._due, (at, next(self._numbers), contact))

    def _drop_entry(self) -> None:
        """An entry of the heap means nothing any more; they are not let outnumber the others."""
        self._stale += 1
        if self._stale > STALE_ENTRIES and self._stale * 2 > len(self._due):
            self._due = [entry for entry in self._due if self._state_of(entry[2]) and entry[2].due_at == entry[0]]
            heapq.heapify(self._due)
            self._stale = 0

    def _reschedule(self) -> None:
        self._due.clear()
        self._stale = 0
        for state in self.aors.values():
            for contact in state.contacts.values():
                contact.due_at = None
                self._schedule(contact)

    # --------------------------------------------------------------------------------------------------- one contact

    def _state_of(self, contact: ContactState) -> AorState | None:
        """The address of record that has the contact, None if it is gone."""
        state = self.aors.get(contact.aor)
        return state if state is not None and state.contacts.get(contact.key) is contact else None

    def _add(self, aor: str, binding: Binding, transport: Transport | None, poll_at: float = 0.0) -> ContactState:
        state = self.aors[aor]
        contact = ContactState(binding.uri_text, aor, state.first_status, binding=binding, transport=transport)
        contact.next_poll_at = poll_at
        state.contacts[binding.key] = contact
        self._schedule(contact)
        return contact

    def _remove(self, state: AorState, bindings: Iterable[Binding]) -> tuple[ContactState, ...]:
        gone = []
        for binding in bindings:
            contact = state.contacts.pop(binding.key, None)
            if contact is None:
                continue
            gone.append(contact)
            if contact.due_at is not None:
                self._drop_entry()
        return tuple(gone)


def without_connection(binding: Binding, protocol: str) -> Binding | None:
    """What is left of a contact whose connection has ended (RFC 5626 5.3); None if nothing is, as of a flow.

    It is reached by its own URI, or that of the first proxy, if it names an address other than the one it was
    registered from.
    """
    if binding.flow is not None or protocol in ("WS", "WSS"):
        return None
    if literal_address(next_hop(binding.path, binding.uri)) in (None, binding.source):
        return None
    return msgspec.structs.replace(binding, source=None)
