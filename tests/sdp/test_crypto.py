"""Keys in session descriptions (RFC 4568): who offers which, who takes which, and what is no key."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sdp import (
    SRTP_SUITES,
    Crypto,
    CryptoError,
    OfferSettings,
    SecureKeys,
    SessionDescription,
    answer_offer,
    make_offer,
    parse,
    parse_crypto,
    read_answer,
)

BEST, *_ = SUITES = tuple(SRTP_SUITES)
PLAIN = OfferSettings("192.0.2.1", 10000, ("ulaw",))
SECURE = msgspec.structs.replace(PLAIN, crypto_suites=SUITES)
EITHER = msgspec.structs.replace(SECURE, crypto_optional=True)

KEY = bytes(range(30))
INLINE = "inline:" + base64.b64encode(KEY).decode()
AES = "AES_CM_128_HMAC_SHA1_80"


def offered(*cryptos: str, protocol: str = "RTP/SAVP") -> SessionDescription:
    lines = "".join(f"a=crypto:{crypto}\r\n" for crypto in cryptos)
    return parse(f"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 {protocol} 0\r\n{lines}".encode())


def keys_of(description: SessionDescription) -> list[Crypto]:
    return [parse_crypto(value) for value in description.media[0].attributes("crypto")]


def keys_between(caller: OfferSettings, callee: OfferSettings) -> tuple[SecureKeys | None, SecureKeys | None]:
    offer = make_offer(caller)
    answer, agreed = answer_offer(parse(bytes(offer)), callee)
    read = read_answer(offer, parse(bytes(answer)))
    assert agreed.refusal is read.refusal is None
    return read.keys, agreed.keys


def refusal(offer: SessionDescription, ours: OfferSettings) -> str:
    _, agreed = answer_offer(offer, ours)
    assert agreed.refusal is not None
    assert agreed.refusal.status == 488
    return agreed.refusal.reason


@pytest.mark.parametrize("suite", SUITES)
def test_both_sides_have_the_same_two_keys(suite: str) -> None:
    one = msgspec.structs.replace(SECURE, crypto_suites=(suite,))
    caller, callee = keys_between(one, SECURE)
    assert caller is not None
    assert callee is not None
    assert (caller.suite, caller.local, caller.remote) == (suite, callee.remote, callee.local)
    assert len(caller.local) == len(caller.remote) == SRTP_SUITES[suite]
    assert caller.local != caller.remote


def test_an_offer_has_a_new_key_for_each_suite_the_best_first() -> None:
    offer = make_offer(SECURE)
    assert offer.media[0].protocol == "RTP/SAVP"
    assert [(crypto.tag, crypto.suite) for crypto in keys_of(offer)] == [*enumerate(SUITES, 1)]
    assert not {crypto.key for crypto in keys_of(offer)} & {crypto.key for crypto in keys_of(make_offer(SECURE))}


def test_the_first_key_that_can_be_used_is_taken_with_its_tag() -> None:
    answer, agreed = answer_offer(offered(f"1 F8_128_HMAC_SHA1_80 {INLINE}", f"7 {AES} {INLINE}|2^31"), SECURE)
    (ours,) = keys_of(answer)
    assert (ours.tag, ours.suite) == (7, AES)
    assert agreed.keys == SecureKeys(AES, ours.key, KEY)


def test_who_demands_encryption_refuses_a_plain_offer_and_the_other_way_round() -> None:
    assert refusal(make_offer(PLAIN), SECURE) == "no key for the encryption of media"
    assert "media_encryption" in refusal(make_offer(SECURE), PLAIN)
    assert "SAVP" in refusal(offered(f"1 {AES} {INLINE}", protocol="UDP/TLS/RTP/SAVPF"), SECURE)


def test_encryption_that_is_only_wished_for() -> None:
    offer = make_offer(EITHER)
    assert offer.media[0].protocol == "RTP/AVP"
    assert len(keys_of(offer)) == len(SUITES)
    assert keys_between(EITHER, PLAIN) == keys_between(PLAIN, EITHER) == (None, None)
    for caller, callee in ((EITHER, EITHER), (EITHER, SECURE), (SECURE, EITHER)):
        assert None not in keys_between(caller, callee)
    assert refusal(offered(f"1 NONE_SUCH {INLINE}"), EITHER) == "crypto suite 'NONE_SUCH' is not supported"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (offered(), "answered with RTP/SAVP and without a key"),
        (offered(f"1 {AES} {INLINE}|1:4"), "master key identifier"),
        (offered(f"1 {AES} {INLINE}"), f"answered with a key of {AES}, which was not offered"),
    ],
)
def test_an_answer_without_a_key_of_ours_is_refused(answer: SessionDescription, reason: str) -> None:
    one = msgspec.structs.replace(EITHER, crypto_suites=(BEST,))
    agreed = read_answer(make_offer(one), answer)
    assert agreed.refusal is not None
    assert reason in agreed.refusal.reason


def test_keys_stay_over_further_offers_of_either_side() -> None:
    first = make_offer(SECURE)
    answer, agreed = answer_offer(first, SECURE)
    again, unchanged = answer_offer(first, SECURE, answer)
    assert unchanged.keys == agreed.keys
    assert again.origin.version == answer.origin.version
    assert make_offer(SECURE, first) == first
    assert agreed.keys is not None
    assert agreed.keys.local in [crypto.key for crypto in keys_of(make_offer(SECURE, answer))]


def test_a_key_that_the_peer_changes_changes_nothing_of_ours() -> None:
    answer, agreed = answer_offer(make_offer(SECURE), SECURE)
    _, changed = answer_offer(make_offer(SECURE), SECURE, answer)
    assert agreed.keys is not None
    assert changed.keys is not None
    assert (changed.keys.local, changed.keys.suite) == (agreed.keys.local, agreed.keys.suite)
    assert changed.keys.remote != agreed.keys.remote


def test_the_profile_of_the_stream_stays() -> None:
    answer, _ = answer_offer(offered(f"1 {AES} {INLINE}", protocol="RTP/SAVPF"), EITHER)
    assert answer.media[0].protocol == make_offer(EITHER, answer).media[0].protocol == "RTP/SAVPF"
    plain, _ = answer_offer(offered(f"1 {AES} {INLINE}", protocol="RTP/AVP"), SECURE)
    assert plain.media[0].protocol == "RTP/AVP"
    assert make_offer(SECURE, plain).media[0].protocol == "RTP/SAVP"  # else the peer could leave encryption out


@pytest.mark.parametrize("value", [f"1 {AES} {INLINE}", f"9 {AES} {INLINE}|2^48 WSH=64 -x", f"1 {AES} {INLINE}|400"])
def test_what_is_a_key(value: str) -> None:
    assert parse_crypto(value).key == KEY


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"1 {AES}",
        f"x {AES} {INLINE}",
        f"1234567890 {AES} {INLINE}",
        f"1 {AES} {INLINE[:-4]}",
        f"1 {AES} inline:!!!!",
        f"1 {AES} inline:A",
        f"1 {AES} {INLINE};{INLINE}",
        f"1 {AES} {INLINE}|2^20|1:4",
        f"1 {AES} {INLINE}|1:4",
        f"1 {AES} {INLINE}|2^49",
        f"1 {AES} {INLINE}|0",
        f"1 {AES} {INLINE} UNENCRYPTED_SRTP",
        f"1 {AES} {INLINE} KDR=1",
        f"1 AEAD_AES_128_GCM {INLINE}",
    ],
)
def test_what_is_none(value: str) -> None:
    with pytest.raises(CryptoError) as refused:
        parse_crypto(value)
    assert INLINE[7:20] not in str(refused.value)


def test_no_key_is_shown() -> None:
    _, agreed = answer_offer(offered(f"1 {AES} {INLINE}"), SECURE)
    shown = repr(parse_crypto(f"1 {AES} {INLINE}")) + repr(agreed.keys)
    assert INLINE[7:20] not in shown
    assert repr(KEY) not in shown


WORDS = st.sampled_from(("1", "7", AES, BEST, INLINE, "inline:", "|2^31", "|1:1", "KDR=1", "-x", ";", " ", "\x00", "é"))


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=8).map("".join) | st.lists(WORDS).map(" ".join))
def test_whatever_comes_is_a_key_or_refused(value: str) -> None:
    offer = offered(value.replace("\r", "").replace("\n", ""), protocol="RTP/SAVP")
    _, agreed = answer_offer(offer, SECURE)
    assert (agreed.keys is None) == (agreed.refusal is not None)
    try:
        crypto = parse_crypto(value)
    except CryptoError:
        return
    assert parse_crypto(str(crypto)) == crypto


def test_a_phone_whose_first_key_has_an_identifier() -> None:
    offer = parse((Path(__file__).parent / "phones" / "secure-phone.sdp").read_bytes())
    answer, agreed = answer_offer(offer, SECURE)
    assert agreed.keys is not None
    assert agreed.keys.suite == "AES_CM_128_HMAC_SHA1_32"
    assert [crypto.tag for crypto in keys_of(answer)] == [2]
