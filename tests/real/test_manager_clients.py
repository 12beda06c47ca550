"""Clients of the manager interface as they are published, asterisk-manager for node and panoramisk, run unchanged."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import RunningServer
from .running import HOST, assert_nothing_left, free_port
from .test_ari_client import tells

SECRET = "a-well-kept-secret"
CALL = ["Newchannel", "VarSet", "VarSet", "Newexten", "DialBegin", "Newstate", "DialEnd", "Newexten"]


@pytest.fixture
def port(folder: Path) -> int:
    """Where the manager interface listens."""
    port = free_port(socket.SOCK_STREAM)
    (folder / "manager.conf").write_text(
        f"[general]\nenabled=yes\nbindaddr={HOST}\nport={port}\n[admin]\nsecret={SECRET}\nread=all\nwrite=all\n"
    )
    return port


@pytest.fixture
def watched(port: int, server: RunningServer) -> Iterator[RunningServer]:
    """A server with a manager interface."""
    yield server


async def story(server: RunningServer, *command: str) -> list[dict[str, object]]:
    """What a program tells of the call that it makes, watches and ends."""
    program = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        told = await tells(program)
        assert await program.wait() == 0, told
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    async with server.ari() as watcher:
        await assert_nothing_left(server, watcher)
    events = [line["what"] for line in told if str(line["what"])[0].isupper()]
    assert events == [*CALL, "OriginateResponse", "SoftHangupRequest", "Hangup"], told
    assert all(str(line.get("channel", "")).startswith("Local/1200@default-") for line in told if line.get("channel"))
    ended = next(line for line in told if line["what"] == "Hangup")
    assert ended["cause"] == "16"
    return told


async def test_panoramisk(watched: RunningServer, port: int) -> None:
    program = Path(__file__).parent / "python" / "manager_story.py"
    told = await story(watched, sys.executable, str(program), HOST, str(port), "admin", SECRET)
    said = {line["what"]: line for line in told}
    assert said["ping"]["response"] == said["originate"]["response"] == said["hangup"]["response"] == "Success"
    assert [str(name)[-2:] for name in said["channels"]["names"]] == [";1", ";2"]  # type: ignore[attr-defined]


async def test_asterisk_manager(watched: RunningServer, port: int) -> None:
    here = Path(__file__).parent / "node"
    if shutil.which("node") is None or not (here / "node_modules" / "asterisk-manager").is_dir():
        pytest.skip("node or asterisk-manager is not installed (tools/install_test_tools.sh does)")
    told = await story(watched, "node", str(here / "manager_story.js"), HOST, str(port), "admin", SECRET)
    said = {line["what"]: line for line in told}
    assert said["ping"]["response"] == said["originate"]["response"] == said["hangup"]["response"] == "Success"
    assert said["logoff"]["response"] == "Goodbye"
