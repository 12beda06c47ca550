"""What a client sends, and what the operation hears: sources, their precedence, conversions."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.ari.binding import atoi, atol, decode, is_true, parse_pairs

from .asking import Server, body_of, bridge, channel

ORIGINATE = "POST /channels?endpoint=Local/a@b&app=conf"


@pytest.fixture
def server() -> Server:
    server = Server()
    server.channels.answers["originate"] = channel()
    server.bridges.answers["create"] = bridge()
    return server


def caller_id(server: Server) -> str | None:
    name, order = server.channels.last()
    assert name == "originate"
    value: str | None = order.caller_id
    return value


def test_the_same_parameters_from_query_form_and_json(server: Server) -> None:
    values = {"endpoint": "Local/a@b", "app": "conf", "callerId": "Q <11>"}
    assert server.ask("POST /channels?endpoint=Local/a@b&app=conf&callerId=Q%20%3C11%3E").status == 200
    first = server.channels.last()
    assert server.ask("POST /channels", form="endpoint=Local%2Fa%40b&app=conf&callerId=Q+<11>").status == 200
    assert server.channels.last() == first
    assert server.ask("POST /channels", json_body=values).status == 200
    assert server.channels.last() == first


def test_json_wins_over_the_query_and_the_query_over_the_form(server: Server) -> None:
    server.ask(ORIGINATE + "&callerId=query", json_body={"callerId": "json"})
    assert caller_id(server) == "json"
    server.ask(ORIGINATE + "&callerId=query", form="callerId=form")
    assert caller_id(server) == "query"
    server.ask(ORIGINATE, form="callerId=form")
    assert caller_id(server) == "form"


def test_the_last_of_repeated_parameters_counts_for_lists_too(server: Server) -> None:
    server.ask(ORIGINATE + "&callerId=A&callerId=B")
    assert caller_id(server) == "B"
    server.ask("POST /bridges/b1/addChannel?channel=x&channel=y,z")
    assert server.bridges.last()[2] == ("y", "z")


def test_lists_keep_their_spaces_and_come_from_json_as_array_or_text(server: Server) -> None:
    server.ask("POST /bridges/b1/addChannel?channel=a,%20b")
    assert server.bridges.last()[2] == ("a", " b")
    server.ask("POST /bridges/b1/addChannel", json_body={"channel": ["a", "b,c"]})
    assert server.bridges.last()[2] == ("a", "b,c")
    server.ask("POST /bridges/b1/addChannel", json_body={"channel": "a"})
    assert server.bridges.last()[2] == ("a",)


def test_empty_elements_are_skipped_by_add_channel_and_refused_by_variables(server: Server) -> None:
    assert server.ask("POST /bridges/b1/addChannel?channel=a,,b").status == 204
    assert server.bridges.last()[2] == ("a", "b")
    assert server.ask("GET /channels/c1/variables?variables=A,,B").status == 400


def test_unknown_parameters_and_foreign_bodies_are_ignored(server: Server) -> None:
    assert server.ask(ORIGINATE + "&nonsense=1&nonsense=2").status == 200
    assert server.ask(ORIGINATE, body=b"{broken", content_type="text/plain").status == 200
    assert server.ask(ORIGINATE, body=b'{"callerId":"x"}', content_type="text/json").status == 200
    assert caller_id(server) is None
    assert server.ask(ORIGINATE, body=b'{"callerId":"x"}').status == 200
    assert caller_id(server) is None


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json "])
def test_what_counts_as_json(server: Server, content_type: str) -> None:
    server.ask(ORIGINATE, body=b'{"callerId":"x"}', content_type=content_type)
    assert caller_id(server) == "x"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'"text"', 400),
        (b"{broken", 400),
        (b"5", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"[1,2]", 200),
        (b"null", 200),
        (b"", 200),
        (b"{}", 200),
    ],
)
def test_json_bodies_that_are_no_object(server: Server, body: bytes, status: int) -> None:
    answer = server.ask(ORIGINATE, body=body, content_type="application/json")
    assert answer.status == status
    if status == 400:
        assert "Request body is" in body_of(answer)["message"]


def test_a_broken_body_is_refused_where_there_are_no_parameters_too(server: Server) -> None:
    assert server.ask("DELETE /channels/c1/ring", body=b"{", content_type="application/json").status == 400
    assert server.ask("DELETE /channels/c1/ring", content_type="application/json").status == 204


def test_wrong_json_types(server: Server) -> None:
    assert server.ask(ORIGINATE + "&callerId=q", json_body={"callerId": 20}).status == 200
    assert caller_id(server) is None
    assert server.ask(ORIGINATE + "&callerId=q", json_body={"callerId": None}).status == 200
    assert caller_id(server) is None
    server.ask("PUT /mailboxes/m", json_body={"oldMessages": "7", "newMessages": 3})
    assert server.mailboxes.last() == ("update", "m", 0, 3)
    server.ask("PUT /mailboxes/m?oldMessages=7", json_body={"newMessages": True})
    assert server.mailboxes.last() == ("update", "m", 7, 0)
    server.ask("POST /bridges/b1/addChannel?channel=x&mute=yes", json_body={"mute": "yes"})
    assert server.bridges.last()[5] is False
    assert server.ask("POST /bridges/b1/addChannel", json_body={"channel": ["a", 5]}).status == 400
    assert server.ask("POST /bridges/b1/addChannel", json_body={"channel": ["a", None]}).status == 400


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("abc", 0),
        ("", 0),
        ("7", 7),
        (" 7", 7),
        ("3.7", 3),
        ("-1", -1),
        ("+5x", 5),
        ("99999999999", 2**31 - 1),
        ("-99999999999", -(2**31)),
        ("0x10", 0),
    ],
)
def test_integers_are_read_as_by_atoi(text: str, number: int) -> None:
    assert atoi(text) == number


def test_longs_are_wider() -> None:
    assert atol("99999999999") == 99999999999
    assert atol("9" * 29) == 2**63 - 1
    assert atol("x") == 0


@pytest.mark.parametrize("word", ["yes", "true", "y", "t", "1", "on", "YES", "True"])
def test_words_that_are_true(word: str) -> None:
    assert is_true(word)


@pytest.mark.parametrize("word", ["no", "false", "0", "", "2", "oui", " yes"])
def test_words_that_are_false(word: str) -> None:
    assert not is_true(word)


def test_escapes_in_queries_and_paths(server: Server) -> None:
    server.ask("POST /channels?endpoint=Local%2Fanswer%40conf&app=conf&channelId=p%2Bplus+space")
    assert server.channels.last()[1].channel_id == "p+plus space"
    server.ask("GET /channels/p%2Bplus%20space")
    assert server.channels.last() == ("get", "p+plus space")
    server.ask("GET /channels/a%2Fb")
    assert server.channels.last() == ("get", "a/b")
    server.ask("GET /channels/gr%C3%BC%C3%9F")
    assert server.channels.last() == ("get", "grüß")


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /channels?app=conf",
        "POST /channels?endpoint=&app=conf",
        "POST /channels/create?app=conf",
        "GET /channels/c1/variable",
        "GET /channels/c1/variable?variable=",
        "POST /bridges/b1/addChannel?channel=",
        "POST /bridges/b1/record?name=x",
        "POST /channels/c1/move",
        "POST /events/claim?channelId=x",
        "POST /playbacks/p1/control",
    ],
)
def test_a_required_parameter_that_is_missing(server: Server, request_line: str) -> None:
    answer = server.ask(request_line)
    assert answer.status == 400
    assert "Missing parameter" in body_of(answer)["message"]


@settings(max_examples=100)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4))
def test_pairs_come_out_as_they_went_in(pairs: dict[str, str]) -> None:
    from urllib.parse import urlencode

    encodable = {k: v for k, v in pairs.items() if _is_utf8(k + v)}
    assert parse_pairs(urlencode(encodable)) == encodable


@settings(max_examples=100)
@given(st.binary(max_size=40), st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_no_body_is_our_fault(body: bytes, content_type: str) -> None:
    server = Server()
    server.channels.answers["originate"] = channel()
    assert server.ask(ORIGINATE, body=body, content_type=content_type).status in (200, 400)


JSON_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["endpoint", "app", "timeout", "priority", "variables", "callerId", "channelId"]), JSON_VALUES
    )
)
def test_no_json_value_is_our_fault(members: dict[str, Any]) -> None:
    server = Server()
    server.channels.answers["originate"] = channel()
    answer = server.ask("POST /channels?endpoint=Local/a@b&app=conf", json_body=members)
    assert answer.status in (200, 400, 409)


def test_plus_and_percent() -> None:
    assert decode("a+b%2B%zz") == "a b+%zz"
    assert parse_pairs("a&b=&=c&&d=1=2") == {"a": "", "b": "", "": "c", "d": "1=2"}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
