"""The thread and the sockets of the reference engine; nothing is decided here."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from functools import lru_cache

from ..engine import Address, EngineSettings, MediaError
from ..worker import Done, Job, Worker
from .core import Core, TransportPair
from .udp import UdpPort

__all__ = ["ReferenceEngine"]

LARGEST_DATAGRAM = 2048
LOOK_NS = 5_000_000
"""How often calm sockets are looked at while packets come thick."""
THICK_NS = 4_000_000
"""Packets of calm sockets that come closer than this are thick."""
EVENTS_AT_ONCE = 256
SO_NO_CHECK = getattr(socket, "SO_NO_CHECK", 11)
"""Linux's, which the standard library has no name for."""


_MESSAGE_FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

# The C library's own sendto, called without letting go of the interpreter lock: the call takes 3 µs and never blocks,
# while socket.sendto would hand the lock to a busy asyncio thread for milliseconds with every packet.
_sendto = ctypes.PyDLL(None, use_errno=True).sendto
_sendto.argtypes = [*(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)]
_sendto.restype = ctypes.c_ssize_t


@lru_cache(maxsize=4096)
def _socket_address(ipv6: bool, host: str, port: int) -> bytes:
    """Linux's sockaddr_in or sockaddr_in6; an IPv6 socket reaches IPv4 too (RFC 4291 2.5.5.2)."""
    if not ipv6:
        return struct.pack("=H", socket.AF_INET) + struct.pack(">H4s8x", port, socket.inet_aton(host))
    address, _, zone = host.partition("%")
    packed = socket.inet_pton(socket.AF_INET6, address if ":" in address else f"::ffff:{address}")
    scope = (int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)) if zone else 0
    return struct.pack("=H", socket.AF_INET6) + struct.pack(">HI16s", port, 0, packed) + struct.pack("=I", scope)


class _SocketPair:
    """Two bound UDP sockets."""

    __slots__ = ("_control", "_ipv6", "_rtp", "control_fd", "port", "rtp_fd")

    def __init__(self, rtp: socket.socket, control: socket.socket, port: int) -> None:
        self._rtp, self._control, self.port = rtp, control, port
        self._ipv6 = rtp.family is socket.AF_INET6
        self.rtp_fd, self.control_fd = rtp.fileno(), control.fileno()

    def send(self, data: bytes, target: Address) -> None:
        address = _socket_address(self._ipv6, *target)
        if _sendto(self.rtp_fd, data, len(data), _MESSAGE_FLAGS, address, len(address)) < 0:
            raise OSError(ctypes.get_errno(), "sendto failed")

    def send_control(self, data: bytes, target: Address) -> None:
        address = _socket_address(self._ipv6, *target)
        if _sendto(self.control_fd, data, len(data), _MESSAGE_FLAGS, address, len(address)) < 0:
            raise OSError(ctypes.get_errno(), "sendto failed")

    def mark(self, tos: int, cos: int) -> None:
        """The kernel derives a priority from `tos`, which stays as long as there is no `cos`."""
        for sock in self.sockets():
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            if self._ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
            if cos:
                with contextlib.suppress(PermissionError):  # 7 is for who may administer the network
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, cos)

    def close(self) -> None:
        self._rtp.close()
        self._control.close()

    def sockets(self) -> tuple[socket.socket, socket.socket]:
        return self._rtp, self._control


class _Sockets:
    """The system's network, watched by two epolls.

    Urgent sockets wake the thread with each packet: those that nothing was heard on yet, and those whose packets are
    passed on as they come. Calm ones wait in the second epoll, which wakes the thread through the first as long as
    little comes; when packets come thick it is asked every few milliseconds instead, for all of them at once.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._checksums = settings.checksums
        self.epoll = select.epoll()
        self.calm = select.epoll()
        self.calm_fd = self.calm.fileno()
        self.receivers: dict[int, tuple[Callable[[bytes, Address, int], bool], socket.socket]] = {}
        self.epoll.register(self.calm_fd, select.EPOLLIN)

    def open_pair(self, bind: str, port: int) -> _SocketPair | None:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        sockets: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                sockets.append(sock)
                if family is socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                elif not self._checksums:
                    sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
                sock.bind((bind, number))
        except OSError as error:
            for sock in sockets:
                sock.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return None
            raise
        return _SocketPair(sockets[0], sockets[1], port)

    def listen(self, pair: TransportPair, receiver: UdpPort) -> None:
        assert isinstance(pair, _SocketPair)
        rtp, control = pair.sockets()
        self.receivers[pair.rtp_fd] = (receiver.receive, rtp)
        self.receivers[pair.control_fd] = (receiver.receive_control, control)
        self.epoll.register(pair.rtp_fd, select.EPOLLIN)
        self.calm.register(pair.control_fd, select.EPOLLIN)

    def move(self, fd: int, *, urgent: bool) -> None:
        """Watch a socket with the other epoll."""
        here, there = (self.calm, self.epoll) if urgent else (self.epoll, self.calm)
        here.unregister(fd)
        there.register(fd, select.EPOLLIN)

    def arm(self, on: bool) -> None:
        """Whether calm sockets wake the thread."""
        self.epoll.modify(self.calm_fd, select.EPOLLIN if on else 0)

    def close(self) -> None:
        """Watch nothing more."""
        self.epoll.close()
        self.calm.close()

    def unlisten(self, pair: TransportPair) -> None:
        """The kernel forgets a descriptor that is closed."""
        assert isinstance(pair, _SocketPair)
        self.receivers.pop(pair.rtp_fd, None)
        self.receivers.pop(pair.control_fd, None)


class ReferenceEngine(Core):
    """The media engine in Python: a thread that sleeps until a packet, a deadline or a command."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        self._sockets = _Sockets(settings)
        super().__init__(settings, self._sockets, now_ns=time.monotonic_ns())
        self.wall_offset_ns = time.time_ns() - time.monotonic_ns()
        self.running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._worker = Worker(self._finished)
        self._alarm = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._sockets.epoll.register(self._alarm, select.EPOLLIN)

    @property
    def name(self) -> str:
        return "reference"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is not None:
            raise MediaError("the media engine was started already")
        self._loop = loop
        self.running = True
        self._thread = threading.Thread(target=self._live, name="arietta-media", daemon=True)
        self._worker.start()
        self._thread.start()

    def stop(self) -> None:
        if self._thread is None or not self.running:
            return
        self.close()
        self.wake()
        self._thread.join()
        self._worker.stop()
        self._sockets.close()
        os.close(self._alarm)

    # -- what the core asks for --

    def clock_ns(self) -> int:
        return time.monotonic_ns()

    def wake(self) -> None:
        if threading.current_thread() is not self._thread:
            os.eventfd_write(self._alarm, 1)

    def announce(self) -> None:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self.deliver)
            except RuntimeError:
                pass  # the loop is closed: nobody is left to be told

    def offload(self, job: Job, done: Done) -> None:
        self._worker.put(job, done)

    # -- the threads --

    def _live(self) -> None:
        sockets = self._sockets
        poll = sockets.epoll.poll
        poll_calm = sockets.calm.poll
        monotonic = time.monotonic_ns
        calm_fd = sockets.calm_fd
        last_calm_ns = 0
        look_at_ns: int | None = None  # when to look at the calm sockets; None while they wake the thread
        while self.running:
            with self.lock:
                deadline = self.next_deadline_ns
            if look_at_ns is not None and (deadline is None or look_at_ns < deadline):
                deadline = look_at_ns
            timeout = -1.0 if deadline is None else max(0, deadline - monotonic()) / 1e9
            events = poll(timeout, EVENTS_AT_ONCE)
            now = monotonic()
            calm: list[tuple[int, int]] = []
            if look_at_ns is None:
                if any(fd == calm_fd for fd, _ in events):
                    calm = poll_calm(0, EVENTS_AT_ONCE)
                    if now - last_calm_ns < THICK_NS:
                        sockets.arm(False)
                        look_at_ns = now + LOOK_NS
                    last_calm_ns = now
            elif now >= look_at_ns:
                calm = poll_calm(0, EVENTS_AT_ONCE)
                if calm:
                    look_at_ns = now + LOOK_NS
                    last_calm_ns = now
                else:
                    look_at_ns = None
                    sockets.arm(True)
            with self.lock:
                self.now_ns = now
                for fd, _ in events:
                    self._read(fd, now, urgent=True)
                for fd, _ in calm:
                    self._read(fd, now, urgent=False)
                self.run(monotonic())

    def _read(self, fd: int, now_ns: int, *, urgent: bool) -> None:
        """Take one datagram, and watch its socket as what it was asks for."""
        sockets = self._sockets
        entry = sockets.receivers.get(fd)
        if entry is None:
            if fd == self._alarm:
                os.eventfd_read(fd)
            return
        receive, sock = entry
        try:
            data, source = sock.recvfrom(LARGEST_DATAGRAM)
        except OSError:
            return  # an ICMP error of an earlier packet, or nothing there after all
        host = source[0]
        if host.startswith("::ffff:"):
            host = host[7:]
        if receive(data, (host, source[1]), now_ns) != urgent and fd in sockets.receivers:
            sockets.move(fd, urgent=not urgent)

    def _finished(self, done: Done, error: Exception | None) -> None:
        with self.lock:
            done(error)
