"""The engine that is measured, and its CPU time."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
import wave
from pathlib import Path
from typing import Any

from arietta.media.choosing import make_engine
from arietta.media.engine import (
    EngineSettings,
    Files,
    MediaEngine,
    Mixer,
    Music,
    PlayEnd,
    PlayEndReason,
    RecordEnd,
    RtpPort,
)

from .cases import LEVEL, Case
from .legs import settings
from .tones import loudness, tone_file
from .worker import serve

__all__ = ["run"]

BIND = "127.77.0.1"
THREAD_CLOCK = 6
"""CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED of linux/posix-timers.h: what pthread_getcpuclockid makes of a thread."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class EngineSide:
    """Ports, and what is done with them."""

    def __init__(self, core: int, folder: Path) -> None:
        self._core = core
        self._folder = folder
        file = tone_file(folder, 440, LEVEL, 120)
        wanted = EngineSettings(rtp_start=20000, rtp_end=59999, threads=1, music={"default": (file,)})
        self.engine: MediaEngine = make_engine(wanted, "native")[0]
        self.engine.start(asyncio.get_running_loop())
        self._sound = Files((file,))
        self._ports: list[RtpPort] = []
        self._mixers: list[Mixer] = []
        self._recorders: list[Any] = []
        self._recorded: list[RecordEnd] = []
        self._all_recorded = asyncio.Event()
        self._memory_kib = 0.0

    async def open(self, case: dict[str, Any], far: list[tuple[int, int]], host: str) -> list[int]:
        """Open the case's legs towards (RTP, RTCP) ports; the local ports."""
        what = Case(**case)
        self._memory_kib = _resident_kib()
        for leg, (rtp, rtcp) in enumerate(far):
            port = self.engine.open_rtp(bind=BIND, on_event=lambda event: None)
            # Not symmetric: what a probed leg hears goes to its probe, wherever its voice comes from.
            port.configure(settings(what, leg, (host, rtp), (host, rtcp), symmetric=False, near=True))
            self._ports.append(port)
        self._tie(what)
        return [port.local_port for port in self._ports]

    async def begin(self, does: str) -> None:
        """Play or record on every leg, where that is the case."""
        for n, port in enumerate(self._ports):
            self._begin(does, n, port)

    async def burn(self) -> None:
        """Let a thread in Python use all that the core has to give."""
        threading.Thread(target=_burn, daemon=True).start()

    async def window(self, seconds: float) -> dict[str, float]:
        """What it took meanwhile, in seconds of CPU, ticks and packets."""
        before, began = self._counters(), time.monotonic()
        await asyncio.sleep(seconds)
        after = self._counters()
        return {"wall": time.monotonic() - began} | {name: after[name] - before[name] for name in after}

    async def lost(self) -> int:
        """Packets of the phones that did not come, so far."""
        return sum(port.statistics().rxploss for port in self._ports)

    async def result(self) -> dict[str, Any]:
        """What else there is to say, and how the recordings are."""
        return {
            "memory_kib": (_resident_kib() - self._memory_kib) / len(self._ports),
            "modes": sorted({mixer.mode.value for mixer in self._mixers}),
            "complaint": await self._listen_to_recording(),
        }

    def _tie(self, case: Case) -> None:
        for first in range(0, case.legs if case.members else 0, max(1, case.members)):
            mixer = self.engine.open_mixer()
            self._mixers.append(mixer)
            for port in self._ports[first : first + case.members]:
                port.link(mixer)

    def _begin(self, does: str, n: int, port: RtpPort) -> None:
        if does == "play":
            self._play(port)
        elif does == "music":
            port.generate(Music())
        elif does == "record":
            self._recorders.append(port.record(str(self._folder / f"said-{n}"), "wav", on_end=self._written))

    def _written(self, end: RecordEnd) -> None:
        self._recorded.append(end)
        if len(self._recorded) == len(self._recorders):
            self._all_recorded.set()

    def _play(self, port: RtpPort) -> None:
        def ended(end: PlayEnd) -> None:
            if end.reason is PlayEndReason.DONE:
                self._play(port)

        port.play(self._sound, on_end=ended)

    def _counters(self) -> dict[str, float]:
        stats = self.engine.stats()
        process = time.process_time()
        return {
            "media": _media_seconds(),
            "process": process,
            "core": _core_seconds(self._core),
            "ticks": stats.ticks,
            "late": stats.late_ticks,
            "tick_s": stats.tick_ns / 1e9,
            "sent": stats.packets_sent,
            "received": stats.packets_received,
            "dropped": stats.packets_dropped,
            "errors": stats.send_errors,
        }

    async def _listen_to_recording(self) -> str | None:
        if not self._recorders:
            return None
        for recorder in self._recorders:
            recorder.stop()
        await self._all_recorded.wait()
        failed = [end for end in self._recorded if end.error]
        if failed:
            return failed[0].error
        with wave.open(str(self._folder / "said-0.wav")) as file:
            file.setpos(file.getnframes() // 2)
            samples = file.readframes(8000)
        # Leg 0 sings 300 Hz.
        return None if loudness(samples, 300, 8000) > LEVEL / 2 else "the tone was not recorded"


def run(core: int) -> None:
    """The process."""

    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="arietta-bench-") as folder:
            side = EngineSide(core, Path(folder))
            await serve(core, side)
            side.engine.stop()

    asyncio.run(main())


def _burn() -> None:
    while True:
        pass


def _media_seconds() -> float:
    """CPU of the threads that are not Python's, by the clock that each has."""
    python = {thread.native_id for thread in threading.enumerate()}
    others = {int(name) for name in os.listdir("/proc/self/task")} - python
    return sum(time.clock_gettime((~thread << 3) | THREAD_CLOCK) for thread in others)


def _core_seconds(core: int) -> float:
    """How long the core was not idle, whoever used it."""
    with open("/proc/stat") as file:
        fields = next(line for line in file if line.startswith(f"cpu{core} ")).split()[1:]
    return (sum(map(int, fields[:8])) - int(fields[3]) - int(fields[4])) / TICKS_PER_SECOND


def _resident_kib() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
