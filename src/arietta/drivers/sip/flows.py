"""The flows that phones keep open to us, and their ends (RFC 5626): a connection that is told, a silence on UDP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from arietta.sip.transactions import Address, Transport

STREAM_TIMER_S, DATAGRAM_TIMER_S = 120, 30
"""Flow-Timer: the longest silence of a phone on a connection, and on UDP (4.4)."""
GRACE_S = 15.0
"""What a keepalive may be late by."""
LOOK_EVERY_S = 5.0

Ended = Callable[[str, Transport, Address], None]


def flow_timer(transport: Transport) -> int:
    """Seconds within which a phone is to say something on its flow; 0 where the WebSocket has pings of its own."""
    if transport.protocol in ("WS", "WSS"):
        return 0
    return STREAM_TIMER_S if transport.reliable else DATAGRAM_TIMER_S


@dataclass(slots=True)
class _Flow:
    transport: Transport
    heard_at: float
    aors: set[str] = field(default_factory=set)


class DatagramFlows:
    """The flows on UDP: each lives as long as something is heard of its address."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ended: Ended) -> None:
        """`ended` is told the address of record, the transport and the address of a flow that fell silent."""
        self._loop, self._ended = loop, ended
        self._flows: dict[tuple[str, Address], _Flow] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._flows)

    def watch(self, aor: str, transport: Transport, source: Address) -> None:
        """A contact of an address of record is reached by this flow from now on."""
        now, key = self._loop.time(), (transport.name, source)
        flow = self._flows.setdefault(key, _Flow(transport, now))
        flow.heard_at = now
        flow.aors.add(aor)
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    def heard(self, transport: Transport, source: Address) -> None:
        """Something came from an address, be it a keepalive or a message."""
        flow = self._flows.get((transport.name, source))
        if flow is not None:
            flow.heard_at = self._loop.time()

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        since = self._loop.time() - DATAGRAM_TIMER_S - GRACE_S
        silent = [(key, flow) for key, flow in self._flows.items() if flow.heard_at < since]
        for key, flow in silent:
            del self._flows[key]
            for aor in flow.aors:
                self._ended(aor, flow.transport, key[1])
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look) if self._flows else None
