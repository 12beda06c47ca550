"""STUN on the socket of SIP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.stun import answer_binding, is_stun

ID = bytes(range(12))
REQUEST = b"\0\1\0\0\x21\x12\xa4\x42" + ID


def test_the_mapped_address_is_told() -> None:
    answer = answer_binding(REQUEST, ("192.0.2.1", 32853))
    # the port and address of RFC 5769 2.2, which are masked with the cookie alone
    assert answer == b"\1\1\0\x0c\x21\x12\xa4\x42" + ID + b"\0\x20\0\x08\0\1\xa1\x47\xe1\x12\xa6\x43"


def test_over_ipv6_the_transaction_masks_too() -> None:
    answer = answer_binding(REQUEST, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))
    assert answer is not None
    mask = b"\x21\x12\xa4\x42" + ID
    shown = bytes(one ^ other for one, other in zip(answer[28:44], mask, strict=True))
    assert shown.hex() == "20010db8123456780011223344556677"
    assert answer[20:28] == b"\0\x20\0\x14\0\2\xa1\x47"


@pytest.mark.parametrize(
    ("attributes", "answered"),
    [
        (b"\x80\x22\0\4abcd", True),  # SOFTWARE need not be understood
        (b"\0\6\0\3abc\0", False),  # USERNAME: somebody wants more than his address
        (b"\x80\x22\0\5abcd", False),
        (b"\x80\x22", False),
    ],
)
def test_what_has_to_be_understood_is_not_answered(attributes: bytes, answered: bool) -> None:
    data = b"\0\1" + len(attributes).to_bytes(2, "big") + REQUEST[4:] + attributes
    assert (answer_binding(data, ("192.0.2.1", 1)) is not None) is answered


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes(data: bytes, begins_well: bool) -> None:
    data = REQUEST[:8] + data if begins_well else data
    if is_stun(data):
        answer = answer_binding(data, ("192.0.2.1", 5060))
        assert answer is None or len(answer) == 32
