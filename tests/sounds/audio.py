"""Reads the shipped sounds without the code that made them."""

from __future__ import annotations

import array
import math
import sys
import wave
from collections.abc import Sequence
from operator import mul
from pathlib import Path

RATE_HZ = 8000
FULL_SCALE = 32768

DATA = Path(__file__).parents[2] / "src" / "arietta" / "data"
ENGLISH = DATA / "sounds" / "en"
TOOLS = Path(__file__).parents[2] / "tools"


def _mulaw_value(byte: int) -> int:
    inverted = ~byte & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + 132 << (inverted >> 4 & 0x07)) - 132
    return -magnitude if inverted & 0x80 else magnitude


MULAW = [_mulaw_value(byte) for byte in range(256)]
"""The 16-bit sample of each mu-law byte (ITU-T G.711)."""


def read_sound(path: Path) -> Sequence[int]:
    """The 16-bit samples of a .wav or .ulaw file; a WAV must be 8 kHz mono PCM."""
    if path.suffix == ".ulaw":
        return [MULAW[byte] for byte in path.read_bytes()]
    with wave.open(str(path), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE_HZ, 1, 2), path
        samples = array.array("h", sound.readframes(sound.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def dbfs(level: float) -> float:
    """A level in 16-bit units as dB below full scale."""
    return 20 * math.log10(max(level, 1e-9) / FULL_SCALE)


def rms(samples: Sequence[int]) -> float:
    """The root mean square of some samples."""
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples))


def speech_level_dbfs(samples: Sequence[int]) -> float:
    """The loudness of speech: the mean power of the 20 ms frames less than 30 dB below the loudest."""
    levels = [rms(samples[start : start + 160]) for start in range(0, len(samples), 160)]
    active = [level for level in levels if level > max(levels) / 31.6]
    return dbfs(math.sqrt(sum(level * level for level in active) / len(active)))


def sound_files() -> dict[str, Path]:
    """Each shipped English sound by its id."""
    files = [path for path in ENGLISH.rglob("*") if path.suffix in {".wav", ".ulaw"}]
    return {path.relative_to(ENGLISH).with_suffix("").as_posix(): path for path in files}


def read_texts(path: Path) -> list[tuple[str, str]]:
    """The (id, text) lines of a text list, without its comments."""
    lines = path.read_text("utf-8").splitlines()
    pairs = [line.partition(": ") for line in lines if line and not line.startswith(";")]
    return [(sound_id, text) for sound_id, _, text in pairs]
