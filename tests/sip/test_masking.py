"""Secrets in SIP messages are covered, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.masking import mask_message

ANSWER = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f'Authorization: Digest username="a", nonce="{ANSWER[::-1]}", response="{ANSWER}", qop=auth', ANSWER),
        (f"Proxy-Authorization: Digest response={ANSWER}", ANSWER),
        (f'AUTHORIZATION : Digest uri="sip:a", RESPONSE = "{ANSWER * 2}"', ANSWER * 2),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4", "WVNfX19zZW1j"),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|1:4;inline:BBBB|2:4", "BBBB"),
        ("a=ice-pwd:asd88fgpdd777uzjYhagZg", "asd88fgpdd777uzjYhagZg"),
        ("From: <sip:alice:swordfish@example.org>;tag=1", "swordfish"),
        ("To: sips:bob:swordfish@example.org", "swordfish"),
    ],
)
def test_a_secret_is_covered_by_as_many_asterisks(line: str, secret: str) -> None:
    data = f"INVITE sip:a@b SIP/2.0\r\n{line}\r\n\r\n".encode()
    masked = mask_message(data)
    assert secret.encode() not in masked
    assert masked == data.replace(secret.encode(), b"*" * len(secret)) or b"*" * 12 in masked or b"****" in masked
    assert len(masked) == len(data)


@pytest.mark.parametrize(
    "line",
    [
        'WWW-Authenticate: Digest realm="a", nonce="0123456789abcdef0123456789abcdef"',
        "From: <sip:alice@example.org:5060>;tag=1",
        "Subject: response=no",
        "a=rtpmap:0 PCMU/8000",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    data = f"INVITE sip:a@b SIP/2.0\r\n{line}\r\n\r\n".encode()
    assert mask_message(data) == data


PIECES = (b"Authorization: ", b"inline:", b"sip:", b":", b"@", b"a", b"\r\n", b"response=", b'"', b"\xff", b" ", b"|")


@given(st.lists(st.sampled_from((*PIECES, b"0123456789abcdef" * 2, b"a=ice-pwd:")), max_size=40))
def test_the_length_never_changes(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert len(mask_message(data)) == len(data)
