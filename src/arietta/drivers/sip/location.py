"""Where endpoints can be reached: the contacts of every address of record, and whether they answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from arietta.config.pjsip import Aor
from arietta.sip.dialogs import literal_address
from arietta.sip.message import Request
from arietta.sip.registrar import Binding, Rules, Update, expire, register
from arietta.sip.transactions import Address, Transport

UNKNOWN, REACHABLE, UNREACHABLE, NONQUALIFIED = "Unknown", "Reachable", "Unreachable", "NonQualified"


@dataclass(slots=True)
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
    polling: bool = False

    @property
    def usable(self) -> bool:
        """Whether a call may be tried: everything but a contact that did not answer its poll."""
        return self.status != UNREACHABLE

    @property
    def source(self) -> Address | None:
        """Where the REGISTER came from."""
        return self.binding.source if self.binding is not None else None


@dataclass(slots=True)
class AorState:
    """One address of record."""

    settings: Aor
    contacts: dict[str, ContactState] = field(default_factory=dict)
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
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What a REGISTER or the passing of time did to contacts."""

    update: Update | None
    added: tuple[ContactState, ...] = ()
    refreshed: tuple[ContactState, ...] = ()
    removed: tuple[ContactState, ...] = ()


class Location:
    """The contacts of every address of record."""

    def __init__(self) -> None:
        self.aors: dict[str, AorState] = {}

    def configure(self, aors: dict[str, Aor]) -> None:
        """Take the configured addresses of record; registered contacts of those that stay are kept."""
        former = self.aors
        self.aors = {}
        for name, settings in aors.items():
            state = former.get(name) or AorState(settings)
            state.settings = settings
            contacts = {uri: contact for uri, contact in state.contacts.items() if not contact.permanent}
            first = UNKNOWN if settings.qualify_frequency else NONQUALIFIED
            for uri in settings.contact:
                contacts[uri] = state.contacts.get(uri) or ContactState(uri, name, first, permanent=True)
            state.contacts = contacts
            self.aors[name] = state

    def contacts(self, aors: tuple[str, ...]) -> list[ContactState]:
        """The contacts of some addresses of record, permanent ones first."""
        found = [c for name in aors if name in self.aors for c in self.aors[name].contacts.values()]
        return sorted(found, key=lambda contact: not contact.permanent)

    def register(self, aor: str, request: Request, now: float, source: Address, transport: Transport) -> Changes:
        """Apply a REGISTER to an address of record."""
        state = self.aors[aor]
        update = register(state.bindings, request, state.rules, now, source=source)
        state.bindings = update.bindings
        first = UNKNOWN if state.settings.qualify_frequency else NONQUALIFIED
        added, refreshed = [], []
        for binding in update.added:
            contact = ContactState(binding.uri_text, aor, first, binding=binding, transport=transport)
            state.contacts[binding.uri_text] = contact
            added.append(contact)
        for binding in update.refreshed:
            old = next((c for c in state.contacts.values() if c.binding and c.binding.uri == binding.uri), None)
            if old is not None:
                state.contacts.pop(old.uri, None)
                old.uri, old.binding, old.transport = binding.uri_text, binding, transport
                state.contacts[old.uri] = old
                refreshed.append(old)
        return Changes(update, tuple(added), tuple(refreshed), self._remove(state, update.removed))

    def lose(self, aor: str, transport: Transport, source: Address) -> Changes:
        """A connection has ended. A contact that names the address it was registered from, or none that can be
        connected to, is taken away; another is reached by its own URI from now on."""
        state = self.aors.get(aor)
        if state is None:
            return Changes(None)
        gone = []
        for contact in tuple(state.contacts.values()):
            binding = contact.binding
            if binding is None or binding.source != source or contact.transport is None:
                continue
            if contact.transport.name != transport.name:
                continue
            if transport.protocol in ("WS", "WSS") or literal_address(binding.uri) in (None, source):
                gone.append(binding)
            else:
                kept = msgspec.structs.replace(binding, source=None)
                state.bindings = tuple(kept if one is binding else one for one in state.bindings)
                contact.binding = kept
        state.bindings = tuple(one for one in state.bindings if all(one is not other for other in gone))
        return Changes(None, removed=self._remove(state, tuple(gone)))

    def expire(self, now: float) -> Changes:
        """Take away the contacts whose time is over."""
        removed: list[ContactState] = []
        for state in self.aors.values():
            if state.bindings:
                state.bindings, ended = expire(state.bindings, now)
                removed.extend(self._remove(state, ended))
        return Changes(None, removed=tuple(removed))

    def next_expiry(self) -> float | None:
        """When the next contact ends."""
        return min((b.expires_at for state in self.aors.values() for b in state.bindings), default=None)

    def _remove(self, state: AorState, bindings: tuple[Binding, ...]) -> tuple[ContactState, ...]:
        gone = []
        for binding in bindings:
            contact = state.contacts.pop(binding.uri_text, None)
            if contact is not None:
                gone.append(contact)
        return tuple(gone)
