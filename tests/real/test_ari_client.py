"""ari-client for node, as it is on npm: the tutorial's program runs unchanged."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

from arietta.testing import Phone

from .running import HOST, RunningServer, assert_nothing_left

HELLO = Path(__file__).parents[2] / "src/arietta/data/sounds/en/hello-world.wav"


async def test_the_story(server: RunningServer, node: Path) -> None:
    told = await plays_its_part(server, "node", str(node / "story.js"), server.base)
    assert {"mine": True, "queued": "queued", "what": "playing"} in told


async def plays_its_part(server: RunningServer, *command: str) -> list[dict[str, object]]:
    """Let a program that knows the story serve a call; gives what it told.

    It gets user and password, says `started` when it is connected, plays hello-world to the call, and hangs it up.
    """
    program = await asyncio.create_subprocess_exec(
        *command,
        *(server.user, server.password),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        told = await tells(program, until="started")
        async with server.ari() as watcher, await Phone.open(HOST, server=server.sip, name="phone") as phone:
            call = await phone.invite("1000")
            await call.answered()
            await call.hears(HELLO, at_least=0.9)
            await call.expect("BYE")
            told += await tells(program)
            assert await program.wait() == 0, told
            await assert_nothing_left(server, watcher)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()

    transcript = {line["what"]: line for line in told}
    assert "error" not in transcript
    assert transcript["ping"]["answer"] == "pong"
    started = transcript["StasisStart"]
    assert started == {"what": "StasisStart", "args": [], "name": "PJSIP/trunk-00000000", "number": "phone"}
    assert transcript["PlaybackStarted"]["state"] == "playing"
    assert transcript["PlaybackFinished"] == {"what": "PlaybackFinished", "state": "done", "media": "sound:hello-world"}
    assert transcript["variable"]["value"] == "PJSIP/trunk-00000000"
    assert transcript["channels"]["count"] == 0
    events = [line["what"] for line in told if str(line["what"])[0].isupper()]
    assert events == ["StasisStart", "PlaybackStarted", "PlaybackFinished", "StasisEnd"]
    return told


async def tells(program: asyncio.subprocess.Process, until: str = "") -> list[dict[str, object]]:
    """The lines of a program up to the one about `until`, or all of them."""
    assert program.stdout is not None
    told: list[dict[str, object]] = []
    other = b""
    while line := await program.stdout.readline():
        if not line.startswith(b"{"):
            other += line  # ari-client's own: that our version of Swagger is an old one, as Asterisk's
            continue
        told.append(json.loads(line))
        if told[-1]["what"] == until:
            return told
    assert not until, f"the program ended before it said {until!r}: {told}\n{other.decode(errors='replace')}"
    return told
