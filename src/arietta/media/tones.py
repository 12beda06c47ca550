"""Call-progress tones: the cadence strings of indications.conf as values and as samples."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["ToneSegment", "Tones", "digit_tones", "parse_tones", "render", "zone_tones"]

LEVEL = 5000.0
"""Amplitude of one frequency of a tone: -13 dBm0 or so."""
DIGIT_LEVEL = 8000.0
FOREVER_MS = 1000
"""A tone without end is rendered as one second that repeats: whole Hz join without a click."""
MOST_SEGMENTS = 100
LONGEST_MS = 60_000

_ELEMENT = re.compile(r"(!?)(M?)([0-9.]+(?:[+*][0-9.]+)*)(?:/([0-9]+))?")
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_PAD = "123A456B789C*0#D"


@dataclass(frozen=True, slots=True)
class ToneSegment:
    """One element of a cadence: a sound for a time."""

    frequencies: tuple[float, ...]
    """Hz, none to five of them; empty is silence."""
    modulation_hz: float = 0
    """`A*B`: the first frequency's amplitude follows this one; 0 is no modulation."""
    duration_ms: int = 0
    """0 is for ever."""
    once: bool = False
    """`!`: played the first time round only."""
    midi: bool = False
    """`M`: the numbers were MIDI notes; `frequencies` are their Hz already."""


@dataclass(frozen=True, slots=True)
class Tones:
    """A cadence: segments in order, then again from the first one that is not `once`; all `once` ends."""

    segments: tuple[ToneSegment, ...]


def parse_tones(text: str) -> Tones:
    """The cadence of a string such as `!950/330,!1400/330,0`; ValueError names the element that is wrong."""
    segments = []
    for element in re.split(r"[,|]", text):
        match = _ELEMENT.fullmatch(element.strip())
        if match is None:
            raise ValueError(f"tone {element.strip()!r} in {text!r} is not like 350+440/500")
        once, midi, sound, duration = match.groups()
        if "+" in sound and "*" in sound:
            raise ValueError(f"tone {element.strip()!r} has both + and *")
        try:
            numbers = [float(number) for number in re.split(r"[+*]", sound)]
        except ValueError:
            raise ValueError(f"tone {element.strip()!r} has a number that is none") from None
        if midi:
            if max(numbers) > 127:
                raise ValueError(f"tone {element.strip()!r}: MIDI notes are 0 to 127")
            numbers = [440.0 * 2 ** ((note - 69) / 12) if note else 0.0 for note in numbers]
        if len(numbers) > 5 or max(numbers) > 20_000:
            raise ValueError(f"tone {element.strip()!r}: at most 5 frequencies up to 20000 Hz")
        length = int(duration or 0)
        if length > LONGEST_MS:
            raise ValueError(f"tone {element.strip()!r}: {length} ms are over the limit of {LONGEST_MS}")
        modulation = 0.0
        if "*" in sound:
            numbers, modulation = numbers[:1], numbers[1]
        segments.append(ToneSegment(tuple(n for n in numbers if n), modulation, length, bool(once), bool(midi)))
    if len(segments) > MOST_SEGMENTS:
        raise ValueError(f"{len(segments)} tones in one cadence are over the limit of {MOST_SEGMENTS}")
    return Tones(tuple(segments))


def zone_tones(
    zones: Mapping[str, Mapping[str, str]], name: str, zone: str = "us", fallback: str = "us"
) -> Tones | None:
    """The tone of that name (`busy`, `ring` …) in a country's zone, or its cadence when the name is one."""
    for country in (zone, fallback):
        text = zones.get(country, {}).get(name)
        if text is not None:
            return parse_tones(text)
    try:
        return parse_tones(name)
    except ValueError:
        return None


def digit_tones(digit: str) -> Tones:
    """The two frequencies of a key (ITU-T Q.23), without end."""
    row, column = divmod(_PAD.index(digit), 4)
    return Tones((ToneSegment((_ROWS[row], _COLUMNS[column])),))


@lru_cache(maxsize=128)
def render(tones: Tones, rate: int, level: float = LEVEL) -> tuple[bytes, int | None]:
    """Samples of a cadence in host order, and the offset in bytes from where it repeats (None: it ends)."""
    parts: list[bytes] = []
    size = 0
    repeat: int | None = None
    for segment in tones.segments:
        if not segment.once and repeat is None:
            repeat = size
        endless = segment.duration_ms == 0
        if endless:
            repeat = size
        samples = _segment(segment, rate, level)
        parts.append(samples)
        size += len(samples)
        if endless:
            break
    return b"".join(parts), repeat


def _segment(segment: ToneSegment, rate: int, level: float) -> bytes:
    count = rate * (segment.duration_ms or FOREVER_MS) // 1000
    frequencies = [f for f in segment.frequencies if f < rate / 2]
    if not frequencies:
        return bytes(2 * count)
    sin = math.sin
    steps = [2 * math.pi * frequency / rate for frequency in frequencies]
    if segment.modulation_hz:
        swing = 2 * math.pi * segment.modulation_hz / rate
        values = [level * (1 + sin(swing * n)) * sin(steps[0] * n) for n in range(count)]
    elif len(steps) == 1:
        step = steps[0]
        values = [level * sin(step * n) for n in range(count)]
    else:
        values = [level * sum([sin(step * n) for step in steps]) for n in range(count)]
    return array("h", [max(-32768, min(32767, round(value))) for value in values]).tobytes()
