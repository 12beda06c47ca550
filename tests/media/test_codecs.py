"""Codecs against the files that another program made, and sample rates against arithmetic."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import wave
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS, Resampler, codec, is_codec, resample
from arietta.media.codecs.gsm import GsmDecoder, GsmEncoder, pack, pack_pair, unpack, unpack_pair

from .virtual import loudness, tone

FIXTURES = Path(__file__).parent / "fixtures"


def samples_of(name: str) -> bytes:
    with wave.open(str(FIXTURES / name)) as file:
        return file.readframes(file.getnframes())


def test_gsm_encodes_to_the_bit() -> None:
    assert GsmEncoder().encode(samples_of("speech.wav")) == (FIXTURES / "speech.gsm").read_bytes()


def test_gsm_decodes_to_the_bit() -> None:
    assert GsmDecoder().decode((FIXTURES / "speech.gsm").read_bytes()) == samples_of("speech-decoded.wav")


@given(st.binary(min_size=33, max_size=33).map(lambda b: bytes([0xD0 | b[0] & 15]) + b[1:]))
@settings(max_examples=40, deadline=None)
def test_gsm_frames_keep_their_bits_in_both_packings(frame: bytes) -> None:
    parameters = unpack(frame)
    assert pack(parameters) == frame
    assert unpack_pair(pack_pair(parameters, parameters)) == (parameters, parameters)


@given(st.lists(st.binary(min_size=33, max_size=33), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_gsm_decodes_any_bytes(frames: list[bytes]) -> None:
    assert len(GsmDecoder().decode(b"".join(frames) + b"rest")) == 320 * len(frames)


@given(st.integers(-32768, 32767), st.integers(-32768, 32767))
@settings(max_examples=20, deadline=None)
def test_gsm_encodes_the_loudest_square_wave(low: int, high: int) -> None:
    samples = array("h", [low, high] * 80 + [low] * 80 + [high] * 80).tobytes()
    assert len(GsmEncoder().encode(samples)) == 66


@pytest.mark.parametrize("name", [name for name in CODECS if name != "opus"])
def test_every_codec_keeps_a_tone_and_its_length(name: str) -> None:
    form = codec(name)
    samples = tone(600, 200, rate=form.rate)
    data = form.encoder()(samples)
    assert form.clock_rate == (8000 if name == "g722" else form.rate)
    assert len(data) == form.bytes_of(200)
    assert form.ms_of(data) == 200
    again = form.decoder()(data)
    assert len(again) == len(samples)
    assert loudness(again, 600, rate=form.rate) == pytest.approx(8000, rel=0.1)
    assert max(array("h", form.decoder()(form.silence))) <= (40 if name == "gsm" else 8)
    assert len(form.silence) == form.bytes_of(20)


def test_l16_is_in_network_order() -> None:
    assert codec("slin16").encoder()(array("h", [0x0102]).tobytes()) == b"\x01\x02"


def test_static_payload_types() -> None:
    assert {name: form.payload_type for name, form in CODECS.items() if form.payload_type is not None} == {
        "ulaw": 0,
        "gsm": 3,
        "alaw": 8,
        "g722": 9,
    }


needs_opus = pytest.mark.skipif(not is_codec("opus"), reason="libopus is missing")


@needs_opus
def test_opus_frames_are_of_any_size_and_tell_their_time() -> None:
    form = codec("opus")
    encode, decode = form.encoder(), form.decoder()
    samples = tone(600, 200, rate=48000)
    packets = [encode(samples[at : at + 1920]) for at in range(0, len(samples), 1920)]
    assert [form.ms_of(packet) for packet in packets] == [20] * 10
    assert len({len(packet) for packet in packets}) > 1
    heard = b"".join(map(decode, packets))
    assert loudness(heard[9600:], 600, rate=48000) == pytest.approx(8000, rel=0.1)
    with pytest.raises(ValueError, match="opus"):
        form.bytes_of(20)


@needs_opus
@given(st.binary(max_size=80))
@settings(max_examples=40, deadline=None)
def test_opus_makes_something_up_for_any_bytes(data: bytes) -> None:
    decode = codec("opus").decoder()
    assert 0 < len(decode(data)) <= 2 * 5760
    assert len(decode(b"")) == 1920


def test_a_program_in_python_alone_has_the_codecs_and_without_libopus_it_has_no_opus() -> None:
    program = """
import ctypes
def missing(name, *more):
    raise OSError(name)
ctypes.CDLL = missing
from arietta.media.codecs import codec, is_codec
from arietta.media.codecs.native import native
assert native() is None and not is_codec("opus")
assert len(codec("g722").encoder()(bytes(640))) == 160
"""
    environment = {**os.environ, "ARIETTA_PURE_PYTHON": "1"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, check=True)


def test_an_unknown_codec_is_named() -> None:
    assert not is_codec("g729")
    with pytest.raises(KeyError, match="g729"):
        codec("g729")


@pytest.mark.parametrize(
    ("low", "high"), [(8000, 16000), (8000, 24000), (8000, 48000), (16000, 48000), (8000, 12000), (8000, 32000)]
)
def test_tones_of_the_voice_pass_unchanged_in_both_directions(low: int, high: int) -> None:
    for frequency in (300, 1000, 3000):
        for one, other in ((low, high), (high, low)):
            original = tone(frequency, 200, rate=one)
            converted = array("h", resample(original, one, other))
            assert len(converted) == other // 5
            expected = array("h", tone(frequency, 200, rate=other))
            inner = slice(len(converted) // 5, -len(converted) // 5)
            noise = math.sqrt(
                sum((a - b) ** 2 for a, b in zip(converted[inner], expected[inner], strict=True)) / len(expected[inner])
            )
            assert noise < 12  # 53 dB below the tone


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_what_the_lower_rate_cannot_hold_does_not_fold_back(rate: int) -> None:
    converted = resample(tone(5000, 200, rate=rate), rate, 8000)
    assert loudness(converted[800:2400], 3000) < 20


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_stream_in_pieces_is_the_stream_in_one(rate: int) -> None:
    samples = tone(440, 200, rate=rate)
    whole = Resampler(rate, 8000).process(samples)
    pieces = Resampler(rate, 8000)
    size = rate // 50 * 2
    parts = [pieces.process(samples[at : at + size]) for at in range(0, len(samples), size)]
    assert b"".join(parts) == whole
    assert {len(part) for part in parts} == {320}
    odd = Resampler(rate, 8000)
    assert b"".join(odd.process(samples[at : at + 34]) for at in range(0, len(samples), 34)) == whole


def test_the_same_rate_costs_nothing() -> None:
    samples = tone(440, 20)
    assert Resampler(8000, 8000).process(samples) is samples
    assert resample(samples, 8000, 8000) is samples
