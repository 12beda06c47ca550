"""The collector's short looks, and when it looks at everything."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from arietta.cli import collecting
from arietta.cli.collecting import Collector


class Knot:
    """Something only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def collector(calls: list[str]) -> Iterator[Collector]:
    before = (gc.get_threshold(), list(gc.callbacks))
    made = Collector(lambda: not calls)
    made.start()
    yield made
    made.stop()
    assert (gc.get_threshold(), list(gc.callbacks)) == before
    assert gc.get_freeze_count() == 0


def old_knot() -> weakref.ref[Knot]:
    """A knot that a short look saw in use, so that further short looks pass it by."""
    knot = Knot()
    gc.collect(0)
    return weakref.ref(knot)


def test_short_looks_free_new_knots_and_set_aside_what_stays(collector: Collector) -> None:
    new = weakref.ref(Knot())
    old = old_knot()
    gc.collect(0)
    assert new() is None and old() is not None
    assert gc.get_freeze_count() > 0 and not gc.get_objects(1)


def test_everything_is_looked_at_while_there_are_no_calls(collector: Collector, calls: list[str]) -> None:
    old = old_knot()
    collector.check()
    assert old() is not None, "too little has gathered"
    for _ in range(collecting.LOOKS_BEFORE_ALL):
        gc.collect(0)
    calls.append("a call")
    collector.check()
    assert old() is not None, "a call would have waited for it"
    calls.clear()
    collector.check()
    assert old() is None


def test_a_server_that_is_never_idle_is_looked_at_too(collector: Collector, calls: list[str]) -> None:
    old = old_knot()
    calls.append("a call")
    for _ in range(collecting.LOOKS_AT_MOST):
        gc.collect(0)
    collector.check()
    assert old() is None


def test_many_new_objects_bring_a_look_of_their_own(collector: Collector) -> None:
    looks = gc.get_stats()[0]["collections"]
    kept = [[] for _ in range(3 * collecting.YOUNG)]  # type: list[list[int]]
    assert len(kept) == 3 * collecting.YOUNG
    assert gc.get_stats()[0]["collections"] >= looks + 2
