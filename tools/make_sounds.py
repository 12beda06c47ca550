#!/usr/bin/env python3
"""Makes the sound files that Arietta ships: the English prompts, the tones and the music on hold.

Needs espeak-ng; nothing else but Python. The same espeak-ng makes the same bytes again.

    python tools/make_sounds.py                   every sound, and the text list beside them
    python tools/make_sounds.py hello-world beep  only these
    python tools/make_sounds.py moh               only the music on hold

All audio is 8000 Hz mono: 16-bit WAV for the best-known sounds, raw mu-law (ITU-T G.711) for the rest.
Inside this file a sound is a list of floats, full scale being -1.0..1.0.
"""

from __future__ import annotations

import array
import math
import random
import subprocess
import sys
import tempfile
import wave
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import mul
from pathlib import Path

RATE_HZ = 8000
PROMPTS = Path(__file__).parent / "sounds_en.txt"
DATA = Path(__file__).parents[1] / "src" / "arietta" / "data"

SPEECH_RMS_DBFS = -16.0
"""Loudness of speech, measured over the 20 ms frames in which somebody speaks."""
SPEECH_PEAK_DBFS = -3.6
"""What the limiter lets through; mu-law rounding stays below -3 dBFS."""
SPEECH_LOW_PASS_HZ = 3600
MARGIN_SECONDS = 0.03
"""Silence kept before the first and after the last audible sample."""

VOICE = "en-us"
WORDS_PER_MINUTE = 150
PACE = {"hello-world": 132}
"""Prompts spoken at another pace, in words per minute."""

AS_WAV = frozenset(
    (
        *("hello-world", "tt-monkeys", "beep", "beeperr", "hello", "welcome", "vm-goodbye"),
        *("demo-congrats", "demo-instruct", "demo-echotest", "demo-echodone", "demo-thanks"),
    )
)

SPOKEN = {
    "letters/zed": "[[z'Ed]]",
    "digits/a-m": "[['eI 'Em]]",
    "digits/p-m": "[[p'i: 'Em]]",
    "digits/oh": "[['oU]]",
}
"""What the voice is given where the words alone would be read wrongly (espeak-ng's phoneme notation)."""


# --- levels and conversions -----------------------------------------------------------------------------


def amplitude(dbfs: float) -> float:
    """The linear amplitude of a level in dBFS."""
    return float(10 ** (dbfs / 20))


def rms(samples: Sequence[float]) -> float:
    """The root mean square of some samples, 0.0 of none."""
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0


def active_rms(samples: Sequence[float], frame: int = 160) -> float:
    """The RMS of the frames that are less than 30 dB below the loudest one."""
    levels = [rms(samples[start : start + frame]) for start in range(0, len(samples), frame)]
    floor = max(levels, default=0.0) * amplitude(-30)
    return rms([level for level in levels if level > floor])


def mulaw_byte(sample: int) -> int:
    """One 16-bit sample as a mu-law byte (ITU-T G.711)."""
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = magnitude >> (exponent + 3) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF


def pcm16(samples: Iterable[float]) -> array.array[int]:
    """Samples as 16-bit integers; what is beyond full scale is an error of the maker, not clipped."""
    return array.array("h", [round(sample * 32767) for sample in samples])


def write_sound(stem: Path, samples: Sequence[float], *, as_wav: bool) -> Path:
    """Writes samples to stem.wav or stem.ulaw, and returns that path."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    path = stem.with_name(stem.name + (".wav" if as_wav else ".ulaw"))
    pcm = pcm16(samples)
    if not as_wav:
        path.write_bytes(bytes(map(mulaw_byte, pcm)))
        return path
    if sys.byteorder == "big":
        pcm.byteswap()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm.tobytes())
    return path


# --- from the voice to a telephone prompt ---------------------------------------------------------------


def speak(text: str, words_per_minute: int) -> tuple[int, list[float]]:
    """The rate in Hz and the samples of a text spoken by espeak-ng."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        command = ["espeak-ng", "-v", VOICE, "-s", str(words_per_minute), "-w", str(path), text]
        subprocess.run(command, check=True)
        with wave.open(str(path), "rb") as spoken:
            pcm = array.array("h", spoken.readframes(spoken.getnframes()))
            rate_hz = spoken.getframerate()
    if sys.byteorder == "big":
        pcm.byteswap()
    return rate_hz, [sample / 32768 for sample in pcm]


@cache
def resampling_filters(rate_hz: int, reach: int) -> tuple[tuple[float, ...], ...]:
    """One windowed sinc for each position that an output sample can have between two input samples."""
    phases = RATE_HZ // math.gcd(rate_hz, RATE_HZ)
    cutoff = SPEECH_LOW_PASS_HZ / rate_hz
    filters = []
    for phase in range(phases):
        taps = []
        for tap in range(-reach, reach + 1):
            x = tap - phase / phases
            sinc = 2 * cutoff if x == 0 else math.sin(2 * math.pi * cutoff * x) / (math.pi * x)
            u = x / (reach + 1)
            window = 0.42 + 0.5 * math.cos(math.pi * u) + 0.08 * math.cos(2 * math.pi * u)  # Blackman
            taps.append(sinc * window)
        total = sum(taps)
        filters.append(tuple(tap / total for tap in taps))
    return tuple(filters)


def resample(samples: Sequence[float], rate_hz: int, reach: int = 80) -> list[float]:
    """Samples at another rate as samples at RATE_HZ, without what lies above SPEECH_LOW_PASS_HZ."""
    filters = resampling_filters(rate_hz, reach)
    phases = len(filters)
    step = rate_hz * phases // RATE_HZ
    padded = [0.0] * reach + list(samples) + [0.0] * (reach + 1)
    result = []
    for position in range(0, len(samples) * phases, step):
        start, phase = divmod(position, phases)
        result.append(sum(map(mul, padded[start : start + 2 * reach + 1], filters[phase])))
    return result


def high_pass(samples: Iterable[float], corner_hz: float = 100.0) -> list[float]:
    """Samples without rumble and offset: a one-pole filter, 6 dB per octave."""
    keep = math.exp(-2 * math.pi * corner_hz / RATE_HZ)
    result, last_in, last_out = [], 0.0, 0.0
    for sample in samples:
        last_out = keep * (last_out + sample - last_in)
        last_in = sample
        result.append(last_out)
    return result


def trim(samples: Sequence[float]) -> list[float]:
    """Samples without the silence around them, but for MARGIN_SECONDS; faded at both ends."""
    threshold = max(map(abs, samples)) * amplitude(-42)
    audible = [index for index, sample in enumerate(samples) if abs(sample) > threshold]
    margin = round(MARGIN_SECONDS * RATE_HZ)
    silence = [0.0] * margin
    padded = [*silence, *samples, *silence]
    return fade(padded[audible[0] : audible[-1] + 2 * margin + 1], MARGIN_SECONDS * 0.8)


def fade(samples: Sequence[float], seconds: float) -> list[float]:
    """Samples that rise from nothing and fall to nothing within some seconds, on a cosine."""
    length = min(round(seconds * RATE_HZ), len(samples) // 2)
    result = list(samples)
    for index in range(length):
        gain = 0.5 - 0.5 * math.cos(math.pi * index / length)
        result[index] *= gain
        result[-1 - index] *= gain
    return result


def limit(samples: Sequence[float], ceiling: float, reach: int = 40) -> list[float]:
    """Samples that never exceed the ceiling: the gain sinks and rises around each peak in `reach` samples."""
    wanted = [min(1.0, ceiling / abs(sample)) if sample else 1.0 for sample in samples]
    lowest = list(sliding_minimum([*wanted, *[1.0] * reach], reach + 1))[reach:]  # lowest of the next reach + 1
    history = deque([lowest[0] if lowest else 1.0] * (reach + 1), maxlen=reach + 1)
    result = []
    for sample, gain in zip(samples, lowest, strict=True):
        history.append(gain)
        result.append(sample * sum(history) / len(history))
    return result


def sliding_minimum(values: Iterable[float], length: int) -> Iterator[float]:
    """For each value the lowest of it and the ones before it, `length` in all."""
    window: deque[tuple[int, float]] = deque()
    for index, value in enumerate(values):
        while window and window[-1][1] >= value:
            window.pop()
        window.append((index, value))
        if window[0][0] <= index - length:
            window.popleft()
        yield window[0][1]


def prompt(sound_id: str, text: str) -> list[float]:
    """The samples of one spoken prompt: telephone band, trimmed, at the loudness all prompts have."""
    rate_hz, spoken = speak(SPOKEN.get(sound_id, text), PACE.get(sound_id, WORDS_PER_MINUTE))
    samples = trim(high_pass(resample(spoken, rate_hz)))
    for _ in range(4):  # limiting costs some loudness, which the next round gives back
        gain = amplitude(SPEECH_RMS_DBFS) / active_rms(samples)
        samples = limit([sample * gain for sample in samples], amplitude(SPEECH_PEAK_DBFS))
    return samples


# --- sounds that nobody speaks --------------------------------------------------------------------------


def tone(frequency_hz: float, seconds: float, dbfs: float = -12.0) -> list[float]:
    """A sine whose peak is at a level in dBFS, with soft edges."""
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    peak = amplitude(dbfs)
    return fade([peak * math.sin(turn * index) for index in range(round(seconds * RATE_HZ))], 0.008)


def silence(seconds: float) -> list[float]:
    """Nothing, for some seconds."""
    return [0.0] * round(seconds * RATE_HZ)


def cry(chance: random.Random, pitches_hz: Sequence[float], seconds: float, harshness: float) -> list[float]:
    """One cry: its pitch glides through the given ones; harshness 0..1 adds overtones, tremor and breath."""
    length = round(seconds * RATE_HZ)
    angle, breath = 0.0, 0.0
    samples = []
    for index in range(length):
        place = index / length * (len(pitches_hz) - 1)
        step = int(place)
        pitch = pitches_hz[step] + (pitches_hz[step + 1] - pitches_hz[step]) * (place - step)
        pitch *= 1 + 0.05 * harshness * math.sin(2 * math.pi * 31 * index / RATE_HZ)
        angle += 2 * math.pi * pitch / RATE_HZ
        voiced = sum(
            math.sin(overtone * angle) * (0.25 + 0.55 * harshness) ** (overtone - 1)
            for overtone in range(1, 6)
            if overtone * pitch < SPEECH_LOW_PASS_HZ
        )
        breath = 0.5 * breath + chance.uniform(-0.5, 0.5)
        swell = math.sin(math.pi * (index / length) ** 0.6)
        samples.append(swell * (voiced + 0.5 * harshness * breath))
    return fade(samples, 0.01)


def monkeys() -> list[float]:
    """A troop of apes: hoots that quicken into screeches, answered from further away."""
    chance = random.Random(1961)  # the year of the chimpanzee Ham's space flight
    result = silence(4.0)

    def place(at_seconds: float, samples: Sequence[float], gain: float) -> None:
        start = round(at_seconds * RATE_HZ)
        for index, sample in enumerate(samples[: len(result) - start], start):
            result[index] += gain * sample

    at_seconds, gap_seconds = 0.05, 0.26
    for hoot in range(8):
        low = 330 + 28 * hoot
        place(
            at_seconds,
            cry(chance, (low, low * 1.35, low * 1.1), gap_seconds * 0.7, 0.1 + 0.05 * hoot),
            0.5 + 0.05 * hoot,
        )
        at_seconds += gap_seconds
        gap_seconds *= 0.9
    for screech in range(9):
        high = chance.uniform(950, 1500)
        seconds = chance.uniform(0.16, 0.34)
        place(at_seconds, cry(chance, (high * 0.7, high * 1.4, high * 1.25, high * 0.6), seconds, 0.9), 0.9)
        if screech % 3 == 1:  # another one, further away
            place(at_seconds + 0.1, cry(chance, (700, 1900, 1100), 0.2, 0.7), 0.3)
        at_seconds += seconds * 0.8
        if at_seconds > 3.1:
            break
    for low in (480, 420):  # and they calm down
        place(at_seconds + 0.05, cry(chance, (low, low * 1.3, low), 0.22, 0.15), 0.6)
        at_seconds += 0.3
    gain = amplitude(SPEECH_RMS_DBFS) / active_rms(result)
    return limit(fade([gain * sample for sample in result], 0.02), amplitude(SPEECH_PEAK_DBFS))


SYNTHESIZED: dict[str, Callable[[], list[float]]] = {
    "tt-monkeys": monkeys,
    "beep": lambda: tone(1000, 0.25),
    "beeperr": lambda: tone(560, 0.18) + silence(0.05) + tone(380, 0.3),
    **{f"silence/{seconds}": lambda seconds=seconds: silence(seconds) for seconds in range(1, 11)},  # type: ignore[misc]
}


# --- music on hold --------------------------------------------------------------------------------------

MUSIC_ID = "little-aria"
MUSIC_BEATS = 64
BEAT_SECONDS = 0.75
CHORDS = (
    # one bar each: the bass note, then the four notes of the arpeggio, as MIDI numbers (60 is middle C)
    (50, 57, 62, 66, 69),  # D
    (47, 59, 62, 66, 71),  # b
    (43, 55, 62, 67, 71),  # G
    (45, 57, 61, 64, 69),  # A
    (50, 57, 62, 66, 74),  # D
    (54, 57, 61, 66, 69),  # f sharp
    (43, 59, 62, 67, 71),  # G
    (45, 57, 62, 64, 69),  # A with the fourth held over
    (47, 59, 62, 66, 71),  # b
    (54, 57, 61, 66, 73),  # f sharp
    (43, 55, 59, 62, 67),  # G
    (50, 57, 62, 66, 69),  # D
    (52, 55, 59, 64, 67),  # e
    (47, 59, 62, 66, 71),  # b
    (43, 59, 62, 64, 71),  # e seventh, over G
    (45, 57, 61, 64, 67),  # A seventh, which leads to D: the beginning
)
ARPEGGIO = (1, 2, 3, 4, 3, 2, 3, 2)
"""Which note of the chord each eighth of a bar strikes."""
MELODY = (
    # (beat, MIDI note, length in beats); it enters in the fifth bar
    *((16, 78, 2), (18, 76, 1), (19, 74, 1), (20, 73, 3), (23, 69, 1), (24, 71, 2), (26, 74, 2), (28, 76, 4)),
    *((32, 78, 2), (34, 74, 2), (36, 76, 3), (39, 73, 1), (40, 74, 2), (42, 71, 2), (44, 69, 4)),
    *(
        (48, 71, 1),
        (49, 74, 1),
        (50, 76, 2),
        (52, 78, 1),
        (53, 76, 1),
        (54, 74, 2),
        (56, 71, 3),
        (59, 74, 1),
        (60, 73, 4),
    ),
)


def music() -> list[float]:
    """The music on hold: sixteen bars of arpeggios, a ring without seam.

    Whatever sounds past the end (a note that dies away, an echo) is added to the beginning, so that
    playing it again and again is the same as music that never began.
    """
    length = round(MUSIC_BEATS * BEAT_SECONDS * RATE_HZ)
    ring = [0.0] * length

    def strike(beat: float, note: int, decay_seconds: float, gain: float, overtones: Sequence[float]) -> None:
        frequency_hz = 440.0 * 2 ** ((note - 69) / 12)
        start = round(beat * BEAT_SECONDS * RATE_HZ)
        for partial, weight in enumerate(overtones, 1):
            if partial * frequency_hz > SPEECH_LOW_PASS_HZ:
                break
            turn = 2 * math.pi * partial * frequency_hz / RATE_HZ
            fall = decay_seconds / partial**0.7 * RATE_HZ  # overtones die away sooner
            for index in range(round(7 * fall)):
                attack = min(1.0, index / 96) if index < 96 else 1.0
                ring[(start + index) % length] += (
                    gain * weight * attack * math.exp(-index / fall) * math.sin(turn * index)
                )

    for bar, chord in enumerate(CHORDS):
        strike(4 * bar, chord[0], 1.3, 0.9, (1.0, 0.5, 0.25, 0.1))
        for eighth, member in enumerate(ARPEGGIO):
            accent = 0.5 if eighth == 0 else 0.36
            strike(4 * bar + eighth / 2, chord[member], 0.55, accent, (1.0, 0.3, 0.08, 0.1))
    for beat, note, beats in MELODY:
        strike(beat, note, 0.3 + 0.25 * beats, 0.55, (1.0, 0.12, 0.2, 0.03))

    echo = round(0.75 * BEAT_SECONDS * RATE_HZ)
    ring = [ring[index] + 0.22 * ring[index - echo] + 0.07 * ring[index - 2 * echo] for index in range(length)]
    gain = amplitude(-9.0) / max(map(abs, ring))
    return [sample * gain for sample in ring]


# --- all of it ------------------------------------------------------------------------------------------


def read_prompts(path: Path) -> dict[str, str]:
    """The text of each sound by its id; ValueError names the line that is wrong."""
    texts: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith(";"):
            continue
        sound_id, separator, text = line.partition(": ")
        if not separator or not text.strip():
            raise ValueError(f"{path.name} line {number}: {line!r} is not `id: text`")
        if sound_id in texts:
            raise ValueError(f"{path.name} line {number}: {sound_id} was given before")
        texts[sound_id] = text.strip()
    return texts


def make_sound(sound_id: str, text: str) -> list[float]:
    """The samples of one sound of the list."""
    if text.startswith("("):
        return SYNTHESIZED[sound_id]()
    return prompt(sound_id, text)


def main(wanted: Sequence[str]) -> int:
    """Makes the wanted sounds, all if none is named; the exit status."""
    texts = read_prompts(PROMPTS)
    unknown = [name for name in wanted if name not in texts and name != "moh"]
    if unknown:
        print(f"not in {PROMPTS.name}: {', '.join(unknown)}", file=sys.stderr)
        return 2
    english = DATA / "sounds" / "en"
    for sound_id, text in texts.items():
        if not wanted or sound_id in wanted:
            write_sound(english / sound_id, make_sound(sound_id, text), as_wav=sound_id in AS_WAV)
    if not wanted or "moh" in wanted:
        write_sound(DATA / "moh" / MUSIC_ID, music(), as_wav=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
