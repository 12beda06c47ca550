"""The address of this host as a STUN server sees it, for candidates of ICE; the skin of `ReflexiveAddress`.

Asked once for all calls: no call waits for an answer. That holds for a NAT which keeps ports, as those of clouds do;
one that does not is found out by the port of the answer, and then no address is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket

from arietta.config.kinds import HostPort
from arietta.webrtc.reflexive import AGAIN_S, ReflexiveAddress

__all__ = ["PublicAddress"]

log = logging.getLogger(__name__)

STUN_PORT = 3478


class PublicAddress(asyncio.DatagramProtocol):
    """Asks one STUN server until it is stopped."""

    def __init__(self, server: HostPort, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._asking = ReflexiveAddress()
        self._place = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._told: object = ()

    @property
    def host(self) -> str | None:
        """The address; None while it is not known, or of no use because ports are not kept."""
        seen = self._asking.address
        return seen[0] if seen is not None and self._keeps_ports(seen) else None

    def start(self) -> None:
        """Begin to ask."""
        self._task = self._loop.create_task(self._open(), name="the address as STUN sees it")

    async def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._transport is not None:
            self._transport.close()

    async def _open(self) -> None:
        while True:
            try:
                self._place = await self._resolved()
                any_address = "::" if ":" in self._place[0] else "0.0.0.0"
                transport, _ = await self._loop.create_datagram_endpoint(lambda: self, local_addr=(any_address, 0))
            except OSError as problem:
                log.warning("stunaddr %s cannot be asked: %s", self._server, problem.strerror or problem)
                await asyncio.sleep(AGAIN_S)
                continue
            self._transport = transport
            self._go_on()
            return

    async def _resolved(self) -> tuple[str, int]:
        host, port = self._server.host, self._server.port or STUN_PORT
        try:
            return str(ipaddress.ip_address(host)), port
        except ValueError:
            found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            return str(found[0][4][0]), port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take what the server says."""
        if addr[:2] != self._place:
            return
        self._asking.receive(data, self._loop.time())
        self._go_on()

    def error_received(self, exc: Exception) -> None:
        """It is asked again when its time has come."""

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._asking.handle_timeout(self._loop.time())
        for data in self._asking.outputs():
            if self._transport is not None:
                self._transport.sendto(data, self._place)
        due = self._asking.next_timeout()
        self._timer = self._loop.call_at(due, self._go_on) if due is not None else None
        self._tell()

    def _tell(self) -> None:
        """Log what became of it, when it is something else than before."""
        seen = self._asking.address
        if seen == self._told:
            return
        if seen is None:
            if self._told:
                log.warning("stunaddr %s no longer says how this host is seen", self._server)
        elif self._keeps_ports(seen):
            log.info("stunaddr %s sees this host as %s", self._server, seen[0])
        else:
            log.warning("stunaddr %s is of no use: the NAT in between does not keep ports", self._server)
        self._told = seen

    def _keeps_ports(self, seen: tuple[str, int]) -> bool:
        own = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return own is not None and bool(own[1] == seen[1])
