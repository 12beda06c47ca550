"""What the media tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .virtual import World


@pytest.fixture
def world() -> Iterator[World]:
    """An engine's core on a virtual network, closed at the end."""
    world = World()
    yield world
    world.core.close()
    world.core.deliver()
