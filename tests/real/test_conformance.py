"""The scenarios recorded from a real Asterisk, where their kit lies beside this checkout.

A clone on its own has no kit: then there is nothing to compare with, and the test says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .running import HOST, RunningServer, free_port

KIT = Path(os.environ.get("ARIETTA_CONFORMANCE_KIT", Path(__file__).parents[3] / "shared" / "conformance"))
RUNS_WITHIN_S = 900
# Another run of what failed tells a scenario that is wrong from one that was disturbed by a busy machine.
RUNS = 3


def kit_problem() -> str:
    """Why the kit cannot be run; empty if it can."""
    if not (KIT / "run.py").is_file():
        return f"there is no conformance kit at {KIT}"
    missing = [name for name in ("aiohttp", "yaml") if importlib.util.find_spec(name) is None]
    return f"the kit needs {', '.join(missing)}" if missing else ""


def free_block(count: int, kind: socket.SocketKind) -> int:
    """The first of some ports in a row, of which the first is free."""
    port = free_port(kind)
    return port if port + count < 60000 else port - count


@pytest.mark.skipif(bool(kit_problem()), reason=kit_problem() or "never")
@pytest.mark.timeout(RUNS_WITHIN_S * RUNS)
def test_every_recorded_scenario(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    http, sip = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    for file in (KIT / "config").glob("*.conf"):
        text = file.read_text()
        text = text.replace("bindport=8088", f"bindport={http}").replace("127.0.0.1:5060", f"{HOST}:{sip}")
        (etc / file.name).write_text(re.sub(r"rtp(start|end)=2", r"rtp\1=4", text))
    server = RunningServer(etc, http, sip, free_port(socket.SOCK_DGRAM))
    try:
        server.start()
        failed = run_kit(tmp_path, http, sip, [])
        for _ in range(RUNS - 1):
            if failed:
                failed = run_kit(tmp_path, http, sip, list(failed))
    finally:
        code = server.stop()
    assert not failed, json.dumps(failed, indent=1)[:20_000]
    assert code == 0
    assert "Traceback" not in server.log, server.log[-20_000:]


def run_kit(folder: Path, http: int, sip: int, names: list[str]) -> dict[str, list[str]]:
    """Run scenarios, all without names; what differed, by scenario."""
    report = folder / "report.json"
    command = [sys.executable, str(KIT / "run.py"), "--url", f"http://{HOST}:{http}/ari", "--sip", f"{HOST}:{sip}"]
    command += ["--sip-base", str(free_block(400, socket.SOCK_DGRAM)), "--json", str(report)]
    command += ["--rtp-base", str(free_block(400, socket.SOCK_DGRAM)), "--patience", "2"]
    if names:
        command += ["--only", *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUNS_WITHIN_S, check=False)
    assert report.is_file(), done.stdout + done.stderr
    results = json.loads(report.read_text())["results"]
    assert results
    return {result["scenario"]: result["differences"] for result in results if not result["ok"]}
