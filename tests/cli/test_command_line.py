"""The subcommands as a user types them."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arietta import __version__
from arietta.cli.command_line import SUBCOMMANDS, arietta
from arietta.cli.commands import Console
from arietta.cli.control import SOCKET_NAME, ControlServer
from arietta.cli.examining import refusal_of

from .conftest import DEMO


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, where no server of the user runs."""
    for name in ("ARIETTA_CONFIG", "ARIETTA_STATE_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "home"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(arietta, [str(argument) for argument in arguments])


def test_version_and_help() -> None:
    assert call("--version").output == f"Arietta {__version__}\n"
    listed = call("--help").output
    assert all(name in listed for name in SUBCOMMANDS)
    assert call("bogus").exit_code == 2


def test_a_start_loads_nothing_for_people() -> None:
    program = (
        "import sys; from arietta.cli.command_line import arietta; import arietta.cli.run, arietta.cli.serving;"
        "print([name for name in ('rich', 'prompt_toolkit', 'hypothesis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"


def test_init_writes_a_set_that_check_accepts(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    first = call("init", folder)
    assert first.exit_code == 0
    assert f"arietta run -C {folder}" in first.output
    assert stat.S_IMODE((folder / "ari.conf").stat().st_mode) == 0o600
    password = next(
        line.partition("=")[2]
        for line in (folder / "ari.conf").read_text().splitlines()
        if line.startswith("password=")
    )
    assert len(password) >= 20
    assert first.output.count(f"password {password}") == 1
    checked = call("check", "-C", folder)
    assert checked.exit_code == 0, checked.output
    assert "no errors" in checked.output
    again = call("init", folder)
    assert again.exit_code == 1
    assert "exists already and is not overwritten" in again.output
    assert password in (folder / "ari.conf").read_text()


def test_check_names_every_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "http.conf").write_text("[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=99999\nbogus=1\n")
    (tmp_path / "ari.conf").write_text("[general]\nenabled=yes\n[alice]\ntype=user\n")
    checked = call("check", "-C", tmp_path)
    assert checked.exit_code == 1
    lines = checked.output.splitlines()
    assert "error: http.conf line 4: bindport 99999 is outside 1..65535" in lines
    assert any(line.startswith("warning: http.conf line 5: bogus") for line in lines)
    assert any(line.startswith("error: ari.conf line 3:") for line in lines)
    assert lines[-1] == f"{tmp_path}: 2 errors, 1 warning"


def test_check_reads_the_dialplan_too(tmp_path: Path) -> None:
    file = tmp_path / "extensions.conf"
    file.write_text("[default]\nexten => 1,1,NoOp()\n same => n,Stasis(a)\n same => n,Frobnicate()\ninclude => no\n")
    checked = call("check", "-C", tmp_path)
    assert checked.exit_code == 0
    assert "warning: extensions.conf line 4: application Frobnicate is unknown, it will end the call" in checked.output
    assert "Stasis" not in checked.output
    file.write_text(
        "[default]\nexten => 1,1,Queue(help)\n same => n,ExecIf($[1]?VoiceMail(1):Playback(a))\n"
        " same => n,TryExec(Frobnicate(x))\n same => n,Set(X=${NOWHERE(1)}${CDR(src)}${PJSIP_HEADER(read,X)})\n"
        " same => n,Exec(${X}(1))\n same => n,Bridge(a)\n"
    )
    lines = call("check", "-C", tmp_path).output.splitlines()
    assert [line.partition("extensions.conf ")[2] for line in lines[:-1]] == [
        "line 2: application Queue is not supported, it will end the call: an application of the REST interface does "
        "that, see examples/call_queue.py",
        "line 3: application VoiceMail is not supported, it will end the call: an application of the REST interface "
        "does that, see examples/voicemail_record.py",
        "line 4: application Frobnicate is unknown, it will end the call",
        "line 5: function NOWHERE is unknown, it will be empty",
    ]
    file.write_text("[default]\nexten => 1,1,Playbak(a)\n same => n,Set(X=${ODBC(1)}${CHANEL(name)})\n")
    lines = call("check", "-C", tmp_path).output.splitlines()
    assert [line.partition("extensions.conf ")[2] for line in lines[:-1]] == [
        "line 2: application Playbak is unknown, it will end the call: is Playback meant?",
        "line 3: function CHANEL is unknown, it will be empty: is CHANNEL meant?",
        "line 3: function ODBC is not supported, it will be empty: configuration is files, and no SQL database "
        "is asked",
    ]
    file.write_text(
        "[default]\nexten => 1,1,Set(CALERID(num)=1)\n same => n,MSet(__X=1,SIP_HEADER(a)=2,CALLERID(num)=3)\n"
    )
    lines = call("check", "-C", tmp_path).output.splitlines()
    assert [line.partition("extensions.conf ")[2] for line in lines[:-1]] == [
        "line 2: function CALERID is unknown, nothing will be set: is CALLERID meant?",
        "line 3: function SIP_HEADER is not supported, nothing will be set: PJSIP_HEADER(read,…) does that",
    ]
    file.write_text("[default]\n same => n,NoOp()\n")
    broken = call("check", "-C", tmp_path)
    assert broken.exit_code == 1
    assert "error: extensions.conf line 2: same => has no exten => before it" in broken.output


def test_the_files_that_come_with_the_program_are_in_order() -> None:
    checked = call("check", "--strict", "-C", DEMO)
    assert checked.exit_code == 0, checked.output


def test_strict_check_takes_warnings_for_errors(tmp_path: Path) -> None:
    (tmp_path / "http.conf").write_text("[general]\nbogus=1\n")
    assert call("check", "-C", tmp_path).exit_code == 0
    assert call("check", "--strict", "-C", tmp_path).exit_code == 1


def test_a_configuration_is_needed() -> None:
    refused = call("check")
    assert refused.exit_code == 2
    assert "-C" in refused.output


def test_run_refuses_what_check_refuses(tmp_path: Path) -> None:
    missing = call("run", "-C", tmp_path / "nowhere")
    assert missing.exit_code == 1
    assert "is neither a configuration folder nor an asterisk.conf" in missing.output
    assert "Traceback" not in missing.output
    (tmp_path / "http.conf").write_text("[general]\nenabled=yes\nbindaddr=0.0.0.0\n")
    (tmp_path / "ari.conf").write_text("[asterisk]\ntype=user\npassword=asterisk\n")
    unsafe = call("run", "-C", tmp_path)
    assert unsafe.exit_code == 1
    assert "password of ARI user asterisk is the user name" in unsafe.output


def test_a_console_without_a_server(tmp_path: Path) -> None:
    assert "no server of yours is running" in call("console", "-x", "core show calls").output
    refused = call("console", "--socket", tmp_path / "none", "-x", "core show calls")
    assert refused.exit_code == 1
    assert refused.output == f"arietta: no server is running: there is no control socket {tmp_path / 'none'}\n"


def test_a_console_finds_the_server_by_folder_socket_and_alone(tmp_path: Path, console: Console) -> None:
    """The server runs in a thread of its own, as the console is not of its process."""
    folder = tmp_path / "conf"
    folder.mkdir()
    state = tmp_path / "state" / "arietta" / "own"
    path = state / "run" / SOCKET_NAME
    loop = asyncio.new_event_loop()
    server = ControlServer(path, console)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        for named in (("--socket", path), ("-C", folder, "--state-dir", state), ()):
            done = call("console", "-x", "core show calls", *named)
            assert (done.output, done.exit_code) == ("2 active calls\n7 calls processed\n", 0)
        refused = call("console", "-x", "bogus")
        assert refused.exit_code == 1
        assert "No such command 'bogus'" in refused.output
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_routes_are_listed() -> None:
    brief = call("routes", "--brief").output.splitlines()
    assert len(brief) == 109
    assert any(line.startswith("POST   /channels/{channelId}/play ") for line in brief)


def test_routes_name_the_tests_that_provoke_each_answer() -> None:
    listed = call("routes").output.splitlines()
    place = next(number for number, line in enumerate(listed) if line.startswith("DELETE /channels/{channelId} "))
    answers = {line.split()[0]: line for line in listed[place + 1 : place + 5]}
    assert answers.keys() == {"204", "400", "404", "any"}
    assert "tests/real/test_hello_world.py" in answers["204"]
    assert "tests/ari/test_failures.py" in answers["404"]


def test_routes_as_markdown() -> None:
    assert "# " in call("routes", "--markdown").output


@pytest.mark.parametrize(
    ("page", "beginning"), [("compatibility", "# Compatibility"), ("dialplan", "# Dialplan reference")]
)
def test_one_page_of_the_reference_is_printed(page: str, beginning: str) -> None:
    printed = call("reference", page)
    assert printed.exit_code == 0
    assert printed.output.startswith(f"{beginning}\n")
    assert call("reference", "nonsense").exit_code == 2


def test_tables_of_a_page_are_renewed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    whole = (Path(__file__).parents[2] / "docs" / "asterisk.md").read_text(encoding="utf-8")
    page.write_text("\n".join(line for line in whole.split("\n") if not line.startswith("| Ping |")))
    assert call("reference", "--tables", page).exit_code == 0
    assert "\n| Ping |" in page.read_text(encoding="utf-8")


def test_reference_pages_are_written_and_compared(tmp_path: Path) -> None:
    out = tmp_path / "reference"
    assert call("reference", "--check", "--out", out).exit_code == 1
    written = call("reference", "--out", out)
    assert written.exit_code == 0
    for name in ("configuration.md", "ari.md", "openapi.json", "asyncapi.json", "api-docs/channels.json"):
        assert str(out / name) in written.output.splitlines()
    assert call("reference", "--check", "--out", out).exit_code == 0
    (out / "ari.md").write_text("old")
    stale = call("reference", "--check", "--out", out)
    assert stale.exit_code == 1
    assert stale.output.startswith(f"{out / 'ari.md'} is not what 'arietta reference --out {out}' writes")


def test_the_doctor_looks_at_a_configuration(tmp_path: Path) -> None:
    call("init", tmp_path / "conf", "--http-port", 18_088, "--sip-port", 15_060)
    seen = call("doctor", "-C", tmp_path / "conf")
    assert "SIP udp port: 127.0.0.1:15060 is free" in seen.output
    assert "HTTP port: 127.0.0.1:18088 is free" in seen.output
    for subject in ("Python", "files", "clock", "codecs", "media engine", "sounds", "RTP ports", "recordings"):
        assert f" {subject}: " in seen.output
    assert seen.exit_code == 0, seen.output


@pytest.mark.parametrize(
    ("wanted", "state", "text"),
    [
        ("auto", "warning", "the slower one in Python, for tens of calls: ARIETTA_PURE_PYTHON is set"),
        ("native", "error", "the one in C, which rtp.conf wants, is missing: ARIETTA_PURE_PYTHON is set"),
        ("reference", "ok", "the one in Python, for tens of calls, as rtp.conf says"),
    ],
)
def test_the_doctor_says_which_media_engine_there_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, state: str, text: str
) -> None:
    (tmp_path / "rtp.conf").write_text(f"[general]\nmedia_engine={wanted}\n")
    monkeypatch.setenv("ARIETTA_PURE_PYTHON", "1")
    assert f"{state:<8} media engine: {text}" in call("doctor", "-C", tmp_path).output


def test_the_doctor_finds_a_port_in_use() -> None:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert "in use" in refusal_of("127.0.0.1", port, socket.SOCK_DGRAM)
    assert refusal_of("127.0.0.1", port, socket.SOCK_DGRAM) == ""
