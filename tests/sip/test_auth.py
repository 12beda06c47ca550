"""Digest authentication, both ends."""

from __future__ import annotations

import hashlib

import pytest

from arietta.sip.auth import Credentials, DigestClient, DigestServer, Outcome, digest_response
from arietta.sip.message import Request

ALICE = Credentials("alice", "wonder")
USERS = {"alice": ALICE}


def register() -> Request:
    return Request("REGISTER", "sip:example.com", [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:a@b>"), ("Call-ID", "x"),
        ("CSeq", "1 REGISTER"),
    ])  # fmt: skip


def answered(server: DigestServer, client: DigestClient, now: float) -> Request:
    request = register()
    answers = client.answer(request, server.create_challenge(request, now))
    assert answers is not None
    for name, value in answers:
        request.add(name, value)
    return request


def test_the_example_of_rfc_7616():
    ha1 = Credentials("Mufasa", "Circle of Life")
    arguments = {
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    }
    realm, nonce = "http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    for algorithm, expected in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        secret = ha1.hash_for(algorithm, realm)
        assert digest_response(algorithm, secret, "GET", "/dir/index.html", nonce, **arguments) == expected


@pytest.mark.parametrize("algorithms", [("SHA-256", "MD5"), ("MD5",), ("SHA-256",), ("SHA-512-256", "SHA-256")])
@pytest.mark.parametrize("proxy", [False, True])
def test_challenge_and_answer(algorithms, proxy):
    server = DigestServer("arietta", algorithms=algorithms, proxy=proxy)
    request = answered(server, DigestClient(ALICE), 10.0)
    value = request.get("Proxy-Authorization" if proxy else "Authorization")
    assert f"algorithm={algorithms[0]}" in value
    assert server.check(request, USERS.get, 11.0).outcome is Outcome.ACCEPTED


def test_sha_512_256_is_another_hash_than_a_cut_one():
    assert Credentials("a", "b").hash_for("SHA-512-256", "r") == hashlib.new("sha512_256", b"a:r:b").hexdigest()


def test_credentials_answer_with_the_algorithms_they_may_use():
    md5_only = Credentials("alice", "wonderland", algorithms=("MD5",))
    server = DigestServer("arietta", algorithms=("SHA-256", "MD5"))
    assert "algorithm=MD5" in answered(server, DigestClient(md5_only), 10.0).get("Authorization")
    request = Request("OPTIONS", "sip:example.com", [("CSeq", "1 OPTIONS")])
    refused = request.create_response(401, headers=DigestServer("arietta", algorithms=("SHA-256",)).challenge(10.0))
    assert DigestClient(md5_only).answer(request, refused) is None


def test_prehashed_secrets():
    hashed = Credentials("alice", ha1=(("MD5", ALICE.hash_for("MD5", "arietta")),))
    server = DigestServer("arietta")
    request = answered(server, DigestClient(hashed), 10.0)
    assert "algorithm=MD5" in request.get("Authorization")
    assert server.check(request, {"alice": hashed}.get, 10.0).outcome is Outcome.ACCEPTED


def test_wrong_password_and_unknown_user_look_the_same():
    server = DigestServer("arietta")
    for credentials in (Credentials("alice", "x"), Credentials("mallory", "x")):
        request = answered(server, DigestClient(credentials), 10.0)
        assert server.check(request, USERS.get, 10.0).outcome is Outcome.REJECTED


def test_no_credentials_or_those_of_another_realm():
    server = DigestServer("arietta")
    assert server.check(register(), USERS.get, 10.0).outcome is Outcome.MISSING
    request = answered(DigestServer("elsewhere"), DigestClient(ALICE), 10.0)
    assert server.check(request, USERS.get, 10.0).outcome is Outcome.MISSING


def test_a_replay_is_stale():
    server = DigestServer("arietta")
    request = answered(server, DigestClient(ALICE), 10.0)
    assert server.check(request, USERS.get, 10.0).outcome is Outcome.ACCEPTED
    assert server.check(request, USERS.get, 10.0).outcome is Outcome.STALE


def test_counts_may_come_out_of_order_but_not_twice():
    server, client = DigestServer("arietta"), DigestClient(ALICE)
    challenge = server.create_challenge(register(), 10.0)
    requests = []
    for _ in range(3):
        request = register()
        for name, value in client.answer(request, challenge):
            request.add(name, value)
        requests.append(request)
    order = [requests[2], requests[0], requests[1], requests[0]]
    outcomes = [server.check(request, USERS.get, 10.0).outcome for request in order]
    assert outcomes == [Outcome.ACCEPTED] * 3 + [Outcome.STALE]


def test_nonces_age_and_cannot_be_made_up():
    server = DigestServer("arietta", lifetime=30)
    request = answered(server, DigestClient(ALICE), 10.0)
    assert server.check(request, USERS.get, 41.0).outcome is Outcome.STALE
    forged = answered(DigestServer("arietta"), DigestClient(ALICE), 10.0)
    assert server.check(forged, USERS.get, 10.0).outcome is Outcome.STALE


def test_forgotten_nonces_cannot_be_replayed():
    server = DigestServer("arietta", max_nonces=2)
    old = [answered(server, DigestClient(ALICE), 10.0 + n) for n in range(3)]
    for request in old:
        assert server.check(request, USERS.get, 13.0).outcome is Outcome.ACCEPTED
    for request in old:
        assert server.check(request, USERS.get, 13.0).outcome is Outcome.STALE


def test_stale_is_answered_once_more_and_refusal_is_not():
    server, client = DigestServer("arietta"), DigestClient(ALICE)
    request = answered(server, client, 10.0)
    assert client.answer(request, server.create_challenge(request, 50.0, stale=True)) is not None
    assert client.answer(request, server.create_challenge(request, 50.0)) is None


def test_credentials_never_show_the_password():
    assert "wonder" not in repr(ALICE)


@pytest.mark.parametrize(
    "value", ["Digest", "Digest realm", 'Digest realm="arietta",username="a"', 'Digest realm="arietta']
)
def test_malformed_credentials(value):
    request = register()
    request.add("Authorization", value)
    assert DigestServer("arietta").check(request, USERS.get, 1.0).outcome in (Outcome.MALFORMED, Outcome.MISSING)


@pytest.mark.parametrize("nonce", ["", "0" * 64, "\udcff" * 64, "é" * 64, "x" * 5000])
def test_nonces_that_are_none(nonce):
    request = register()
    request.add("Authorization", f'Digest realm="arietta",username="alice",uri="a",response="0",nonce="{nonce}"')
    verdict = DigestServer("arietta", algorithms=("MD5",)).check(request, USERS.get, 1.0, "192.0.2.1")
    assert verdict.outcome is Outcome.REJECTED and not verdict.nonce_is_ours


def test_whoever_fails_is_known_by_the_nonce_that_was_sent_to_his_host():
    server = DigestServer("arietta", algorithms=("MD5",))
    [(_, challenge)] = server.challenge(1.0, host="192.0.2.1")
    request = register()
    request.add("Authorization", f'{challenge},username="alice",uri="a",response="0",cnonce="c",nc=00000001')
    assert server.check(request, USERS.get, 2.0, "192.0.2.1").nonce_is_ours
    assert not server.check(request, USERS.get, 2.0, "192.0.2.2").nonce_is_ours
