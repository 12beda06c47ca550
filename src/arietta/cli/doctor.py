"""`arietta doctor`: whether this machine is ready for a server, each point with what to do about it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from arietta.cli.configuration import problems_of
from arietta.cli.options import configuration_option, control_socket
from arietta.config.tree import Config, read

GOOD, ODD, BAD = "ok", "warning", "error"
FILES_PER_CALL = 4  # two sockets of RTP and RTCP for each of two legs
FILES_WANTED = 4096
SANE_YEAR = 2024
BUILD_ADVICE = "install a wheel of Arietta, or a C compiler and Python's headers before you install it"
PACKAGE_DATA = Path(__file__).resolve().parent.parent / "data"
SYSTEM_SOUNDS = (Path("/usr/share/asterisk/sounds"), Path("/var/lib/asterisk/sounds"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One point looked at: how it stands, what was seen, and what to do if it is not good."""

    state: str
    subject: str
    text: str
    advice: str = ""


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
    yield _clock()
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
        yield from _ports(config, source)
        yield _space(config)
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


def _clock() -> Finding:
    year = time.gmtime().tm_year
    resolution_ms = time.get_clock_info("monotonic").resolution * 1000
    if year < SANE_YEAR:
        return Finding(BAD, "clock", f"it says the year {year}", "set it: events and nonces carry the time")
    if resolution_ms > 1:
        return Finding(ODD, "clock", f"it ticks every {resolution_ms:g} ms", "audio is sent every 20 ms: expect jitter")
    return Finding(GOOD, "clock", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


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


def _ports(config: Config, source: Path) -> Iterator[Finding]:
    from arietta.cli.control import ControlError, connect

    path = control_socket(source)
    try:
        connect(path).close()
    except ControlError:
        pass
    else:
        yield Finding(GOOD, "ports", f"in use by the server that runs with this configuration ({path})")
        return
    http = config.http
    if http.enabled and http.bindaddr:
        yield _port("HTTP", http.bindaddr, http.bindport, socket.SOCK_STREAM, "bindport in http.conf")
    if http.enabled and http.tlsenable and http.tlsbindaddr is not None:
        yield _port(
            "HTTPS", http.tlsbindaddr.host, http.tlsbindaddr.port, socket.SOCK_STREAM, "tlsbindaddr in http.conf"
        )
    for transport in config.pjsip.transports.values():
        if transport.bind is not None and transport.protocol not in ("ws", "wss"):  # those are at /ws of HTTP
            kind = socket.SOCK_DGRAM if transport.protocol == "udp" else socket.SOCK_STREAM
            what = f"SIP {transport.protocol}"
            port = transport.bind.port or (5061 if transport.protocol == "tls" else 5060)
            yield _port(what, transport.bind.host, port, kind, f"bind of [{transport.name}] in pjsip.conf")
    count = (config.rtp.rtpend - config.rtp.rtpstart + 1) // 2
    text = f"{config.rtp.rtpstart} to {config.rtp.rtpend}, enough for {count} legs"
    yield Finding(GOOD if count >= 2 else BAD, "RTP ports", text, "rtpstart and rtpend in rtp.conf")


def _port(what: str, host: str, port: int, kind: socket.SocketKind, option: str) -> Finding:
    reason = refusal_of(host, port, kind)
    if reason:
        return Finding(BAD, f"{what} port", f"{host}:{port} cannot be listened on: {reason}", f"change {option}")
    return Finding(GOOD, f"{what} port", f"{host}:{port} is free")


def refusal_of(host: str, port: int, kind: socket.SocketKind) -> str:
    """Why an address cannot be listened on, or an empty text."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as failure:
        return failure.strerror or str(failure)
    return ""


def _space(config: Config) -> Finding:
    folder = config.directories.spool
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if not os.access(folder, os.W_OK):
        return Finding(BAD, "recordings", f"{folder} cannot be written", "change its owner, or astspooldir")
    return Finding(GOOD if free_mb > 500 else ODD, "recordings", f"{free_mb} MB free in {folder}", "free some space")
