"""How a request proves to be from a user of the REST interface (RFC 7617)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Iterable, Iterator
from urllib.parse import unquote_plus

from arietta.http.crypt3 import verify_crypt
from arietta.http.messages import Request
from arietta.http.user import User

MAX_VERIFIED = 1024  # proofs remembered; the oldest goes first


class Users:
    """The user table. A reload makes a new one, which forgets every proof of the old."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users = {user.name: user for user in users}
        self._cache_key = secrets.token_bytes(32)
        self._verified: dict[bytes, User] = {}
        self._being_verified: dict[bytes, asyncio.Future[bool]] = {}

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[User]:
        return iter(self._users.values())

    def authenticate(self, request: Request) -> User | Awaitable[User | None] | None:
        """Who sent the request: the user, None, or an awaitable while a hash is being checked.

        An Authorization header decides alone when there is one; otherwise `api_key` in the query does.
        """
        headers = request.headers
        authorization = headers.authorization
        if authorization is None:
            credentials = _api_key(request.query_string)
            return None if credentials is None else self._check(credentials)
        if headers.verified is not None and headers.verified[0] is self:
            return headers.verified[1]
        credentials = _basic_credentials(authorization)
        if credentials is None:
            return None
        found = self._check(credentials)
        if isinstance(found, User):
            headers.verified = self, found
        return found

    def _check(self, credentials: str) -> User | Awaitable[User | None] | None:
        """Credentials are `name:password`, split at the first colon."""
        name, colon, password = credentials.partition(":")
        if not colon:
            return None
        proof = hashlib.blake2b(
            credentials.encode("utf-8", "surrogateescape"), key=self._cache_key, digest_size=32
        ).digest()
        verified = self._verified.get(proof)
        if verified is not None:
            return verified
        user = self._users.get(name)
        if user is not None and user.password_format == "crypt":
            return self._check_hash(user, password, proof)
        expected = user.password if user is not None else ""
        same = hmac.compare_digest(
            password.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
        )
        if user is None or not same:
            return None
        self._remember(proof, user)
        return user

    async def _check_hash(self, user: User, password: str, proof: bytes) -> User | None:
        """Check in a thread; requests with the same credentials wait for the same check."""
        check = self._being_verified.get(proof)
        if check is None:
            loop = asyncio.get_running_loop()
            check = loop.run_in_executor(None, verify_crypt, password, user.password)
            self._being_verified[proof] = check
            check.add_done_callback(lambda _: self._being_verified.pop(proof, None))
        if not await asyncio.shield(check):
            return None
        self._remember(proof, user)
        return user

    def _remember(self, proof: bytes, user: User) -> None:
        if len(self._verified) >= MAX_VERIFIED:
            del self._verified[next(iter(self._verified))]
        self._verified[proof] = user


def _basic_credentials(authorization: str) -> str | None:
    """RFC 7617 2, except that the scheme counts with its case, as Asterisk has it."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None


def _api_key(query_string: str) -> str | None:
    """The last api_key of a query, decoded."""
    key: str | None = None
    if "api_key=" in query_string:
        for pair in query_string.split("&"):
            if pair.startswith("api_key="):
                key = unquote_plus(pair[8:])
    return key
