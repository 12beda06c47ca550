"""The demonstration: real sockets on loopback, on ports that are free."""

from __future__ import annotations

import re
import socket
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

from arietta.cli.command_line import arietta
from arietta.cli.demo import write_configuration
from arietta.config.check import check
from arietta.config.tree import load


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))


def test_its_configuration_has_the_chosen_ports(tmp_path: Path) -> None:
    etc = write_configuration(tmp_path, 18_099, 15_099)
    config = load(etc)
    assert config.http.bindport == 18_099
    assert [(str(t.bind.host), t.bind.port) for t in config.pjsip.transports.values() if t.bind] == [
        ("127.0.0.1", 15_099)
    ]
    assert not [problem for problem in check(etc) if problem.severity == "error"]


@pytest.mark.parametrize(("option", "kind"), [("--http-port", socket.SOCK_STREAM), ("--sip-port", socket.SOCK_DGRAM)])
def test_a_busy_port_is_named_with_the_way_out(tmp_path: Path, option: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        other = {"--http-port": "--sip-port", "--sip-port": "--http-port"}[option]
        free = free_port(socket.SOCK_DGRAM if other == "--sip-port" else socket.SOCK_STREAM)
        refused = CliRunner().invoke(arietta, ["demo", "--out", str(tmp_path), option, str(port), other, str(free)])
    assert refused.exit_code == 1
    assert f"port {port} cannot be used: Address already in use. Choose another: {option} " in refused.output


@pytest.mark.real
def test_the_phone_hears_hello_world(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ports = ["--http-port", str(free_port(socket.SOCK_STREAM)), "--sip-port", str(free_port(socket.SOCK_DGRAM))]
    done = CliRunner().invoke(arietta, ["demo", "--exit", "--out", str(out), *ports])
    assert done.exit_code == 0, done.output
    ladder = [re.sub(r"^ *[0-9.]+|[│─▶◀]", " ", line).strip() for line in done.output.splitlines() if "│" in line]
    story = ("INVITE 1000", "200 OK", "ACK", "StasisStart", "201 Created", "PlaybackStarted", "PlaybackFinished", "BYE")
    assert [step for step in ladder if step in story] == list(story)
    assert ladder[-1] == "StasisEnd"
    assert "The phone heard hello-world" in done.output
    with wave.open(str(out / "heard.wav")) as sound:
        assert sound.getframerate() == 8000
        assert 1.0 < sound.getnframes() / 8000 < 3.0
    log = (out / "console.log").read_text()
    assert 'Executing [1000@default:3] Stasis("PJSIP/demo-phone-00000000", "hello-world") in new stack' in log
