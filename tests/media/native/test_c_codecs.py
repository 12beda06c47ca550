"""The codecs in C against those in Python, to the bit."""

from __future__ import annotations

import warnings
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS
from arietta.media.codecs.gsm import GsmDecoder, GsmEncoder

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


@pytest.mark.parametrize("name", NAMES)
def test_entries_say_the_same_as_the_registry(name: str) -> None:
    entry, form = codec_named(name), CODECS[name]
    assert (entry.rate, entry.frame_ms, entry.frame_bytes) == (form.rate, form.frame_ms, form.frame_bytes)
    assert entry.linear == form.linear
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
