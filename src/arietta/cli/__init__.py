"""The command `arietta`."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command line; the exit code is 0, 1 for a refusal, 2 for wrong usage.

    Under the name asterisk (a link) it takes Asterisk's switches.
    """
    name = Path(sys.argv[0]).name
    if name in ("asterisk", "rasterisk"):
        from arietta.cli.asterisk import main as as_asterisk

        raise SystemExit(as_asterisk(name, sys.argv[1:]))
    from arietta.cli.command_line import arietta

    arietta(prog_name="arietta")
