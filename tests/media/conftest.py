"""What the media tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arietta.media.native import why_not

from .virtual import World

NATIVE_MISSING = why_not()


@pytest.fixture(
    params=[
        "reference",
        pytest.param("native", marks=pytest.mark.skipif(NATIVE_MISSING is not None, reason=str(NATIVE_MISSING))),
    ]
)
def each_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test is run with both engines: new worlds have the one of this run."""
    World.engine = request.param
    yield request.param
    World.engine = "reference"


@pytest.fixture
def world(each_engine: str) -> Iterator[World]:
    """An engine's core on a virtual network, closed at the end."""
    world = World()
    yield world
    world.core.close()
    world.core.deliver()
