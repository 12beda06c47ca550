"""How a program of AGI is reached: a process of this machine, a server over TCP, or the manager interface."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from arietta.dialplan.agi.protocol import MAX_LINE_BYTES
from arietta.dialplan.programs import CLOSES_WITHIN_S, wait_for_end

FAST_AGI_PORT = 4573
CONNECT_SECONDS = 10.0
END_SECONDS = 5.0
"""How long a process has after its call until it is ended by force."""
MAX_WAITING_COMMANDS = 1000
WITH_AUDIO = ("/bin/sh", "-c", 'exec 3<"$0" && exec "$@"')
"""Opens the file of its first argument as descriptor 3, and becomes the program that the others name."""


class CannotReach(Exception):
    """There is no program to talk to; `missing` says that there is no such file."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


async def _line(reader: asyncio.StreamReader) -> str | None:
    """The next line, or None at the end, and after a line that is too long."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as rest:
        line = rest.partial
    except (asyncio.LimitOverrunError, OSError):
        return None
    return line.decode("utf-8", "replace").rstrip("\r\n") if line else None


async def _send(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode("utf-8", "surrogateescape"))
    with contextlib.suppress(OSError):
        await writer.drain()


class Process:
    """A program of this machine, talked to over its standard input and output."""

    def __init__(self, process: asyncio.subprocess.Process, *, hangup_signal: bool) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._writer, self._reader = process.stdin, process.stdout
        self._hangup_signal = hangup_signal

    @classmethod
    async def start(
        cls,
        path: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        hangup_signal: bool,
        audio: int | None = None,
    ) -> Process:
        """Start a program, `audio` being its descriptor 3 if it is given; raises CannotReach."""
        if any("\0" in text for text in (str(path), *arguments)):
            raise CannotReach(f"AGI program {str(path)!r}: neither it nor its arguments can have a NUL in them")
        command = [str(path), *arguments]
        if audio is not None:
            if not os.access(path, os.X_OK):
                missing = not os.access(path, os.F_OK)
                raise CannotReach(f"AGI program {path} is not there, or not executable", missing=missing)
            command = [*WITH_AUDIO, f"/dev/fd/{audio}", *command]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **environment},
                limit=MAX_LINE_BYTES,
                start_new_session=True,
                pass_fds=() if audio is None else (audio,),
            )
        except OSError as failure:
            missing = isinstance(failure, FileNotFoundError)
            raise CannotReach(f"AGI program {path}: {failure.strerror}", missing=missing) from failure
        return cls(process, hangup_signal=hangup_signal)

    async def read(self) -> str | None:
        return await _line(self._reader)

    async def write(self, text: str) -> None:
        await _send(self._writer, text)

    def hung_up(self) -> None:
        if self._hangup_signal:
            self._signal(signal.SIGHUP)

    async def close(self) -> int:
        """End it, by force if it does not do so itself; its exit status."""
        self._writer.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                return await wait_for_end(self._process)
        except TimeoutError:
            self._signal(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSES_WITHIN_S):
                return await wait_for_end(self._process)
        return -signal.SIGKILL

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


class Connection:
    """A FastAGI server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tells_hangup: bool) -> None:
        self._reader, self._writer = reader, writer
        self._tells_hangup = tells_hangup

    @classmethod
    async def open(cls, url: str, *, tells_hangup: bool) -> Connection:
        """Connect to ``agi://host[:port][/script]``; raises CannotReach."""
        host, port, _ = parts_of(url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, limit=MAX_LINE_BYTES)
        except TimeoutError:
            raise CannotReach(f"FastAGI server {host}:{port} does not answer in {CONNECT_SECONDS:g} s") from None
        except (OSError, UnicodeError) as failure:
            reason = getattr(failure, "strerror", None) or failure
            raise CannotReach(f"FastAGI server {host}:{port} cannot be reached: {reason}") from failure
        return cls(reader, writer, tells_hangup=tells_hangup)

    async def read(self) -> str | None:
        return await _line(self._reader)

    async def write(self, text: str) -> None:
        await _send(self._writer, text)

    def hung_up(self) -> None:
        if self._tells_hangup:
            self._writer.write(b"HANGUP\n")

    async def close(self) -> int:
        """End the connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        return 0


def parts_of(url: str) -> tuple[str, int, str]:
    """Host, port and script of ``agi://host[:port][/script[?query]]``; raises CannotReach."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise CannotReach(f"{url!r} has a port outside 0..65535") from None
    if parts.scheme != "agi" or not host:
        raise CannotReach(f"{url!r} is not agi://HOST[:PORT][/SCRIPT]; hagi and others are not supported")
    return host, port or FAST_AGI_PORT, parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")


class Queue:
    """AsyncAGI: commands that clients of the manager interface send; each is answered by `tell`."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        """Gets the id that the client gave to a command, and the reply."""
        self._commands: deque[tuple[str, str]] = deque()
        self._answering = ""
        self._wake = asyncio.Event()
        self._begun = False

    def send(self, command: str, command_id: str) -> bool:
        """Put a command behind those that wait; False beyond MAX_WAITING_COMMANDS."""
        if len(self._commands) >= MAX_WAITING_COMMANDS:
            return False
        self._commands.append((command, command_id))
        self._wake.set()
        return True

    async def read(self) -> str | None:
        while not self._commands:
            self._wake.clear()
            await self._wake.wait()
        command, self._answering = self._commands.popleft()
        return command

    async def write(self, text: str) -> None:
        if self._begun:
            self._tell(self._answering, text)
        self._begun = True  # the variables at the beginning are told by an event of their own

    def hung_up(self) -> None:
        return

    async def close(self) -> int:
        return 0
