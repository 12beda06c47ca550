"""Phones that transfer each other in every phase of their calls leave nothing behind.

`ARIETTA_WALKS=500` takes that many walks, each time others; without it they are few and always the same.
"""

from __future__ import annotations

import os
import random

import pytest

from .transferring import walk

WALKS = int(os.environ.get("ARIETTA_WALKS", "0"))
SEEDS = random.sample(range(1_000_000), WALKS) if WALKS else (2003, 2026, 2051, 2053, 2054, 1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_left(seed: int) -> None:
    walk(seed)
