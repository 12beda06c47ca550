"""SRTP in C: the vectors of the RFCs, and what must hold for any packet."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.rtp import RtpPacket

from .leaves import FLAGS, INCLUDES, compiler, leaf, source

SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]
CM_80, CM_32, GCM_128, GCM_256 = range(4)
TAGS = [10, 4, 16, 16]
ROOM = 2000

c = leaf("srtp", "libcrypto", "rtp")
c.srtp_new.restype = ctypes.c_void_p
c.srtp_available.restype = ctypes.c_bool
pytestmark = pytest.mark.skipif(not c.srtp_available(), reason="no libcrypto")


class Srtp:
    """One direction."""

    def __init__(self, pointer: int) -> None:
        self.pointer = ctypes.c_void_p(pointer)
        assert pointer

    def protect(self, packet: bytes, room: int = ROOM) -> bytes | None:
        return self._with_room(c.srtp_protect, packet, room)

    def protect_control(self, packet: bytes, room: int = ROOM) -> bytes | None:
        return self._with_room(c.srtcp_protect, packet, room)

    def unprotect(self, packet: bytes) -> bytes | None:
        return self._in_place(c.srtp_unprotect, packet)

    def unprotect_control(self, packet: bytes) -> bytes | None:
        return self._in_place(c.srtcp_unprotect, packet)

    def _with_room(self, call: Callable[..., int], packet: bytes, room: int) -> bytes | None:
        data = ctypes.create_string_buffer(packet, max(room, len(packet)))
        size = call(self.pointer, data, len(packet), room)
        return data.raw[:size] if size >= 0 else None

    def _in_place(self, call: Callable[..., int], packet: bytes) -> bytes | None:
        data = ctypes.create_string_buffer(packet, len(packet))
        size = call(self.pointer, data, len(packet))
        return data.raw[:size] if size >= 0 else None


def key_of(suite: int) -> bytes:
    return bytes(range(7, 7 + c.srtp_key_bytes(suite)))


@contextmanager
def pair(suite: int) -> Iterator[tuple[Srtp, Srtp]]:
    key = key_of(suite)
    here, there = (Srtp(c.srtp_new(suite, key, len(key))) for _ in range(2))
    try:
        yield here, there
    finally:
        c.srtp_free(here.pointer)
        c.srtp_free(there.pointer)


def rtp(sequence: int, ssrc: int = 1, payload: bytes = b"\xd5" * 160) -> bytes:
    return bytes(RtpPacket(8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc, payload))


def rtcp(ssrc: int = 1, rest: bytes = b"") -> bytes:
    return b"\x80\xc9" + struct.pack(">HI", 1 + len(rest) // 4, ssrc) + rest


suites = st.sampled_from(range(4))
packets = st.builds(
    RtpPacket,
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=400),
    st.booleans(),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    st.none() | st.integers(0, 0xFFFF),
    st.integers(0, 4).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
).map(bytes)
controls = st.binary(max_size=60).map(lambda rest: rtcp(rest=rest * 4))


# -- names and keys --


@pytest.mark.parametrize("suite, size", [(CM_80, 30), (CM_32, 30), (GCM_128, 28), (GCM_256, 44)])
def test_suites_by_name_with_the_sizes_of_their_keys(suite: int, size: int) -> None:
    assert (c.srtp_suite_named(SUITES[suite].encode()), c.srtp_key_bytes(suite)) == (suite, size)
    assert c.srtp_new(suite, bytes(100), size - 1) is None


def test_other_suites_are_unknown() -> None:
    assert (c.srtp_suite_named(b"AES_CM_256_HMAC_SHA1_80"), c.srtp_key_bytes(4), c.srtp_key_bytes(-1)) == (-1, 0, 0)
    assert c.srtp_new(4, b"", 0) is None
    c.srtp_free(None)


# -- the vectors of the RFCs --


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    out = tmp_path_factory.mktemp("srtp") / "inside.so"
    sources = [Path(__file__).parent / "srtp_inside.c", source("libcrypto"), source("rtp")]
    command = [compiler(), *FLAGS, *INCLUDES, *map(str, sources), "-o", str(out), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(out))
    library.inside_new.restype = ctypes.c_void_p
    library.inside_derive.restype = library.inside_keystream.restype = ctypes.c_bool
    return library


def test_keys_are_derived_as_in_rfc_3711_b_3(inside: ctypes.CDLL) -> None:
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")
    out = ctypes.create_string_buffer(94)
    for label, key in [
        (0, "C61E7A93744F39EE10734AFE3FF7A087"),
        (2, "30CBBC08863D8C85D49DB34A9AE1"),
        (
            1,
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098"
            "6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
        ),
    ]:
        size = len(key) // 2
        assert inside.inside_derive(CM_80, master, label, out, size)
        assert out.raw[:size] == bytes.fromhex(key)


def test_the_key_stream_is_that_of_rfc_3711_b_2(inside: ctypes.CDLL) -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    salt = bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD")
    srtp = ctypes.c_void_p(inside.inside_new(CM_80, key, salt))
    out = ctypes.create_string_buffer(0xFF02 * 16)
    assert inside.inside_keystream(srtp, out, len(out))
    inside.srtp_free(srtp)
    for block, expected in [
        (0x0000, "E03EAD0935C95E80E166B16DD92B4EB4"),
        (0x0001, "D23513162B02D0F72A43A2FE4A5F97AB"),
        (0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0"),
        (0xFEFF, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
        (0xFF00, "362B7C3C6773516318A077D7FC5073AE"),
        (0xFF01, "6A2CC3787889374FBEB4C81B17BA6C44"),
    ]:
        assert out.raw[16 * block : 16 * block + 16] == bytes.fromhex(expected)


QUID_PRO_QUO = b"Quid pro quo"
GALLIA = bytes.fromhex("8040f17b 8041f8d3 5501a0b2") + b"Gallia est omnis divisa in partes tres"
GALLIA_SEALED = {
    GCM_128: """f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833
        899d7f27 beb16a91 52cf765e e4390cce""",
    GCM_256: """32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b
        7aa3db36 dfffd6b0 f9bb7878 d7a76c13""",
}


@pytest.mark.parametrize("suite", [GCM_128, GCM_256])
def test_a_packet_is_sealed_as_in_rfc_7714_16(inside: ctypes.CDLL, suite: int) -> None:
    srtp, other = (Srtp(inside.inside_new(suite, bytes(range(32)), QUID_PRO_QUO)) for _ in range(2))
    sealed = GALLIA[:12] + bytes.fromhex(GALLIA_SEALED[suite])
    assert srtp.protect(GALLIA) == sealed
    assert other.unprotect(sealed) == GALLIA
    c.srtp_free(srtp.pointer)
    c.srtp_free(other.pointer)


def test_a_report_is_sealed_as_in_rfc_7714_17(inside: ctypes.CDLL) -> None:
    report = bytes.fromhex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61" + "deadbeef" * 5)
    sealed = bytes.fromhex(
        """81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
        4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"""
    )
    tagged = report + bytes.fromhex("841dd968 3dd78ec9 2ae58790 125f62b3 000005d4")
    srtp, other, third = (Srtp(inside.inside_new(GCM_128, bytes(range(16)), QUID_PRO_QUO)) for _ in range(3))
    inside.inside_next_control(srtp.pointer, 0x4D617273, ctypes.c_int64(0x5D4))
    assert srtp.protect_control(report) == sealed
    assert other.unprotect_control(sealed) == report
    assert third.unprotect_control(tagged) == report
    assert third.unprotect_control(sealed) is None  # the same index
    for one in (srtp, other, third):
        c.srtp_free(one.pointer)


# -- whatever the packet --


@given(suites, packets)
@settings(deadline=None)
def test_what_was_protected_is_unprotected(suite: int, packet: bytes) -> None:
    with pair(suite) as (here, there):
        sealed = here.protect(packet)
        assert sealed is not None and len(sealed) == len(packet) + TAGS[suite]
        assert there.unprotect(sealed) == packet
        assert there.unprotect(sealed) is None
        assert here.protect(packet) is None  # its number was used


@given(suites, controls)
@settings(deadline=None)
def test_what_was_protected_of_rtcp_is_unprotected(suite: int, packet: bytes) -> None:
    with pair(suite) as (here, there):
        first, second = here.protect_control(packet), here.protect_control(packet)
        assert first is not None and second is not None and first != second
        assert len(first) == len(packet) + 4 + (16 if suite >= GCM_128 else 10)
        assert there.unprotect_control(second) == packet
        assert there.unprotect_control(first) == packet
        assert there.unprotect_control(first) is None


@given(suites, packets, st.booleans(), st.data())
@settings(deadline=None, max_examples=200)
def test_a_flipped_bit_is_refused_and_changes_nothing(
    suite: int, packet: bytes, of_rtcp: bool, data: st.DataObject
) -> None:
    with pair(suite) as (here, there):
        protect, unprotect = here.protect, there.unprotect
        if of_rtcp:
            protect, unprotect = here.protect_control, there.unprotect_control
        sealed = protect(packet)
        assert sealed is not None
        bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << bit % 8
        assert unprotect(bytes(forged)) is None
        assert unprotect(sealed) == packet


@given(suites, st.binary(max_size=80) | st.binary(max_size=80).map(lambda data: b"\x90" + data))
@settings(deadline=None)
def test_any_bytes_are_survived(suite: int, data: bytes) -> None:
    with pair(suite) as (here, there):
        assert there.unprotect(data) is None
        assert there.unprotect_control(data) is None
        here.protect(data)
        here.protect_control(data)


@pytest.mark.parametrize("suite", range(4))
def test_room_is_needed(suite: int) -> None:
    with pair(suite) as (here, _):
        packet = rtp(1)
        assert here.protect(packet, len(packet) + TAGS[suite] - 1) is None
        assert here.protect(packet, len(packet) + TAGS[suite]) is not None
        report = rtcp()
        tag = 16 if suite >= GCM_128 else 10
        assert here.protect_control(report, len(report) + tag + 3) is None
        assert here.protect_control(report, len(report) + tag + 4) is not None


# -- numbers that wrap, get lost, come late or again --


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(1, 5) | st.sampled_from([1, 1, 1, 127, 4000, 20000]), st.booleans()), max_size=60),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
def test_it_follows_the_numbers_over_wraps_and_losses(
    start: int, course: list[tuple[int, bool]], random: Random
) -> None:
    with pair(CM_80) as (here, there):
        sequence = start
        sealed = [(start, here.protect(rtp(start)))]
        for step, lost in course:
            sequence += step
            packet = here.protect(rtp(sequence))
            if not lost or step > 127:  # what is lost at a time stays within half the numbers
                sealed.append((sequence, packet))
        late = [n for n in range(1, len(sealed) - 1) if sealed[n + 1][0] - sealed[n][0] < 100 and random.random() < 0.2]
        for n in late:
            sealed[n], sealed[n + 1] = sealed[n + 1], sealed[n]
        for number, packet in sealed:
            assert packet is not None
            assert there.unprotect(packet) == rtp(number)
            assert there.unprotect(packet) is None


@pytest.mark.parametrize("suite", [CM_80, GCM_128])
def test_what_comes_late_is_heard_once_within_the_window(suite: int) -> None:
    with pair(suite) as (here, there):
        sealed = [here.protect(rtp(65500 + n)) for n in range(200)]
        assert there.unprotect(sealed[199] or b"") is None  # before the beginning its roll-over is not known
        assert there.unprotect(sealed[0] or b"") == rtp(65500)
        assert there.unprotect(sealed[199] or b"") == rtp(65699)
        heard = [there.unprotect(packet or b"") is not None for packet in sealed]
    assert heard == [False] * 72 + [True] * 127 + [False]


def test_more_sources_than_are_known_are_heard_but_not_sent() -> None:
    with pair(CM_80) as (here, there):
        assert [here.protect(rtp(1, ssrc)) is not None for ssrc in range(6)] == [True] * 4 + [False] * 2
        for ssrc in range(6):
            with pair(CM_80) as (other, _):
                assert there.unprotect(other.protect(rtp(1, ssrc)) or b"") == rtp(1, ssrc)


def test_rtp_and_rtcp_of_one_source_have_keys_of_their_own() -> None:
    with pair(GCM_128) as (here, there):
        report = rtcp(rest=bytes(40))
        assert there.unprotect(here.protect_control(report) or b"") is None
