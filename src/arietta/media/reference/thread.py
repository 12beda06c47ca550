"""The thread and the sockets of the reference engine; nothing is decided here."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from functools import lru_cache

from ..engine import Address, EngineSettings, MediaError
from .core import Core, Done, Job, TransportPair, logger
from .udp import UdpPort

__all__ = ["ReferenceEngine"]

LARGEST_DATAGRAM = 2048
EVENTS_AT_ONCE = 256


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

    def close(self) -> None:
        self._rtp.close()
        self._control.close()

    def sockets(self) -> tuple[socket.socket, socket.socket]:
        return self._rtp, self._control


class _Sockets:
    """The system's network, watched by epoll."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.receivers: dict[int, tuple[Callable[[bytes, Address, int], None], socket.socket]] = {}

    def open_pair(self, bind: str, port: int) -> _SocketPair | None:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        sockets: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                sockets.append(sock)
                if family is socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
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
        self.epoll.register(pair.control_fd, select.EPOLLIN)

    def unlisten(self, pair: TransportPair) -> None:
        """The kernel forgets a descriptor that is closed."""
        assert isinstance(pair, _SocketPair)
        self.receivers.pop(pair.rtp_fd, None)
        self.receivers.pop(pair.control_fd, None)


class ReferenceEngine(Core):
    """The media engine in Python: a thread that sleeps until a packet, a deadline or a command."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self._sockets = _Sockets()
        super().__init__(
            settings if settings is not None else EngineSettings(), self._sockets, now_ns=time.monotonic_ns()
        )
        self.wall_offset_ns = time.time_ns() - time.monotonic_ns()
        self.running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._worker: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[tuple[Job, Done] | None] = queue.SimpleQueue()
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
        self._worker = threading.Thread(target=self._work, name="arietta-media-disk", daemon=True)
        self._thread = threading.Thread(target=self._live, name="arietta-media", daemon=True)
        self._worker.start()
        self._thread.start()

    def stop(self) -> None:
        if self._thread is None or not self.running:
            return
        self.close()
        self.wake()
        self._thread.join()
        self._jobs.put(None)
        if self._worker is not None:
            self._worker.join()
        self._sockets.epoll.close()
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
        self._jobs.put((job, done))

    # -- the threads --

    def _live(self) -> None:
        poll = self._sockets.epoll.poll
        receivers = self._sockets.receivers
        monotonic = time.monotonic_ns
        alarm = self._alarm
        while self.running:
            with self.lock:
                deadline = self.next_deadline_ns
            timeout = -1.0 if deadline is None else max(0, deadline - monotonic()) / 1e9
            events = poll(timeout, EVENTS_AT_ONCE)
            now = monotonic()
            with self.lock:
                self.now_ns = now
                for fd, _ in events:
                    entry = receivers.get(fd)
                    if entry is None:
                        if fd == alarm:
                            os.eventfd_read(alarm)
                        continue
                    receive, sock = entry
                    try:
                        data, source = sock.recvfrom(LARGEST_DATAGRAM)
                    except OSError:
                        continue  # an ICMP error of an earlier packet, or nothing there after all
                    host = source[0]
                    if host.startswith("::ffff:"):
                        host = host[7:]
                    try:
                        receive(data, (host, source[1]), now)
                    except Exception:  # a fault of ours costs this packet, not the engine
                        self.packets_dropped += 1
                        logger.exception("a packet of %s:%d failed", host, source[1])
                self.run(monotonic())

    def _work(self) -> None:
        while True:
            entry = self._jobs.get()
            if entry is None:
                return
            job, done = entry
            error: Exception | None = None
            try:
                job()
            except MediaError as caught:
                error = caught
            except Exception as caught:  # a fault here must not end every other recording
                error = MediaError(f"{type(caught).__name__}: {caught}")
            with self.lock:
                done(error)
