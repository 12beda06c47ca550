"""A Stasis application: what it is subscribed to, and its events on their way out.

An application exists from the moment a socket asks for it until the socket is gone and its last channel has left.
What happens while no socket is there is lost, as in Asterisk; a socket that the server opens itself stays the
application's home, and keeps what happens while it is down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.registry import ChannelRegistry
from arietta.errors import NotFound, NotSupported, Unprocessable
from arietta.model import events, snapshots
from arietta.model.times import wire_now
from arietta.verbose import verbose

CHANNEL, BRIDGE, ENDPOINT, DEVICE = "channel", "bridge", "endpoint", "deviceState"
SCHEMES = (CHANNEL, BRIDGE, ENDPOINT, DEVICE)
# What an application with every object of a kind shows in place of ids.
ALL_OF = {
    CHANNEL: "__AST_CHANNEL_ALL_TOPIC",
    BRIDGE: "__AST_BRIDGE_ALL_TOPIC",
    ENDPOINT: "__AST_ENDPOINT_ALL_TOPIC",
    DEVICE: "__AST_DEVICE_STATE_ALL_TOPIC",
}


class Outlet(Protocol):
    """Where an application's events go: a WebSocket."""

    def send(self, payload: bytes) -> None:
        """Queue one event, as JSON; the outlet bounds its queue and closes itself when that overflows."""
        ...


class EventEncoder:
    """Encodes each event once, however many applications get it."""

    __slots__ = ("_bytes", "_event")

    def __init__(self) -> None:
        self._event: object = None
        self._bytes = b""

    def encode(self, event: events.Event) -> bytes:
        """The event as JSON without its closing brace."""
        if event is not self._event:
            self._bytes = events.encode(event)[:-1]
            self._event = event
        return self._bytes


class Application:
    """A Stasis app: its subscriptions and its outgoing events."""

    def __init__(self, name: str, bus: Bus, encoder: EventEncoder, asterisk_id: str, *, pretty: bool = False) -> None:
        self.name = name
        self.outlet: Outlet | None = None
        self.channels: set[str] = set()  # ids of the channels it controls
        self.events_allowed: list[dict[str, Any]] = []
        self.events_disallowed: list[dict[str, Any]] = []
        self.home: Outlet | None = None  # which has it whenever no other socket took it over
        self._bus = bus
        self._encoder = encoder
        self._suffix = events.suffix(asterisk_id, name)
        self.pretty = pretty
        self._subscriptions: dict[str, dict[str, int]] = {kind: {} for kind in SCHEMES}
        self._allowed: frozenset[str] = frozenset()
        self._disallowed: frozenset[str] = frozenset()

    @property
    def active(self) -> bool:
        """Whether somebody listens."""
        return self.outlet is not None

    def snapshot(self) -> snapshots.Application:
        """The application as GET /applications/{name} shows it."""

        def shown(kind: str) -> list[str]:
            return [ident or ALL_OF[kind] for ident in self._subscriptions[kind]]

        return snapshots.Application(
            name=self.name,
            channel_ids=shown(CHANNEL),
            bridge_ids=shown(BRIDGE),
            endpoint_ids=shown(ENDPOINT),
            device_names=shown(DEVICE),
            events_allowed=self.events_allowed,
            events_disallowed=self.events_disallowed,
        )

    def send(self, event: events.Event) -> None:
        """Send one event, unless the filter stops it or nobody listens."""
        outlet = self.outlet
        if outlet is None:
            return
        if (self._allowed or self._disallowed) and not self.passes(events.type_name(event)):
            return
        outlet.send(self._frame(event))

    def _frame(self, event: events.Event) -> bytes:
        frame = self._encoder.encode(event) + self._suffix
        return msgspec.json.format(frame, indent=2) if self.pretty else frame

    def passes(self, kind: str) -> bool:
        """Whether the event filter lets events of a type through."""
        return kind not in self._disallowed and (not self._allowed or kind in self._allowed)

    def send_last(self, outlet: Outlet, event: events.Event) -> None:
        """Send to an outlet that is not (any more) the application's own."""
        outlet.send(self._frame(event))

    def set_filter(self, allowed: list[dict[str, Any]] | None, disallowed: list[dict[str, Any]] | None) -> None:
        """Replace the lists that are given."""
        if allowed is not None:
            self.events_allowed = allowed
        if disallowed is not None:
            self.events_disallowed = disallowed
        self._allowed = frozenset(str(item["type"]) for item in self.events_allowed)
        self._disallowed = frozenset(str(item["type"]) for item in self.events_disallowed)

    # ------------------------------------------------------------------------------------------- subscriptions

    def subscribe(self, kind: str, ident: str) -> None:
        """Count one more subscription to an object; "" is every object of the kind."""
        counts = self._subscriptions[kind]
        if "" in counts and ident:
            return
        counts[ident] = counts.get(ident, 0) + 1
        if counts[ident] == 1:
            self._bus.subscribe(f"{kind}:{ident}", self.send)
            if kind in (CHANNEL, BRIDGE) and ident:
                self._bus.subscribe(f"ended:{ident}", self._object_ended)

    def unsubscribe(self, kind: str, ident: str) -> bool:
        """Take one subscription back; False if there was none."""
        counts = self._subscriptions[kind]
        if ident not in counts:
            return False
        counts[ident] -= 1
        if counts[ident] == 0:
            self._drop(kind, ident)
        return True

    def subscribed(self, kind: str, ident: str) -> bool:
        """Whether the object's events come, by itself or because all do."""
        counts = self._subscriptions[kind]
        return ident in counts or "" in counts

    def _drop(self, kind: str, ident: str) -> None:
        del self._subscriptions[kind][ident]
        self._bus.unsubscribe(f"{kind}:{ident}", self.send)
        if kind in (CHANNEL, BRIDGE) and ident:
            self._bus.unsubscribe(f"ended:{ident}", self._object_ended)

    def _object_ended(self, fact: Any) -> None:
        ident = fact.channel.id if hasattr(fact, "channel") else fact.bridge.id
        for kind in (CHANNEL, BRIDGE):
            if ident in self._subscriptions[kind]:
                self._drop(kind, ident)

    def unsubscribe_everything(self) -> None:
        """Let go of every object."""
        for kind in SCHEMES:
            for ident in tuple(self._subscriptions[kind]):
                self._drop(kind, ident)


class Applications:
    """Every application by its name; sockets come and go here."""

    def __init__(
        self,
        bus: Bus,
        channels: ChannelRegistry,
        bridges: BridgeRegistry,
        asterisk_id: str,
        *,
        pretty: bool = False,
    ) -> None:
        self.bus = bus
        self.pretty = pretty
        self.asterisk_id = asterisk_id
        self._channels = channels
        self._bridges = bridges
        self._encoder = EventEncoder()
        self._applications: dict[str, Application] = {}
        self.on_removed: list[Callable[[Application], None]] = []

    def __iter__(self) -> Iterator[Application]:
        return iter(tuple(self._applications.values()))

    def get(self, name: str) -> Application | None:
        """An application that exists, listened to or not."""
        return self._applications.get(name)

    def need(self, name: str) -> Application:
        """An application that exists; NotFound otherwise."""
        application = self._applications.get(name)
        if application is None:
            raise NotFound(f"application {name!r} does not exist")
        return application

    def register(self, name: str, outlet: Outlet, *, subscribe_all: bool = False, home: bool = False) -> Application:
        """Give the application `name` to `outlet`; a former socket gets ApplicationReplaced as its last event.

        With `home` it falls back to this outlet when another one that took it over is gone.
        """
        application = self._applications.get(name)
        if application is None:
            application = self._create(name)
            if subscribe_all:
                for kind in SCHEMES:
                    application.subscribe(kind, "")
        elif application.outlet is not None and application.outlet is not outlet:
            former = application.outlet
            application.send_last(former, events.ApplicationReplaced(timestamp=wire_now()))
            verbose(1, f"Replacing Stasis app '{name}'")
        else:
            verbose(1, f"Activating Stasis app '{name}'")
        application.outlet = outlet
        if home:
            application.home = outlet
        return application

    def release(self, name: str, outlet: Outlet) -> None:
        """The socket is gone: the application goes home, or is deactivated, and removed when no channel is left."""
        application = self._applications.get(name)
        if application is None:
            return
        if application.home is outlet:
            application.home = None
        if application.outlet is not outlet:
            return
        if application.home is not None:
            application.outlet = application.home
            application.send_last(application.home, events.ApplicationRegistered(timestamp=wire_now()))
            return
        verbose(1, f"Deactivating Stasis app '{name}'")
        application.outlet = None
        self.clean_up(application)

    def clean_up(self, application: Application) -> None:
        """Remove the application if nobody listens and no channel is in it."""
        if application.active or application.channels or self._applications.get(application.name) is not application:
            return
        verbose(1, f"Shutting down application '{application.name}'")
        application.unsubscribe_everything()
        del self._applications[application.name]
        verbose(1, f"Destroying Stasis app {application.name}")
        for then in self.on_removed:
            then(application)

    def _create(self, name: str) -> Application:
        verbose(1, f"Creating Stasis app '{name}'")
        application = self._applications[name] = Application(
            name, self.bus, self._encoder, self.asterisk_id, pretty=self.pretty
        )
        return application

    # ------------------------------------------------------------------------------ subscriptions by event source

    def subscribe(self, name: str, kind: str, ident: str) -> None:
        """Count one more subscription to an event source; Unprocessable if it does not exist."""
        application = self.need(name)
        self._check_exists(kind, ident)
        application.subscribe(kind, self._canonical(kind, ident))

    def unsubscribe(self, name: str, kind: str, ident: str) -> None:
        """Take one subscription back; one that was never made is Unprocessable."""
        application = self.need(name)
        if not ident:
            raise NotSupported(f"every {kind} at once cannot be unsubscribed from")
        if not application.unsubscribe(kind, self._canonical(kind, ident)):
            raise Unprocessable(f"application {name!r} is not subscribed to {kind}:{ident}")

    def _check_exists(self, kind: str, ident: str) -> None:
        if not ident:
            return
        if kind == CHANNEL and self._channels.find(ident) is None:
            raise Unprocessable(f"channel {ident!r} does not exist")
        if kind == BRIDGE:
            bridge = self._bridges.get(ident)
            if bridge is None or bridge.bridge_class != "stasis":
                raise Unprocessable(f"bridge {ident!r} does not exist")
        if kind == ENDPOINT:
            technology, slash, resource = ident.partition("/")
            driver = self._channels.driver(technology)
            if driver is None or (slash and driver.endpoint(resource) is None):
                raise Unprocessable(f"endpoint {ident!r} does not exist")

    def _canonical(self, kind: str, ident: str) -> str:
        if kind == CHANNEL and ident:
            channel = self._channels.find(ident)
            return channel.id if channel else ident
        if kind == ENDPOINT and ident:
            technology, slash, resource = ident.partition("/")
            driver = self._channels.driver(technology)
            if driver is not None:
                found = driver.endpoint(resource) if slash else None
                return f"{driver.technology}/{found.resource}" if found else driver.technology
        return ident
