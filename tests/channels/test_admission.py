"""The limits of asterisk.conf beyond which no call is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arietta.channels.admission import Limits


def never() -> int:
    raise AssertionError("nobody is counted without a limit")


def test_without_limits_nothing_is_looked_at() -> None:
    assert Limits().refusal(never) == ""


def test_calls() -> None:
    assert Limits(calls=2).refusal(lambda: 1) == ""
    assert Limits(calls=2).refusal(lambda: 2) == "there are 2 calls, maxcalls is 2"


@pytest.mark.parametrize(("load", "refusal"), [(0.5, ""), (3.0, "the load is 3.00, maxload is 2.5")])
def test_load(monkeypatch: pytest.MonkeyPatch, load: float, refusal: str) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    assert Limits(load=2.5).refusal(never) == refusal


@pytest.mark.parametrize(("pages", "refusal"), [(25600, ""), (2560, "10 MB of memory are free, minmemfree is 64")])
def test_memory(monkeypatch: pytest.MonkeyPatch, pages: int, refusal: str) -> None:
    sizes: Callable[[str], int] = {"SC_AVPHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}.__getitem__
    monkeypatch.setattr("os.sysconf", sizes)
    assert Limits(free_megabytes=64).refusal(never) == refusal
