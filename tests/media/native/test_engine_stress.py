"""Commands of every kind while packets flow over loopback between the ports of several shards.

`tools/sanitize.sh` runs it with threads that are preempted at bad moments (preempted.h).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arietta.media.engine import EngineSettings, JitterRules, MediaError, RtpPort, RtpSettings, Samples, Silence
from arietta.media.native import why_not

from ..courses import Course, spoken

if why_not() is None:
    from arietta.media.native.engine import NativeEngine
else:
    pytest.skip(str(why_not()), allow_module_level=True)

SEED = int(os.environ.get("ARIETTA_STRESS_SEED", "7"))
TICKS = int(os.environ.get("ARIETTA_STRESS_TICKS", "300"))
"""Of all shards together."""
CALLS = int(os.environ.get("ARIETTA_STRESS_CALLS", "1500"))
SETTINGS = EngineSettings(rtp_start=43000, rtp_end=44999, threads=3, relearn_ms=20)


class Loopback:
    """RTP ports that call each other."""

    def __init__(self) -> None:
        self.open: dict[str, RtpPort] = {}

    def __call__(self, course: Course, name: str) -> tuple[RtpPort, Callable[[], None]]:
        port = course.core.open_rtp(bind="127.0.0.1", on_event=course.hears(name))
        self.open[name] = port
        self.call(course, port)
        return port, lambda: self.talk(course, port)

    def call(self, course: Course, port: RtpPort) -> None:
        self.open = {name: one for name, one in self.open.items() if one is port or name in course.ports}
        other = course.random.choice(list(self.open.values()))
        codec, number = course.random.choice((("ulaw", 0), ("alaw", 8), ("gsm", 3), ("g722", 9), ("slin16", 96)))
        port.configure(
            RtpSettings(
                ("127.0.0.1", other.local_port),
                codec,
                number,
                {0: "ulaw", 8: "alaw", 3: "gsm", 9: "g722", 96: "slin16"},
                telephone_event_pt=course.random.choice((None, 101)),
                rtcp_mux=course.random.random() < 0.3,
                ptime_ms=course.random.choice((10, 20, 20, 60)),
                timeout_ms=course.random.choice((0, 50)),
            )
        )
        port.buffer(course.random.choice((JitterRules(), JitterRules(True, 60))))

    def talk(self, course: Course, port: RtpPort) -> None:
        if course.random.random() < 0.1:
            self.call(course, port)
        elif course.random.random() < 0.1:
            port.statistics()
        else:
            data = spoken(course.random, 200)
            port.play(Samples(data, 16000), on_end=lambda end: None)


@contextlib.contextmanager
def nothing_is_left() -> Iterator[None]:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    yield
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_nothing_goes_astray_while_everything_happens(tmp_path: Path) -> None:
    with nothing_is_left():
        asyncio.run(_stress(tmp_path))


async def _stress(folder: Path) -> None:
    engine = NativeEngine(SETTINGS)
    engine.start(asyncio.get_running_loop())
    course = Course(engine, SEED, folder, Loopback(), most_ports=300)
    try:
        while engine.stats().ticks < TICKS:
            for _ in range(5):
                course.step()
            await asyncio.sleep(0)
        statistics = engine.stats()
        assert statistics.packets_received > 100
        assert statistics.events_dropped == 0
        course.finish()
        statistics = engine.stats()
        assert (statistics.ports, statistics.mixers, statistics.active_ports) == (0, 0, 0)
    finally:
        engine.stop()
    assert all(course.plays.values())
    assert all(course.recordings.values())
    assert not engine.recorders and not engine.players and not engine.tokens
    with pytest.raises(MediaError):
        engine.open_mixer()


def test_packets_for_ports_that_went_to_another_shard_and_closed_are_nobodys() -> None:
    with nothing_is_left():
        asyncio.run(_move())


async def _move() -> None:
    """Two calls are linked, which brings one of them to the other's shard, and hung up, over and over."""
    engine = NativeEngine(SETTINGS)
    engine.start(asyncio.get_running_loop())
    calls: deque[list[RtpPort]] = deque()
    try:
        for n in range(CALLS):
            phones = [engine.open_rtp(bind="127.0.0.1", on_event=lambda event: None) for _ in range(4)]
            for port, other in zip(phones, (phones[2], phones[3], phones[0], phones[1]), strict=True):
                port.configure(RtpSettings(("127.0.0.1", other.local_port), "ulaw", 0, {0: "ulaw"}))
            for port in phones[2:]:
                port.generate(Silence())
            calls.append(phones)
            if n % 3 == 0:
                await asyncio.sleep(0)
            if len(calls) > 60:
                ended = calls.popleft()
                ended[0].link(ended[1])
                for port in ended:
                    port.close()
        assert engine.stats().packets_received > 100
    finally:
        engine.stop()
