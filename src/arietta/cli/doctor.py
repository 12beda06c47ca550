"""`arietta doctor`: whether this machine is ready for a server, each point with what to do about it."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from arietta.cli.configuration import problems_of
from arietta.cli.examining import examine_configuration
from arietta.cli.findings import BAD, GOOD, ODD, Finding
from arietta.cli.options import configuration_option
from arietta.config.tree import Config, read

FILES_PER_CALL = 4  # two sockets of RTP and RTCP for each of two legs
FILES_WANTED = 4096
SANE_YEAR = 2024
BASE_MB, KB_A_CALL, MEMORY_WANTED_MB = 64, 45, 256
BUFFER_LEAST, BUFFER_WANTED = 200 << 10, 4 << 20
LATE_S = 0.010
SIZE_OF_TIMEX, TIME_ERROR = 256, 5  # adjtimex(2); the struct has 208 bytes
BUILD_ADVICE = "install a wheel of Arietta, or a C compiler and Python's headers before you install it"
PACKAGE_DATA = Path(__file__).resolve().parent.parent / "data"
SYSTEM_SOUNDS = (Path("/usr/share/asterisk/sounds"), Path("/var/lib/asterisk/sounds"))


@click.command()
@configuration_option(required=False)
def doctor(source: Path | None) -> None:
    """Look whether this machine is ready for a server; exit code 1 if something prevents it."""
    findings = list(examine(source))
    colours = {GOOD: "green", ODD: "yellow", BAD: "red"}
    for finding in findings:
        state = click.style(f"{finding.state:<8}", fg=colours[finding.state])
        click.echo(f"{state} {finding.subject}: {finding.text}")
        if finding.advice and finding.state != GOOD:
            click.echo(f"         {finding.advice}")
    if any(finding.state == BAD for finding in findings):
        raise SystemExit(1)


def examine(source: Path | None) -> Iterator[Finding]:
    """Every finding about this machine, and about a configuration if one is named."""
    yield _python()
    yield _loop()
    yield _files()
    yield _memory()
    yield _buffers()
    yield from _clock()
    yield _punctuality()
    yield from _codecs()
    config: Config | None = None
    if source is not None:
        problems = problems_of(source)
        errors = [problem for problem in problems if problem.severity == "error"]
        text = f"{len(errors)} errors, {len(problems) - len(errors)} warnings in {source}"
        yield Finding(BAD if errors else GOOD, "configuration", text, f"arietta check -C {source} lists them")
        config, _ = read(source)
    yield _engine(config.rtp.media_engine if config is not None else "auto")
    yield _sounds(config)
    if config is not None and source is not None:
        yield from examine_configuration(config, source)
    else:
        yield Finding(GOOD, "ports", "not looked at: no configuration is named with -C")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    state = GOOD if sys.version_info >= (3, 11) else BAD
    return Finding(state, "Python", version, "3.11 or newer is needed")


def _loop() -> Finding:
    if importlib.util.find_spec("uvloop") is None:
        return Finding(ODD, "event loop", "asyncio's own, uvloop is not installed", "pip install uvloop: it is faster")
    return Finding(GOOD, "event loop", "uvloop")


def _files() -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} may be open (at most {hard}), enough for about {soft // FILES_PER_CALL} calls"
    return Finding(GOOD if soft >= FILES_WANTED else ODD, "files", text, f"ulimit -n {FILES_WANTED} gives more")


def _memory() -> Finding:
    """What this process may have: the machine's free memory, or what a container's limit leaves."""
    free_mb = _kilobytes("/proc/meminfo", "MemAvailable:") // 1000
    limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
    where = ""
    if limit is not None and used is not None and (limit - used) // 1_000_000 < free_mb:
        free_mb, where = max(0, limit - used) // 1_000_000, " within the limit of this container"
    if not free_mb:
        return Finding(GOOD, "memory", "not known on this system")
    calls = max(0, free_mb - BASE_MB) * 1000 // KB_A_CALL
    text = f"{free_mb} MB are free{where}, enough for about {calls} idle calls"
    state = GOOD if free_mb >= MEMORY_WANTED_MB else ODD
    return Finding(state, "memory", text, "free some: out of memory ends all calls")


def _buffers() -> Finding:
    """Whether the system lets SIP's socket keep a burst while the loop is busy."""
    most = _number("/proc/sys/net/core/rmem_max")
    if most is None:
        return Finding(GOOD, "socket buffers", "not known on this system")
    text = f"up to {most // 1024} KiB wait for SIP over UDP"
    advice = f"sysctl -w net.core.rmem_max={BUFFER_WANTED}: bursts of registrations are lost otherwise"
    return Finding(GOOD if most >= BUFFER_LEAST else ODD, "socket buffers", text, advice)


def _kilobytes(path: str, name: str) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None  # `max` in a container without a limit


def _clock() -> Iterator[Finding]:
    year = time.gmtime().tm_year
    resolution_ms = time.get_clock_info("monotonic").resolution * 1000
    if year < SANE_YEAR:
        yield Finding(BAD, "clock", f"it says the year {year}", "set it: events and nonces carry the time")
    elif resolution_ms > 1:
        yield Finding(ODD, "clock", f"it ticks every {resolution_ms:g} ms", "audio is sent every 20 ms: expect jitter")
    else:
        yield Finding(GOOD, "clock", time.strftime("%Y-%m-%d %H:%M:%S %Z"))
    synchronized = is_synchronized()
    if synchronized is not None:
        text = "kept right by the network" if synchronized else "nothing keeps it right, by what the kernel knows"
        advice = "run chrony or systemd-timesyncd, here or on the host: certificates are compared with it"
        yield Finding(GOOD if synchronized else ODD, "time", text, advice)


def is_synchronized() -> bool | None:
    """What adjtimex(2) says of the clock; None where it cannot be asked."""
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(SIZE_OF_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != TIME_ERROR


def _punctuality() -> Finding:
    """How late this process is woken: what the audio clock of 20 ms will see."""
    worst = 0.0
    for _ in range(10):
        due = time.monotonic() + 0.01
        time.sleep(0.01)
        worst = max(worst, time.monotonic() - due)
    text = f"woken {worst * 1000:.1f} ms late at worst, of ten times"
    advice = "the machine is busy, or a guest of a busy one: expect jitter"
    return Finding(GOOD if worst < LATE_S else ODD, "punctuality", text, advice)


def _codecs() -> Iterator[Finding]:
    audioop = importlib.util.find_spec("audioop")
    if audioop is None:
        yield Finding(BAD, "codecs", "audioop is missing", "pip install audioop-lts")
    else:
        from arietta.media.codecs import CODECS

        yield Finding(GOOD, "codecs", ", ".join(name for name in CODECS if not CODECS[name].linear) + ", slin")


def _engine(wanted: str) -> Finding:
    from arietta.media.native import why_not

    missing = why_not()
    if wanted == "reference":
        return Finding(GOOD, "media engine", "the one in Python, for tens of calls, as rtp.conf says")
    if missing is None:
        return Finding(GOOD, "media engine", "the one in C")
    if wanted == "native":
        return Finding(BAD, "media engine", f"the one in C, which rtp.conf wants, is missing: {missing}", BUILD_ADVICE)
    return Finding(ODD, "media engine", f"the slower one in Python, for tens of calls: {missing}", BUILD_ADVICE)


def _sounds(config: Config | None) -> Finding:
    folders = [PACKAGE_DATA / "sounds", *SYSTEM_SOUNDS]
    if config is not None:
        folders.insert(0, config.directories.sounds)
    counts = {folder: sum(1 for f in folder.rglob("*") if f.is_file()) for folder in folders if folder.is_dir()}
    if not any(counts.values()):
        return Finding(BAD, "sounds", "none found", f"looked in {', '.join(map(str, folders))}")
    return Finding(GOOD, "sounds", ", ".join(f"{count} in {folder}" for folder, count in counts.items() if count))
