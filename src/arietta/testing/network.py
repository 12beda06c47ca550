"""A network in memory, for one virtual loop: datagrams and streams between hosts, with the faults of real ones.

Every address that somebody binds is a host of its own, but for loopback and the home addresses, which are one host:
there a socket bound to `0.0.0.0` or `::` listens. Each direction between two hosts has its own random numbers, drawn
from the seed and the two addresses: more traffic elsewhere does not change what happens there.

    network = loop.network
    network.link("10.0.0.2", "10.0.0.1", delay=0.020, jitter=0.010, loss=0.1, reordering=0.05)
    network.cut("10.0.0.2", "10.0.0.1"); network.heal("10.0.0.2", "10.0.0.1")

Streams lose nothing: a lost segment comes late. Not done here: TLS, names beyond `names`, multicast, fragmentation.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from .transports import SocketAddress, VirtualDatagrams, VirtualServer, VirtualStream

__all__ = ["Link", "Network", "Sent"]

FIRST_FREE_PORT = 49152
RETRANSMISSION = 0.2
"""Seconds a lost segment of a stream is late (the least RTO of Linux)."""
CONNECT_TIMEOUT = 127.0
"""Seconds until connecting to a host that does not answer fails (Linux, six SYNs)."""
WILDCARDS = ("0.0.0.0", "::")
ANY = "*"


@dataclass(frozen=True, slots=True)
class Link:
    """One direction between two hosts."""

    delay: float = 0.001
    """Seconds each packet takes."""
    jitter: float = 0.0
    """Up to so many seconds more, without overtaking."""
    loss: float = 0.0
    """How many packets of one are lost, 0 to 1."""
    duplication: float = 0.0
    """How many come twice."""
    reordering: float = 0.0
    """How many are overtaken by those sent after them."""
    reorder_by: float = 0.05
    """Seconds an overtaken or second packet is late."""
    up: bool = True
    """False: nothing passes."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One datagram, or one segment of a stream, as it was sent."""

    time: float
    protocol: str
    """`udp`, `tcp` or `unix`."""
    source: SocketAddress
    destination: SocketAddress
    data: bytes
    """Empty for the end of a stream."""
    fate: str
    """`sent`, `lost`, `duplicated` or `reordered`."""
    arrives: float | None
    """When, None when lost."""


class _Path:
    """What one direction between two hosts remembers."""

    __slots__ = ("last_arrival", "random")

    def __init__(self, seed: int, source: str, destination: str) -> None:
        self.random = random.Random(f"{seed} {source} {destination}")
        self.last_arrival = 0.0


class Network:
    """The hosts, the links between them, and what was sent."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        seed: int = 0,
        home: str = "10.0.0.1",
        home6: str = "fd00::1",
        window: int = 65536,
        record_limit: int = 100_000,
    ) -> None:
        """`home` is the address behind `0.0.0.0`; `window` the bytes a stream's receiver takes without reading."""
        self.loop = loop
        self.seed = seed
        self.window = window
        self.names: dict[str, str] = {"localhost": "127.0.0.1"}
        self.record: deque[Sent] = deque(maxlen=record_limit)
        """What was sent, the oldest forgotten first."""
        self.watchers: list[Callable[[Sent], None]] = []
        """Called for each thing sent, as it is sent."""
        self._home = {4: home, 6: home6}
        self._links: dict[tuple[str, str], Link] = {(ANY, ANY): Link()}
        self._paths: dict[tuple[str, str], _Path] = {}
        self._datagrams: dict[tuple[str, int], VirtualDatagrams] = {}
        self._listeners: dict[tuple[str, int], VirtualServer] = {}
        self._unix: dict[str, VirtualServer] = {}
        self._streams: dict[VirtualStream, None] = {}
        self._free_ports: dict[str, int] = {}

    # -- links ---------------------------------------------------------------------------------------------------

    def link(self, source: str = ANY, destination: str = ANY, *, both_ways: bool = True, **changes: Any) -> None:
        """Change fields of `Link` between two hosts; `*` is every host that has no link of its own."""
        pairs = [(source, destination), (destination, source)] if both_ways else [(source, destination)]
        for pair in dict.fromkeys(pairs):
            self._links[pair] = replace(self.link_of(*pair), **changes)
        for stream in tuple(self._streams):
            stream.pump()

    def link_of(self, source: str, destination: str) -> Link:
        """The link from one host to another."""
        links = self._links
        for pair in ((source, destination), (source, ANY), (ANY, destination)):
            if pair in links:
                return links[pair]
        return links[ANY, ANY]

    def cut(self, source: str = ANY, destination: str = ANY, *, both_ways: bool = True) -> None:
        """Let nothing pass."""
        self.link(source, destination, both_ways=both_ways, up=False)

    def heal(self, source: str = ANY, destination: str = ANY, *, both_ways: bool = True) -> None:
        """Let everything pass again; streams go on."""
        self.link(source, destination, both_ways=both_ways, up=True)

    # -- what asyncio calls --------------------------------------------------------------------------------------

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], Any],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: object = None,
    ) -> tuple[asyncio.DatagramTransport, Any]:
        """As `loop.create_datagram_endpoint`. Raises OSError; ValueError for `sock`."""
        _refuse("sock", sock)
        remote = None if remote_addr is None else (self.resolve(remote_addr[0]), remote_addr[1])
        if local_addr is not None:
            host, port = self.resolve(local_addr[0]), local_addr[1]
        elif remote is not None:
            host, port = self.address_towards(remote[0]), 0
        else:
            host, port = ("::" if family == socket.AF_INET6 else "0.0.0.0"), 0
        protocol = protocol_factory()
        transport = self.open_datagrams(protocol, host, port, remote)
        await asyncio.sleep(0)
        return transport, protocol

    def open_datagrams(
        self, protocol: Any, host: str, port: int, remote: tuple[str, int] | None = None
    ) -> VirtualDatagrams:
        """A datagram socket at once, for code that waits for nothing; raises OSError."""
        key = self._bind(self.resolve(host), port, self._datagrams)
        transport = VirtualDatagrams(self, protocol, key, remote)
        self._datagrams[key] = transport
        self.loop.call_soon(protocol.connection_made, transport)
        return transport

    async def create_server(
        self,
        protocol_factory: Callable[[], Any],
        host: str | Iterable[str] | None = None,
        port: int | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = 0,
        sock: object = None,
        backlog: int = 100,
        ssl: object = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> VirtualServer:
        """As `loop.create_server`. Raises OSError; ValueError for `sock` and `ssl`."""
        _refuse("sock", sock)
        _refuse("ssl", ssl)
        if host is None or host == "":
            hosts = [wildcard for wildcard in WILDCARDS if family in (0, _family(wildcard))]
        else:
            hosts = [self.resolve(name) for name in ([host] if isinstance(host, str) else host)]
        server = VirtualServer(self, protocol_factory)
        for address in dict.fromkeys(hosts):
            key = self._bind(address, port or 0, self._listeners)
            self._listeners[key] = server
            server.keys.append(key)
        if start_serving:
            await server.start_serving()
        return server

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: object = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: object = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[asyncio.Transport, Any]:
        """As `loop.create_connection`. Raises OSError; ValueError for `sock` and `ssl`."""
        _refuse("sock", sock)
        _refuse("ssl", ssl)
        if host is None or port is None:
            raise ValueError("a connection needs a host and a port")
        remote = (self.resolve(host), port)
        source = self.resolve(local_addr[0]) if local_addr else self.address_towards(remote[0])
        if source in WILDCARDS:
            source = self.address_towards(remote[0])
        local = (source, (local_addr[1] if local_addr else 0) or self._free_port(source))
        there, back = self.link_of(local[0], remote[0]), self.link_of(remote[0], local[0])
        if not (there.up and back.up):
            await asyncio.sleep(CONNECT_TIMEOUT)
            raise TimeoutError(errno.ETIMEDOUT, f"no answer from {remote}")
        await asyncio.sleep(there.delay)
        server = self._find(self._listeners, remote)
        if server is None or not server.is_serving():
            await asyncio.sleep(back.delay)
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {remote}")
        return await self._connect(server, protocol_factory, local, remote, back.delay)

    async def create_unix_server(
        self,
        protocol_factory: Callable[[], Any],
        path: str | os.PathLike[str] | None = None,
        *,
        sock: object = None,
        ssl: object = None,
        start_serving: bool = True,
        **limits: object,
    ) -> VirtualServer:
        """As `loop.create_unix_server`; no file is made."""
        _refuse("sock", sock)
        _refuse("ssl", ssl)
        name = os.fspath(path or "")
        if not name or name in self._unix:
            raise OSError(errno.EADDRINUSE, f"unix socket {name!r} is in use")
        server = VirtualServer(self, protocol_factory)
        server.path = name
        self._unix[name] = server
        if start_serving:
            await server.start_serving()
        return server

    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], Any],
        path: str | os.PathLike[str] | None = None,
        *,
        sock: object = None,
        ssl: object = None,
        **limits: object,
    ) -> tuple[asyncio.Transport, Any]:
        """As `loop.create_unix_connection`."""
        _refuse("sock", sock)
        _refuse("ssl", ssl)
        name = os.fspath(path or "")
        server = self._unix.get(name)
        if server is None or not server.is_serving():
            raise FileNotFoundError(errno.ENOENT, f"nobody listens at {name!r}")
        return await self._connect(server, protocol_factory, "", name, 0.0)

    def getaddrinfo(
        self,
        host: str | None,
        port: int | str | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[int, int, int, str, SocketAddress]]:
        """As `loop.getaddrinfo`, for addresses and `names`; raises socket.gaierror for other names."""
        address = self.resolve(host or ("0.0.0.0" if flags & socket.AI_PASSIVE else "localhost"))
        kind = _family(address)
        if family not in (0, kind):
            raise socket.gaierror(socket.EAI_NONAME, f"{host!r} has no address of the family asked for")
        kinds = [type] if type else [socket.SOCK_STREAM, socket.SOCK_DGRAM]
        return [(kind, each, proto, "", self.sockname((address, int(port or 0)))) for each in kinds]

    # -- addresses -----------------------------------------------------------------------------------------------

    def resolve(self, host: str) -> str:
        """The address of a name; raises socket.gaierror for one that is not in `names`."""
        host = self.names.get(host, host) or "0.0.0.0"
        try:
            return str(ip_address(host.strip("[]")))
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, f"the virtual network has no name {host!r}") from None

    def address_towards(self, destination: str) -> str:
        """The home's own address as `destination` sees it."""
        if self._is_loopback(destination):
            return "::1" if ":" in destination else "127.0.0.1"
        return self._home[6 if ":" in destination else 4]

    def sockname(self, key: tuple[str, int]) -> SocketAddress:
        """An address as sockets give it: with four parts for IPv6."""
        return (*key, 0, 0) if ":" in key[0] else key

    def bound(self) -> list[str]:
        """Every socket that is open: `udp 10.0.0.1:5060`, `listener ...`, `stream ...` (both its ends), `unix ...`."""
        open_sockets = [f"udp {host}:{port}" for host, port in self._datagrams]
        open_sockets += [f"listener {host}:{port}" for host, port in self._listeners]
        open_sockets += [f"unix {path}" for path in self._unix]
        open_sockets += [f"stream {stream.sockname} to {stream.peer.sockname}" for stream in self._streams]
        return sorted(open_sockets)

    # -- carrying ------------------------------------------------------------------------------------------------

    def send_datagram(self, transport: VirtualDatagrams, destination: tuple[str, int], data: bytes) -> None:
        """Carry a datagram, or lose it."""
        loop = self.loop
        now = loop.time()
        host, port = transport.key
        source = (self.address_towards(destination[0]), port) if host in WILDCARDS else (host, port)
        link, path = self._way(source[0], destination[0])
        draw = path.random.random  # the same number of draws for each packet, whatever the link is like
        lost, late, twice, overtaken = draw() < link.loss, draw() * link.jitter, draw(), draw()
        if lost or not link.up:
            self._note(Sent(now, "udp", source, destination, data, "lost", None))
            return
        arrival = max(path.last_arrival, now + link.delay + late)
        fate = "sent"
        if overtaken < link.reordering:
            fate = "reordered"
            arrival += link.reorder_by
        else:
            path.last_arrival = arrival
        loop.call_at(arrival, self._deliver, source, destination, data)
        if twice < link.duplication:
            fate = "duplicated"
            loop.call_at(arrival + link.reorder_by, self._deliver, source, destination, data)
        self._note(Sent(now, "udp", source, destination, data, fate, arrival))

    def send_segment(self, stream: VirtualStream, data: bytes) -> None:
        """Carry a piece of a stream, in order; b"" is its end."""
        now = self.loop.time()
        arrival, fate = now, "sent"
        if stream.is_unix:
            protocol = "unix"
        else:
            protocol = "tcp"
            link, path = self._way(stream.host, stream.peer.host)
            late = path.random.random() * link.jitter
            if path.random.random() < link.loss:
                fate, late = "lost", late + RETRANSMISSION
            arrival += link.delay + late
        stream.last_arrival = arrival = max(stream.last_arrival, arrival)
        self.loop.call_at(arrival, stream.peer.arrive, data)
        self._note(Sent(now, protocol, stream.sockname, stream.peer.sockname, data, fate, arrival))

    def send_reset(self, stream: VirtualStream) -> None:
        """Tell the other end of a stream that there is nobody any more."""
        delay = 0.0 if stream.is_unix else self.link_of(stream.host, stream.peer.host).delay
        self.loop.call_later(delay, stream.peer.was_reset)

    def is_up(self, stream: VirtualStream) -> bool:
        """Whether a stream's segments pass."""
        return stream.is_unix or self.link_of(stream.host, stream.peer.host).up

    def forget(self, thing: VirtualDatagrams | VirtualServer | VirtualStream) -> None:
        """Free the addresses of something that was closed."""
        if isinstance(thing, VirtualStream):
            self._streams.pop(thing, None)
        elif isinstance(thing, VirtualDatagrams):
            self._datagrams.pop(thing.key, None)
        else:
            for key in thing.keys:
                self._listeners.pop(key, None)
            self._unix.pop(thing.path, None)

    def _deliver(self, source: tuple[str, int], destination: tuple[str, int], data: bytes) -> None:
        receiver = self._find(self._datagrams, destination)
        if receiver is not None and receiver.takes_from(source):
            receiver.arrive(data, self.sockname(source))
        else:
            sender = self._find(self._datagrams, source)
            if sender is not None:
                self.loop.call_later(self.link_of(destination[0], source[0]).delay, sender.was_refused, destination)

    async def _connect(
        self,
        server: VirtualServer,
        protocol_factory: Callable[[], Any],
        local: tuple[str, int] | str,
        remote: tuple[str, int] | str,
        delay: float,
    ) -> tuple[asyncio.Transport, Any]:
        client, accepted = VirtualStream(self, local, remote), VirtualStream(self, remote, local)
        client.peer, accepted.peer = accepted, client
        self._streams[client] = self._streams[accepted] = None
        server.accept(accepted)
        try:
            await asyncio.sleep(delay)
            if client.is_lost:
                raise ConnectionResetError(errno.ECONNRESET, f"{remote} dropped the connection")
            protocol = protocol_factory()
            client.start(protocol)
            await asyncio.sleep(0)
        except BaseException:
            client.abort()
            raise
        return client, protocol

    def _way(self, source: str, destination: str) -> tuple[Link, _Path]:
        pair = (source, destination)
        path = self._paths.get(pair)
        if path is None:
            path = self._paths[pair] = _Path(self.seed, source, destination)
        return self.link_of(source, destination), path

    def _note(self, sent: Sent) -> None:
        self.record.append(sent)
        for watcher in self.watchers:
            watcher(sent)

    def _find(self, table: dict[tuple[str, int], Any], destination: tuple[str, int]) -> Any:
        found = table.get((destination[0], destination[1]))
        if found is None and self._is_home(destination[0]):
            found = table.get(("::" if ":" in destination[0] else "0.0.0.0", destination[1]))
        return found

    def _is_loopback(self, host: str) -> bool:
        return host.startswith("127.") or host == "::1"

    def _is_home(self, host: str) -> bool:
        return self._is_loopback(host) or host in self._home.values()

    def _bind(self, host: str, port: int, table: dict[tuple[str, int], Any]) -> tuple[str, int]:
        if not 0 <= port <= 65535:
            raise OverflowError(f"port {port} is outside 0..65535")
        if port == 0:
            port = self._free_port(host)
        family = _family(host)
        for used_host, used_port in table:
            if used_port != port or _family(used_host) != family:
                continue
            one, other = (host, used_host) if host in WILDCARDS else (used_host, host)
            if one == other or (one in WILDCARDS and self._is_home(other)):
                raise OSError(errno.EADDRINUSE, f"{host} port {port} is in use")
        return host, port

    def _free_port(self, host: str) -> int:
        port = self._free_ports.get(host, FIRST_FREE_PORT)
        used = {key[1] for table in (self._datagrams, self._listeners) for key in table}
        while port in used:
            port += 1
        if port > 65535:
            raise OSError(errno.EADDRINUSE, f"{host} has no free port left")
        self._free_ports[host] = port + 1 if port < 65535 else FIRST_FREE_PORT
        return port


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _refuse(name: str, value: object) -> None:
    if value is not None and value is not False:
        raise ValueError(f"the virtual network does not carry {name}={value!r}")
