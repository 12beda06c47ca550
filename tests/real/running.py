"""A server in a process of its own, and the programs that talk to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from arietta.testing import AriClient

T = TypeVar("T")

HOST = "127.0.0.1"
ARIETTA = Path(sys.executable).with_name("arietta")
SIPP = Path(__file__).parent / "sipp"
PASSWORD = "phone-secret"
START_WITHIN_S = 20
STOP_WITHIN_S = 20
DRAIN_S = 2


def free_port(*kinds: socket.SocketKind) -> int:
    """A port of loopback that nobody has, for all these kinds of socket."""
    for _ in range(100):
        with contextlib.ExitStack() as stack:
            port = 0
            try:
                for kind in kinds:
                    probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind((HOST, port))
                    port = probe.getsockname()[1]
            except OSError:
                continue
            return port
    raise OSError("no port of loopback is free")


def until(look: Callable[[], T | None], what: str, within: float = 20.0) -> T:
    """Look again and again until there is something; AssertionError when there is nothing in time."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s"
        time.sleep(0.05)


@dataclass
class RunningServer:
    """`arietta run -C folder`, with its log in a file."""

    folder: Path
    http_port: int
    sip_port: int
    answering_port: int
    """Where the endpoint `answering` takes its calls."""
    user: str = "asterisk"
    password: str = "asterisk"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def state(self) -> Path:
        """Where the server writes."""
        return self.folder.parent / "state"

    @property
    def log_file(self) -> Path:
        """What it printed, over all its lives."""
        return self.folder.parent / "server.log"

    @property
    def log(self) -> str:
        """The same, as text."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def base(self) -> str:
        """The URL of its web server."""
        return f"http://{HOST}:{self.http_port}"

    def start(self) -> None:
        """Start it, and wait until it answers a ping."""
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [ARIETTA, "run", "-C", self.folder, "--state-dir", self.state, "-v", "3", "--drain", str(DRAIN_S)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        until(self._answers, "an answer to the first ping", START_WITHIN_S)

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, f"the server ended:\n{self.log}"
        try:
            return self.get("/ari/asterisk/ping")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        """One GET over a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.http_port, timeout=10)
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        try:
            connection.request("GET", path, headers={"Authorization": f"Basic {credentials}"})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, within: float = STOP_WITHIN_S) -> int:
        """Wait for its end; gives the exit code."""
        assert self.process is not None
        return self.process.wait(within)

    def stop(self) -> int | None:
        """End it if it runs; gives the exit code, None when it had to be killed."""
        process = self.process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def console(self, line: str, expect: int = 0) -> str:
        """What `arietta console -x` prints, when it ends with this exit code."""
        done = run_arietta("console", "-C", self.folder, "--state-dir", self.state, "-x", line)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def ari(self) -> AriClient:
        """A client with its own connection; to be used in `async with`."""
        return AriClient(HOST, self.http_port, self.user, self.password, within=20)

    @property
    def sip(self) -> tuple[str, int]:
        """Where phones register."""
        return HOST, self.sip_port

    def resident_kib(self) -> int:
        """The memory it has."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1])

    def udp_ports(self) -> set[int]:
        """The local ports of the UDP sockets it has open."""
        assert self.process is not None
        return udp_ports(self.process.pid)

    def open_sockets(self) -> int:
        """How many sockets it has open."""
        assert self.process is not None
        return len(socket_inodes(self.process.pid))


def udp_ports(pid: int) -> set[int]:
    """The local ports of the UDP sockets that a process has open."""
    inodes = socket_inodes(pid)
    return {port for inode, port in _sockets("udp") if inode in inodes}


def socket_inodes(pid: int) -> set[str]:
    """What the sockets of a process are known by."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                found.add(target[len("socket:[") : -1])
    return found


def _sockets(protocol: str) -> list[tuple[str, int]]:
    """The inode and local port of every IPv4 socket of the machine."""
    lines = Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]
    return [(fields[9], int(fields[1].rsplit(":", 1)[1], 16)) for fields in map(str.split, lines)]


async def eventually(look: Callable[[], Awaitable[bool] | bool], what: str, within: float = 20.0) -> None:
    """Look again and again until it is so; AssertionError when it is not so in time."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s"
        await asyncio.sleep(0.05)


async def assert_nothing_left(server: RunningServer, app: AriClient) -> None:
    """Soon there is no channel, no bridge and no RTP port, and of HTTP only what this client has open."""
    deadline = time.monotonic() + 20
    while True:
        left = {
            "channels": [channel["name"] for channel in (await app.get("/channels")).json],
            "bridges": [bridge["id"] for bridge in (await app.get("/bridges")).json],
            "UDP ports": sorted(server.udp_ports() - {server.sip_port}),
        }
        if not any(left.values()):
            return
        assert time.monotonic() < deadline, f"left after the story: {left}"
        await asyncio.sleep(0.05)


def run_arietta(*arguments: str | Path, within: float = 20) -> subprocess.CompletedProcess[str]:
    """Run a command of `arietta` to its end."""
    return subprocess.run([ARIETTA, *arguments], capture_output=True, text=True, timeout=within, check=False)


class Sipp:
    """One run of sipp: `async with Sipp(server, "caller.xml", ...)`; it must end with 0."""

    def __init__(self, server: RunningServer, scenario: str, *more: str, service: str = "1000", port: int = 0) -> None:
        self.server = server
        self.folder = server.folder.parent / f"sipp-{scenario}"
        port = port or free_port(socket.SOCK_DGRAM)
        self.command = ["sipp", f"{HOST}:{server.sip_port}", "-sf", str(SIPP / scenario), "-s", service, "-i", HOST]
        self.command += ["-p", str(port), "-m", "1", "-nostdin", "-timeout", "40", "-timeout_error", "-trace_msg"]
        self.command += ["-trace_err", "-au", "6002", "-ap", PASSWORD, *more]
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Sipp:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "output").open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def succeeded(self, within: float = 30) -> None:
        """Wait until the scenario is over; AssertionError with what sipp says when it went another way."""
        assert self.process is not None
        async with asyncio.timeout(within):
            code = await self.process.wait()
        assert code == 0, f"sipp ended with {code}\n{self.told()}"

    def told(self) -> str:
        """Its errors and messages."""
        files = sorted(self.folder.glob("*_errors.log")) + sorted(self.folder.glob("*_messages.log"))
        return "\n".join(file.read_text(errors="replace")[-8000:] for file in files)
