"""The control socket of a running server: one JSON object per line, each way.

    request  {"command": "core show channels"}   reply  {"output": "...", "status": 0}
    request  {"complete": "core sh"}             reply  {"completions": ["show"]}
    request  {"follow": 3}                       reply  {"output": "", "status": 0}, then without being asked
                                                        {"kind": "verbose", "line": "..."} and {"lost": 12}

Replies come in the order of the requests. `follow` takes the verbose level up to which calls are told; `null` ends it.
Only the owner of the server and root may talk to it: the folder and the socket are theirs alone, and the kernel is
asked who connected where it can tell (SO_PEERCRED).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import struct
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from arietta.cli.commands.registry import Console
from arietta.errors import AriettaError

log = logging.getLogger(__name__)

SOCKET_NAME = "arietta.ctl"
MAX_PATH_BYTES = 107  # sun_path of sockaddr_un with its closing zero, Linux unix(7)
MAX_REQUEST_BYTES = 65_536
MAX_CONNECTIONS = 32
MAX_LINES_WAITING = 1_000
CONNECT_TIMEOUT_S = 2.0


class ControlError(AriettaError):
    """The control socket cannot be opened, or nobody answers on it."""


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """One request; exactly one of its fields is set."""

    command: str | msgspec.UnsetType = msgspec.UNSET
    complete: str | msgspec.UnsetType = msgspec.UNSET
    follow: int | msgspec.UnsetType | None = msgspec.UNSET


class ControlServer:
    """Listens on the control socket and answers each connection."""

    def __init__(self, path: Path, console: Console) -> None:
        self.path = path
        self._console = console
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._inode: tuple[int, int] | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def claim(self) -> None:
        """Take the socket, connections wait until `start`.

        A socket that a dead server left is replaced; a living one, and whatever the system refuses, is a ControlError.
        """
        self._listener = listen(self.path)
        self._inode = _identity(self.path)

    async def start(self) -> None:
        """Answer connections."""
        if self._listener is None:
            self.claim()
        listener, self._listener = self._listener, None
        self._server = await asyncio.start_unix_server(self._accept, sock=listener, limit=MAX_REQUEST_BYTES)

    async def stop(self) -> None:
        """Stop listening, close every connection, remove the socket unless another server has put its own there."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._inode is not None and _identity(self.path) == self._inode:
            self.path.unlink(missing_ok=True)
        self._inode = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not _is_ours(writer) or len(self._connections) >= MAX_CONNECTIONS:
            log.warning("a connection to the control socket %s is refused", self.path)
            writer.close()
            return
        self._connections[task] = writer
        connection = _Connection(self._console, reader, writer)
        try:
            await connection.serve()
        except (OSError, asyncio.CancelledError):
            pass  # the console is gone, or the server stops; either way the connection ends here
        finally:
            connection.close()
            del self._connections[task]


class _Connection:
    """One console."""

    def __init__(self, console: Console, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._console = console
        self._reader = reader
        self._writer = writer
        self._waiting: deque[bytes] = deque()
        self._lost = 0
        self._level = 0
        self._wake = asyncio.Event()
        self._unfollow: Callable[[], None] | None = None
        self._pump_task: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer requests until the console goes."""
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                await self._send({"output": f"a request is longer than {MAX_REQUEST_BYTES} bytes", "status": 1})
                return
            await self._send(await self._answer(line))

    def close(self) -> None:
        """End the following and the connection."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        if self._pump_task is not None:
            self._pump_task.cancel()
        self._writer.close()

    async def _answer(self, line: bytes) -> object:
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.DecodeError as failure:
            return {"output": f"not a request: {failure}", "status": 1}
        commands = self._console.commands
        try:
            if request.command is not msgspec.UNSET:
                reply = await commands.run(self._console, request.command)
                return {"output": reply.output, "status": reply.status}
            if request.complete is not msgspec.UNSET:
                return {"completions": commands.complete(self._console, request.complete)}
            if request.follow is not msgspec.UNSET:
                self._follow(request.follow)
                return {"output": "", "status": 0}
        except Exception:
            log.exception("a console request failed: %s", line.decode("utf-8", "replace").strip())
            return {"output": "The command failed; the server's log tells why.", "status": 1}
        return {"output": "not a request: it has none of command, complete and follow", "status": 1}

    def _follow(self, level: int | None) -> None:
        if level is None:
            if self._unfollow is not None:
                self._unfollow()
                self._unfollow = None
            return
        self._level = level
        if self._unfollow is None:
            self._unfollow = self._console.logs.follow(self._take)
        if self._pump_task is None:
            self._pump_task = asyncio.get_running_loop().create_task(self._pump(), name="console follower")

    def _take(self, kind: str, level: int, line: str) -> None:
        """Queue one line; when the console is too slow the line is lost, and counted."""
        if level > self._level:
            return
        if len(self._waiting) >= MAX_LINES_WAITING:
            self._lost += 1
        else:
            self._waiting.append(msgspec.json.encode({"kind": kind, "line": line}))
        self._wake.set()

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting or self._lost:
                batch = [self._waiting.popleft() for _ in range(min(100, len(self._waiting)))]
                if not self._waiting and self._lost:
                    batch.append(msgspec.json.encode({"lost": self._lost}))
                    self._lost = 0
                self._writer.write(b"".join(entry + b"\n" for entry in batch))
                try:
                    await self._writer.drain()
                except OSError:
                    return

    async def _send(self, message: object) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")
        await self._writer.drain()


def listen(path: Path) -> socket.socket:
    """A listening socket at `path` that only its owner can open; raises ControlError."""
    _check_length(path)
    try:
        _make_folder(path.parent)
        if _answers(path):
            raise ControlError(f"another Arietta is running on {path}")
        if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
            raise ControlError(f"{path} is in the way: it is not a socket")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
            listener.listen(MAX_CONNECTIONS)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
    except OSError as failure:
        raise ControlError(f"the control socket {path} cannot be opened: {failure.strerror or failure}") from None
    listener.setblocking(False)
    return listener


def connect(path: Path) -> socket.socket:
    """A connection to the server behind `path`; raises ControlError when none answers."""
    _check_length(path)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_TIMEOUT_S)
    try:
        connection.connect(str(path))
    except FileNotFoundError:
        connection.close()
        raise ControlError(f"no server is running: there is no control socket {path}") from None
    except ConnectionRefusedError:
        connection.close()
        raise ControlError(f"no server is running: nobody answers on {path}") from None
    except OSError as failure:
        connection.close()
        raise ControlError(f"the control socket {path} cannot be used: {failure.strerror or failure}") from None
    return connection


def _check_length(path: Path) -> None:
    size = len(os.fsencode(path))
    if size > MAX_PATH_BYTES:
        raise ControlError(
            f"the control socket {path} has a path of {size} bytes, the limit is {MAX_PATH_BYTES}:"
            " name a shorter astrundir in asterisk.conf"
        )


def _make_folder(folder: Path) -> None:
    """Make the folder for its owner alone; one that exists must not be open to the whole world's writing."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.geteuid() and _is_private_place(folder):
        folder.chmod(0o700)
    elif found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise ControlError(f"the folder {folder} of the control socket can be written by everybody")


def _is_private_place(folder: Path) -> bool:
    """Whether nothing but the control socket and process id files are in it, so that closing it harms nobody."""
    return all(entry.name.startswith(("arietta.", "asterisk.")) for entry in folder.iterdir())


def _answers(path: Path) -> bool:
    """Whether somebody listens there; a socket that may not be tried is an OSError."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(CONNECT_TIMEOUT_S)
    try:
        probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except TimeoutError:
        return True  # it listens, but is too busy to accept
    finally:
        probe.close()
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether the peer runs as our user or as root, as far as the platform tells."""
    connection = writer.get_extra_info("socket")
    if connection is None or not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _process, user, _group = struct.unpack("3i", credentials)
    return user in (0, os.geteuid())
