"""Snoop channels: they hear what another channel hears or says, and speak into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arietta.channels import signals
from arietta.channels.channel import Channel, State
from arietta.channels.driver import Indication
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict
from arietta.media.engine import DigitOut, MediaEvent, Port, Side
from arietta.model import facts


class PortLeg:
    """A leg that is nothing but a port: no far end to answer, ring or refuse."""

    protocol_id = ""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self._port: Port | None = None

    @property
    def port(self) -> Port | None:
        return self._port

    def attach(self, port: Port) -> None:
        """Take the port, once it is open."""
        self._port = port

    def heard(self, event: MediaEvent) -> None:
        """Take an event of the port."""
        signal = signals.of_media(event)
        if self.channel is not None and signal is not None:
            self.channel.receive(signal)

    def call(self) -> None:
        return

    def answer(self) -> None:
        return

    def indicate(self, indication: Indication, data: str = "") -> None:
        return

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        if self._port is not None:
            self._port.send_digits(digits, on_end)
        elif on_end is not None:
            on_end()

    def redirect(self, target: str) -> None:
        raise Conflict(f"this channel has no far end to be sent to {target!r}")

    def hangup(self, cause: int) -> int | None:
        self.channel = None
        if self._port is not None:
            self._port.close()
            self._port = None
        return None

    def read(self, item: str) -> str | None:
        return None


def snoop(registry: ChannelRegistry, target: Channel, spy: Side, whisper: Side, snoop_id: str | None) -> Channel:
    """A channel, Up, that spies on `target` and whispers to it; it ends when `target` does."""
    leg = PortLeg()
    assert target.port is not None
    leg.attach(registry.engine.open_snoop(target.port, spy=spy, whisper=whisper, on_event=leg.heard))
    channel = Channel(
        registry,
        leg,
        channel_id=snoop_id or registry.new_id(),
        name=f"Snoop/{target.id}-{registry.next_number('Snoop')}",
        state=State.UP,
        language=target.language,
        accountcode=target.accountcode,
        peeraccount=target.peeraccount,
    )
    leg.channel = channel

    listens = True

    def tell_end() -> None:
        nonlocal listens
        if listens:
            listens = False
            channel.tell(facts.SpyingStopped, target.snapshot())

    def target_ended(_target: Channel) -> None:
        tell_end()
        channel.end_quietly()

    def snoop_ended(_snoop: Channel) -> None:
        tell_end()
        if target_ended in target.on_end:
            target.on_end.remove(target_ended)

    target.on_end.append(target_ended)
    channel.on_end.append(snoop_ended)
    registry.add(channel)
    channel.tell(facts.SpyingStarted, target.snapshot())
    return channel
