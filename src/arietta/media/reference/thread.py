"""The thread and the sockets of the reference engine; nothing is decided here."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from ..engine import Address, EngineSettings, MediaError
from .core import Core, Done, Job, TransportPair
from .udp import UdpPort

__all__ = ["ReferenceEngine"]

LARGEST_DATAGRAM = 2048
EVENTS_AT_ONCE = 256
RECEIVE_BUFFER = 64 << 10


class _SocketPair:
    """Two bound UDP sockets."""

    __slots__ = ("_control", "_rtp", "control_fd", "port", "rtp_fd", "send", "send_control")

    def __init__(self, rtp: socket.socket, control: socket.socket, port: int) -> None:
        self._rtp, self._control, self.port = rtp, control, port
        self.rtp_fd, self.control_fd = rtp.fileno(), control.fileno()
        if rtp.family is socket.AF_INET6:
            self.send: Callable[[bytes, Any], object] = _mapped(rtp)
            self.send_control: Callable[[bytes, Any], object] = _mapped(control)
        else:
            self.send, self.send_control = rtp.sendto, control.sendto

    def close(self) -> None:
        self._rtp.close()
        self._control.close()

    def sockets(self) -> tuple[socket.socket, socket.socket]:
        return self._rtp, self._control


def _mapped(sock: socket.socket) -> Callable[[bytes, Any], object]:
    """sendto of an IPv6 socket that reaches IPv4 too (RFC 4291 2.5.5.2)."""

    def send(data: bytes, target: Any) -> object:
        host, port = target
        return sock.sendto(data, (host if ":" in host else f"::ffff:{host}", port))

    return send


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
                    receive(data, (host, source[1]), now)
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
