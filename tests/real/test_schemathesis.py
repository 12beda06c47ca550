"""schemathesis against a live server: what /ari/openapi.json declares is what is answered, whatever is asked.

The 500s that Asterisk's clients know (no such endpoint, no media) are declared; any other one is a failure, and so is
a traceback in the server's log. `ARIETTA_SCHEMATHESIS=100` tries that many examples for each operation.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .running import RunningServer

SCHEMATHESIS = Path(sys.executable).with_name("st")
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"
EXAMPLES = os.environ.get("ARIETTA_SCHEMATHESIS", "3")


@pytest.mark.skipif(not SCHEMATHESIS.is_file(), reason="schemathesis is not installed (pip install '.[dev]' does)")
@pytest.mark.timeout(3000)
def test_every_answer_is_declared(server: RunningServer, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(SCHEMATHESIS, "run", f"{server.base}/ari/openapi.json", "--auth", f"{server.user}:{server.password}"),
            *("--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1"),
            *("--continue-on-failure", "--request-timeout", "10", "--warnings", "off"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=2900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Tested: 109" in done.stdout
