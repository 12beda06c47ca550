"""One case from beginning to end: two processes, a few windows, one measurement."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .calibration import Floor, measure_floor
from .cases import PACKETS_PER_SECOND, Case
from .engine_side import BIND
from .phones import HOST
from .worker import Worker

__all__ = ["Cores", "Measurement", "Span", "measure"]

SETTLE_SECONDS = 2.0
MOST_INTERVAL_MS = 30.0
FEWEST_DELIVERED = 0.98


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run."""

    engine: int
    phones: int


@dataclass(frozen=True, slots=True)
class Span:
    """A figure in several windows."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Span:
        """The span of some values."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one case came to."""

    case: Case
    busy: bool
    media_us: Span
    """CPU of the media threads, for each leg and second."""
    process_us: Span
    """CPU of the whole process, likewise; with `busy` the burning thread is in it."""
    kernel_us: float
    """Of it the price of the datagrams alone, as calibrated just before."""
    pair_us: float
    tick_ms: float
    """Wall time of a tick."""
    ticks: int
    late: int
    """Ticks left out."""
    lost: int
    """Packets that did not come, at either end."""
    delivered: float
    """Packets that the phones got, of those that were due."""
    interval_ms: dict[str, float]
    direct_ms: dict[str, float]
    """Between the packets of a phone that reached a probe without the engine."""
    others: float
    """Share of the engine's core that other processes used."""
    phones_load: float
    """Share of their core that the phones used."""
    phones_late: int
    memory_kib: float
    """For each open port."""
    modes: list[str]
    complaints: list[str]

    @property
    def own_us(self) -> float:
        """CPU for each leg and second beyond the kernel's datagrams."""
        return self.media_us.median - self.kernel_us

    @property
    def holds(self) -> bool:
        """Whether nobody on the phone would notice."""
        on_time = self.interval_ms.get("p99", 0.0) < MOST_INTERVAL_MS
        return on_time and not self.lost and not self.complaints and self.delivered >= FEWEST_DELIVERED


def measure(
    case: Case, cores: Cores, *, seconds: float, repeats: int, busy: bool, priority: bool, first: bool
) -> Measurement:
    """Run a case."""
    floor = measure_floor(cores.engine)
    phones = Worker("phones", cores.phones, first=first)
    engine = Worker("engine", cores.engine, priority=priority, first=first)
    try:
        far = phones.ask("open", case=asdict(case))
        near = engine.ask("open", case=asdict(case), far=far, host=HOST)
        phones.ask("talk", near=near, host=BIND)
        engine.ask("begin", does=case.does)
        if busy:
            engine.ask("burn")
        time.sleep(SETTLE_SECONDS)
        lost_before = engine.ask("lost")
        phones.tell("listen", seconds=seconds * repeats)
        windows = [engine.ask("window", seconds=seconds) for _ in range(repeats)]
        heard = phones.answer()
        lost = engine.ask("lost") - lost_before
        phones_end, engine_end = phones.ask("result"), engine.ask("result")
    finally:
        engine.close()
        phones.close()
    return _measurement(case, busy, floor, windows, heard, lost, phones_end, engine_end)


def _measurement(
    case: Case,
    busy: bool,
    floor: Floor,
    windows: list[dict[str, float]],
    heard: dict[str, object],
    lost: int,
    phones_end: dict[str, object],
    engine_end: dict[str, object],
) -> Measurement:
    def per_leg(name: str) -> Span:
        return Span.of([window[name] / window["wall"] / case.legs * 1e6 for window in windows])

    def total(name: str) -> float:
        return sum(window[name] for window in windows)

    wall, ticks = total("wall"), total("ticks")
    due = case.legs * PACKETS_PER_SECOND * heard["wall"] if case.hears else 0
    complaints = [*phones_end["complaints"], *([engine_end["complaint"]] if engine_end["complaint"] else [])]
    if heard["dropped"] or total("dropped"):
        complaints.append(
            f"{heard['dropped']} packets were not as agreed for the phones, {total('dropped'):.0f} for the engine"
        )
    return Measurement(
        case=case,
        busy=busy,
        media_us=per_leg("media"),
        process_us=per_leg("process"),
        kernel_us=_kernel_us(case, floor),
        pair_us=floor.pair_us,
        tick_ms=total("tick_s") / ticks * 1e3 if ticks else 0.0,
        ticks=int(ticks),
        late=int(total("late")),
        lost=lost + heard["lost"],
        delivered=heard["received"] / due if due else 1.0,
        interval_ms=heard["interval_ms"],
        direct_ms=heard["direct_ms"],
        others=max(0.0, total("core") - total("process")) / wall,
        phones_load=heard["load"],
        phones_late=phones_end["late"],
        memory_kib=engine_end["memory_kib"],
        modes=engine_end["modes"],
        complaints=complaints,
    )


def _kernel_us(case: Case, floor: Floor) -> float:
    each = floor.pair_us if case.hears else floor.receive_us if case.talks else 0.0
    return PACKETS_PER_SECOND * each
