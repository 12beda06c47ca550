"""Asterisk's own switches."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arietta.cli.asterisk import LETTERS, REFUSED, Switches, Usage, limited, main, read_switches
from arietta.cli.commands import Console
from arietta.cli.control import ControlServer
from arietta.config.tree import load

PROGRAM = (sys.executable, "-c", "import sys; sys.argv[0] = 'asterisk'; from arietta.cli import main; main()")


def read(*arguments: str) -> Switches:
    return read_switches("asterisk", arguments)


def test_switches_are_joined_as_people_write_them() -> None:
    assert read("-rx", "core show version") == Switches(connects=True, commands=("core show version",))
    assert read("-x", "a", "-x", "b").commands == ("a", "b")
    joined = read("-cvvvng", "-C", "/tmp/a.conf")
    assert (joined.console, joined.foreground, joined.verbose, joined.colours) == (True, True, 3, False)
    assert joined.source == Path("/tmp/a.conf")
    assert read("-vvvr").connects
    assert read("-vvvr").verbose == 3
    assert read_switches("rasterisk", ()).connects


def test_who_watches_stays_in_the_foreground_unless_it_is_to_fork() -> None:
    assert not read().foreground
    assert all(read(letter).foreground for letter in ("-f", "-c", "-v", "-d"))
    assert not read("-F", "-vc").foreground
    assert not read("-F", "-vc").console


@pytest.mark.parametrize("letter", REFUSED)
def test_what_cannot_be_done_is_refused_by_name(letter: str) -> None:
    value = ("9",) if f"{letter[1]}:" in LETTERS else ()
    with pytest.raises(Usage, match=f"{letter} is not supported: "):
        read(letter, *value)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-Z",), "option -Z not recognized"),
        (("-x",), "option -x requires argument"),
        (("start",), "'start' is not a switch"),
        (("-s", "/a"), "-s names the socket"),
        (("-" + "v" * 101,), "101 times"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(Usage, match=why):
        read(*arguments)


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        ("-U", "runuser nosuchname (-U): there is no such user"),
        ("-G", "rungroup nosuchname (-G): there is no such group"),
    ],
)
def test_nobody_is_run_as_who_does_not_exist(
    letter: str, why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("asterisk", ["-f", "-C", str(folder), letter, "nosuchname"]) == 1
    assert capsys.readouterr().err == f"asterisk: {why}\n"


@pytest.mark.parametrize(
    ("letter", "value", "why"),
    [("-M", "many", "maxcalls"), ("-L", "-1", "maxload"), ("-e", "x\ny = 1", "minmemfree"), ("-M", "1;2", "maxcalls")],
)
def test_limits_are_numbers(
    letter: str, value: str, why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("asterisk", ["-f", "-C", str(folder), letter, value]) == 1
    assert why in capsys.readouterr().err


def test_limits_of_switches_are_those_of_the_configuration(folder: Path) -> None:
    config = limited(load(folder), (("maxcalls", "5"), ("maxload", "2.5"), ("minmemfree", "10")))
    options = config.asterisk.options
    assert (options.maxcalls, options.maxload, options.minmemfree, options.systemname) == (5, 2.5, 10, "small")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration that opens no port."""
    etc = tmp_path / "etc"
    etc.mkdir()
    places = "\n".join(
        f"ast{name}dir => {tmp_path}/{name}" for name in ("varlib", "db", "spool", "run", "log", "cache")
    )
    (etc / "asterisk.conf").write_text(f"[directories]\nastetcdir => {etc}\n{places}\n[options]\nsystemname = small\n")
    (etc / "logger.conf").write_text("[logfiles]\nmessages => notice,warning,error\n")
    return etc


def test_without_a_server_it_cannot_be_connected_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("asterisk", ["-C", str(folder / "asterisk.conf"), "-rx", "core show version"]) == 1
    told = capsys.readouterr()
    control = folder.parent / "run" / "arietta.ctl"
    assert (told.out, told.err) == ("", f"Unable to connect to remote asterisk (does {control} exist?)\n")


@pytest.fixture
def served(console: Console, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "ctl"
    loop = asyncio.new_event_loop()
    server = ControlServer(path, console)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield path
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_commands_are_carried_out_and_the_worst_status_is_the_exit_code(
    served: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("asterisk", ["-s", str(served), "-rx", "core waitfullybooted"]) == 0
    assert main("asterisk", ["-s", str(served), "-x", "core shave yak", "-x", "core show calls"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("Asterisk has fully booted.\nNo such command 'core shave yak'")
    assert told.endswith("2 active calls\n7 calls processed\n")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "-C", str(folder / "asterisk.conf"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_server_in_the_background_from_start_to_end(folder: Path) -> None:
    started = run(folder)
    assert (started.returncode, started.stderr) == (0, "")
    pid = int((folder.parent / "run" / "asterisk.pid").read_text())
    try:
        assert run(folder, "-rx", "core waitfullybooted").stdout == "Asterisk has fully booted.\n"
        assert f"process {pid}" in run(folder, "-rx", "core show version").stdout
        again = run(folder)
        assert again.returncode == 1
        assert "Asterisk already running on" in again.stderr

        before = run(folder, "-rx", "core show uptime seconds").stdout
        assert "System uptime" in before
        assert run(folder, "-rx", "core restart now").returncode == 0
        deadline = time.monotonic() + 20
        while not _restarted(folder, pid):
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.1)
        assert run(folder, "-rx", "core stop now").returncode == 0
        while (folder.parent / "run" / "arietta.ctl").exists():
            assert time.monotonic() < deadline, "the server did not stop"
            time.sleep(0.1)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise


def _restarted(folder: Path, pid: int) -> bool:
    """Whether the process, still the same one, has started a second time."""
    log = folder.parent / "log" / "messages"
    done = run(folder, "-rx", "core show version")
    return done.returncode == 0 and f"process {pid}" in done.stdout and log.read_text().count("is ready") == 2


def test_what_hinders_a_start_is_told_before_the_terminal_is_left(folder: Path) -> None:
    (folder / "http.conf").write_text("[general]\nenabled = yes\nbindaddr = 192.0.2.1\nbindport = 8088\n")
    started = run(folder)
    assert started.returncode == 1
    assert "HTTP cannot listen on 192.0.2.1:8088" in started.stderr
    assert "Traceback" not in started.stderr
