"""Codes of keys: which one was meant, and which keys were for the other one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.channels.keys import Keys, Meant, NotMeant

CODES = ("#1", "*2", "**", "*")
LONG = ("#1", "*2", "**9")


def pressed(keys: str, codes: tuple[str, ...] = LONG) -> list[Meant | NotMeant]:
    watched = Keys(codes, 1.0)
    for now, key in enumerate(keys):
        watched.receive(key, now / 10)
    return watched.outputs()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("#1", [Meant("#1")]),
        ("5", [NotMeant("5")]),
        ("#5", [NotMeant("#5")]),
        ("##1", [NotMeant("#"), Meant("#1")]),
        ("**2", [NotMeant("*"), Meant("*2")]),
        ("**9", [Meant("**9")]),
        ("#1*2", [Meant("#1"), Meant("*2")]),
        ("12#", [NotMeant("12")]),
    ],
)
def test_what_keys_mean(keys: str, said: list[Meant | NotMeant]) -> None:
    assert pressed(keys) == said


def test_a_code_that_begins_another_one_is_meant_at_once() -> None:
    assert pressed("**", CODES) == [Meant("*"), Meant("*")]


def test_keys_that_come_too_late_mean_nothing() -> None:
    watched = Keys(LONG, 1.0)
    watched.receive("#", 5.0)
    assert watched.next_timeout() == 6.0
    watched.handle_timeout(5.9)
    assert watched.outputs() == []
    watched.handle_timeout(6.0)
    assert (watched.outputs(), watched.next_timeout()) == ([NotMeant("#")], None)
    watched.receive("1", 6.1)
    assert watched.outputs() == [NotMeant("1")]


@given(st.text("0123#*", max_size=30), st.lists(st.text("0123#*", max_size=4), max_size=6))
def test_no_key_is_lost_and_none_comes_twice(keys: str, codes: list[str]) -> None:
    watched = Keys(codes, 1.0)
    said: list[Meant | NotMeant] = []
    for key in keys:
        watched.receive(key, 0.0)
        said += watched.outputs()
    watched.flush()
    said += watched.outputs()
    assert "".join(one.code if isinstance(one, Meant) else one.keys for one in said) == keys
