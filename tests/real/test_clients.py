"""Clients of ARI as they are on npm and PyPI, unmodified: each lives the same story, with phones on real sockets."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arietta.testing import Phone, tone

from .running import HOST, RunningServer, assert_nothing_left

HERE = Path(__file__).parent
HELLO = HERE.parents[1] / "src/arietta/data/sounds/en/hello-world.wav"
NODE_CLIENTS = {"ari-client": "ari-client", "awry": "awry", "ipcom": "@ipcom/asterisk-ari"}
PYTHON_CLIENTS = ("aioari", "asyncari", "ari_client")
SAYS_STATUS = {"awry", "asyncari", "ari_client", "aioari"}
"""Clients whose errors tell the HTTP status."""

Line = dict[str, Any]


def command(client: str) -> tuple[list[str], Path]:
    """How the story of a client is run, and where; skipped where the client is not installed."""
    if client in NODE_CLIENTS:
        folder = HERE / "node"
        if shutil.which("node") is None or not (folder / "node_modules" / NODE_CLIENTS[client]).is_dir():
            pytest.skip(f"node or {NODE_CLIENTS[client]} is not installed (tools/install_test_tools.sh does)")
        return ["node", "whole_story.js", client], folder
    if importlib.util.find_spec(client) is None:
        pytest.skip(f"{client} is not installed (pip install '.[clients]' does)")
    return [sys.executable, "whole_story.py", client], HERE / "python"


class Program:
    """A client that runs, and what it tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[Line] = []

    async def tells(self, what: str) -> Line:
        """Read on until it tells this; AssertionError if it fails or ends before."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            try:
                self.told.append(json.loads(line))
            except ValueError:
                raise AssertionError(f"it says {line!r} after {self.told}") from None
            assert self.told[-1]["what"] != "failed", self.told[-1]["message"]
            if self.told[-1]["what"] == what:
                return self.told[-1]
        raise AssertionError(f"it ended before it told {what!r}, after {self.told}")


@pytest.mark.parametrize("client", [*NODE_CLIENTS, *PYTHON_CLIENTS])
async def test_the_whole_story(server: RunningServer, client: str) -> None:
    words, folder = command(client)
    process = await asyncio.create_subprocess_exec(
        *(*words, server.base, server.user, server.password),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    program = Program(process)
    try:
        await live(server, program, client)
        output, errors = await process.communicate()
        assert (process.returncode, output) == (0, b""), errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    async with server.ari() as watcher:
        await assert_nothing_left(server, watcher)
        await watcher.get("/applications/hello-world", expect=404)


async def live(server: RunningServer, program: Program, client: str) -> None:
    """The phones' part of the story."""
    await program.tells("started")
    async with (
        await Phone.open(HOST, server=server.sip, name="one") as phone,
        await Phone.open(HOST, server=server.sip, name="two") as other_phone,
    ):
        call = await phone.invite("1000")
        await call.answered()
        assert await program.tells("StasisStart") == {
            "what": "StasisStart",
            "name": "PJSIP/trunk-00000000",
            "number": "phone",
        }
        played = await program.tells("played")
        assert (played["state"], played["media_uri"]) == ("done", "sound:hello-world")
        await call.hears(HELLO, at_least=0.9)

        await program.tells("press a digit")
        call.send_digits("5")
        assert await program.tells("pressed") == {"what": "pressed", "digit": "5", "mine": True}

        await program.tells("recording")
        await call.send_tone(440, 400)
        call.send_digits("#")
        recorded = await program.tells("recorded")
        assert recorded == {"what": "recorded", "name": "story", "state": "done", "format": "wav"}
        assert (await program.tells("played back"))["state"] == "done"
        await call.hears(tone(440, 300), at_least=0.8)

        await program.tells("call again")
        other_call = await other_phone.invite("1000")
        await other_call.answered()
        assert await program.tells("bridged") == {"what": "bridged", "members": 2, "both": True}
        refused = await program.tells("refused")
        if client in SAYS_STATUS:
            assert refused["status"] == 404
        assert "nobody" in refused["message"]

        await program.tells("talk to each other")
        call.send_tone(700, 400)
        await other_call.hears(tone(700, 300), at_least=0.8)
        other_call.send_digits("1")
        await call.expect("BYE")
        await other_call.expect("BYE")
        await program.tells("over")
