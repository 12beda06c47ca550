"""Tones that phones sing, and whether they are heard."""

from __future__ import annotations

import cmath
import math
import wave
from array import array
from pathlib import Path

__all__ = ["loudness", "tone_file"]


def tone_file(folder: Path, frequency: int, level: int, seconds: int = 1) -> str:
    """A WAV file of a tone, whole periods of it: what is repeated has no click."""
    path = folder / f"{frequency}-{level}-{seconds}.wav"
    if not path.exists():
        step = 2 * math.pi * frequency / 8000
        second = array("h", [round(level * math.sin(step * n)) for n in range(8000)]).tobytes()
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(second * seconds)
    return str(path)


def loudness(samples: bytes, frequency: int, rate: int) -> float:
    """Amplitude of one frequency in samples (Goertzel's recurrence)."""
    values = array("h", samples)
    turn = 2 * math.pi * frequency / rate
    twice, before, last = 2 * math.cos(turn), 0.0, 0.0
    for value in values:
        before, last = last, value + twice * last - before
    return 2 * abs(last - cmath.exp(-1j * turn) * before) / max(1, len(values))
