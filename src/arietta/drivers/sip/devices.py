"""Endpoints as ARI and device states show them: whether they can be reached, and the channels that they have."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from arietta.channels.channel import Channel, State
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.leg import SipLeg
from arietta.model import events, snapshots
from arietta.model.times import wire_now

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver


class Devices:
    """The channels of every endpoint, and what is to be seen of it."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self._channels: dict[str, dict[str, None]] = {}  # ids, by the name of the endpoint

    # ------------------------------------------------------------------------------------------------- channels

    def begun(self, endpoint: Endpoint, channel: Channel) -> None:
        """An endpoint has a channel more."""
        self._channels.setdefault(endpoint.name, {})[channel.id] = None
        self._announce_channels(endpoint.name)

    def ended(self, channel: Channel) -> None:
        """A channel of an endpoint has ended."""
        name = channel.endpoint.partition("/")[2] if channel.endpoint else ""
        channels = self._channels.get(name)
        if channels is not None and channels.pop(channel.id, 0) is None:
            if not channels:
                del self._channels[name]
            self._announce_channels(name)

    def _announce_channels(self, name: str) -> None:
        """The channels of an endpoint are others now; those of one that cannot be reached are no news."""
        if not self._driver.registry.bus.wanted(_topics(name)):
            return
        endpoint = self._driver.settings.endpoints.get(name)
        if endpoint is not None and self._is_reachable(endpoint):
            self.announce(name)

    # ---------------------------------------------------------------------------------------------- what is seen

    def snapshot(self, name: str) -> snapshots.Endpoint:
        """An endpoint that is configured, as ARI shows it."""
        return snapshots.Endpoint(
            technology="PJSIP",
            resource=name,
            state="online" if self._is_reachable(self._driver.settings.endpoints[name]) else "offline",
            channel_ids=list(self._channels.get(name, ())),
        )

    def announce(self, name: str) -> None:
        """Publish EndpointStateChange: reachability or the channels of an endpoint are different now."""
        registry = self._driver.registry
        registry.device_changed(f"PJSIP/{name}")
        topics = _topics(name)
        if name in self._driver.settings.endpoints and registry.bus.wanted(topics):
            registry.bus.publish(events.EndpointStateChange(timestamp=wire_now(), endpoint=self.snapshot(name)), topics)

    def state_of(self, endpoint: Endpoint) -> str:
        """The state of an endpoint in DEVICE_STATE words."""
        if not self._is_reachable(endpoint):
            return "UNAVAILABLE"
        registry = self._driver.registry
        channels = [c for c in map(registry.get, self._channels.get(endpoint.name, ())) if c is not None]
        if not channels:
            return "NOT_INUSE"
        if endpoint.device_state_busy_at and len(channels) >= endpoint.device_state_busy_at:
            return "BUSY"
        begun = [c for c in channels if c.state is not State.DOWN]
        if not begun:
            return "NOT_INUSE"
        ringing = sum(c.state is State.RINGING for c in begun)
        if ringing:
            return "RINGING" if ringing == len(begun) else "RINGINUSE"
        return "ONHOLD" if all(isinstance(c.leg, SipLeg) and c.leg.held for c in begun) else "INUSE"

    def _is_reachable(self, endpoint: Endpoint) -> bool:
        return any(contact.usable for contact in self._driver.contacts.of(endpoint))


@lru_cache(maxsize=4096)
def _topics(name: str) -> tuple[str, ...]:
    """What an endpoint's events are published on."""
    return (f"endpoint:PJSIP/{name}", "endpoint:PJSIP", "endpoint:")
