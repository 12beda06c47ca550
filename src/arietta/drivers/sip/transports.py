"""The sockets of SIP: what comes in goes to the user agent, what it puts out goes on the wire.

UDP: one datagram socket per transport. TCP and TLS: connections are found by the peer's address, opened when there is
none. WebSockets: the HTTP server gives those that clients opened; none is opened by us. No decision lives here but who
may have a connection.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from arietta.config.pjsip import PjsipSettings
from arietta.config.pjsip import Transport as TransportSettings
from arietta.config.safety import is_loopback
from arietta.drivers.sip.facing import Facing, is_any
from arietta.drivers.sip.streams import Connection, MessageSocket, SocketConnection, StreamConnection
from arietta.drivers.sip.tls import TlsContexts, tls_contexts
from arietta.sip.tls import explain
from arietta.sip.transactions import Address, Send, Transport
from arietta.sip.uri import SipUri

log = logging.getLogger(__name__)

DEFAULT_PORT, DEFAULT_TLS_PORT = 5060, 5061
MAX_CONNECTIONS = 10000
MAX_STRANGERS = 2000
"""Connections that nobody has registered, called or been called through."""
MAX_STRANGERS_OF_HOST = 200
MAX_KEPT_OF_HOST = 5000
"""Connections of one host that somebody has registered or called through: half of all, for a proxy with many phones."""
MAX_NEW_OF_HOST = 100
"""Connections that one host may open in a second: each may cost a TLS handshake."""
BACKLOG = 1024
MAX_BACKLOG = 64
MAX_NAMES = 4096
CONNECT_TIMEOUT_S = 10.0
LOG_EVERY_REFUSAL_UP_TO = 20
ON_STREAMS = ("TCP", "TLS")
ON_SOCKETS = ("WS", "WSS")

Receive = Callable[[bytes, Address, Transport], None]
Failed = Callable[[Send], None]
Lost = Callable[[Connection], None]
_Key = tuple[str, Address]
"""Name of the transport, address of the peer."""


class SipTransports:
    """Every socket SIP uses."""

    def __init__(self, receive: Receive, failed: Failed, lost: Lost, folder: Path, counters: Counter[str]) -> None:
        """`lost` hears of connections that were kept; `folder` is where certificates are."""
        self.counters = counters
        """`connections.opened` and, for what their peers did, `connections.ended` are counted here."""
        self.transports: dict[str, Transport] = {}
        """Each by its name, as peers in our own network see it."""
        self.closed = False
        self.keep_alive_s = 0.0
        self.admits: Callable[[str, float], bool] = lambda host, now: True
        """Whether a host may open connections."""
        self.socket_ports: dict[str, int] = {}
        """Where the HTTP server takes WebSockets, for WS and WSS."""
        self._receive, self._failed, self._lost, self._folder = receive, failed, lost, folder
        self._settings: dict[str, TransportSettings] = {}
        self._facings: dict[str, Facing] = {}
        self._tls: dict[str, TlsContexts] = {}
        self._datagrams: dict[str, asyncio.DatagramTransport] = {}
        self._servers: dict[str, asyncio.AbstractServer] = {}
        self._connections: dict[_Key, Connection] = {}
        self._strangers: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._connecting: dict[_Key, list[Send]] = {}
        self._names: OrderedDict[Address, str] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._second, self._new = 0, Counter[str]()

    # -------------------------------------------------------------------------------------------- open, reload, close

    async def open(self, settings: PjsipSettings) -> None:
        """Bind every configured transport; OSError names the one that cannot be bound."""
        self.keep_alive_s = float(settings.general.keep_alive_interval)
        for name, configured in settings.transports.items():
            if configured.protocol == "tls":
                self._tls[name] = self._read_tls(name, configured)
        for name, configured in settings.transports.items():
            try:
                await self._open(name, configured)
            except OSError as problem:
                at = f"{configured.bind} ({configured.protocol})"
                raise OSError(f"transport [{name}] cannot bind {at}: {why(problem)}") from problem

    async def _open(self, name: str, configured: TransportSettings) -> None:
        protocol = configured.protocol.upper()
        host, port = _bound_to(configured)
        if protocol == "UDP":
            carrier = await self._bind_datagrams(name, host, port)
            port = carrier.get_extra_info("sockname")[1]
            self._datagrams[name] = carrier
            _enlarge_buffer(carrier)
            _set_class(carrier.get_extra_info("socket"), configured)
        elif protocol in ON_STREAMS:
            server = await asyncio.get_running_loop().create_server(
                partial(self._accept, name), host, port, backlog=BACKLOG
            )
            port = server.sockets[0].getsockname()[1] if server.sockets else port
            self._servers[name] = server
        else:
            port = self.socket_ports.get(protocol, port)
        self._settings[name] = configured
        self._facings[name] = Facing(configured, protocol, host, port)
        self.transports[name] = self._facings[name].inside

    async def _bind_datagrams(self, name: str, host: str, port: int) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        if host != "::":
            carrier, _ = await loop.create_datagram_endpoint(lambda: DatagramSkin(self, name), local_addr=(host, port))
            return carrier
        # asyncio would leave it to the system whether :: takes IPv4 as well, and another transport could not have it.
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((host, port))
            carrier, _ = await loop.create_datagram_endpoint(lambda: DatagramSkin(self, name), sock=sock)
        except BaseException:
            sock.close()
            raise
        return carrier

    def _read_tls(self, name: str, configured: TransportSettings) -> TlsContexts:
        try:
            return tls_contexts(configured, self._folder)
        except (OSError, ValueError) as problem:
            reason = explain(problem) if isinstance(problem, ssl.SSLError) else str(problem)
            what = f"transport [{name}]: TLS cannot be set up with {configured.cert_file}"
            raise OSError(f"{what}: {reason}") from problem

    def reload(self, settings: PjsipSettings) -> list[str]:
        """Take addresses and certificates anew, for what begins from now on; tells what needs a restart.

        Transports with `allow_reload` are bound elsewhere, a moment later.
        """
        self.keep_alive_s = float(settings.general.keep_alive_interval)
        notes: list[str] = []
        moved: list[tuple[str, TransportSettings | None]] = []
        for name in {**self._settings, **settings.transports}:
            former, wanted = self._settings.get(name), settings.transports.get(name)
            if former is not None and wanted is not None and _is_bound_alike(former, wanted):
                notes += self._renew(name, wanted)
            elif any(one is not None and one.allow_reload for one in (former, wanted)):
                moved.append((name, wanted))
            else:
                notes.append(f"pjsip.conf: transport [{name}] has changed, which needs a restart or allow_reload=yes")
        if moved:
            task = asyncio.get_running_loop().create_task(self._move(moved), name="SIP transports are bound anew")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return notes

    def _renew(self, name: str, configured: TransportSettings) -> list[str]:
        """Take what may change while a transport stays bound."""
        if name in self._tls:
            try:
                self._tls[name] = self._read_tls(name, configured)
            except OSError as problem:
                log.error("%s; what was read before stays in use", problem)
                return [str(problem)]
        inside = self._facings[name].inside
        self._settings[name] = configured
        self._facings[name] = Facing(configured, inside.protocol, _bound_to(configured)[0], inside.port)
        self.transports[name] = self._facings[name].inside
        return []

    async def _move(self, moved: list[tuple[str, TransportSettings | None]]) -> None:
        """Let go of what transports were bound to, and bind them as they are wanted; None wants none.

        One that cannot be bound goes back to where it was. Connections that are open stay so.
        """
        formers = {name: self._settings.get(name) for name, _ in moved}
        for name, _ in moved:
            self._let_go(name)
        await asyncio.sleep(0)  # a socket of UDP is closed in the next turn
        for name, wanted in moved:
            if wanted is not None and not await self._bind(name, wanted) and (former := formers[name]) is not None:
                await self._bind(name, former)

    def _let_go(self, name: str) -> None:
        carrier, server = self._datagrams.pop(name, None), self._servers.pop(name, None)
        if carrier is not None:
            carrier.close()
        if server is not None:
            server.close()
        self.transports.pop(name, None)
        self._settings.pop(name, None)
        self._tls.pop(name, None)

    async def _bind(self, name: str, configured: TransportSettings) -> bool:
        try:
            if configured.protocol == "tls":
                self._tls[name] = self._read_tls(name, configured)
            await self._open(name, configured)
        except OSError as problem:
            log.error("transport [%s] cannot bind %s: %s", name, configured.bind, why(problem))
            return False
        log.info("transport [%s] is bound to %s", name, configured.bind)
        return True

    async def close(self) -> None:
        """Close every socket."""
        self.closed = True
        for server in self._servers.values():
            server.close()
        for carrier in self._datagrams.values():
            carrier.close()
        for connection in tuple(self._connections.values()):
            connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connection_count(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    # --------------------------------------------------------------------------------------------------- which one

    def choose(self, name: str, uri: SipUri) -> Transport | None:
        """The transport for requests to a URI (RFC 3263 4.1); a configured name decides where the URI does not."""
        named = self.transports.get(name)
        if named is not None and (not says_protocol(uri) or protocol_of(uri) == named.protocol):
            return named
        found = self.find("", protocol_of(uri), uri.host)
        if found is None and not says_protocol(uri):
            found = next((t for p in ON_STREAMS if (t := self.find("", p, uri.host)) is not None), None)
        return found

    def protocols(self, family: int) -> tuple[str, ...]:
        """What requests can be sent by over an IP version, 4 or 6."""
        return tuple(
            dict.fromkeys(
                transport.protocol
                for transport in self.transports.values()
                if transport.protocol not in ON_SOCKETS and (":" in transport.host) == (family == 6)
            )
        )

    def find(self, name: str, protocol: str = "UDP", host: str = "") -> Transport | None:
        """The transport of a name; without one, the first of the protocol that reaches such an address."""
        if name:
            return self.transports.get(name)
        is_literal = ":" in host or host.replace(".", "").isdigit()
        return next(
            (
                transport
                for transport in self.transports.values()
                if transport.protocol == protocol and (not is_literal or (":" in transport.host) == (":" in host))
            ),
            None,
        )

    def towards(self, transport: Transport, address: Address) -> Transport:
        """A transport as the peer at this address sees it: with our names outside of a NAT, or within."""
        facing = self._facings.get(transport.name)
        return facing.towards(address) if facing is not None else transport

    def bound_host(self, transport: Transport) -> str:
        """The address that a transport's sockets are bound to, and those of RTP that go with it."""
        configured = self._settings.get(transport.name)
        return configured.bind.host if configured is not None and configured.bind is not None else transport.host

    def write_timeout_ms(self, transport: Transport) -> int:
        """The time that the configuration gives a WebSocket to take a message, 0 where it says nothing."""
        configured = self._settings.get(transport.name)
        is_said = configured is not None and "websocket_write_timeout" in configured.set_at
        return configured.websocket_write_timeout if configured is not None and is_said else 0

    def for_socket(self, is_secure: bool, is_near: bool) -> Transport | None:
        """The transport that WebSockets of clients belong to, None when there is none.

        Where wss alone is configured a socket in the clear is taken from this machine only, where a web server may
        have ended TLS for it.
        """
        if is_secure:
            return self.find("", "WSS") or self.find("", "WS")
        return self.find("", "WS") or (self.find("", "WSS") if is_near else None)

    def note_name(self, address: Address, host: str) -> None:
        """Remember what name an address was found by: TLS asks for it, and wants it in the certificate."""
        self._names[address] = host
        self._names.move_to_end(address)
        while len(self._names) > MAX_NAMES:
            self._names.popitem(last=False)

    # ------------------------------------------------------------------------------------------------------ sending

    def send(self, send: Send) -> None:
        """Put a message on the wire; what cannot be sent is told to `failed`, later."""
        name = send.transport.name
        carrier = self._datagrams.get(name)
        if carrier is not None:
            if carrier.is_closing():
                self._fail_later(send)
            else:
                carrier.sendto(send.data, send.destination)
            return
        key = (name, send.destination)
        waiting = self._connecting.get(key)
        if waiting is not None:
            if len(waiting) >= MAX_BACKLOG:
                self._fail_later(send)
            else:
                waiting.append(send)
            return
        connection = self._connections.get(key)
        if connection is not None and connection.send(send.data):
            return
        if connection is not None or self.closed or len(self._connections) >= MAX_CONNECTIONS:
            self._fail_later(send)
        elif name not in self.transports or send.transport.protocol not in ON_STREAMS:
            self._fail_later(send)  # RFC 7118 5: the client's socket is the only way to it
        else:
            self._connect(key, send)

    def _connect(self, key: _Key, send: Send) -> None:
        self._connecting[key] = [send]
        task = asyncio.get_running_loop().create_task(self._open_connection(key), name=f"SIP connect {key[1]}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open_connection(self, key: _Key) -> None:
        name, address = key
        loop = asyncio.get_running_loop()
        configured = self._settings[name]
        bound = _bound_to(configured)[0]
        source = None if is_any(bound) else (bound, 0)
        connection: StreamConnection | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(
                    partial(self._client, name, address), *address, local_addr=source
                )
                await connection.ready
        except (OSError, TimeoutError) as problem:
            reason = explain(problem) if isinstance(problem, ssl.SSLError) else (str(problem) or "no answer in time")
            log.warning("no %s connection to %s:%s: %s", configured.protocol.upper(), *address, reason)
            if connection is not None:
                connection.close()
            for send in self._connecting.pop(key):
                self._failed(send)
            return
        for send in self._connecting.pop(key):
            if not connection.send(send.data):
                self._fail_later(send)

    def _fail_later(self, send: Send) -> None:
        asyncio.get_running_loop().call_soon(self._failed, send)

    # -------------------------------------------------------------------------------------------------- connections

    def _accept(self, name: str) -> StreamConnection:
        contexts = self._tls.get(name)
        return StreamConnection(
            self,
            self._facings[name].towards,
            context=contexts.server if contexts is not None else None,
            options=partial(_set_options, self._settings[name]),
        )

    def _client(self, name: str, address: Address) -> StreamConnection:
        contexts = self._tls.get(name)
        domain = self._names.get(address, address[0])
        return StreamConnection(
            self,
            self._facings[name].towards,
            context=contexts.client if contexts is not None else None,
            server_name=domain,
            must_be=domain if contexts is not None and contexts.verify_server else "",
            wildcards=contexts is not None and contexts.wildcards,
            is_client=True,
            options=partial(_set_options, self._settings[name]),
        )

    def accept_socket(self, transport: Transport, peer: Address, socket: MessageSocket) -> SocketConnection | None:
        """Take a WebSocket of a client; None if there are too many."""
        connection = SocketConnection(self, self.towards(transport, peer), peer, socket)
        if self.connected(connection):
            return connection
        connection.lost()
        return None

    def keep(self, transport: Transport, peer: Address, aor: str = "", *, silence_s: float = 0.0) -> None:
        """Somebody who may has used a connection: it is kept open, and its end is told if an aor is reached by it.

        `silence_s` ends a stream when its peer says nothing for so long, not even a keepalive; 0 lets it be silent.
        """
        connection = self._connections.get((transport.name, peer))
        if connection is None:
            return
        if not connection.kept:
            connection.kept = True
            self._count(self._strangers, peer[0], -1)
            self._count(self._kept, peer[0], 1)
        if aor:
            connection.aors.add(aor)
        if silence_s and isinstance(connection, StreamConnection):
            connection.silence_s = silence_s

    # -------------------------------------------------------------------------------------------- what skins tell

    def received(self, data: bytes, source: Address, transport: Transport) -> None:
        """One whole message came in."""
        self._receive(data, source, transport)

    def datagram(self, name: str, data: bytes, source: Address) -> None:
        """One datagram came in."""
        facing = self._facings.get(name)
        if facing is not None:
            self._receive(data, source, facing.towards(source))

    def connected(self, connection: Connection) -> bool:
        """A connection is up; False if there are too many."""
        host = connection.peer[0]
        if self.closed or len(self._connections) >= MAX_CONNECTIONS:
            self.turned_away(connection, f"{len(self._connections)} are open")
            return False
        if not connection.kept:
            refusal = self._refusal_of_stranger(host)
            if refusal:
                self.turned_away(connection, refusal)
                return False
        self._count(self._kept if connection.kept else self._strangers, host, 1)
        self._connections[connection.transport.name, connection.peer] = connection
        self.counters["connections.opened"] += 1
        return True

    def disconnected(self, connection: Connection) -> None:
        """A connection is gone."""
        key = (connection.transport.name, connection.peer)
        if self._connections.get(key) is not connection:
            return
        del self._connections[key]
        self._count(self._kept if connection.kept else self._strangers, connection.peer[0], -1)
        if connection.kept and not self.closed:
            self._lost(connection)

    def turned_away(self, connection: Connection, why: str) -> None:
        """A connection is ended for what its peer did; the log names the first, then every thousandth."""
        self.counters["connections.ended"] += 1
        count = self.counters["connections.ended"]
        if count <= LOG_EVERY_REFUSAL_UP_TO or count % 1000 == 0:
            host, port = connection.peer
            protocol = connection.transport.protocol
            log.warning("%s connection with %s:%s is closed: %s (%d so far)", protocol, host, port, why, count)

    def _refusal_of_stranger(self, host: str) -> str:
        """Why a stranger gets no connection, or ""; hosts are counted apart, but for this one, where proxies run."""
        open_now, near = self._strangers.total(), is_loopback(host)
        if open_now >= MAX_STRANGERS or (self._strangers[host] >= MAX_STRANGERS_OF_HOST and not near):
            return f"{open_now} are open that nobody has registered through"
        if self._kept[host] >= MAX_KEPT_OF_HOST and not near:
            return f"it has {self._kept[host]} already"
        now = asyncio.get_running_loop().time()
        if not self.admits(host, now):
            return "it is banned, or not in the access list"
        second = int(now)
        if second != self._second:
            self._second, self._new = second, Counter()
        self._new[host] += 1
        return f"{MAX_NEW_OF_HOST} were opened this second" if self._new[host] > MAX_NEW_OF_HOST and not near else ""

    @staticmethod
    def _count(connections: Counter[str], host: str, step: int) -> None:
        connections[host] += step
        if not connections[host]:
            del connections[host]


class DatagramSkin(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, owner: SipTransports, name: str) -> None:
        self._owner = owner
        self._name = name

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._owner.datagram(self._name, data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        log.debug("UDP: %s", exc)


def says_protocol(uri: SipUri) -> bool:
    """Whether a URI itself asks for a protocol."""
    return uri.scheme == "sips" or bool(uri.parameter("transport"))


def protocol_of(uri: SipUri) -> str:
    """The protocol a URI asks for (RFC 3261 26.2.2, RFC 7118 5); UDP if it asks for none."""
    protocol = (uri.parameter("transport") or "").upper()
    if uri.scheme == "sips":
        return "WSS" if protocol in ON_SOCKETS else "TLS"
    return protocol or "UDP"


def why(problem: OSError) -> str:
    """The system's own words, which uvloop replaces by its."""
    return os.strerror(problem.errno) if problem.errno else str(problem)


def _is_bound_alike(one: TransportSettings, other: TransportSettings) -> bool:
    return (one.protocol, one.bind) == (other.protocol, other.bind)


def _bound_to(configured: TransportSettings) -> Address:
    bind = configured.bind
    default = DEFAULT_TLS_PORT if configured.protocol == "tls" else DEFAULT_PORT
    return (bind.host, bind.port or default) if bind is not None else ("", default)


def _set_options(configured: TransportSettings, sock: socket.socket) -> None:
    """What the configuration says of a connection's socket; OSError where the system has no such option."""
    _set_class(sock, configured)
    if configured.tcp_keepalive_enable:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, configured.tcp_keepalive_idle_time)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, configured.tcp_keepalive_interval_time)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, configured.tcp_keepalive_probe_count)


def _set_class(sock: Any, configured: TransportSettings) -> None:
    """Traffic class and priority of what a socket sends."""
    if sock is None or not (configured.tos or configured.cos):
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, configured.tos)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, configured.tos)
    if configured.cos:
        sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_PRIORITY", 12), configured.cos)


def _enlarge_buffer(carrier: asyncio.DatagramTransport) -> None:
    """Room for a burst of requests while the loop does something else."""
    sock = carrier.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        except OSError as problem:
            log.debug("the receive buffer stays as it is: %s", problem)
