"""The page at /ari/docs in a real browser."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .browser import CHROMIUM, QUIETLY
from .running import RunningServer


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_it_lists_every_operation(server: RunningServer, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    place = server.base.replace("//", f"//{server.user}:{server.password}@")
    done = subprocess.run(
        [
            *(CHROMIUM, *QUIETLY, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000"),
            *("--dump-dom", f"{place}/ari/docs/#channels_play"),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert 'id="found">109 operations<' in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    opened = re.search(r'id="channels_play"[^>]*open=""', done.stdout)
    assert opened and "Milliseconds that forward and reverse skip." in done.stdout
