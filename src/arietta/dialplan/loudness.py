"""Levels of loudness, as ChanSpy and MixMonitor have them: from -4 to 4."""

from __future__ import annotations

LEVELS = range(-4, 5)


def factor_of(level: int) -> float:
    """What samples are multiplied with: 2 to 4 double them or more, -2 to -4 halve them or more, others leave them."""
    return float(level) if level > 1 else 1 / -level if level < -1 else 1.0
