"""Both sides of a channel made louder or quieter, for who records them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.media.engine import Port, Side

if TYPE_CHECKING:
    from arietta.channels.channel import Channel


class Adjusted:
    """What a channel says and hears, each multiplied with a factor; close it when done."""

    def __init__(self, channel: Channel, said: float, heard: float) -> None:
        assert channel.port is not None
        engine = channel.registry.engine
        self._mixer = engine.open_mixer()
        self._ports = {Side.BOTH: self._mixer.port()}
        for side, factor in ((Side.IN, said), (Side.OUT, heard)):
            port = engine.open_snoop(channel.port, spy=side, whisper=Side.NONE, on_event=lambda event: None)
            port.volume(Side.IN, factor)
            port.link(self._mixer)
            self._ports[side] = port

    def port(self, side: Side) -> Port:
        """The port whose IN is that side of the channel, or the two of them mixed."""
        return self._ports[side]

    def close(self) -> None:
        """Hear the channel no more."""
        for port in self._ports.values():
            port.close()
        self._mixer.close()
