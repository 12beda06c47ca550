"""Samples to test codecs with, the same at every run."""

from __future__ import annotations

import math
import random
from array import array

__all__ = ["noise", "speech", "tone"]


def tone(frequency: float, ms: int, rate: int = 8000, level: int = 8000) -> bytes:
    """A sine."""
    return array(
        "h", (round(level * math.sin(2 * math.pi * frequency * n / rate)) for n in range(rate * ms // 1000))
    ).tobytes()


def noise(count: int, level: int = 32767, seed: int = 1) -> bytes:
    """So many samples of any value."""
    dice = random.Random(seed)
    return array("h", (dice.randint(-level, level) for _ in range(count))).tobytes()


def speech(ms: int, rate: int = 8000, seed: int = 1) -> bytes:
    """Something like a voice: syllables of a gliding pitch through formants, with hisses between them."""
    dice = random.Random(seed)
    phases = [0.0] * 24
    samples = array("h")
    for n in range(rate * ms // 1000):
        seconds = n / rate
        syllable = max(0.0, math.sin(2 * math.pi * 3 * seconds))
        pitch = 120 + 30 * math.sin(2 * math.pi * 0.7 * seconds)
        value = 0.0
        for harmonic in range(1, 24):
            frequency = pitch * harmonic
            phases[harmonic] += 2 * math.pi * frequency / rate
            gain = sum(
                math.exp(-(((frequency - formant) / 200) ** 2)) * part
                for formant, part in ((600 + 150 * math.sin(5 * seconds), 1.0), (1500, 0.5), (2500, 0.3))
            )
            value += gain * math.sin(phases[harmonic])
        value = value * syllable * 4000 + dice.uniform(-300, 300) * (1 - syllable)
        samples.append(max(-32768, min(32767, round(value))))
    return samples.tobytes()
