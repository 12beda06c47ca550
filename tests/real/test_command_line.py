"""The commands of `arietta` on a server in another process."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from arietta.testing import Phone

from .running import HOST, RunningServer, free_port, run_arietta


async def test_the_console_shows_a_call(server: RunningServer) -> None:
    assert "0 active channels" in server.console("core show channels")
    async with server.ari() as app, await Phone.open(HOST, server=server.sip, name="phone") as phone:
        await app.connect("hello-world")
        call = await phone.invite("1000")
        await call.answered()
        channel = (await app.event("StasisStart"))["channel"]

        shown = server.console("core show channels")
        assert re.search(r"PJSIP/trunk-00000000\s+1000@default:3\s+Up\s+Stasis\(hello-world\)", shown)
        assert "1 active channel\n1 active call\n" in shown
        concise = server.console("core show channels concise")
        assert concise.startswith("PJSIP/trunk-00000000!default!1000!3!Up!Stasis!hello-world!")
        assert channel["id"] in server.console("core show channel PJSIP/trunk-00000000")
        assert "hello-world" in server.console("ari show apps")
        assert "Enabled" in server.console("ari show status")
        assert "asterisk" in server.console("ari show users")
        assert f"{HOST}:{server.http_port}" in server.console("http show status")
        assert "'1000' =>" in server.console("dialplan show default")
        assert "6001" in server.console("pjsip show endpoints")

        server.console("channel request hangup PJSIP/trunk-00000000")
        await call.expect("BYE")


def test_the_console_stops_the_server(server: RunningServer) -> None:
    server.console("core stop now")
    assert server.wait() == 0


def test_the_console_says_what_it_does_not_know(server: RunningServer) -> None:
    done = run_arietta("console", "-C", server.folder, "--state-dir", server.state, "-x", "core shave yak")
    assert "core shave yak" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_only_the_owner_may_open_the_control_socket(server: RunningServer) -> None:
    (control,) = (server.state / "run").glob("*.ctl")
    assert control.is_socket()
    assert control.stat().st_mode & 0o077 == 0
    assert control.parent.stat().st_mode & 0o022 == 0


def test_without_a_server_the_console_says_so(folder: Path) -> None:
    done = run_arietta("console", "-C", folder, "--state-dir", folder.parent / "state", "-x", "core show version")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "arietta.ctl" in done.stderr


def test_a_second_server_with_the_same_configuration_is_refused(server: RunningServer) -> None:
    done = run_arietta("run", "-C", server.folder, "--state-dir", server.state)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert server.get("/ari/asterisk/ping")[0] == 200


def test_init_check_run_and_log_in_with_the_printed_password(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    made = run_arietta("init", etc)
    assert made.returncode == 0, made.stderr
    found = re.search(r"REST interface\s+user (\S+)\s+password (\S+)", made.stdout)
    assert found
    http, sip = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM)
    for name, old, new in (("http.conf", 8088, http), ("pjsip.conf", 5060, sip)):
        text = (etc / name).read_text()
        assert str(old) in text
        (etc / name).write_text(text.replace(str(old), str(new)))
        assert (etc / name).stat().st_mode & 0o077 == 0

    checked = run_arietta("check", "-C", etc)
    assert checked.returncode == 0, checked.stdout + checked.stderr

    server = RunningServer(etc, http, sip, 0, user=found[1], password=found[2])
    try:
        server.start()
        assert server.get("/ari/asterisk/info")[0] == 200
        server.password = "guessed"
        assert server.get("/ari/asterisk/info")[0] == 401
    finally:
        code = server.stop()
    assert code == 0, server.log

    again = run_arietta("init", etc)
    assert again.returncode == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("name", "line"),
    [("http.conf", "bindport=99999"), ("pjsip.conf", "[broken"), ("extensions.conf", "exten => 1,one,NoOp()")],
)
def test_check_tells_file_and_line(folder: Path, name: str, line: str) -> None:
    file = folder / name
    number = file.read_text().count("\n") + 1
    with file.open("a") as text:
        text.write(f"{line}\n")
    done = run_arietta("check", "-C", folder)
    assert done.returncode == 1
    assert re.search(rf"{re.escape(name)}(:| line ){number}\b", done.stdout + done.stderr), done.stdout + done.stderr
