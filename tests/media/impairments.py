"""A network that loses, delays, reorders and doubles packets as its seed says."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from arietta.media.codecs import CODECS
from arietta.rtp import RtpPacket

from .virtual import Phone

__all__ = ["Network", "say_over"]


@dataclass(frozen=True, slots=True)
class Network:
    """What happens on the way; the same for the same seed."""

    seed: int = 1
    loss: float = 0
    """Part of the packets that never arrive."""
    burst: float = 1
    """Mean length of a loss in packets (Gilbert's model: 1 is nearly independent)."""
    jitter_ms: float = 0
    """Packets take up to so much longer, each by itself, but none overtakes another for it."""
    reordered: float = 0
    """Part of the packets that come after the one behind them."""
    doubled: float = 0
    """Part that comes twice."""

    def carry(self, packets: Iterable[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        """Packets by when they were sent, to those that arrive by when they do, in ms."""
        rng = random.Random(self.seed)
        arriving: list[tuple[float, bytes]] = []
        lost = False
        latest = 0.0
        for sent_ms, data in packets:
            lost = rng.random() < (1 - 1 / self.burst if lost and self.burst > 1 else self._begins)
            late, swap, double = rng.random(), rng.random(), rng.random()
            if lost:
                continue
            latest = max(latest, sent_ms + late * self.jitter_ms)
            at = latest + (25 if swap < self.reordered else 0)
            arriving.append((at, data))
            if double < self.doubled:
                arriving.append((at + 3, data))
        return sorted(arriving, key=lambda packet: packet[0])

    @property
    def _begins(self) -> float:
        """How likely a loss begins, so that the part that is lost comes out."""
        if self.burst <= 1:
            return self.loss
        return self.loss / (self.burst * (1 - self.loss))


def say_over(network: Network, phone: Phone, samples: bytes) -> list[bool]:
    """The phone sends samples, a packet each 20 ms, over the network; which of them arrive."""
    codec = CODECS[phone.codec]
    data, size = codec.encoder()(samples), codec.bytes_of(20)
    packets = []
    for n in range(len(data) // size):
        stamp = (phone.timestamp + n * codec.clock_rate // 50) & 0xFFFFFFFF
        packet = RtpPacket(
            phone.number, (phone.sequence + n) & 0xFFFF, stamp, phone.ssrc, data[n * size : n * size + size]
        )
        packets.append((20.0 * n, bytes(packet)))
    phone.sequence = (phone.sequence + len(packets)) & 0xFFFF
    phone.timestamp = (phone.timestamp + len(packets) * codec.clock_rate // 50) & 0xFFFFFFFF
    arriving = network.carry(packets)
    for at, data in arriving:
        phone.world.at(at, lambda data=data: phone.raw(data))  # type: ignore[misc]
    come = {data for _, data in arriving}
    return [data in come for _, data in packets]
