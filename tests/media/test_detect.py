"""Digits as tones, by ITU-T Q.23 and Q.24: what is taken, what is refused, and what speech must not do.

Levels are dBm0 of each of the two tones: 0 dBm0 is an amplitude of 22300 (G.711: a full-scale sine of 32124 is
+3.17 dBm0), -36 dBm0 one of 353. Everything is heard through G.711, at its rate.
"""

from __future__ import annotations

import math
import random
import warnings
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

import arietta
from arietta.media.codecs import CODECS
from arietta.media.reference.detect import PAD, InbandDigits

ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
RATES = (8000, 12000, 16000, 24000, 48000)
TRIALS = 64
"""Of each limit; each digit four times, at phases and alignments drawn from a seed."""

Told = list[tuple[str, int | None]]


def amplitude(dbm0: float) -> float:
    return float(22300 * 10 ** (dbm0 / 20))


def key(
    digit: str,
    ms: float,
    rng: random.Random,
    *,
    rate: int = 8000,
    low: float = -10,
    high: float = -10,
    row_off: float = 0,
    column_off: float = 0,
) -> list[float]:
    """The tones of a key: levels in dBm0, frequencies off by a part of themselves, phases as they come."""
    row, column = divmod(PAD.index(digit), 4)
    turn = 2 * math.pi / rate
    one, other = ROWS[row] * (1 + row_off) * turn, COLUMNS[column] * (1 + column_off) * turn
    loud, louder = amplitude(low), amplitude(high)
    phase, phases = rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi)
    return [
        loud * math.sin(one * n + phase) + louder * math.sin(other * n + phases) for n in range(round(rate * ms / 1000))
    ]


def pause(ms: float, rate: int = 8000) -> list[float]:
    return [0.0] * round(rate * ms / 1000)


def noisy(values: list[float], rng: random.Random, level: float) -> list[float]:
    """With white noise of that root mean square."""
    return [value + rng.gauss(0, level) for value in values]


def heard(values: list[float], rate: int = 8000) -> Told:
    samples = array("h", [max(-32768, min(32767, round(value))) for value in values]).tobytes()
    return listen(audioop.ulaw2lin(audioop.lin2ulaw(samples, 2), 2), rate)


def listen(samples: bytes, rate: int = 8000) -> Told:
    detector, size = InbandDigits(), rate // 50 * 2
    whole = [samples[start : start + size].ljust(size, b"\0") for start in range(0, len(samples), size)]
    told = [detector.hear(frame, rate) for frame in [*whole, *[None] * 6]]
    assert detector.digit is None
    return [event for event in told if event is not None]


def digits(told: Told) -> str:
    return "".join(digit for digit, duration in told if duration is None)


def alone(rng: random.Random, tones: list[float], rate: int = 8000, snr: float | None = None) -> Told:
    """A key anywhere between the frames; the noise is there before it and after it, too."""
    values = pause(rng.uniform(20, 40), rate) + tones + pause(40, rate)
    if snr is not None:
        values = noisy(values, rng, math.sqrt(sum(v * v for v in tones) / len(tones) / 10 ** (snr / 10)))
    return heard(values, rate)


def side(rng: random.Random, part: float) -> float:
    return part * rng.choice((-1, 1))


Draw = Callable[[random.Random], dict[str, float]]

TAKEN: dict[str, Draw] = {
    "-10 dBm0": lambda rng: {},
    "0 dBm0, clipped": lambda rng: {"low": 0, "high": 0},
    "-36 dBm0": lambda rng: {"low": -36, "high": -36},
    "the high tone 8 dB weaker": lambda rng: {"low": -10, "high": -18},
    "the low tone 8 dB weaker": lambda rng: {"low": -18, "high": -10},
    "frequencies off by 1.5 %": lambda rng: {"row_off": side(rng, 0.015), "column_off": side(rng, 0.015)},
    "off by 1.5 % and 8 dB apart": lambda rng: {
        "row_off": side(rng, 0.015),
        "column_off": side(rng, 0.015),
        "high": -10 + side(rng, 8),
    },
}


@pytest.mark.parametrize("snr", [None, 18, 15])
@pytest.mark.parametrize("limit", TAKEN)
def test_every_digit_of_40_ms_within_the_limits_is_heard_once(limit: str, snr: float | None) -> None:
    rng = random.Random(f"{limit} {snr}")
    for trial in range(TRIALS):
        digit = PAD[trial % 16]
        told = alone(rng, key(digit, 40, rng, **TAKEN[limit](rng)), snr=snr)
        assert [event[0] for event in told] == [digit, digit]


@pytest.mark.parametrize("rate", RATES)
def test_the_same_at_other_rates(rate: int) -> None:
    rng = random.Random(rate)
    for digit in PAD:
        tones = key(digit, 40, rng, rate=rate, row_off=side(rng, 0.015), column_off=side(rng, 0.015), high=-14)
        assert digits(alone(rng, tones, rate, 18)) == digit


REFUSED: dict[str, Draw] = {
    "the row off by 3.5 %": lambda rng: {"row_off": side(rng, 0.035)},
    "the column off by 3.5 %": lambda rng: {"column_off": side(rng, 0.035)},
    "both": lambda rng: {"row_off": side(rng, 0.035), "column_off": side(rng, 0.035)},
    "the column off by 3.5 % and stronger": lambda rng: {"column_off": side(rng, 0.035), "high": -4},
    "the row off by 3.5 % and weaker": lambda rng: {"row_off": side(rng, 0.035), "low": -16},
    "tones 15 dB apart": lambda rng: {"high": -10 + side(rng, 15)},
    "one tone alone": lambda rng: {rng.choice(("low", "high")): -90},
    "-50 dBm0": lambda rng: {"low": -50, "high": -50},
}


@pytest.mark.parametrize("ms", [40, 200])
@pytest.mark.parametrize("limit", REFUSED)
def test_what_is_outside_is_no_digit(limit: str, ms: int) -> None:
    rng = random.Random(f"{limit} {ms}")
    for trial in range(TRIALS):
        assert alone(rng, key(PAD[trial % 16], ms, rng, **REFUSED[limit](rng)), snr=30) == []


def test_tones_shorter_than_23_ms_are_no_digit() -> None:
    rng = random.Random(23)
    for trial in range(TRIALS):
        assert alone(rng, key(PAD[trial % 16], 23, rng)) == []


@pytest.mark.parametrize("snr", [None, 15])
def test_pauses_of_40_ms_separate_digits(snr: float | None) -> None:
    rng = random.Random(40)
    for _ in range(TRIALS // 4):
        dialled = [rng.choice(PAD) for _ in range(8)]
        dialled[1] = dialled[0]
        values = pause(rng.uniform(0, 20))
        for digit in dialled:
            values += key(digit, 40, rng) + pause(40)
        if snr is not None:
            values = noisy(values, rng, amplitude(-10 - snr))
        assert digits(heard(values)) == "".join(dialled)


def test_another_digit_follows_without_a_pause() -> None:
    rng = random.Random(1)
    for trial in range(16):
        other = PAD[(trial + 6) % 16]
        values = pause(rng.uniform(0, 20)) + key(PAD[trial], 60, rng) + key(other, 60, rng)
        assert digits(heard(values)) == PAD[trial] + other


def test_a_drop_out_of_10_ms_does_not_split_a_digit() -> None:
    rng = random.Random(10)
    for trial in range(TRIALS):
        tones = key(PAD[trial % 16], 120, rng)
        begin = rng.randrange(350, 500)
        tones[begin : begin + 80] = pause(10)
        told = alone(rng, tones, snr=25)
        assert [event[0] for event in told] == [PAD[trial % 16]] * 2
        assert told[1][1] == pytest.approx(120, abs=10)


@pytest.mark.parametrize("ms", [40, 65, 100, 250, 1000])
def test_its_duration_is_told_within_10_ms(ms: int) -> None:
    rng = random.Random(ms)
    for digit in PAD:
        told = alone(rng, key(digit, ms, rng))
        assert told[1][1] == pytest.approx(ms, abs=10)


def test_a_digit_through_gsm_is_heard() -> None:
    rng = random.Random(3)
    for digit in PAD:
        tones = pause(60) + key(digit, 80, rng) + pause(60)
        samples = array("h", [round(value) for value in tones]).tobytes()
        samples += bytes(-len(samples) % 320)
        coded = CODECS["gsm"].encoder()(samples)
        assert digits(listen(CODECS["gsm"].decoder()(coded))) == digit


# -- talk-off --


def test_minutes_of_prompts_are_no_digits() -> None:
    """The sounds that come with the server: nine minutes of a synthetic voice."""
    folder = Path(arietta.__file__).parent / "data" / "sounds"
    minutes = 0.0
    for path in sorted(folder.rglob("*.ulaw")):
        samples = audioop.ulaw2lin(path.read_bytes(), 2)
        minutes += len(samples) / 16000 / 60
        assert listen(samples) == [], path.name
    assert minutes > 5


FORMANTS = (
    (270, 2290, 3010),
    (390, 1990, 2550),
    (530, 1840, 2480),
    (660, 1720, 2410),
    (730, 1090, 2440),
    (570, 840, 2410),
    (440, 1020, 2240),
    (300, 870, 2240),
    (640, 1190, 2390),
    (490, 1350, 1690),
)
"""Hz of the vowels of English (Peterson and Barney 1952)."""


def vowels(rng: random.Random, seconds: float) -> list[float]:
    """Pulses at a wandering pitch through three resonances each, a syllable after the other, pauses between."""
    values: list[float] = []
    while len(values) < 8000 * seconds:
        pitch, glide = rng.uniform(80, 350), rng.uniform(-0.2, 0.2)
        count = rng.randrange(800, 4000)
        source = [0.0] * count
        at = 0.0
        while at < count:
            source[int(at)] = 1.0
            at += 8000 / (pitch * (1 + glide * at / count))
        for formant in rng.choice(FORMANTS):
            source = resonance(source, formant * rng.uniform(0.9, 1.15), rng.uniform(60, 130))
        peak = max(map(abs, source)) or 1.0
        loud = rng.choice((2000, 8000, 20000))
        values += [value / peak * loud for value in source] + pause(rng.uniform(0, 80))
    return values


def resonance(source: list[float], frequency: float, width: float) -> list[float]:
    """A filter of two poles."""
    radius = math.exp(-math.pi * width / 8000)
    first, second = 2 * radius * math.cos(2 * math.pi * frequency / 8000), -radius * radius
    one = other = 0.0
    filtered = []
    for value in source:
        one, other = value + first * one + second * other, one
        filtered.append(one)
    return filtered


def chords(rng: random.Random, seconds: float) -> list[float]:
    """Notes of the tempered scale, two to four at once, some with harmonics, struck or held."""
    values: list[float] = []
    while len(values) < 8000 * seconds:
        count = rng.randrange(600, 4000)
        decay = rng.choice((0.0, 3.0, 10.0)) / 8000
        parts = []
        for _ in range(rng.randrange(2, 5)):
            frequency = 440 * 2 ** (rng.randrange(-12, 25) / 12)
            parts += [(2 * math.pi * frequency * k / 8000, 0.5 ** (k - 1)) for k in range(1, rng.randrange(2, 6))]
        values += [
            3000 * math.exp(-decay * n) * sum(loud * math.sin(step * n) for step, loud in parts) for n in range(count)
        ]
    return values


def whistles(rng: random.Random, seconds: float) -> list[float]:
    """Two tones that glide through those of the digits: as they pass them they are not held for long enough."""
    values: list[float] = []
    while len(values) < 8000 * seconds:
        phases, steps = [0.0, 0.0], [rng.uniform(600, 1000), rng.uniform(1100, 1700)]
        slopes = [rng.choice((-1, 1)) * rng.uniform(3000, 6000) / 8000 for _ in steps]
        for _ in range(rng.randrange(400, 2400)):
            for n in range(2):
                steps[n] += slopes[n]
                phases[n] += 2 * math.pi * steps[n] / 8000
            values.append(6000 * (math.sin(phases[0]) + math.sin(phases[1])))
    return values


@pytest.mark.parametrize("kind", [vowels, chords, whistles])
def test_sounds_like_speech_and_music_are_no_digits(kind: Callable[[random.Random, float], list[float]]) -> None:
    """Twenty seconds of each from each of three seeds."""
    for seed in range(3):
        assert heard(kind(random.Random(seed), 20)) == []


def test_harmonics_of_the_tones_make_them_a_voice() -> None:
    """Both tones in place, but with second harmonics as a voice has them: 6 dB below their fundamentals and less."""
    rng = random.Random(2)
    for digit in PAD:
        row, column = divmod(PAD.index(digit), 4)
        values = key(digit, 200, rng)
        for frequency in (ROWS[row], COLUMNS[column]):
            step = 4 * math.pi * frequency / 8000
            values = [value + amplitude(-13) * math.sin(step * n) for n, value in enumerate(values)]
        assert alone(rng, values) == []
