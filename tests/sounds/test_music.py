"""The music on hold: long enough, soft enough, and a ring without seam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from .audio import DATA, RATE_HZ, dbfs, read_sound, rms

PIECES = sorted((DATA / "moh").iterdir())


def test_there_is_music() -> None:
    assert [piece.name for piece in PIECES] == ["little-aria.ulaw"]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.stem)
def test_a_piece_is_short_to_ship_and_long_to_hear(piece: Path) -> None:
    assert piece.stat().st_size <= 500_000
    assert 40 <= len(read_sound(piece)) / RATE_HZ <= 60


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.stem)
def test_a_piece_is_softer_than_speech_and_never_stops(piece: Path) -> None:
    samples = read_sound(piece)
    assert -27 <= dbfs(rms(samples)) <= -20
    assert dbfs(max(map(abs, samples))) < -6
    for start in range(0, len(samples) - RATE_HZ, RATE_HZ):
        assert dbfs(rms(samples[start : start + RATE_HZ])) > -35, f"second {start // RATE_HZ}"


def jumps(samples: Sequence[int]) -> list[int]:
    """How far each sample is from where its two predecessors were heading."""
    triples = zip(samples, samples[1:], samples[2:], strict=False)
    return [abs(now - 2 * before + earlier) for earlier, before, now in triples]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.stem)
def test_the_end_goes_over_into_the_beginning(piece: Path) -> None:
    """No click: across the seam the wave goes on as smoothly as in the 50 ms before it."""
    samples = read_sound(piece)
    seam = jumps([*samples[-3:], *samples[:3]])
    assert max(seam) <= 1.5 * max(jumps(samples[-400:]))


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.stem)
def test_the_beginning_hears_the_end_die_away(piece: Path) -> None:
    """The step in loudness from end to beginning is one that other bar lines have, too."""
    samples = read_sound(piece)
    bar = 3 * RATE_HZ
    ring = [*samples[-800:], *samples]
    steps = [
        dbfs(rms(ring[line + 800 : line + 1600])) - dbfs(rms(ring[line : line + 800]))
        for line in range(0, len(samples) - bar, bar)
    ]
    assert steps[0] <= max(steps[1:])
