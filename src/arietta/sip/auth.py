"""Digest authentication, both ends (RFC 7616, RFC 8760, RFC 3261 22): MD5, SHA-256, SHA-512-256, qop=auth."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

import msgspec

from .errors import ProtocolError
from .headers import Challenge, parse_challenge
from .message import Request, Response
from .uri import quote

__all__ = ["ALGORITHMS", "Credentials", "DigestClient", "DigestServer", "Outcome", "Verdict", "digest_response"]


def _sha512_256(data: bytes) -> hashlib._Hash:
    return hashlib.new("sha512_256", data)


_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
if "sha512_256" in hashlib.algorithms_available:  # by OpenSSL
    _HASHES["SHA-512-256"] = _sha512_256
ALGORITHMS = tuple(_HASHES)
"""What we have, the weakest first."""


class Credentials(msgspec.Struct, frozen=True):
    """A user's secret: a password, or H(user:realm:password) per algorithm."""

    username: str
    password: str = msgspec.field(default="")
    ha1: tuple[tuple[str, str], ...] = ()
    """(algorithm, lower-case hex) pairs; used in place of the password where given."""
    realm: str = ""
    """Answer only challenges of this realm; "" for any."""
    algorithms: tuple[str, ...] = ALGORITHMS
    """Answer only challenges with these."""

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r})"

    def hash_for(self, algorithm: str, realm: str) -> str:
        """H(A1) for `algorithm` and `realm`."""
        for name, value in self.ha1:
            if name == algorithm:
                return value
        return _hash(algorithm, f"{self.username}:{realm}:{self.password}")

    def can(self, algorithm: str) -> bool:
        """True when a secret for `algorithm` is at hand."""
        return algorithm in _HASHES and (not self.ha1 or bool(self.password) or algorithm in dict(self.ha1))


class Outcome(StrEnum):
    """What the credentials of a request are worth."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    """No credentials for our realm: challenge."""
    STALE = "stale"
    """The right secret with an old, unknown or already used nonce: challenge with stale=true."""
    REJECTED = "rejected"
    """Unknown user or wrong secret: challenge again, or refuse."""
    MALFORMED = "malformed"
    """Credentials that break the grammar: 400."""


class Verdict(msgspec.Struct, frozen=True):
    """The outcome of a check with the user it is about."""

    outcome: Outcome
    username: str = ""
    """As claimed; proven only when accepted."""
    nonce_is_ours: bool = False
    """The credentials answer a challenge that was sent to the same host, so they do come from there."""


def digest_response(
    algorithm: str, ha1: str, method: str, uri: str, nonce: str, *, qop: str = "", nc: str = "", cnonce: str = ""
) -> str:
    """The response value (RFC 7616 3.4.1; without qop RFC 2069)."""
    ha2 = _hash(algorithm, f"{method}:{uri}")
    if qop:
        return _hash(algorithm, f"{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")
    return _hash(algorithm, f"{ha1}:{nonce}:{ha2}")


class DigestServer:
    """The side that challenges.

    Nonces carry their time and are signed, so nothing is kept for those who only ask. For nonces that were used well
    the counts seen are kept: `max_nonces` of them; when one is forgotten, every nonce as old counts as stale.
    """

    def __init__(
        self,
        realm: str,
        *,
        secret: bytes = b"",
        lifetime: float = 300.0,
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        proxy: bool = False,
        max_nonces: int = 10000,
    ) -> None:
        """`lifetime` in seconds; `proxy` challenges with 407; ValueError for an algorithm we have not."""
        for algorithm in algorithms:
            if algorithm not in _HASHES:
                raise ValueError(f"digest algorithm {algorithm!r} is not one of {', '.join(_HASHES)}")
        self.realm = realm
        self.status = 407 if proxy else 401
        self._challenge_header = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        self._credentials_header = "Proxy-Authorization" if proxy else "Authorization"
        self._secret = secret or os.urandom(32)
        self._lifetime = lifetime
        self._algorithms = algorithms
        self._max_nonces = max_nonces
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._forgotten_before = float("-inf")
        self._nobody = Credentials("", os.urandom(16).hex())

    def challenge(self, now: float, *, stale: bool = False, host: str = "") -> list[tuple[str, str]]:
        """The header fields of the 401 or 407, one per algorithm, the strongest first (RFC 8760 2.4).

        `host` is where it goes: `check` says whether credentials came back from there. They may come from elsewhere.
        """
        nonce = self._create_nonce(now, host)
        tail = ",stale=true" if stale else ""
        return [
            (
                self._challenge_header,
                f'Digest realm={quote(self.realm)},nonce="{nonce}",algorithm={algorithm},qop="auth"{tail}',
            )
            for algorithm in self._algorithms
        ]

    def create_challenge(self, request: Request, now: float, *, stale: bool = False, to_tag: str = "") -> Response:
        """The whole 401 or 407 to `request`."""
        return request.create_response(self.status, to_tag=to_tag, headers=self.challenge(now, stale=stale))

    def check(self, request: Request, find: Callable[[str], Credentials | None], now: float, host: str = "") -> Verdict:
        """Judge the credentials of a request; an unknown user costs the same work as a known one."""
        for value in request.headers.get(self._credentials_header, ()):
            try:
                given = parse_challenge(value)
            except ProtocolError:
                return Verdict(Outcome.MALFORMED)
            if given.scheme.lower() == "digest" and given.parameters.get("realm") == self.realm:
                return self._judge(request.method, given.parameters, find, now, host)
        return Verdict(Outcome.MISSING)

    def _judge(
        self, method: str, given: dict[str, str], find: Callable[[str], Credentials | None], now: float, host: str
    ) -> Verdict:
        username, nonce = given.get("username", ""), given.get("nonce", "")
        algorithm = given.get("algorithm", "MD5").upper()
        qop, count_text, cnonce = given.get("qop", ""), given.get("nc", ""), given.get("cnonce", "")
        if not username or "uri" not in given or "response" not in given or algorithm not in self._algorithms:
            return Verdict(Outcome.MALFORMED, username)
        count = 1
        if qop:
            if qop.lower() != "auth" or not cnonce or len(count_text) != 8:
                return Verdict(Outcome.MALFORMED, username)
            try:
                count = int(count_text, 16)
            except ValueError:
                return Verdict(Outcome.MALFORMED, username)
        found = find(username)
        credentials = self._nobody if found is None or not found.can(algorithm) else found
        ha1 = credentials.hash_for(algorithm, self.realm)
        expected = digest_response(algorithm, ha1, method, given["uri"], nonce, qop=qop, nc=count_text, cnonce=cnonce)
        right = hmac.compare_digest(expected.encode(), given["response"].lower().encode("utf-8", "surrogateescape"))
        if not right or credentials is self._nobody:
            genuine = self._is_ours(nonce, now) and nonce[24:32] == self._mark(host)
            return Verdict(Outcome.REJECTED, username, genuine)
        fresh = self._is_ours(nonce, now) and self._count(nonce, count)
        return Verdict(Outcome.ACCEPTED if fresh else Outcome.STALE, username)

    def _create_nonce(self, now: float, host: str) -> str:
        stamp = f"{int(now * 1000) & 0xFFFFFFFFFFFF:012x}{os.urandom(6).hex()}{self._mark(host)}"
        return stamp + self._sign(stamp)

    def _mark(self, host: str) -> str:
        return hmac.digest(self._secret, f"host:{host}".encode(), "sha256").hex()[:8]

    def _sign(self, stamp: str) -> str:
        text = f"{self.realm}:{stamp}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, text, "sha256").hex()[:32]

    def _is_ours(self, nonce: str, now: float) -> bool:
        if len(nonce) != 64 or not hmac.compare_digest(
            self._sign(nonce[:32]).encode("utf-8", "surrogateescape"), nonce[32:].encode("utf-8", "surrogateescape")
        ):
            return False
        issued = int(nonce[:12], 16) / 1000
        return self._forgotten_before < issued and -1.0 <= now - issued <= self._lifetime

    def _count(self, nonce: str, count: int) -> bool:
        """Note a nonce count; False when it was used before, or is too far behind to know (64 back)."""
        highest, bits = self._seen.get(nonce, (0, 0))
        if count <= 0:
            return False
        if count > highest:
            bits = ((bits << min(count - highest, 64)) | 1) & (2**64 - 1)
            highest = count
        else:
            mark = 1 << (highest - count) if highest - count < 64 else 0
            if not mark or bits & mark:
                return False
            bits |= mark
        self._seen[nonce] = (highest, bits)
        self._seen.move_to_end(nonce)
        if len(self._seen) > self._max_nonces:
            oldest, _ = self._seen.popitem(last=False)
            self._forgotten_before = max(self._forgotten_before, int(oldest[:12], 16) / 1000)
        return True


class DigestClient:
    """The side that answers challenges; it counts the uses of each nonce."""

    def __init__(self, *credentials: Credentials, max_nonces: int = 16) -> None:
        self._credentials = credentials
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._max_nonces = max_nonces

    def answer(self, request: Request, response: Response) -> list[tuple[str, str]] | None:
        """The header fields to repeat `request` with after a 401 or 407, one per realm.

        None when a challenge cannot be answered: no credentials, no algorithm we have, or the same realm refused what
        we sent and does not say stale.
        """
        answers: list[tuple[str, str]] = []
        for ask, reply in (("WWW-Authenticate", "Authorization"), ("Proxy-Authenticate", "Proxy-Authorization")):
            by_realm: dict[str, list[Challenge]] = {}
            for value in response.headers.get(ask, ()):
                try:
                    challenge = parse_challenge(value)
                except ProtocolError:
                    continue
                if challenge.scheme.lower() == "digest":
                    by_realm.setdefault(challenge.parameters.get("realm", ""), []).append(challenge)
            tried = _realms_of(request, reply)
            for realm, challenges in by_realm.items():
                choice = self._choose(realm, challenges)
                if choice is None:
                    return None
                challenge, credentials = choice
                if realm in tried and challenge.parameters.get("stale", "").lower() != "true":
                    return None
                answers.append((reply, self._answer_one(request, challenge, credentials)))
        return answers or None

    def _choose(self, realm: str, challenges: list[Challenge]) -> tuple[Challenge, Credentials] | None:
        for algorithm in reversed(ALGORITHMS):  # RFC 8760 2.4 lets the server say what is best, we take the strongest
            for challenge in challenges:
                given = challenge.parameters
                options = [option.strip().lower() for option in given.get("qop", "auth").split(",")]
                if given.get("algorithm", "MD5").upper() != algorithm or "auth" not in options:
                    continue
                if not given.get("nonce"):
                    continue
                for credentials in self._credentials:
                    if algorithm not in credentials.algorithms:
                        continue
                    if credentials.realm in ("", realm) and credentials.can(algorithm):
                        return challenge, credentials
        return None

    def _answer_one(self, request: Request, challenge: Challenge, credentials: Credentials) -> str:
        given = challenge.parameters
        realm, nonce = given.get("realm", ""), given["nonce"]
        algorithm = given.get("algorithm", "MD5").upper()
        ha1 = credentials.hash_for(algorithm, realm)
        uri = request.uri_text
        parts = [
            f"username={quote(credentials.username)}",
            f"realm={quote(realm)}",
            f"nonce={quote(nonce)}",
            f"uri={quote(uri)}",
        ]
        if "qop" in given:
            count = self._counts.pop(nonce, 0) + 1
            self._counts[nonce] = count
            if len(self._counts) > self._max_nonces:
                self._counts.popitem(last=False)
            nc, cnonce = f"{count:08x}", os.urandom(8).hex()
            answer = digest_response(algorithm, ha1, request.method, uri, nonce, qop="auth", nc=nc, cnonce=cnonce)
            parts += [f'response="{answer}"', "qop=auth", f"nc={nc}", f'cnonce="{cnonce}"']
        else:
            parts.append(f'response="{digest_response(algorithm, ha1, request.method, uri, nonce)}"')
        if "algorithm" in given:
            parts.append(f"algorithm={algorithm}")
        if "opaque" in given:
            parts.append(f"opaque={quote(given['opaque'])}")
        return "Digest " + ",".join(parts)


def _realms_of(request: Request, header: str) -> set[str]:
    return {parse_challenge(value).parameters.get("realm", "") for value in request.headers.get(header, ())}


def _hash(algorithm: str, text: str) -> str:
    return _HASHES[algorithm](text.encode("utf-8", "surrogateescape")).hexdigest()
