"""Users, credentials, and hashes that cost once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import cast

import pytest
from http_kit import HASH, USERS, SlowClient, World, basic, request, statuses

from arietta.http import Peer, Request, User, Users, auth, crypt3
from arietta.http.headers import Headers


def asked(authorization: str | None = None, query: str = "") -> Request:
    fields = {} if authorization is None else {"authorization": authorization}
    return Request("GET", "/", query, Headers(fields), b"", Peer("127.0.0.1", 1, False))


def name_of(found: object) -> str | None:
    assert found is None or isinstance(found, User)
    return found.name if found is not None else None


@pytest.mark.parametrize(
    ("credentials", "name"),
    [
        ("asterisk:asterisk", "asterisk"),
        ("asterisk:wrong", None),
        ("asterisk:", None),
        ("asterisk", None),
        ("nobody:asterisk", None),
        ("nobody:", None),
        ("Asterisk:asterisk", None),
        (":", None),
        ("colon:a:b", "colon"),
        ("ü:ü", "ü"),
    ],
)
def test_basic_credentials(credentials: str, name: str | None) -> None:
    users = Users((*USERS, User("colon", "a:b"), User("ü", "ü")))
    header = basic(credentials).partition(": ")[2]
    assert name_of(users.authenticate(asked(header))) == name
    assert name_of(users.authenticate(asked(header))) == name


@pytest.mark.parametrize(
    "header", ["basic YXN0ZXJpc2s6YXN0ZXJpc2s=", "Bearer abc", "Basic %%%", "Basic", "", "Basic /w=="]
)
def test_other_headers(header: str) -> None:
    assert Users(USERS).authenticate(asked(header)) is None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("api_key=asterisk:asterisk", "asterisk"),
        ("app=a&api_key=asterisk%3Aasterisk&x=y", "asterisk"),
        ("api_key=asterisk:wrong", None),
        ("api_key=asterisk", None),
        ("api_key=", None),
        ("my_api_key=asterisk:asterisk", None),
        ("api_key=spacy:a+b%20c:d", "spacy"),
    ],
)
def test_api_keys(query: str, name: str | None) -> None:
    users = Users((*USERS, User("spacy", "a b c:d")))
    assert name_of(users.authenticate(asked(query=query))) == name


def test_a_bad_header_is_not_rescued_by_a_good_key() -> None:
    assert Users(USERS).authenticate(asked("Basic AAAA", "api_key=asterisk:asterisk")) is None


def test_a_new_table_forgets_the_old_proofs() -> None:
    world = World()
    client = world.client()
    ping = request("GET /ari/asterisk/ping")
    assert statuses(client.ask(ping)) == [200]
    world.front.users = Users([User("asterisk", "changed")])
    assert statuses(client.ask(ping)) == [401]
    world.front.users = Users(USERS)
    assert statuses(client.ask(ping)) == [200]


def test_remembered_proofs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MAX_VERIFIED", 3)
    users = Users(User(str(number), "p") for number in range(10))
    for number in range(10):
        assert name_of(users.authenticate(asked(query=f"api_key={number}:p"))) == str(number)
    assert len(users._verified) == 3


@pytest.mark.parametrize(
    ("password", "stored", "same"),
    [
        ("secretpw", HASH, True),
        ("wrong", HASH, False),
        ("", HASH, False),
        ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", True),
        ("Hello world!", "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0", True),
        ("secret", "plain text", False),
        ("secret", "", False),
        ("*0", "*0", False),
        ("sec\0ret", HASH, False),
    ],
)
def test_crypt_hashes(password: str, stored: str, same: bool) -> None:
    assert crypt3.verify_crypt(password, stored) is same


def test_where_the_platform_has_no_crypt_r() -> None:
    assert crypt3._crypt_of_python(b"secretpw", HASH.encode()) == HASH.encode()


def test_a_hash_is_checked_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []

    def verify(password: str, stored: str) -> bool:
        checks.append(password)
        return crypt3.verify_crypt(password, stored)

    monkeypatch.setattr(auth, "verify_crypt", verify)
    header = basic("crypted:secretpw").partition(": ")[2]

    async def story() -> None:
        users = Users(USERS)
        first = [cast(Awaitable[User | None], users.authenticate(asked(header))) for _ in range(5)]
        assert [name_of(user) for user in await asyncio.gather(*first)] == ["crypted"] * 5
        assert name_of(users.authenticate(asked(header))) == "crypted"
        assert checks == ["secretpw"]
        wrong = basic("crypted:wrong").partition(": ")[2]
        assert await cast(Awaitable[User | None], users.authenticate(asked(wrong))) is None
        assert not users._being_verified

    asyncio.run(story())


def test_requests_with_a_hashed_password() -> None:
    async def story() -> None:
        world = World()
        client = SlowClient(world)
        good = request("GET /ari/asterisk/ping", auth="crypted:secretpw")
        bad = request("GET /ari/asterisk/ping", auth="crypted:wrong")
        assert await client.ask_all(good + bad + good, 3) == [200, 401, 200]
        client.transport.lose()

    asyncio.run(story())
