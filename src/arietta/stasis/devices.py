"""Device states and mailboxes: what is set is durable, what changes is told to who watches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from arietta.bus import Bus
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict, NotFound
from arietta.model import events, facts, snapshots
from arietta.model.times import wire_now
from arietta.store import Store

PREFIX = "stasis:"
FAMILY = "device state"
CUSTOM_PREFIX = "custom:"
CUSTOM_FAMILY = "custom device state"
MAX_CUSTOM = 100_000
"""Devices that the dialplan may make."""
MAX_TOLD = 100_000
"""Devices whose last state is remembered, to tell changes only."""
MAILBOX_FAMILY = "mailbox"
NO_STATE = "INVALID"
UNKNOWN = "UNKNOWN"
STATES = (UNKNOWN, "NOT_INUSE", "INUSE", "BUSY", NO_STATE, "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD")


class DeviceFollower(Protocol):
    """Who follows devices besides the subscribers of the bus: the hints."""

    def follows(self, device: str) -> bool:
        """Whether it wants to hear of a device; asked for each change of a channel."""
        ...

    def device_changed(self, device: str) -> None:
        """Take the news that a device is in another state."""
        ...


class DeviceStates:
    """The state of any device: those of ``Stasis:`` and ``Custom:`` are kept here, the others are their driver's."""

    def __init__(self, bus: Bus, channels: ChannelRegistry, store: Store) -> None:
        self._bus = bus
        self._channels = channels
        self._store = store
        self._states: dict[str, str] = {str(name): str(state) for name, state in store.items(FAMILY)}
        self._custom: dict[str, str] = {str(name): str(state) for name, state in store.items(CUSTOM_FAMILY)}
        self._told: dict[str, str] = {}
        self._doubtful: dict[str, None] = {}
        self.follower: DeviceFollower | None = None
        channels.device_changed = self.may_have_changed

    def list(self) -> list[snapshots.DeviceState]:
        """The devices that applications have set."""
        return [snapshots.DeviceState(name=n, state=s) for n, s in sorted(self._states.items())]  # type: ignore[arg-type]

    def get(self, name: str) -> snapshots.DeviceState:
        """The state of a device; INVALID or UNKNOWN where there is none."""
        state: str | None
        if is_ours(name):
            state = self._states.get(_canonical(name), UNKNOWN)
        elif is_custom(name):
            state = self._custom.get(_custom_name(name), UNKNOWN)
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

    # ------------------------------------------------------------------------------------- what the dialplan sets

    def custom(self) -> Sequence[snapshots.DeviceState]:
        """The ``Custom:`` devices that were set."""
        return [snapshots.DeviceState(name=n, state=s) for n, s in sorted(self._custom.items())]  # type: ignore[arg-type]

    def set_custom(self, name: str, state: str) -> None:
        """Set a ``Custom:`` device; ValueError for another device, and for what is no state."""
        if not is_custom(name) or not name[len(CUSTOM_PREFIX) :].strip():
            raise ValueError(f"device {name[:80]!r} cannot be set, Custom:NAME can")
        state = state.strip().upper()
        if state not in STATES:
            raise ValueError(f"{state[:80]!r} is no state of a device, which are {', '.join(STATES)}")
        key = _custom_name(name)
        if key not in self._custom and len(self._custom) >= MAX_CUSTOM:
            raise ValueError(f"there are {MAX_CUSTOM} Custom: devices, which is the limit")
        if self._custom.get(key) != state:
            self._custom[key] = state
            self._store.put(CUSTOM_FAMILY, key, state)
            self._announce(key, state)

    # ---------------------------------------------------------------------------------------- what drivers change

    def may_have_changed(self, device: str) -> None:
        """A driver's device may be in another state: who follows it is told when this turn of the loop is over."""
        follower = self.follower
        if not self._bus.wanted(_topics(device)) and (follower is None or not follower.follows(device)):
            self._told.pop(device, None)  # what was told last is not known any more to be the last
            return
        if not self._doubtful:
            self._channels.loop.call_soon(self._look)
        self._doubtful[device] = None

    def _look(self) -> None:
        doubtful, self._doubtful = self._doubtful, {}
        for device in doubtful:
            state = self.get(device).state
            if self._told.get(device) != state:
                if len(self._told) >= MAX_TOLD:
                    self._told.clear()
                self._told[device] = state
                self._announce(device, state)

    def _need_ours(self, name: str) -> str:
        if not is_ours(name):
            raise Conflict(f"device {name!r} is not one of Stasis: and cannot be set")
        if not name[len(PREFIX) :]:
            raise NotFound(f"device name {name!r} is empty")
        return _canonical(name)

    def _announce(self, name: str, state: str) -> None:
        topics = _topics(name)
        if self._bus.wanted(topics):
            device_state = snapshots.DeviceState(name=name, state=state)  # type: ignore[arg-type]
            self._bus.publish(events.DeviceStateChanged(timestamp=wire_now(), device_state=device_state), topics)
        if self.follower is not None:
            self.follower.device_changed(name)


def is_ours(name: str) -> bool:
    """Whether applications may set the device."""
    return name.lower().startswith(PREFIX)


def is_custom(name: str) -> bool:
    """Whether the dialplan may set the device."""
    return name.lower().startswith(CUSTOM_PREFIX)


def _canonical(name: str) -> str:
    return "Stasis:" + name[len(PREFIX) :]


def _custom_name(name: str) -> str:
    return "Custom:" + name[len(CUSTOM_PREFIX) :].strip()


@lru_cache(maxsize=4096)
def _topics(name: str) -> tuple[str, ...]:
    """What the state of a device is published on."""
    return (f"deviceState:{name}", "deviceState:")


class Mailboxes:
    """Counts of waiting messages by mailbox; a change is a fact on `facts.MailboxChanged.topics`."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

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
        self._announce(name, old_messages, new_messages)

    def delete(self, name: str) -> None:
        """Forget a mailbox."""
        if not self._store.delete(MAILBOX_FAMILY, name):
            raise NotFound(f"mailbox {name!r} does not exist")
        self._announce(name, 0, 0)

    def waiting(self, name: str) -> tuple[int, int]:
        """How many messages wait that were not heard, and that were; none for a mailbox nobody has made."""
        old_messages, new_messages = self._store.get(MAILBOX_FAMILY, name) or (0, 0)
        return new_messages, old_messages

    def _announce(self, name: str, old_messages: int, new_messages: int) -> None:
        topics = facts.MailboxChanged.topics
        if self._bus.wanted(topics):
            changed = facts.MailboxChanged(mailbox=name, new_messages=new_messages, old_messages=old_messages)
            self._bus.publish(changed, topics)


def _mailbox(name: str, counts: list[int]) -> snapshots.Mailbox:
    return snapshots.Mailbox(name=name, old_messages=counts[0], new_messages=counts[1])
