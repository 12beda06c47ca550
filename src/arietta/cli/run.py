"""`arietta run`: a server in the foreground until it is told to stop."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from arietta.cli.options import configuration_option, with_state_folder
from arietta.config.conf import ConfigError
from arietta.config.safety import unsafe_listeners
from arietta.config.tree import Config, load

log = logging.getLogger(__name__)

DEFAULT_VERBOSE = 3


@click.command()
@configuration_option()
@click.option("-v", "--verbose", "verbose_level", type=click.IntRange(0, 100), help="How much of calls is told.")
@click.option("-d", "--debug", "debug_level", type=click.IntRange(0, 100), help="Whether the inside is told.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ARIETTA_STATE_DIR",
    help="Folder for everything the server writes.",
)
@click.option("-f", "--foreground", is_flag=True, help="Stay in the foreground, which it does in any case.")
def run(
    source: Path, verbose_level: int | None, debug_level: int | None, state_dir: Path | None, foreground: bool
) -> None:
    """Run a server in the foreground.

    SIGTERM and Ctrl-C end its calls and stop it, a second Ctrl-C at once; SIGHUP reads the configuration again.
    """
    from arietta.cli.serving import run_loop

    def read() -> Config:
        return safe(with_state_folder(load(source), state_dir))

    config = read()
    options = config.asterisk.options
    if verbose_level is None:
        verbose_level = options.verbose if "verbose" in options.set_at else DEFAULT_VERBOSE
    run_loop(lambda: _serve(config, verbose_level, options.debug if debug_level is None else debug_level))


def safe(config: Config) -> Config:
    """The configuration, unless it listens beyond this machine with a password that everybody knows."""
    unsafe = tuple(problem for problem in unsafe_listeners(config) if problem.severity == "error")
    if unsafe:
        raise ConfigError(unsafe)
    return config
