"""Commands of the system's shell, for System and SHELL: off the loop, with limits on how many and how much."""

from __future__ import annotations

import asyncio
import contextlib
import os

MAX_OUTPUT_BYTES = 65536
MAX_RUNNING = 100
CLOSES_WITHIN_S = 1.0
"""How long the pipe of a command that was ended may be held by what it has left behind."""


class ProgramFailed(Exception):
    """The command could not be run, or wrote too much."""


_running = 0


async def run_in_shell(command: str) -> tuple[int, str]:
    """Run a command; its exit status (128 and the number of the signal that ended it) and what it wrote.

    Whoever waits no longer (the call is over) ends it. Raises ProgramFailed.
    """
    global _running
    if "\0" in command:
        raise ProgramFailed("a command cannot have a NUL in it")
    if _running >= MAX_RUNNING:
        raise ProgramFailed(f"{MAX_RUNNING} programs are running, which is the limit")
    _running += 1
    try:
        return await _run(command)
    except OSError as failure:
        raise ProgramFailed(f"{command[:60]!r} cannot be run: {failure.strerror}") from failure
    finally:
        _running -= 1


async def _run(command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        output = bytearray()
        while piece := await process.stdout.read(65536):
            output += piece
            if len(output) > MAX_OUTPUT_BYTES:
                raise ProgramFailed(f"{command[:60]!r} writes more than {MAX_OUTPUT_BYTES} bytes")
        status = await process.wait()
    finally:
        if process.returncode is None:
            _end(process.pid)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSES_WITHIN_S):
                    await wait_for_end(process)
    return (status if status >= 0 else 128 - status), output.decode("utf-8", "replace")


async def wait_for_end(process: asyncio.subprocess.Process) -> int:
    """Wait until a program ends, dropping what it still writes: its end is told when its output is read to the end."""
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
    return await process.wait()


def _end(leader: int) -> None:
    """End a command with all that it started."""
    try:
        os.killpg(leader, 9)
    except ProcessLookupError:
        pass
