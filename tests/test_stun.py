"""STUN messages, with the test vectors of RFC 5769."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta import stun
from arietta.stun import StunError, parse_stun, write_stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(  # RFC 5769 2.1
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)


def test_the_request_of_rfc_5769() -> None:
    message = parse_stun(REQUEST)
    assert message.kind == stun.BINDING_REQUEST
    assert message.first(stun.USERNAME) == b"evtj:h6vY"
    assert message.first(stun.PRIORITY) == bytes.fromhex("6e0001ff")
    assert message.is_signed_by(PASSWORD)
    assert not message.is_signed_by(PASSWORD + b"x")
    assert message.unknown(frozenset({stun.USERNAME, stun.PRIORITY, stun.MESSAGE_INTEGRITY})) == []
    assert message.unknown(frozenset({stun.USERNAME, stun.MESSAGE_INTEGRITY})) == [stun.PRIORITY]


def test_what_follows_the_integrity_does_not_count() -> None:
    plain = write_stun(stun.BINDING_REQUEST, bytes(12), ((stun.USERNAME, b"a:b"),), key=PASSWORD)
    smuggled = plain + b"\0\x25\0\0"
    smuggled = smuggled[:2] + (len(smuggled) - 20).to_bytes(2, "big") + smuggled[4:]
    message = parse_stun(smuggled)
    assert message.is_signed_by(PASSWORD)
    assert message.first(stun.USE_CANDIDATE) is None


@given(
    st.lists(st.tuples(st.sampled_from([stun.USERNAME, stun.PRIORITY, 0x8022]), st.binary(max_size=40)), max_size=6),
    st.binary(min_size=12, max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_is_read(
    attributes: list[tuple[int, bytes]], transaction: bytes, signed: bool, fingerprint: bool
) -> None:
    data = write_stun(
        stun.BINDING_SUCCESS, transaction, tuple(attributes), key=PASSWORD if signed else None, fingerprint=fingerprint
    )
    message = parse_stun(data)
    kinds = {stun.MESSAGE_INTEGRITY, stun.FINGERPRINT}
    assert [one for one in message.attributes if one[0] not in kinds] == attributes
    assert message.transaction == transaction
    assert message.is_signed_by(PASSWORD) is signed


@given(st.integers(0, len(REQUEST) - 9), st.integers(1, 255))
def test_every_bit_is_signed(place: int, change: int) -> None:
    broken = bytearray(REQUEST)
    broken[place] ^= change
    try:
        message = parse_stun(bytes(broken))
    except StunError:
        return
    assert not message.is_signed_by(PASSWORD)


def test_a_wrong_fingerprint() -> None:
    with pytest.raises(StunError, match="FINGERPRINT"):
        parse_stun(REQUEST[:-1] + b"\xce")


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data: bytes, begins_well: bool) -> None:
    data = REQUEST[:20] + data if begins_well else data
    try:
        message = parse_stun(data)
    except StunError:
        return
    assert len(message.transaction) == 12


@given(st.ip_addresses(), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
def test_an_address_comes_out_as_it_went_in(address: object, port: int, transaction: bytes) -> None:
    told = stun.xor_mapped_address((str(address), port), transaction)
    message = parse_stun(write_stun(stun.BINDING_SUCCESS, transaction, (told,)))
    assert stun.mapped_address(message) == (str(address), port)


@pytest.mark.parametrize("value", [b"", b"\0\1\0", b"\0\1\0\0abc", b"\0\3\0\0abcd", b"\0\2\0\0abcd"])
def test_an_address_of_no_family_is_none(value: bytes) -> None:
    message = parse_stun(write_stun(stun.BINDING_SUCCESS, bytes(12), ((stun.XOR_MAPPED_ADDRESS, value),)))
    assert stun.mapped_address(message) is None
