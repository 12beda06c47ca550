"""Device states that applications set, and mailboxes: durable, and told to who watches."""

from __future__ import annotations

from arietta.bus import Bus
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict, NotFound
from arietta.model import events, snapshots
from arietta.model.times import wire_now
from arietta.store import Store

PREFIX = "stasis:"
FAMILY = "device state"
MAILBOX_FAMILY = "mailbox"
NO_STATE = "INVALID"
UNKNOWN = "UNKNOWN"


class DeviceStates:
    """The state of any device: those of ``Stasis:`` are kept here, the others are their driver's."""

    def __init__(self, bus: Bus, channels: ChannelRegistry, store: Store) -> None:
        self._bus = bus
        self._channels = channels
        self._store = store
        self._states: dict[str, str] = {str(name): str(state) for name, state in store.items(FAMILY)}

    def list(self) -> list[snapshots.DeviceState]:
        """The devices that applications have set."""
        return [snapshots.DeviceState(name=n, state=s) for n, s in sorted(self._states.items())]  # type: ignore[arg-type]

    def get(self, name: str) -> snapshots.DeviceState:
        """The state of a device; INVALID or UNKNOWN where there is none."""
        state: str | None
        if is_ours(name):
            state = self._states.get(_canonical(name), UNKNOWN)
        else:
            technology, slash, resource = name.partition("/")
            driver = self._channels.driver(technology) if slash else None
            state = driver.device_state(resource) if driver is not None else None
            if state is None:
                state = NO_STATE
        return snapshots.DeviceState(name=name, state=state)  # type: ignore[arg-type]

    def update(self, name: str, state: str) -> None:
        """Set the state of a ``Stasis:`` device; DeviceStateChanged goes out if it is another."""
        key = self._need_ours(name)
        if self._states.get(key) != state:
            self._states[key] = state
            self._store.put(FAMILY, key, state)
            self._announce(key, state)

    def delete(self, name: str) -> None:
        """Forget a ``Stasis:`` device; none is fine."""
        key = self._need_ours(name)
        if self._states.pop(key, None) is not None:
            self._store.delete(FAMILY, key)

    def _need_ours(self, name: str) -> str:
        if not is_ours(name):
            raise Conflict(f"device {name!r} is not one of Stasis: and cannot be set")
        if not name[len(PREFIX) :]:
            raise NotFound(f"device name {name!r} is empty")
        return _canonical(name)

    def _announce(self, name: str, state: str) -> None:
        device_state = snapshots.DeviceState(name=name, state=state)  # type: ignore[arg-type]
        self._bus.publish(
            events.DeviceStateChanged(timestamp=wire_now(), device_state=device_state),
            (f"deviceState:{name}", "deviceState:"),
        )


def is_ours(name: str) -> bool:
    """Whether applications may set the device."""
    return name.lower().startswith(PREFIX)


def _canonical(name: str) -> str:
    return "Stasis:" + name[len(PREFIX) :]


class Mailboxes:
    """Counts of waiting messages by mailbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[snapshots.Mailbox]:
        """All mailboxes."""
        return [_mailbox(name, counts) for name, counts in self._store.items(MAILBOX_FAMILY)]

    def get(self, name: str) -> snapshots.Mailbox:
        """One mailbox."""
        counts = self._store.get(MAILBOX_FAMILY, name)
        if counts is None:
            raise NotFound(f"mailbox {name!r} does not exist")
        return _mailbox(name, counts)

    def update(self, name: str, old_messages: int, new_messages: int) -> None:
        """Make or change a mailbox."""
        self._store.put(MAILBOX_FAMILY, name, [old_messages, new_messages])

    def delete(self, name: str) -> None:
        """Forget a mailbox."""
        if not self._store.delete(MAILBOX_FAMILY, name):
            raise NotFound(f"mailbox {name!r} does not exist")


def _mailbox(name: str, counts: list[int]) -> snapshots.Mailbox:
    return snapshots.Mailbox(name=name, old_messages=counts[0], new_messages=counts[1])
