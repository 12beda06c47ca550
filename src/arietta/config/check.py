"""What `arietta check` says: every error and every oddity of a configuration, with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arietta.config.conf import Problem
from arietta.config.safety import unsafe_listeners
from arietta.config.tree import read


def check(path: Path, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """All problems of a configuration folder or asterisk.conf, by file and line; none is an error when it can run."""
    config, problems = read(path, environ)
    if config is not None:
        problems = sorted([*problems, *unsafe_listeners(config)], key=lambda problem: (problem.file, problem.line))
    return problems
