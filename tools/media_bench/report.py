"""The table."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from .calibration import REFERENCE_PAIR_US
from .measure import Measurement, Span

__all__ = ["HEAD", "as_json", "line", "machine", "remarks"]

HEAD = (
    "| what | legs | media threads | process | kernel's UDP | the engine's own | late ticks | lost | p99 (phones' own) "
    "| Asterisk |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def line(one: Measurement) -> str:
    """A row of the Markdown table."""
    case = one.case
    p99 = f"{one.interval_ms['p99']:.1f} ({one.direct_ms['p99']:.1f}) ms" if one.interval_ms else "-"
    cells = (
        f"{case.name}: {case.title}{', beside busy Python' if one.busy else ''}",
        f"{case.legs:,}",
        _span(one.media_us),
        "-" if one.busy else _span(one.process_us),
        f"{one.kernel_us:.0f}",
        f"{one.own_us:.0f}",
        f"{one.late} of {one.ticks:,}",
        f"{one.lost:,}",
        p99,
        case.asterisk or "-",
    )
    return f"| {' | '.join(cells)} |"


def remarks(one: Measurement) -> list[str]:
    """What the row does not say."""
    found = [
        f"a tick takes {one.tick_ms:.2f} ms; others use {one.others:.0%} of the engine's core; the "
        f"phones use {one.phones_load:.0%} of theirs and left out {one.phones_late} ticks; {one.delivered:.2%} of the "
        f"packets came; "
        f"{one.memory_kib:.1f} KiB a port; modes {', '.join(one.modes) or '-'}"
    ]
    if one.interval_ms:
        found.append("intervals: " + ", ".join(f"{name} {value:.1f} ms" for name, value in one.interval_ms.items()))
    return found + [f"WRONG AUDIO: {complaint}" for complaint in one.complaints[:5]]


def machine(pair_us: float) -> str:
    """Where and when it was measured."""
    return (
        f"{time.strftime('%d %B %Y')}, {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; "
        f"100,000 datagrams there and back take {pair_us / 10:.3f} s, {pair_us / REFERENCE_PAIR_US:.1f} times what "
        f"they took where Asterisk was measured; CPU in µs for each leg and second, median of the windows, their range"
    )


def as_json(measurements: Iterable[Measurement], where: str) -> str:
    """All of it."""
    rows = [asdict(one) | {"own_us": one.own_us, "holds": one.holds} for one in measurements]
    return json.dumps({"machine": where, "rows": rows}, indent=1)


def _span(span: Span) -> str:
    return f"{span.median:,.0f} ({span.least:,.0f}–{span.most:,.0f})"


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return platform.machine()
