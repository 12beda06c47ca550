"""What the kernel takes for one small datagram there and back out: the floor under a leg's tick, on this machine."""

from __future__ import annotations

import os
import socket
import statistics
import time
from dataclasses import dataclass

__all__ = ["REFERENCE_PAIR_US", "Floor", "measure_floor"]

REFERENCE_PAIR_US = 1.095
"""The machine on which the reference's figures were taken: 100,000 pairs in 0.1095 s."""
BURST = 50


@dataclass(frozen=True, slots=True)
class Floor:
    """Microseconds of CPU, on one core."""

    pair_us: float
    """One datagram sent and received."""
    receive_us: float
    """The part of it that is receiving."""


def measure_floor(core: int, pairs: int = 50_000, repeats: int = 3) -> Floor:
    """Connected sockets over loopback, 172 bytes: the datagram of 20 ms of G.711."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
            for end in (one, other):
                end.bind(("127.0.0.1", 0))
            one.connect(other.getsockname())
            other.connect(one.getsockname())
            pair = statistics.median(_pairs(one, other, pairs) for _ in range(repeats))
            receive = statistics.median(_receives(one, other, pairs // 10) for _ in range(repeats))
    finally:
        os.sched_setaffinity(0, before)
    return Floor(pair, min(pair, receive))


def _pairs(one: socket.socket, other: socket.socket, pairs: int) -> float:
    packet, send, receive = bytes(172), one.send, other.recv
    began = time.process_time()
    for _ in range(pairs):
        send(packet)
        receive(2048)
    return (time.process_time() - began) / pairs * 1e6


def _receives(one: socket.socket, other: socket.socket, packets: int) -> float:
    packet, send, receive = bytes(172), one.send, other.recv
    spent = 0.0
    for _ in range(packets // BURST):
        for _ in range(BURST):
            send(packet)
        began = time.process_time()
        for _ in range(BURST):
            receive(2048)
        spent += time.process_time() - began
    return spent / (packets // BURST * BURST) * 1e6
