"""CPU time of the HTTP front: a GET with Basic authentication, and one event to many sockets.

    python tools/bench_http.py [get | fanout | both] [--seconds 3] [--loop uvloop | asyncio]

`get` needs the program wrk. The server is a process of its own; its CPU time, user and system, is what counts.
`fanout` compares an event written at once with events of one turn of the loop joined into one write.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from arietta.http import (
    Accept,
    AriFront,
    FrontOptions,
    HttpOptions,
    HttpServer,
    MountTable,
    Request,
    Response,
    User,
    Users,
    WebSocketConnection,
    text_frame,
)

BODY = b'{"ping":"pong","timestamp":"2026-11-21T12:34:56.789+0000","asterisk_id":"00:11:22:33:44:55","x":"pad"}'
EVENT = text_frame(b'{"type":"ChannelDtmfReceived","padding":"' + b"x" * 700 + b'"}')


class TrivialApi:
    """One operation, and sockets that are kept in a list."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketConnection] = []

    def handle(self, request: Request) -> Response | None:
        """Answer GET /asterisk/ping."""
        if request.rest == "/asterisk/ping":
            return Response(200, BODY, "application/json")
        return None

    def allowed_methods(self, path: str) -> tuple[str, ...] | None:
        """There is one path."""
        return ("GET",) if path == "/asterisk/ping" else None

    def websocket(self, request: Request) -> Accept | Response:
        """Take every socket."""
        return Accept(self.sockets.append)


def make_server() -> tuple[HttpServer, TrivialApi]:
    """A server as it is used, but for its operations."""
    api = TrivialApi()
    front = AriFront(api, Users([User("asterisk", "asterisk")]), FrontOptions())
    return HttpServer(MountTable({"/ari": front}), HttpOptions("Arietta/bench", session_limit=10_000)), api


def run(loop_name: str, main: Coroutine[Any, Any, None]) -> None:
    """Run on the named loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if loop_name == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def serve(port_pipe: int) -> None:
    """The server process of `get`."""
    server, _ = make_server()
    (address,) = await server.start("127.0.0.1", 0)
    os.write(port_pipe, str(address.port).encode())
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await server.stop(0)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bench_get(loop_name: str, seconds: int) -> None:
    """wrk with 16 connections against the server process."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is not installed")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        run(loop_name, serve(writer))
        os._exit(0)
    port = int(os.read(reader, 16))
    credentials = base64.b64encode(b"asterisk:asterisk").decode()
    command = [wrk, "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: Basic {credentials}"]
    before = cpu_seconds(pid)
    output = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/ari/asterisk/ping"], capture_output=True, text=True, check=True
    ).stdout
    used = cpu_seconds(pid) - before
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    match = re.search(r"(\d+) requests in", output)
    if match is None or "Non-2xx" in output:
        sys.exit(output)
    count = int(match[1])
    print(f"GET on {loop_name}: {used / count * 1e6:.2f} µs of CPU each, {count / seconds:.0f} a second")


async def until(condition: Callable[[], bool]) -> None:
    """Wait, without using much CPU for it."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.0005)


async def fanout(seconds: float, joined: bool, sockets: int, burst: int) -> None:
    """Send bursts of an event to many sockets whose far ends are read by another process."""
    server, api = make_server()
    (address,) = await server.start("127.0.0.1", 0)
    pid = os.fork()
    if pid == 0:
        read_sockets(address.port, sockets)
        os._exit(0)
    await until(lambda: len(api.sockets) == sockets)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    sent = 0
    while time.perf_counter() - began < seconds:
        for _ in range(burst):
            for connection in api.sockets:
                connection.send_frame(EVENT)
                if not joined:
                    connection.flush()
        sent += burst * sockets
        await asyncio.sleep(0)
        await until(lambda: not any(connection.buffered_bytes for connection in api.sockets))
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    how = "joined into one write" if joined else "written at once"
    print(f"  {burst} at a time to {sockets} sockets, {how}: {used / sent * 1e6:.2f} µs of CPU a frame")
    await server.stop(0)
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(os.waitpid, pid, 0)


def read_sockets(port: int, count: int) -> None:
    """Open event sockets and read what comes."""
    import selectors

    selector = selectors.DefaultSelector()
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(
            b"GET /ari/events?app=a&api_key=asterisk:asterisk HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv(1 << 20):
                return


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("get", "fanout", "both"), nargs="?", default="both")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    options = parser.parse_args()
    if options.what != "fanout":
        bench_get(options.loop, options.seconds)
    if options.what != "get":
        print(f"events on {options.loop}:")
        for burst in (1, 10):
            for joined in (False, True):
                run(options.loop, fanout(options.seconds, joined, 100, burst))


if __name__ == "__main__":
    main()
