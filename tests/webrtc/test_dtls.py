"""Two sides shake hands over datagrams, and have the same keys."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from arietta.sdp import DtlsTerms, SecureKeys
from arietta.webrtc.dtls import MOST_DATAGRAMS, Association, Identity, Trust, read_certificate
from certificates import make_authority, needs_openssl

from .peer import Handshaker, new_identity, shake, terms_of

ALICE, BOB = new_identity("alice"), new_identity("bob")


def client(identity: Identity = ALICE, peer: Identity = BOB, **options: int) -> Handshaker:
    return Handshaker(Association(identity, terms_of(peer, is_client=True), **options))


def server(identity: Identity = BOB, peer: Identity = ALICE, **options: int) -> Handshaker:
    return Handshaker(Association(identity, terms_of(peer, is_client=False), **options))


def test_both_have_the_same_keys() -> None:
    one, other = client(), server()
    shake(one, other)
    (ours,), (theirs,) = one.keys, other.keys
    assert (ours.suite, theirs.suite) == ("AEAD_AES_256_GCM", "AEAD_AES_256_GCM")
    assert (ours.local, ours.remote) == (theirs.remote, theirs.local)
    assert len(ours.local) == 44 and ours.local != ours.remote
    assert one.association.next_timeout(0) is None and other.association.next_timeout(0) is None


def test_short_tags_where_both_want_them() -> None:
    short, also_short = new_identity("a", short_tags=True), new_identity("b", short_tags=True)
    one, other = client(short, also_short), server(also_short, short)
    shake(one, other)
    assert [key.suite for key in one.keys] == ["AES_CM_128_HMAC_SHA1_32"]
    assert len(one.keys[0].local) == 30


@pytest.mark.parametrize("mtu", [256, 600, 1200])
def test_datagrams_are_no_longer_than_they_may_be(mtu: int) -> None:
    one, other = client(mtu=mtu), server(mtu=mtu)
    flight, longest = one.take(), 0
    while flight:
        longest = max(longest, *map(len, flight))
        back = other.take(*flight)
        longest = max([longest, *map(len, back)])
        flight = one.take(*back)
    assert one.keys and other.keys
    assert longest <= mtu


def test_who_has_another_certificate_gets_no_keys() -> None:
    mallory = new_identity("mallory")
    one, other = client(peer=BOB), server(mallory)
    shake(one, other)
    assert one.keys == []
    assert one.failures == ["the certificate is not the one whose fingerprint was described"]


def test_any_of_the_fingerprints_is_good() -> None:
    prints = (new_identity().fingerprint("sha-256"), BOB.fingerprint("sha-512"))
    one, other = Handshaker(Association(ALICE, DtlsTerms(prints, True))), server()
    shake(one, other)
    assert one.keys


def test_what_is_lost_is_sent_again() -> None:
    one, other = client(), server()
    assert one.take()  # which are lost
    left = one.association.next_timeout(0)
    assert left is not None and 0 < left <= 1
    one.association.handle_timeout()
    assert one.take() == []  # it is not time
    time.sleep(left)  # OpenSSL has a clock of its own
    one.association.handle_timeout()
    flight = one.take()
    assert flight
    flight = one.take(*other.take(*flight))
    finished = other.take(*flight)
    assert finished and other.keys and not one.keys  # the last flight is lost: the client asks again
    left = one.association.next_timeout(0)
    assert left is not None
    time.sleep(left)
    one.association.handle_timeout()
    one.take(*other.take(*one.take()))
    assert one.keys


def test_what_follows_the_keys_is_passed_over() -> None:
    one, other = client(), server()
    shake(one, other)
    one.association._connection.send(b"data")
    one.association._collect()
    assert other.take(*one.take(), b"\x17rubbish") == []
    one.association._connection.shutdown()
    one.association._collect()
    other.take(*one.take())
    assert other.failures == []


def test_a_peer_without_srtp_gets_no_keys() -> None:
    plain = new_identity()
    plain.context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_32")
    one, other = client(plain), server(peer=plain)
    shake(one, other)
    assert not other.keys
    assert other.failures == ["no protection profile of SRTP in common"]


def test_the_datagrams_of_a_handshake_are_counted() -> None:
    side = server()
    for _ in range(MOST_DATAGRAMS + 5):
        side.take(b"\x16\xfe\xfd")
    assert side.failures == [f"more than {MOST_DATAGRAMS} datagrams for one handshake"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(0, 3))
def test_rubbish_between_the_datagrams_changes_nothing(rubbish: list[bytes], place: int) -> None:
    one, other = client(), server()
    flight = one.take()
    for turn in range(6):
        if turn == place:
            other.take(*(data for data in rubbish if data))
        flight = one.take(*other.take(*flight))
    assert not one.failures and not other.failures
    assert one.keys and other.keys


@needs_openssl
def test_certificates_from_files_and_who_signed_them(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    trust = Trust(file=str(authority.certificate))
    signed = Identity(*read_certificate(*authority.sign("signed")), trust=trust)
    other = Identity(*read_certificate(*authority.sign("other")), trust=trust)
    one, two = client(signed, other), server(other, signed)
    shake(one, two)
    assert one.keys and two.keys
    one, two = client(BOB, signed), server(signed, BOB)
    shake(one, two)
    assert not two.keys and "certificate" in two.failures[0]


@needs_openssl
def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    certificate, _ = authority.sign("one")
    _, key = authority.sign("other")
    with pytest.raises(OSError, match="missing"):
        read_certificate(tmp_path / "missing.pem", key)
    with pytest.raises(ValueError):
        read_certificate(certificate, certificate)
    with pytest.raises(SSL.Error):
        _ = Identity(*read_certificate(certificate, key)).context


def test_keys_are_not_told() -> None:
    assert "…" in repr(SecureKeys("AEAD_AES_128_GCM", b"a", b"b"))
