"""The engine in C on the virtual network and clock of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.media.engine import Address, EngineSettings, EventHandler
from arietta.media.native.core import NativeCore, open_engine
from arietta.media.native.ports import NativeRtpPort

if TYPE_CHECKING:
    from .virtual import VirtualNetwork, VirtualPair

__all__ = ["VirtualNativeCore"]


class VirtualRtpPort(NativeRtpPort):
    """With what the tests ask of the reference engine's ports besides the interface."""

    core: VirtualNativeCore
    pair: VirtualPair

    def receive(self, data: bytes, source: Address, now_ns: int) -> None:
        """One datagram of the RTP socket."""
        self.core.engine.receive(self.number, False, data, *source, now_ns)

    def receive_control(self, data: bytes, source: Address, now_ns: int) -> None:
        """One datagram of the RTCP socket."""
        self.core.engine.receive(self.number, True, data, *source, now_ns)

    @property
    def ssrc(self) -> int:
        return self.statistics().local_ssrc

    @property
    def locked_source(self) -> Address | None:
        return self.core.engine.addresses(self.number)[0]

    @property
    def send_target(self) -> Address | None:
        return self.core.engine.addresses(self.number)[1]

    def close(self) -> None:
        if not self.closed:
            super().close()
            self.core.flush()
            self.pair.close()


class VirtualNativeCore(NativeCore):
    """With the clock of the reference engine's core."""

    def __init__(self, settings: EngineSettings, network: VirtualNetwork, *, now_ns: int) -> None:
        super().__init__(settings, open_engine(settings, epoch_ns=now_ns))
        self._network = network
        self._now_ns = now_ns

    @property
    def now_ns(self) -> int:
        return self._now_ns

    @now_ns.setter
    def now_ns(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self.engine.set_clock(now_ns, 0)

    @property
    def next_deadline_ns(self) -> int | None:
        return self.engine.deadline()

    @property
    def ticks(self) -> int:
        return self.stats().ticks

    def run(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self.engine.run(now_ns)
        self.flush()

    def deliver(self) -> None:
        self.flush()
        super().deliver()

    def close(self) -> None:
        self.close_all()
        self.flush()

    def flush(self) -> None:
        """Let the network carry what was sent."""
        for port, control, data, target in self.engine.sent():
            self._network.sent(port + control, data, target)

    def open_rtp(self, *, bind: str, on_event: EventHandler) -> VirtualRtpPort:
        self._check()
        opened: list[tuple[int, VirtualPair]] = []

        def open_pair(port: int) -> bool:
            pair = self._network.open_pair(bind, port)
            if pair is not None:
                number = self.engine.open_rtp(bind, port)
                assert number is not None
                opened.append((number, pair))
            return pair is not None

        local_port = self.pairs.take(bind, open_pair)
        number, pair = opened[0]
        port = VirtualRtpPort(self, number, local_port, on_event)
        port.pair = pair
        return port
