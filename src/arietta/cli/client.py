"""The console's side of the control socket: one-shot and following."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from arietta.cli.control import MAX_REQUEST_BYTES, ControlError, connect

MAX_REPLY_BYTES = 64 * 1024 * 1024
REPLY_TIMEOUT_S = 120.0

Told = Callable[[str, str], None]
"""Gets the kind and the text of each line that the server tells without being asked."""


def run_once(path: Path, command: str) -> tuple[str, int]:
    """Carry out one command on the server behind `path`; returns its output and status. Raises ControlError."""
    with connect(path) as connection:
        connection.settimeout(REPLY_TIMEOUT_S)
        try:
            connection.sendall(msgspec.json.encode({"command": command}) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(MAX_REPLY_BYTES)
        except TimeoutError:
            raise ControlError(f"the server did not answer within {REPLY_TIMEOUT_S:g} s") from None
        except OSError as failure:
            raise ControlError(f"the connection to the server broke: {failure.strerror or failure}") from None
    if not line.endswith(b"\n"):
        raise ControlError("the server closed the connection without an answer")
    reply = msgspec.json.decode(line)
    return str(reply["output"]), int(reply["status"])


class ControlClient:
    """A connection that stays: commands, completions, and the lines that the server tells."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: Told) -> None:
        self._reader = reader
        self._writer = writer
        self._told = told
        self._waiting: deque[asyncio.Future[dict[str, Any]]] = deque()
        self.gone = asyncio.Event()
        """Set when the server has closed the connection."""
        self._task = asyncio.get_running_loop().create_task(self._read(), name="control client")

    @classmethod
    async def open(cls, path: Path, told: Told) -> ControlClient:
        """Connect; raises ControlError."""
        connection = connect(path)
        connection.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_REPLY_BYTES)
        return cls(reader, writer, told)

    async def command(self, line: str) -> tuple[str, int]:
        """Carry out one command; returns its output and status."""
        reply = await self._ask({"command": line})
        return str(reply["output"]), int(reply["status"])

    async def complete(self, text: str) -> list[str]:
        """What the last word of `text` can become."""
        return [str(word) for word in (await self._ask({"complete": text})).get("completions", [])]

    async def follow(self, level: int | None) -> None:
        """Get lines, verbose ones up to a level, or none any more."""
        await self._ask({"follow": level})

    async def close(self) -> None:
        """End the connection."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        line = msgspec.json.encode(request) + b"\n"
        if len(line) > MAX_REQUEST_BYTES:
            raise ControlError(f"a request has {len(line)} bytes, the limit is {MAX_REQUEST_BYTES}")
        if self.gone.is_set():
            raise ControlError("the server is gone")
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._writer.write(line)
        return await answer

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                message = msgspec.json.decode(line)
                if "line" in message:
                    self._told(message["kind"], message["line"])
                elif "lost" in message:
                    self._told("lost", f"{message['lost']} lines were lost: this console was too slow")
                elif self._waiting:
                    answer = self._waiting.popleft()
                    if not answer.done():
                        answer.set_result(message)
        except OSError:
            pass  # a broken connection ends like a closed one
        finally:
            self.gone.set()
            for answer in self._waiting:
                if not answer.done():
                    answer.set_exception(ControlError("the server is gone"))
