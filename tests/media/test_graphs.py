"""Random stories on the engine: nothing fails, nothing is left, and the same story ends the same."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from arietta.media.engine import DigitBegan, DigitEnded, PlayEnd

from .graphs import Outcome, story, told
from .virtual import World

SEEDS = range(50)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_story_ends_well(world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int) -> None:
    with caplog.at_level(logging.WARNING):
        outcome = told(world, story(seed), tmp_path)
    assert [record.getMessage() for record in caplog.records] == []
    stats = world.core.stats()
    assert (stats.ports, stats.mixers) == (0, 0)
    before = stats.ticks
    world.run(10_000)
    assert world.core.stats().ticks == before, "ticks without anything to do"
    assert_ends(outcome)


def assert_ends(outcome: Outcome) -> None:
    """Each player and recording that began ended once, and no digit is held for ever by who was still open."""
    ends = Counter(
        name for _, name, event in outcome.events if name.startswith("recording") and isinstance(event, tuple)
    )
    assert set(ends.values()) <= {1}
    recordings = {name.split(".")[0] for name in outcome.files}
    assert recordings <= set(ends)
    held: dict[str, int] = {}
    for _, name, event in outcome.events:
        if isinstance(event, DigitBegan):
            held[name] = held.get(name, 0) + 1
        elif isinstance(event, DigitEnded):
            held[name] = held.get(name, 0) - 1
            assert held[name] >= 0, f"{name}: a digit ended that had not begun"
    assert all(isinstance(event, PlayEnd) for _, name, event in outcome.events if name.endswith("player"))


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_the_same_story_is_told_the_same(each_engine: str, tmp_path: Path, seed: int) -> None:
    outcomes = []
    for n in range(2):
        folder = tmp_path / str(n)
        folder.mkdir()
        world = World()
        outcomes.append(told(world, story(seed), folder))
        world.core.close()
        world.core.deliver()
    assert outcomes[0] == outcomes[1]


def test_stories_have_something_to_tell(each_engine: str, tmp_path: Path) -> None:
    """Over the seeds every kind of deed occurs, and most stories send packets."""
    verbs = {step[0] for seed in SEEDS for step in story(seed)}
    assert len(verbs) >= 28
    world = World()
    outcome = told(world, story(3), tmp_path)
    assert sum(map(len, outcome.packets.values())) > 100
    assert len(outcome.events) > 10
    world.core.close()
