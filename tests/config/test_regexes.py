"""Regular expressions of others: what they mean, and that none takes long."""

from __future__ import annotations

import time

import pytest

from arietta.config.regexes import MAX_LENGTH, Regex


def test_they_mean_what_posix_says() -> None:
    assert Regex("^PJSIP/[[:alpha:]]+-").found_in("PJSIP/alice-00000001")
    assert not Regex("^b").found_in("a\nb")
    assert Regex("^b$", many_lines=True).found_in("a\nb\nc")
    assert Regex("ü").found_in("grün \udc80")
    assert Regex("a") == Regex("a") != Regex("b")


@pytest.mark.parametrize("written", ["(a+)+$", "(a|aa)+$", "a*a*a*a*a*a*a*b", "(.*)*x", "((a?){30}){30}"])
def test_none_takes_long(written: str) -> None:
    began = time.process_time()
    Regex(written).found_in("a" * 20_000 + "!")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "written", ["(", "(?=a)", r"(a)\1", "((a{1000}){1000}){1000}", "a" * (MAX_LENGTH + 1), "\ud800"]
)
def test_what_is_none_is_told(written: str) -> None:
    with pytest.raises(ValueError, match=r"expression|text"):
        Regex(written)
