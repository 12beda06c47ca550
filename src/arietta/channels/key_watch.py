"""What a channel's keys mean while it is in a bridge; those that mean nothing go on to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.keys import Keys, Meant

if TYPE_CHECKING:
    from arietta.channels.channel import Channel


class KeyWatch:
    """Keeps the keys of one channel from its bridge, from `start` to `stop`."""

    def __init__(
        self, channel: Channel, codes: Iterable[str], timeout: float, on_code: Callable[[Channel, str], None]
    ) -> None:
        self.channel = channel
        self._keys = Keys(codes, timeout)
        self._on_code = on_code
        self._timer: asyncio.TimerHandle | None = None
        self._watching = False
        self._bridge = channel.bridge
        self.paused = False
        """Whether keys mean nothing and go to nobody for a while, because somebody else takes them."""

    def start(self) -> None:
        """Begin, in the bridge where the channel is."""
        if not self._watching:
            self._watching = True
            self._bridge = self.channel.bridge
            if self._bridge is not None:
                self._bridge.absorb_digits(self.channel, True)
            self.channel.listeners.append(self._hear)

    def stop(self) -> None:
        """Watch no more: what was pressed of a code goes on to the others."""
        if not self._watching:
            return
        self._watching = False
        self._keys.flush()
        self._drain()
        if self._hear in self.channel.listeners:
            self.channel.listeners.remove(self._hear)
        bridge, self._bridge = self._bridge, None
        if bridge is not None:  # another one that the channel is in by now may have a watch of its own
            bridge.absorb_digits(self.channel, False)

    def end(self) -> None:
        """Watch never again, and hold on to nobody who listened to it."""
        self.stop()
        self._on_code = _to_nobody

    def _hear(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded) and not self.paused:
            self._keys.receive(signal.digit, self.channel.registry.loop.time())
            self._drain()

    def _time_passed(self) -> None:
        self._timer = None
        self._keys.handle_timeout(self.channel.registry.loop.time())
        self._drain()

    def _drain(self) -> None:
        for said in self._keys.outputs():
            if isinstance(said, Meant):
                if self._watching:
                    self._on_code(self.channel, said.code)
            elif self.channel.bridge is not None:
                self.channel.bridge.pass_digits_on(self.channel, said.keys)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._keys.next_timeout()
        if due is not None:
            self._timer = self.channel.registry.loop.call_at(due, self._time_passed)


def _to_nobody(_channel: Channel, _code: str) -> None:
    """Whom a watch tells that has ended."""
