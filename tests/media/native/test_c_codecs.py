"""The codecs in C against those in Python, to the bit."""

from __future__ import annotations

import math
import warnings
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS, Resampler
from arietta.media.codecs.g722 import G722Decoder, G722Encoder
from arietta.media.codecs.gsm import GsmDecoder, GsmEncoder
from arietta.media.codecs.native import native
from arietta.media.codecs.opus import packet_ms

from .ccodec import Stream, codec_named, codecs
from .sounds import noise, speech, tone

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

EVERY_SAMPLE = array("h", range(-32768, 32768)).tobytes()
EVERY_BYTE = bytes(range(256))
NAMES = [codecs().codec_at(number).contents.name.decode() for number in range(codecs().codec_count())]
STATELESS = [name for name in NAMES if codec_named(name).stateless]


def test_g711_is_exact_for_every_sample_and_byte() -> None:
    ulaw, alaw = Stream("ulaw"), Stream("alaw")
    assert ulaw.encode(EVERY_SAMPLE) == audioop.lin2ulaw(EVERY_SAMPLE, 2)
    assert alaw.encode(EVERY_SAMPLE) == audioop.lin2alaw(EVERY_SAMPLE, 2)
    assert ulaw.decode(EVERY_BYTE) == audioop.ulaw2lin(EVERY_BYTE, 2)
    assert alaw.decode(EVERY_BYTE) == audioop.alaw2lin(EVERY_BYTE, 2)


@pytest.mark.parametrize("name", [name for name in NAMES if name in CODECS])
def test_entries_say_the_same_as_the_registry(name: str) -> None:
    entry, form = codec_named(name), CODECS[name]
    assert (entry.rate, entry.clock_rate) == (form.rate, form.clock_rate)
    assert (entry.frame_ms, entry.frame_bytes) == (form.frame_ms, form.frame_bytes)
    assert (entry.linear, entry.stateless) == (form.linear, form.stateless)
    assert entry.quiet == form.silence


def test_ids_count_from_zero_and_unknown_ones_are_none() -> None:
    table = codecs()
    assert [codec_named(name).id for name in NAMES] == list(range(len(NAMES)))
    assert not table.codec_at(-1)
    assert not table.codec_at(len(NAMES))
    assert not table.codec_named(b"g729")
    assert not table.codec_host(11025)


@pytest.mark.parametrize("name", [name for name in NAMES if codec_named(name).linear])
def test_linear_is_in_network_order_and_host_is_not(name: str) -> None:
    assert Stream(name).encode(array("h", [0x0102, -2]).tobytes()) == b"\x01\x02\xff\xfe"
    assert Stream(name).decode(b"\x01\x02\xff\xfe\x07") == array("h", [0x0102, -2]).tobytes()
    host = codecs().codec_host(codec_named(name).rate).contents
    assert (host.name, host.linear, host.id) == (b"host", False, len(NAMES) + NAMES.index(name) - NAMES.index("slin"))
    assert host.quiet == bytes(codec_named(name).rate // 50 * 2)


@pytest.mark.parametrize("name", STATELESS)
def test_too_little_room_is_refused(name: str) -> None:
    stream = Stream(name)
    samples = bytes(320)
    encoded = stream.encode(samples)
    assert encoded is not None
    assert stream.encode(samples, len(encoded) - 1) is None
    assert stream.encode(samples, len(encoded)) == encoded
    assert stream.decode(encoded, 159) is None
    assert stream.decode(encoded, 160) == stream.decode(encoded)


@pytest.mark.parametrize("name", STATELESS)
@given(data=st.binary(max_size=400))
@settings(max_examples=30, deadline=None)
def test_any_bytes_are_decoded_as_python_does(name: str, data: bytes) -> None:
    assert Stream(name).decode(data) == CODECS[name].decoder()(data)
    entry = codec_named(name)
    assert codecs().codec_ms(entry, data, len(data)) == CODECS[name].ms_of(data)


LOUD = array("h", ([32767] * 40 + [-32768] * 40) * 8).tobytes()
SOUNDS = {
    "speech": speech(400),
    "tone": tone(440, 200) + tone(1000, 200, level=32000),
    "noise": noise(1600),
    "faint noise": noise(1600, level=20),
    "square": LOUD,
    "zeros": bytes(640),
}


@pytest.mark.parametrize("sound", list(SOUNDS))
def test_gsm_is_that_of_python_to_the_bit(sound: str) -> None:
    samples, stream = SOUNDS[sound], Stream("gsm")
    encoded = stream.encode(samples)
    assert encoded == GsmEncoder().encode(samples)
    assert stream.decode(encoded) == GsmDecoder().decode(encoded)


@given(st.lists(st.binary(min_size=33, max_size=33), max_size=6), st.binary(max_size=32))
@settings(max_examples=40, deadline=None)
def test_gsm_decodes_any_bytes_as_python_does(frames: list[bytes], rest: bytes) -> None:
    data = b"".join(frames)
    assert Stream("gsm").decode(data + rest) == GsmDecoder().decode(data)


@given(st.lists(st.integers(-32768, 32767), min_size=4, max_size=4), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_gsm_encodes_any_samples_as_python_does(levels: list[int], period: int) -> None:
    samples = array("h", (levels[n // period % 4] for n in range(480))).tobytes()
    assert Stream("gsm").encode(samples) == GsmEncoder().encode(samples)


@pytest.mark.parametrize("sound", list(SOUNDS))
def test_g722_is_that_of_python_to_the_bit(sound: str) -> None:
    samples, stream = SOUNDS[sound], Stream("g722")
    encoded = stream.encode(samples)
    assert encoded == G722Encoder().encode(samples)
    assert stream.decode(encoded) == G722Decoder().decode(encoded)


@given(st.binary(max_size=500))
@settings(max_examples=40, deadline=None)
def test_g722_decodes_any_bytes_as_python_does(data: bytes) -> None:
    assert Stream("g722").decode(data) == G722Decoder().decode(data)


@given(st.lists(st.integers(-32768, 32767), min_size=4, max_size=4), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_g722_encodes_any_samples_as_python_does(levels: list[int], period: int) -> None:
    samples = array("h", (levels[n // period % 4] for n in range(640))).tobytes()
    assert Stream("g722").encode(samples) == G722Encoder().encode(samples)


@pytest.mark.parametrize(
    ("name", "sound", "delay", "decibels"),
    [
        # The delay of the two quadrature mirror filters is 22 samples.
        ("g722", speech(600, 16000), 22, 30),
        ("g722", tone(1000, 400, 16000), 22, 30),
        ("g722", tone(5000, 400, 16000), 22, 18),
        ("gsm", speech(600), 0, 11),
        ("gsm", tone(1000, 400), 0, 19),
    ],
)
def test_sounds_survive(name: str, sound: bytes, delay: int, decibels: float) -> None:
    stream = Stream(name)
    encoded = stream.encode(sound)
    assert encoded is not None
    decoded = stream.decode(encoded)
    assert decoded is not None
    assert signal_to_noise(sound, decoded, delay) > decibels


@pytest.mark.parametrize(("name", "samples", "size"), [("gsm", 160, 33), ("g722", 160, 80)])
def test_too_little_room_leaves_the_stream_as_it_was(name: str, samples: int, size: int) -> None:
    sound, stream = noise(samples), Stream(name)
    assert stream.encode(sound, size - 1) is None
    encoded = stream.encode(sound, size)
    assert encoded is not None
    assert encoded == Stream(name).encode(sound)
    assert stream.decode(encoded, samples - 1) is None
    assert stream.decode(encoded, samples) == Stream(name).decode(encoded)


needs_opus = pytest.mark.skipif(not codecs().codec_available(codec_named("opus")), reason="libopus is missing")


@needs_opus
def test_opus_packets_carry_a_voice_and_make_up_for_a_lost_one() -> None:
    stream = Stream("opus")
    sound = speech(400, 48000)
    decoded = b""
    for at in range(0, len(sound), 1920):
        packet = stream.encode(sound[at : at + 1920])
        assert packet is not None
        assert codecs().codec_ms(stream.codec, packet, len(packet)) == 20
        part = stream.decode(packet)
        assert part is not None
        decoded += part
    assert signal_to_noise(sound, decoded, 309) > 12
    lost = stream.conceal(960)
    assert lost is not None
    assert len(lost) == 1920
    stream.close()


@needs_opus
@given(st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_opus_survives_any_bytes(data: bytes) -> None:
    stream = Stream("opus")
    ms = codecs().codec_ms(stream.codec, data, len(data))
    assert ms == CODECS["opus"].ms_of(data)
    decoded = stream.decode(data, 5760)
    assert decoded is None or ms <= len(decoded) / 96 < ms + 3
    assert stream.decode(data, 100) is None
    stream.close()


@pytest.mark.parametrize(
    ("data", "ms"),
    [
        (b"", 0),
        (b"\x00", 10),
        (b"\x18", 60),
        (b"\x19", 120),
        (b"\x60", 10),
        (b"\x68", 20),
        (b"\x80", 2),
        (b"\xf8", 20),
        (b"\xfb", 0),
        (b"\xfb\x00", 0),
        (b"\xfb\x03", 60),
        (b"\xfb\x06", 120),
        (b"\xfb\x07", 0),
        (b"\x83\x30", 120),
        (b"\x83\x31", 0),
    ],
)
def test_the_first_bytes_of_an_opus_packet_tell_its_time(data: bytes, ms: int) -> None:
    assert codecs().codec_ms(codec_named("opus"), data, len(data)) == packet_ms(data) == ms


def signal_to_noise(one: bytes, other: bytes, delay: int) -> float:
    """Decibels by which a sound is louder than what a delayed copy differs from it."""
    sent, heard = array("h", one), array("h", other)[delay:]
    noise_power = sum((a - b) ** 2 for a, b in zip(sent, heard, strict=False))
    return 10 * math.log10(sum(a * a for a in sent[: len(heard)]) / max(1, noise_power))


engine = native()
needs_extension = pytest.mark.skipif(engine is None, reason="the extension module is not built")


@needs_extension
@pytest.mark.parametrize("name", [name for name in CODECS if name != "opus"])
def test_coders_of_the_extension_take_any_length(name: str) -> None:
    for samples in (speech(300, CODECS[name].rate), noise(777), b"", b"a", b"abc"):
        fresh = Stream(name)
        whole = samples[: len(samples) // 2 * 2]
        if name == "gsm":
            whole += bytes(-len(whole) % 320)
        encoded = engine.Encoder(name)(samples)
        assert encoded == fresh.encode(whole)
        assert engine.Decoder(name)(encoded + b"\0") == Stream(name).decode(encoded + b"\0")


@needs_extension
def test_coders_of_the_extension_refuse_what_they_cannot() -> None:
    with pytest.raises(KeyError, match="g729"):
        engine.Encoder("g729")
    with pytest.raises(TypeError):
        engine.Decoder("ulaw")("text")
    with pytest.raises(ValueError, match="11025"):
        engine.resample(b"", 11025, 8000)


@needs_extension
@pytest.mark.parametrize(("from_rate", "to_rate"), [(8000, 16000), (44100, 8000), (8000, 192000), (48000, 44100)])
def test_recordings_are_resampled_as_python_does(from_rate: int, to_rate: int) -> None:
    for samples in (speech(100, from_rate), noise(333), b"ab"):
        ours = array("h", engine.resample(samples, from_rate, to_rate))
        resampler = Resampler(from_rate, to_rate)
        skip = round(resampler.delay * to_rate / from_rate)
        theirs = array("h", resampler.process(samples + bytes(2 * from_rate // 10)))[skip:]
        assert len(ours) == -(-len(samples) // 2 * to_rate // from_rate)
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=False)) <= 1
