"""Any action with any headers, and lines of any bytes: blocks come back, and nothing fails inside."""

from __future__ import annotations

from .fuzz.__main__ import run


def test_some_inputs() -> None:
    run(30, seed=7, inputs=1200)
