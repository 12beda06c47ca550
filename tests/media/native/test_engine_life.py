"""The threads of the engine in C: they die and are started again, and they end with everything that runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arietta.media.engine import (
    EngineSettings,
    JitterRules,
    PlayEnd,
    PlayEndReason,
    RecordEnd,
    RecordEndReason,
    RtpPort,
    RtpSettings,
    Samples,
    Silence,
)
from arietta.media.native import why_not
from arietta.rtp import RtpPacket

from ..virtual import tone

if why_not() is None:
    from arietta.media.native.engine import NativeEngine
else:
    pytest.skip(str(why_not()), allow_module_level=True)

SETTINGS = EngineSettings(rtp_start=45000, rtp_end=46999, threads=2)


@contextlib.contextmanager
def nothing_is_left() -> Iterator[None]:
    threads, descriptors = threading.active_count(), sorted(os.listdir("/proc/self/fd"))
    yield
    assert threading.active_count() == threads
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def epolls() -> set[int]:
    """Descriptors of this process that are epolls."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "eventpoll" in os.readlink(f"/proc/self/fd/{name}"):
                found.add(int(name))
    return found


def call(engine: NativeEngine, phone: socket.socket) -> RtpPort:
    port = engine.open_rtp(bind="127.0.0.1", on_event=lambda event: None)
    port.configure(RtpSettings(phone.getsockname(), "ulaw", 0, {0: "ulaw"}))
    port.buffer(JitterRules(True, 20))
    return port


# -- death --


URGENT, CALM = 0, 1
"""Which of a shard's two epolls is broken: the one that wakes the thread, or that of the sockets that may wait."""


@pytest.mark.parametrize("which", [URGENT, CALM])
def test_threads_that_die_are_started_again_with_their_ports(caplog: pytest.LogCaptureFixture, which: int) -> None:
    with nothing_is_left(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        asyncio.run(_die(phone, which, lambda: len(_errors(caplog))))
    assert _errors(caplog) == ["a media thread ended: Invalid argument; it is started again"] * 2


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


async def _die(phone: socket.socket, which: int, deaths: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()
    others = epolls()
    engine = NativeEngine(SETTINGS)
    ours = sorted(epolls() - others)  # of each shard the urgent one, and the calm one
    engine.start(loop)
    try:
        ports = [call(engine, phone) for _ in range(6)]
        played: asyncio.Future[PlayEnd] = loop.create_future()
        for port in ports[1:]:
            port.generate(Silence())
        ports[0].play(Samples(tone(440, 400)), on_end=played.set_result)
        for descriptor in ours[which::2]:
            os.dup2(phone.fileno(), descriptor, inheritable=False)
        assert (await asyncio.wait_for(played, 10)).reason is PlayEndReason.DONE
        before = ports[3].statistics().txcount
        for sequence in range(1000):
            phone.sendto(
                bytes(RtpPacket(0, sequence, 160 * sequence, 9, bytes(160))), ("127.0.0.1", ports[3].local_port)
            )
            await asyncio.sleep(0.01)
            goes_on = ports[3].statistics().rxcount > 10 and ports[3].statistics().txcount > before + 10
            if goes_on and deaths() == 2:  # a thread whose sockets are all quiet looks at them once a second
                break
        assert ports[3].statistics().rxcount > 10, "its socket is read again"
        assert ports[3].statistics().txcount > before + 10, "its ticks go on"
        assert engine.stats().ports == 6
    finally:
        engine.stop()


@pytest.mark.parametrize("silenced", ["replaced", "closed"])
def test_a_shard_whose_calm_sockets_wake_nobody_is_not_deaf_for_long(
    caplog: pytest.LogCaptureFixture, silenced: str
) -> None:
    """Nothing is played and nothing ticks: the thread sleeps until a packet comes, and none would wake it."""
    with nothing_is_left(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        took = asyncio.run(_break_calm(phone, silenced))
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    why = {"replaced": "Invalid argument", "closed": "Bad file descriptor"}[silenced]
    assert said == [f"a media thread ended: {why}; it is started again"]
    assert took < 3


async def _break_calm(phone: socket.socket, silenced: str) -> float:
    others = epolls()
    engine = NativeEngine(EngineSettings(rtp_start=45000, rtp_end=46999, threads=1))
    _, calm = sorted(epolls() - others)
    engine.start(asyncio.get_running_loop())
    try:
        port = call(engine, phone)
        phone.sendto(bytes(RtpPacket(0, 1, 160, 9, bytes(160))), ("127.0.0.1", port.local_port))
        for _ in range(500):
            if port.statistics().rxcount:
                break
            await asyncio.sleep(0.01)
        if silenced == "closed":
            os.close(calm)
        else:
            os.dup2(phone.fileno(), calm, inheritable=False)
        began = time.monotonic()
        for sequence in range(2, 600):
            phone.sendto(bytes(RtpPacket(0, sequence, 160 * sequence, 9, bytes(160))), ("127.0.0.1", port.local_port))
            await asyncio.sleep(0.01)
            if port.statistics().rxcount > 10:
                break
        return time.monotonic() - began
    finally:
        engine.stop()


def test_a_thread_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with nothing_is_left(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        asyncio.run(_die_without_descriptors(phone))
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "a media thread cannot be started, which is tried again: Too many open files" in said


async def _die_without_descriptors(phone: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    others = epolls()
    engine = NativeEngine(SETTINGS)
    ours = sorted(epolls() - others)
    engine.start(loop)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        played: asyncio.Future[PlayEnd] = loop.create_future()
        call(engine, phone).play(Samples(tone(440, 400)), on_end=played.set_result)
        for descriptor in ours[::2]:
            os.dup2(phone.fileno(), descriptor, inheritable=False)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        loop.call_later(0.3, resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        assert (await asyncio.wait_for(played, 10)).reason is PlayEndReason.DONE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        engine.stop()


# -- the end --


def test_the_end_of_thousands_of_ports_is_quick_and_leaves_nothing(tmp_path: Path) -> None:
    with nothing_is_left(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        took, ends = asyncio.run(_stop(phone, tmp_path))
    assert took < 3
    assert [end.reason for end in ends] == [RecordEndReason.CLOSED] * 100
    assert all(os.path.getsize(end.path) >= 44 for end in ends), "each is a whole file"


async def _stop(phone: socket.socket, folder: Path) -> tuple[float, list[RecordEnd]]:
    loop = asyncio.get_running_loop()
    engine = NativeEngine(SETTINGS)
    engine.start(loop)
    begun = asyncio.Event()
    plays: list[PlayEnd] = []
    ends: list[RecordEnd] = []
    ports = [call(engine, phone) for _ in range(200)]
    mixer = engine.open_mixer()
    for n, port in enumerate(ports):
        port.link(mixer)
        port.play(Samples(tone(440, 200)), on_end=plays.append)
        if n % 2:
            port.record(str(folder / str(n)), "wav", on_end=ends.append)
    for _ in range(1000):
        one, other = engine.open_pipe(lambda event: None, lambda event: None)
        one.link(other)
    engine.open_mixer().port().play(Samples(tone(440, 100)), on_end=lambda end: begun.set())
    await asyncio.wait_for(begun.wait(), 10)
    began = time.monotonic()
    engine.stop()
    took = time.monotonic() - began
    assert len(plays) == len(ports), "every end was told"
    return took, ends
