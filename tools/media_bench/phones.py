"""The phones: engines that sing and listen, and probes at some of their ears."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from arietta.media.choosing import make_engine
from arietta.media.engine import EngineSettings, Files, MediaEngine, RtpPort

from .cases import Case
from .legs import settings
from .probe import Probe
from .tones import tone_file
from .worker import serve

__all__ = ["HOST", "run"]

HOST = "127.77.0.2"
PHASES = 10
"""Phones speak at so many different moments of 20 ms, as phones do."""
DRAIN_SECONDS = 0.25


class Phones:
    """One for each leg; those of one phase are ports of one engine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engines = [_engine_at(phase) for phase in range(PHASES)]
        self._ports: list[RtpPort] = []
        self._probes: dict[int, Probe] = {}
        self._direct: Probe | None = None

    async def open(self, case: dict[str, Any]) -> list[tuple[int, int]]:
        """Where the engine is to send RTP and RTCP of each leg."""
        self._case = what = Case(**case)
        self._ports = [self._port(leg) for leg in range(what.legs)]
        if not what.srtp:
            self._probes = {leg: Probe(HOST, what.codec(leg)) for leg in what.probed()}
        return [
            (self._probes[leg].port if leg in self._probes else port.local_port, port.local_port + 1)
            for leg, port in enumerate(self._ports)
        ]

    async def talk(self, near: list[int], host: str) -> None:
        """Begin to sing to the engine's ports; one phone sings to a probe, with no engine in between."""
        for leg, port in enumerate(self._ports):
            port.configure(settings(self._case, leg, (host, near[leg]), None, near=False))
            self._sing(port, leg)
        self._direct = Probe(HOST, "ulaw")
        port = self._port(0)
        port.configure(settings(Case("direct", "", 1), 0, (HOST, self._direct.port), None, near=False))
        self._sing(port, 0)

    async def listen(self, seconds: float) -> dict[str, Any]:
        """What came in so long a time."""
        probes = [*self._probes.values(), *([self._direct] if self._direct else [])]
        for probe in probes:
            probe.begin()
        lost_before, dropped_before, used = self._lost(), self._dropped(), time.process_time()
        before, began = self._received(), time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(left, DRAIN_SECONDS))
            for probe in probes:
                probe.drain()
        wall, received = time.monotonic() - began, self._received() - before
        looked_at = self._probes.values()
        return {
            "wall": wall,
            "load": (time.process_time() - used) / wall,
            "received": received + sum(probe.packets for probe in looked_at),
            "lost": self._lost() - lost_before + sum(probe.lost for probe in looked_at),
            "dropped": self._dropped() - dropped_before,
            "disordered": sum(probe.disordered for probe in looked_at),
            "interval_ms": _quantiles([ms for probe in looked_at for ms in probe.intervals_ms]),
            "direct_ms": _quantiles(self._direct.intervals_ms if self._direct else []),
        }

    async def result(self) -> dict[str, Any]:
        """Whether the right audio was heard, and how the phones themselves were."""
        complaints = []
        for leg, probe in self._probes.items():
            case = self._case
            complaint = probe.complaint(case.heard_by(leg), case.frequency(leg), case.level(leg))
            if complaint:
                complaints.append(f"leg {leg}: {complaint}")
        return {"late": sum(engine.stats().late_ticks for engine in self._engines), "complaints": complaints}

    def stop(self) -> None:
        """End it."""
        for engine in self._engines:
            engine.stop()

    def _port(self, leg: int) -> RtpPort:
        return self._engines[leg % PHASES].open_rtp(bind=HOST, on_event=lambda event: None)

    def _sing(self, port: RtpPort, leg: int) -> None:
        if self._case.talks:
            port.generate(Files((tone_file(self._folder, self._case.frequency(leg), self._case.level(leg)),)))

    def _received(self) -> int:
        return sum(engine.stats().packets_received for engine in self._engines)

    def _dropped(self) -> int:
        return sum(engine.stats().packets_dropped for engine in self._engines)

    def _lost(self) -> int:
        return sum(port.statistics().rxploss for port in self._ports)


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    values = sorted(values)
    return {"p50": statistics.median(values), "p99": values[len(values) * 99 // 100], "max": values[-1]}


def _engine_at(phase: int) -> MediaEngine:
    """An engine whose ticks are so much of 20 ms past those of the clock."""
    engine_at_ns = 20_000_000 * phase // PHASES
    time.sleep((engine_at_ns - time.monotonic_ns()) % 20_000_000 / 1e9)
    start = 20000 + phase * 4000
    engine = make_engine(EngineSettings(rtp_start=start, rtp_end=start + 3999, threads=1), "native")[0]
    engine.start(asyncio.get_running_loop())
    return engine


def run(core: int) -> None:
    """The process."""

    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="arietta-bench-") as folder:
            phones = Phones(Path(folder))
            await serve(core, phones)
            phones.stop()

    asyncio.run(main())
