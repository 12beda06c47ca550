"""The command `arietta`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the exit code is 0, 1 for a refusal, 2 for wrong usage."""
    from arietta.cli.command_line import arietta

    arietta(prog_name="arietta")
