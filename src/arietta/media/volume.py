"""What both engines say of the loudness of a port."""

from __future__ import annotations

from .engine import MediaError, Side

__all__ = ["MOST_VOLUME", "check_volume"]

MOST_VOLUME = 100.0
"""The greatest factor: 40 dB, with which whatever can be heard is at its loudest."""


def check_volume(side: Side, factor: float) -> None:
    """Raise MediaError for what `Port.volume` does not take."""
    if side not in (Side.IN, Side.OUT):
        raise MediaError(f"a volume is of side in or out, not {side.value}")
    if not 0 <= factor <= MOST_VOLUME:
        raise MediaError(f"volume {factor:g} is outside 0..{MOST_VOLUME:g}")
