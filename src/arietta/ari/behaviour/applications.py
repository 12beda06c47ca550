"""What operations on applications, endpoints and events do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arietta.ari.domain import Soon
from arietta.bridges.bridge import BridgeRegistry
from arietta.channels.registry import ChannelRegistry
from arietta.errors import BadRequest, NotFound, Unprocessable
from arietta.model import events, facts, snapshots
from arietta.model.times import wire_now
from arietta.stasis import applications
from arietta.stasis.broadcasts import Broadcasts


class Applications:
    """Stasis applications."""

    def __init__(
        self,
        living: applications.Applications,
        channels: ChannelRegistry,
        bridges: BridgeRegistry,
        broadcasts: Broadcasts,
    ) -> None:
        self._living = living
        self._channels = channels
        self._bridges = bridges
        self._broadcasts = broadcasts

    def list(self) -> Sequence[snapshots.Application]:
        return [application.snapshot() for application in self._living]

    def get(self, name: str) -> snapshots.Application:
        return self._living.need(name).snapshot()

    def require(self, name: str) -> None:
        self._living.need(name)

    def subscribe(self, name: str, scheme: str, resource: str) -> None:
        self._living.subscribe(name, scheme, resource)

    def unsubscribe(self, name: str, scheme: str, resource: str) -> None:
        self._living.unsubscribe(name, scheme, resource)

    def set_event_filter(
        self,
        name: str,
        allowed: Sequence[Mapping[str, Any]] | None,
        disallowed: Sequence[Mapping[str, Any]] | None,
    ) -> None:
        self._living.need(name).set_filter(
            [dict(item) for item in allowed] if allowed is not None else None,
            [dict(item) for item in disallowed] if disallowed is not None else None,
        )

    def user_event(
        self,
        name: str,
        event_name: str,
        sources: Sequence[tuple[str, str]],
        variables: Mapping[str, Any] | None,
    ) -> None:
        application = self._living.need(name)
        shown: dict[str, Any] = {}
        for scheme, resource in sources:
            self._show_source(scheme, resource, shown)
        event = events.ChannelUserevent(
            timestamp=wire_now(),
            eventname=event_name,
            userevent={**(variables or {}), "eventname": event_name},
            **shown,
        )
        application.send(event)
        bus = self._channels.bus
        if bus.wanted(facts.USER_EVENTS):
            bus.publish(event, facts.USER_EVENTS)

    def _show_source(self, scheme: str, resource: str, shown: dict[str, Any]) -> None:
        if scheme == "channel":
            channel = self._channels.find(resource)
            if channel is None:
                raise Unprocessable(f"channel {resource!r} does not exist")
            shown["channel"] = channel.snapshot()
        elif scheme == "bridge":
            bridge = self._bridges.get(resource)
            if bridge is None:
                raise Unprocessable(f"bridge {resource!r} does not exist")
            shown["bridge"] = bridge.snapshot()
        elif scheme == "endpoint":
            technology, _, name = resource.partition("/")
            driver = self._channels.driver(technology)
            endpoint = driver.endpoint(name) if driver is not None else None
            if endpoint is None:
                raise Unprocessable(f"endpoint {resource!r} does not exist")
            shown["endpoint"] = endpoint
        else:
            raise BadRequest(f"source {scheme}:{resource} is not one of channel:, bridge:, endpoint:")

    def claim(self, channel_id: str, application: str) -> None:
        self._broadcasts.claim(channel_id, application)


class Endpoints:
    """Endpoints, and texts to them."""

    def __init__(self, channels: ChannelRegistry) -> None:
        self._channels = channels

    def list(self) -> Sequence[snapshots.Endpoint]:
        return [endpoint for driver in self._channels.drivers.values() for endpoint in driver.endpoints()]

    def list_technology(self, technology: str) -> Sequence[snapshots.Endpoint]:
        driver = self._channels.driver(technology)
        if driver is None or driver.technology != technology or not driver.endpoints():
            raise NotFound(f"there are no endpoints of technology {technology!r}")
        return driver.endpoints()

    def get(self, technology: str, resource: str) -> snapshots.Endpoint:
        driver = self._channels.driver(technology)
        endpoint = driver.endpoint(resource) if driver is not None else None
        if endpoint is None:
            raise NotFound(f"endpoint {technology}/{resource} does not exist")
        return endpoint

    def send_message(self, to: str, sender: str, body: str, variables: Mapping[str, str]) -> Soon[None]:
        sent: Soon[None] = self._messaging(to).send_message(to.partition(":")[2], sender, body, variables)
        return sent

    def refer(self, to: str, sender: str, refer_to: str, to_self: bool, variables: Mapping[str, str]) -> Soon[None]:
        sent: Soon[None] = self._messaging(to).refer(to.partition(":")[2], sender, refer_to, to_self, variables)
        return sent

    def _messaging(self, to: str) -> Any:
        technology, colon, _ = to.partition(":")
        driver = self._channels.driver(technology) if colon else None
        if driver is None or not hasattr(driver, "send_message"):
            raise NotFound(f"{to!r} leads nowhere: no technology {technology!r} carries texts")
        return driver
