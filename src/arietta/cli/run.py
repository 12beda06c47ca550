"""`arietta run`: a server in the foreground until it is told to stop."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arietta import __version__
from arietta.cli.control import SOCKET_NAME
from arietta.cli.options import configuration_option, with_state_folder
from arietta.cli.rights import Rights, take
from arietta.cli.serving import DRAIN_S
from arietta.config.conf import ConfigError
from arietta.config.safety import unsafe_listeners
from arietta.config.tree import Config, load
from arietta.logs import Logs

if TYPE_CHECKING:
    from arietta.cli.serving import Serving, Stop
    from arietta.server import Server

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
@click.option(
    "--drain",
    "drain_seconds",
    type=click.FloatRange(0.0, 86400.0),
    default=DRAIN_S,
    show_default=True,
    metavar="SECONDS",
    help="How long calls may go on after SIGTERM before they are ended.",
)
@click.option("-f", "--foreground", is_flag=True, help="Stay in the foreground, which it does in any case.")
def run(
    source: Path,
    verbose_level: int | None,
    debug_level: int | None,
    state_dir: Path | None,
    drain_seconds: float,
    foreground: bool,
) -> None:
    """Run a server in the foreground.

    SIGTERM and Ctrl-C let calls end (--drain), end the rest and stop it; a second one ends them at once. SIGHUP reads
    the configuration again.
    """
    config = safe(with_state_folder(load(source), state_dir))
    options = config.asterisk.options
    if options.alwaysfork or options.console:
        name = "alwaysfork" if options.alwaysfork else "console"
        click.echo(f"asterisk.conf: {name} counts for `arietta asterisk`; `arietta run` stays as it is", err=True)
    take(Rights().otherwise(options))
    serve(config, *levels(config, verbose_level, debug_level), drain_seconds=drain_seconds)


def levels(config: Config, verbose_level: int | None, debug_level: int | None) -> tuple[int, int]:
    """The levels that are given, else those of asterisk.conf, else ours."""
    options = config.asterisk.options
    if verbose_level is None and options.quiet:
        verbose_level = 0
    elif verbose_level is None:
        verbose_level = options.verbose if "verbose" in options.set_at else DEFAULT_VERBOSE
    return verbose_level, options.debug if debug_level is None else debug_level


def serve(
    config: Config,
    verbose_level: int,
    debug_level: int,
    *,
    drain_seconds: float = DRAIN_S,
    on_ready: Callable[[], None] | None = None,
    times: bool = False,
) -> None:
    """Run a server until it is told to stop, and execute this program anew if it is to restart.

    With `times` what is told on the console has its time before it, as with `timestamp` in asterisk.conf.
    """
    from arietta.cli.serving import run_loop

    logs = Logs(
        config.logger,
        config.directories.log,
        verbose_level=verbose_level,
        debug_level=debug_level,
        times=times or config.asterisk.options.timestamp,
    )
    logs.start()
    _log_cheaply()
    try:
        restarts = run_loop(lambda: _serve(config, logs, drain_seconds, on_ready))
    finally:
        logs.stop()
    if restarts:
        sys.stdout.flush()
        os.execv(sys.executable, sys.orig_argv)


def _log_cheaply() -> None:
    """Leave out of log records what our formats do not show (the logging HOWTO's section on optimization)."""
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined,unused-ignore]


async def _serve(config: Config, logs: Logs, drain_seconds: float, on_ready: Callable[[], None] | None) -> bool:
    from arietta.cli.serving import Stop
    from arietta.server import Server

    stop = Stop()
    server = Server(config, logs=logs)
    path = config.directories.run / SOCKET_NAME
    async with with_console(server, logs, stop, drain_seconds):
        http = ", ".join(map(str, server.http.addresses)) or "disabled"
        sip = ", ".join(f"{t.protocol} {t.bind or '/ws'}" for t in config.pjsip.transports.values()) or "disabled"
        log.info("Arietta %s is ready: HTTP %s, SIP %s, console %s", __version__, http, sip, path)
        if on_ready is not None:
            on_ready()
        await stop.asked()
        log.info("the server restarts" if stop.restarts else "the server stops")
    return stop.restarts


def with_console(server: Server, logs: Logs, stop: Stop, drain_seconds: float) -> Serving:
    """The server as it serves, with its console: on the control socket, and in the manager interface's Command."""
    from arietta.cli.commands import Console, all_commands
    from arietta.cli.commands.manager import command_line
    from arietta.cli.server_switch import ServerSwitch
    from arietta.cli.serving import Serving

    switch = ServerSwitch(server, stop)
    server.manager.domain.command_line = command_line(Console(switch, logs, all_commands()))
    path = server.config.directories.run / SOCKET_NAME
    return Serving(server, switch, logs, path, stop, drain_seconds=drain_seconds)


def safe(config: Config) -> Config:
    """The configuration, unless it listens beyond this machine with a password that everybody knows."""
    unsafe = tuple(problem for problem in unsafe_listeners(config) if problem.severity == "error")
    if unsafe:
        raise ConfigError(unsafe)
    return config
