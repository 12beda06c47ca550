"""Samples of several tracks that become more: those that came later are silent before."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import IO

__all__ = ["copy_widened", "widened"]

PIECE_FRAMES = 1 << 16


def widened(samples: bytes, before: int, after: int) -> bytes:
    """Samples of `before` tracks, one by one in turns, as those of `after`."""
    if before == after:
        return samples
    narrow = array("h", samples)
    wide = array("h", bytes(len(narrow) // before * after * 2))
    for track in range(before):
        wide[track::after] = narrow[track::before]
    return wide.tobytes()


def copy_widened(source: IO[bytes], target: IO[bytes], widths: Iterable[tuple[int, int]], end: int) -> None:
    """Copy what has (from this place on, so many tracks) and is to have as many everywhere as it has at its end."""
    runs = [*widths, (end, 0)]
    after = runs[-2][1]
    for (begin, before), (until, _) in pairwise(runs):
        source.seek(begin)
        left = (until - begin) // (2 * before)
        while left > 0:
            frames = min(left, PIECE_FRAMES)
            target.write(widened(source.read(frames * 2 * before), before, after))
            left -= frames
