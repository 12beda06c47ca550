"""A process that does what it is told, a line of JSON at a time."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["Worker", "serve"]

COMMAND = Path(__file__).parents[1] / "bench_media.py"
FIRST = -10
"""Niceness of a session against all others (sched(7), autogroups); that of a thread counts within its session only."""
WITHOUT_PRIORITY = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice")


class Worker:
    """The far end of `serve`, pinned to a core."""

    def __init__(self, role: str, core: int, *, priority: bool = True, first: bool = False) -> None:
        self._role = role
        self._process = subprocess.Popen(
            [
                *(() if priority else WITHOUT_PRIORITY),
                sys.executable,
                str(COMMAND),
                "--role",
                role,
                "--core",
                str(core),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if first:
            Path(f"/proc/{self._process.pid}/autogroup").write_text(str(FIRST))

    def tell(self, order: str, **arguments: Any) -> None:
        """Begin something; `answer` waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([order, arguments]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What the order begun first came to."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of the {self._role} ended")
        return json.loads(line)

    def ask(self, order: str, **arguments: Any) -> Any:
        """Do something and wait for its end."""
        self.tell(order, **arguments)
        return self.answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


async def serve(core: int, worker: object) -> None:
    """Call the worker's methods until no more orders come."""
    os.sched_setaffinity(0, {core})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order, arguments = json.loads(line)
        print(json.dumps(await getattr(worker, order)(**arguments)), flush=True)
