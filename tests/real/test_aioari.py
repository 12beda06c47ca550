"""aioari, as it is on PyPI: the tutorial's program runs unchanged."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from .running import RunningServer
from .test_ari_client import plays_its_part

pytestmark = pytest.mark.skipif(importlib.util.find_spec("aioari") is None, reason="aioari is not installed")


async def test_the_story(server: RunningServer) -> None:
    program = Path(__file__).parent / "python" / "story.py"
    await plays_its_part(server, sys.executable, str(program), f"{server.base}/")
