"""`arietta asterisk`, or `arietta` under the name `asterisk`: the server with Asterisk's own switches.

Without -r and -x a server starts: in the background, or with -f, -c, -v or -d in the foreground (-F overrules these).
"""

from __future__ import annotations

import contextlib
import getopt
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from arietta import __version__
from arietta.cli.rights import Rights, take
from arietta.config.conf import ConfFile, ConfigError, Option, Section
from arietta.config.settings import Report
from arietta.config.system import read_asterisk
from arietta.config.tree import Config, load
from arietta.errors import AriettaError

NAMES = ("asterisk", "rasterisk")
"""What the program may be called; the second one talks to a running server."""
DEFAULT_SOURCE = Path("/etc/asterisk/asterisk.conf")
DETACHED = "ARIETTA_DETACHED"
"""Set in the environment of a server in the background, which stays there when it restarts."""
PID_FILE = "asterisk.pid"
RECONNECT_S = 1.0
MAX_LEVEL = 100
LETTERS = "BC:ce:dFfG:ghIiL:M:mnpqRrs:TtU:VvWXx:"
# What is taken and changes nothing, and why.
HARMLESS = {
    "-B": "the colours of the terminal are left as they are",
    "-I": "sounds are always timed by the server",
    "-W": "the colours of the terminal are left as they are",
    "-t": "a recording appears under its name when it is complete",
}
# What is refused, and what to do instead.
REFUSED = {
    "-X": "write execincludes=yes into asterisk.conf",
    "-i": "no key here has a passphrase that could be asked for",
}
LIMITS = {"-L": "maxload", "-M": "maxcalls", "-e": "minmemfree"}
"""The options of asterisk.conf that switches set."""
USAGE = """\
Usage: asterisk [SWITCHES]             start a server
       asterisk -r [-v ...]            talk to the one that runs
       asterisk -rx COMMAND            let it carry out a command
  -C FILE    asterisk.conf, or the folder it is in (/etc/asterisk/asterisk.conf)
  -c         start in the foreground with a console
  -d         tell more of the inside; stays in the foreground
  -e MEMORY  take no calls with less free memory, in megabytes
  -F         go to the background whatever else is given
  -f         stay in the foreground
  -G GROUP   run as a group
  -g         leave a core file after a crash
  -h         show this
  -L LOAD    take no calls with a higher load of the machine
  -M CALLS   take no more calls at a time
  -m         do not show what the server tells while a console is open
  -n         no colours
  -p         run with real-time priority
  -q         tell nothing of calls
  -R         as -r, and connect again when the server comes back
  -r         connect to the server that runs
  -s SOCKET  the control socket, for -r and -x
  -T         show the time before what the server tells
  -U USER    run as a user
  -V         show the version
  -v         tell more of calls; stays in the foreground
  -x COMMAND carry out a command on the server that runs; may be given again
Without effect: -B -I -W -t. Refused: -X -i.
What asterisk.conf says of these in [options] counts where nothing is given."""


class Usage(AriettaError):
    """Switches that cannot be used as they are given."""


class Switches(msgspec.Struct, frozen=True):
    """The switches of one call of the program."""

    source: Path = DEFAULT_SOURCE
    socket: Path | None = None
    connects: bool = False
    reconnects: bool = False
    commands: tuple[str, ...] = ()
    foreground: bool = False
    forks: bool = False
    console: bool = False
    verbose: int = 0
    debug: int = 0
    quiet: bool = False
    mute: bool = False
    colours: bool = True
    times: bool = False
    rights: Rights = Rights()
    limits: tuple[tuple[str, str], ...] = ()
    """Options of asterisk.conf that bound the calls, with their values."""
    shows_version: bool = False
    shows_help: bool = False


def read_switches(name: str, arguments: Sequence[str]) -> Switches:
    """The switches after a program name; raises Usage for those there are not, that are refused, or make no sense."""
    try:
        given, rest = getopt.getopt(list(arguments), LETTERS)
    except getopt.GetoptError as problem:
        raise Usage(f"{problem}; -h lists the switches") from None
    if rest:
        raise Usage(f"'{rest[0][:80]}' is not a switch; -h lists them")
    letters = [letter for letter, _ in given]
    for letter in letters:
        if letter in REFUSED:
            raise Usage(f"{letter} is not supported: {REFUSED[letter]}")
    last = dict(given)
    commands = tuple(value for letter, value in given if letter == "-x")
    verbose, debug = letters.count("-v"), letters.count("-d")
    if max(verbose, debug) > MAX_LEVEL:
        raise Usage(f"{max(verbose, debug)} times -v or -d is more than {MAX_LEVEL}")
    connects = bool(commands) or name == "rasterisk" or "-r" in last or "-R" in last
    foreground = "-f" in last or "-c" in last or verbose > 0 or debug > 0
    switches = Switches(
        source=Path(last.get("-C", DEFAULT_SOURCE)),
        socket=Path(last["-s"]) if "-s" in last else None,
        connects=connects,
        reconnects="-R" in last,
        commands=commands,
        foreground=foreground and "-F" not in last,
        forks="-F" in last,
        console="-c" in last and "-F" not in last,
        verbose=verbose,
        debug=debug,
        quiet="-q" in last,
        mute="-m" in last,
        colours="-n" not in last,
        times="-T" in last,
        rights=Rights(last.get("-U", ""), last.get("-G", ""), real_time="-p" in last, core_file="-g" in last),
        limits=tuple((option, last[letter]) for letter, option in LIMITS.items() if letter in last),
        shows_version="-V" in last,
        shows_help="-h" in last,
    )
    if not connects and switches.socket is not None:
        raise Usage("-s names the socket of a server that runs, so -r or -x must be given too")
    return switches


@click.command("asterisk", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def asterisk(arguments: tuple[str, ...]) -> None:
    """Start a server, or talk to one, with Asterisk's own switches; -h lists them."""
    raise SystemExit(main("asterisk", arguments))


def main(name: str, arguments: Sequence[str]) -> int:
    """Do what the switches say; returns the exit code, 1 for whatever cannot be done."""
    try:
        switches = read_switches(name, arguments)
        if switches.shows_help:
            print(USAGE)
            return 0
        if switches.shows_version:
            print(f"Arietta {__version__}")
            return 0
        if not switches.colours:
            os.environ["NO_COLOR"] = "1"
        return _connect(switches) if switches.connects else _start(switches)
    except (AriettaError, ConfigError) as refusal:
        _complain(str(refusal))
    except OSError as failure:
        _complain(f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure))
    return 1


def _complain(text: str) -> None:
    for line in text.splitlines():
        print(f"asterisk: {line}", file=sys.stderr)


# ------------------------------------------------------------------------------------------- a server that runs


def _connect(switches: Switches) -> int:
    from arietta.cli.client import run_once
    from arietta.cli.control import ControlError
    from arietta.cli.control import connect as try_socket
    from arietta.cli.options import control_socket

    path = switches.socket or control_socket(switches.source)
    try:
        try_socket(path).close()
    except ControlError:
        print(f"Unable to connect to remote asterisk (does {path} exist?)", file=sys.stderr)
        return 1
    worst = 0
    for command in switches.commands:
        output, status = run_once(path, command)
        if output:
            print(output)
        worst = max(worst, status)
    return worst if switches.commands else _talk(switches, path)


def _talk(switches: Switches, path: Path) -> int:
    from arietta.cli.client import run_once
    from arietta.cli.control import ControlError
    from arietta.cli.interactive import interact

    while True:
        with contextlib.suppress(ControlError):
            for what, level in (("verbose", switches.verbose), ("debug", switches.debug)):
                if level:
                    run_once(path, f"core set {what} atleast {level}")
            status = interact(path, follows=not switches.mute, times=switches.times)
            if status == 0 or not switches.reconnects:
                return status
        if not switches.reconnects:
            raise ControlError(f"nobody answers on {path} any more")
        time.sleep(RECONNECT_S)


# ----------------------------------------------------------------------------------------------- a server to start


def _start(switches: Switches) -> int:
    from arietta.cli.run import levels, safe, serve

    config = safe(limited(load(switches.source), switches.limits))
    options = config.asterisk.options
    _refuse_second(config)
    take(switches.rights.otherwise(options))
    verbose, debug = levels(config, switches.verbose or None, switches.debug or None)
    verbose = 0 if switches.quiet else verbose
    detached, forks = DETACHED in os.environ, switches.forks or options.alwaysfork
    if (switches.console or options.console) and not forks and not detached and sys.stdin.isatty():
        return _start_with_console(switches, config, verbose, debug)
    if detached or not (forks or not (switches.foreground or options.nofork)):
        pid_file = _write_pid(config)
        try:
            serve(config, verbose, debug, times=switches.times)
        finally:
            pid_file.unlink(missing_ok=True)
        return 0
    return _start_in_background(config, verbose, debug)


def limited(config: Config, limits: tuple[tuple[str, str], ...]) -> Config:
    """The configuration with limits of calls that were given as switches; raises Usage for what is no limit."""
    if not limits:
        return config
    given_as = "the switches"
    written = tuple(Option(option, value, given_as, 0) for option, value in limits)
    report = Report()
    given = read_asterisk(ConfFile(given_as, (Section("options", written, given_as, 0),)), report).options
    problems = [problem.message for problem in report.problems if problem.severity == "error"]
    if problems:
        raise Usage("; ".join(problems))
    options = config.asterisk.options
    changed = {option: getattr(given, option) for option, _ in limits}
    asterisk = msgspec.structs.replace(config.asterisk, options=msgspec.structs.replace(options, **changed))
    return msgspec.structs.replace(config, asterisk=asterisk)


def _refuse_second(config: Config) -> None:
    from arietta.cli.control import SOCKET_NAME, ControlError, connect

    path = config.directories.run / SOCKET_NAME
    with contextlib.suppress(ControlError):
        connect(path).close()
        raise Usage(f"Asterisk already running on {path}. Use 'asterisk -r' to connect.")


def _write_pid(config: Config) -> Path:
    path = config.directories.run / PID_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(f"{os.getpid()}\n")
    return path


def _start_in_background(config: Config, verbose: int, debug: int) -> int:
    """Fork twice; the first process ends when the server is ready (0), or has said why it cannot be (1)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        os.waitpid(child, 0)
        with open(reading, "rb") as stream:
            return 0 if stream.read(1) else 1
    os.close(reading)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.environ[DETACHED] = "1"
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)

    def ready() -> None:
        os.dup2(nowhere, 2)
        os.write(writing, b"+")
        os.close(writing)

    os._exit(_as_child(config, verbose, debug, ready, writes_pid=True))


def _start_with_console(switches: Switches, config: Config, verbose: int, debug: int) -> int:
    """The server as a child of the console: it ends with it, and the console ends with the server."""
    from arietta.cli.control import SOCKET_NAME
    from arietta.cli.interactive import interact

    times = switches.times or config.asterisk.options.timestamp
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.setpgid(0, 0)  # Ctrl-C is the console's
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)  # the console shows what the server tells

        def ready() -> None:
            os.write(writing, b"+")
            os.close(writing)

        os._exit(_as_child(config, verbose, debug, ready, writes_pid=False))
    os.close(writing)
    with open(reading, "rb") as stream:
        is_ready = bool(stream.read(1))
    if is_ready:
        former = signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        try:
            interact(config.directories.run / SOCKET_NAME, follows=not switches.mute, times=times)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, former)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _as_child(config: Config, verbose: int, debug: int, ready: Callable[[], None], *, writes_pid: bool) -> int:
    from arietta.cli.run import serve

    pid_file: Path | None = None
    try:
        pid_file = _write_pid(config) if writes_pid else None
        serve(config, verbose, debug, on_ready=ready)
    except (AriettaError, ConfigError, OSError) as refusal:
        _complain(str(refusal))
        return 1
    finally:
        if pid_file is not None:
            pid_file.unlink(missing_ok=True)
        sys.stderr.flush()
    return 0
