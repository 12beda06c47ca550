"""Every living channel by its id, and what all channels share."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from arietta.bus import Bus
from arietta.channels.admission import Limits
from arietta.channels.channel import Channel
from arietta.channels.driver import DialplanRunner, Driver, Leg
from arietta.errors import AriettaError, Conflict

if TYPE_CHECKING:
    from arietta.media.engine import MediaEngine
    from arietta.media.tones import Tones

MAX_ID_LENGTH = 149


class ChannelRegistry:
    """The channels that live, their ids and names, and the drivers that make them."""

    def __init__(self, bus: Bus, engine: MediaEngine, loop: asyncio.AbstractEventLoop) -> None:
        self.bus = bus
        self.engine = engine
        self.loop = loop
        self.dialplan: DialplanRunner | None = None
        self.drivers: dict[str, Driver] = {}
        self.tracked_variables: tuple[str, ...] = ()
        self.default_language = "en"
        self.limits = Limits()
        self._channels: dict[str, Channel] = {}
        self._serial = itertools.count()
        self._names: dict[str, itertools.count[int]] = {}
        self.count_made = 0
        self.accepting = True
        """Whether new calls are taken and placed; False once the server drains."""
        self.device_changed: Callable[[str], None] = _nobody_looks
        """Told the device of a channel (`TECH/RESOURCE`) whenever its state may be another one."""
        self.tone: Callable[[str, str], Tones | None] = _no_tones
        """A tone by its name in indications.conf and a zone there."""
        self._empty: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._channels)

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._channels.values()))

    def get(self, channel_id: str) -> Channel | None:
        """A living channel by its id, or by its name."""
        return self._channels.get(channel_id)

    def find(self, id_or_name: str) -> Channel | None:
        """A living channel by its id or else by its name, without case."""
        found = self._channels.get(id_or_name)
        if found is None:
            wanted = id_or_name.lower()
            found = next((c for c in self._channels.values() if c.name.lower() == wanted), None)
        return found

    def new_id(self) -> str:
        """``<unix seconds>.<counter>``, the counter being one for the process."""
        return f"{int(time.time())}.{next(self._serial)}"

    def check_free(self, channel_id: str) -> None:
        """Refuse an id that a living channel has."""
        if channel_id in self._channels:
            raise Conflict(f"channel id {channel_id!r} is in use")

    def next_number(self, technology: str) -> str:
        """Eight hex digits for a channel name, counted for each technology from 0."""
        counter = self._names.get(technology)
        if counter is None:
            counter = self._names[technology] = itertools.count()
        return f"{next(counter):08x}"

    def add(self, channel: Channel) -> None:
        """Let a new channel live; ChannelCreated goes out."""
        assert channel.id not in self._channels
        self._channels[channel.id] = channel
        self.count_made += 1
        channel.created()
        self.device_changed(channel.device)

    def remove(self, channel: Channel) -> None:
        """Forget a channel that ended."""
        self._channels.pop(channel.id, None)
        self.device_changed(channel.device)
        if not self._channels and self._empty is not None:
            self._empty.set()

    async def all_gone(self) -> None:
        """Wait until no channel lives."""
        while self._channels:
            self._empty = asyncio.Event()
            await self._empty.wait()

    @property
    def calls(self) -> int:
        """How many calls there are: channels in one bridge are one."""
        return len({channel.bridge.id if channel.bridge is not None else channel.id for channel in self})

    def refusal(self) -> str:
        """Why no call that comes in is taken now; empty if it is."""
        return self.limits.refusal(lambda: self.calls) if self.accepting else "the server ends"

    def driver(self, technology: str) -> Driver | None:
        """The driver of a technology, without case."""
        return self.drivers.get(technology.lower())

    def read(self, channel: Channel, name: str) -> str | None:
        """A variable or function of a channel, as the dialplan reads it; None for what cannot be read."""
        if self.dialplan is None or "(" not in name:
            value = channel.get_variable(name)
            if value is not None or self.dialplan is None:
                return value
        try:
            return self.dialplan.read(channel, name)
        except AriettaError:  # a function nobody knows, or one that wants other arguments
            return None


def _nobody_looks(device: str) -> None:
    return


def _no_tones(name: str, zone: str) -> Tones | None:
    return None


__all__ = ["Channel", "ChannelRegistry", "Leg"]
