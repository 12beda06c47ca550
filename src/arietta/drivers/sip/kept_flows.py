"""The flows of our own registrations, asked in time whether they are still there (RFC 5626 4.4)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from arietta.sip.registration import Registration
from arietta.sip.stun import ask_binding, read_binding
from arietta.sip.transactions import Address, Send

log = logging.getLogger(__name__)

DATAGRAM_S, STREAM_S = 27.0, 100.0
"""Time between keepalives where the registrar has no Flow-Timer (4.4.1, 4.4.2)."""
EARLY = 0.9
"""The part of a Flow-Timer after which the next keepalive goes."""
MAX_MISSED = 2
PING = b"\r\n\r\n"


@dataclass(slots=True, eq=False)
class _Flow:
    registration: Registration
    every_s: float
    timer: asyncio.TimerHandle | None = None
    transaction: bytes = b""
    """Of the Binding request that was not answered yet."""
    missed: int = 0
    mapped: Address | None = None


class KeptFlows:
    """Keepalives for registrations: STUN on UDP, CRLFs on streams, whose ends are told by their sockets."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Callable[[Send], None], ended: Callable[[Registration], None]
    ) -> None:
        """`ended` is told of the registration whose flow does not answer, or goes through another NAT now."""
        self._loop, self._send, self._ended = loop, send, ended
        self._flows: dict[Registration, _Flow] = {}

    def __len__(self) -> int:
        return len(self._flows)

    def keep(self, registration: Registration, timer_s: int) -> None:
        """Keep the flow of a registration from now on; `timer_s` is the registrar's Flow-Timer, 0 for none."""
        usual_s = STREAM_S if registration.transport.reliable else DATAGRAM_S
        flow = self._flows.get(registration)
        if flow is None:
            flow = self._flows[registration] = _Flow(registration, usual_s)
        flow.every_s = timer_s * EARLY if timer_s else usual_s
        if flow.timer is None:
            flow.timer = self._loop.call_later(flow.every_s, self._ask, flow)

    def forget(self, registration: Registration) -> None:
        """Keep the flow of a registration no longer."""
        flow = self._flows.pop(registration, None)
        if flow is not None and flow.timer is not None:
            flow.timer.cancel()

    def stop(self) -> None:
        """Keep none."""
        for registration in tuple(self._flows):
            self.forget(registration)

    def take(self, data: bytes, source: Address) -> bool:
        """Take the answer to a Binding request of ours; False for anything else."""
        found = read_binding(data)
        if found is None:
            return False
        transaction, mapped = found
        for flow in self._flows.values():
            if flow.transaction == transaction and flow.registration.destination == source:
                flow.transaction, flow.missed = b"", 0
                before, flow.mapped = flow.mapped, mapped
                if before is not None and flow.mapped != before:
                    self._end(flow, f"is seen as {flow.mapped} and no more as {before}")
                break
        return True

    def _ask(self, flow: _Flow) -> None:
        registration = flow.registration
        flow.missed += bool(flow.transaction)
        if flow.missed >= MAX_MISSED:
            self._end(flow, "does not answer")
            return
        data = PING
        if not registration.transport.reliable:
            flow.transaction = os.urandom(12)
            data = ask_binding(flow.transaction)
        self._send(Send(data, registration.destination, registration.transport))
        flow.timer = self._loop.call_later(flow.every_s, self._ask, flow)

    def _end(self, flow: _Flow, why: str) -> None:
        self.forget(flow.registration)
        log.warning("the flow to the registrar %s:%s %s", *flow.registration.destination, why)
        self._ended(flow.registration)
