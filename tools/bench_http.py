"""CPU time of the HTTP front: a GET with Basic authentication, a list of channels, and one event to many sockets.

    python tools/bench_http.py [get | list | fanout | all] [--seconds 3] [--channels 1000] [--loop uvloop | asyncio]

`get` and `list` need the program wrk. The server is a process of its own; its CPU time, user and system, is what
counts. `list` asks a whole server for all its channels, first as they are, then with a change of one before each list.
`fanout` compares an event written at once with events of one turn of the loop joined into one write.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import inspect
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from arietta.ari.over_socket import SocketRequest
from arietta.config.tree import load
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
from arietta.server import Server

CONFIGURATION = {
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=18188\n",
    "ari.conf": "[general]\nenabled=yes\n[asterisk]\ntype=user\npassword=asterisk\n",
}
CHANGE_AND_LIST = """
local turn = 0
request = function()
  turn = turn + 1
  if turn % 2 == 1 then return wrk.format("POST", "/ari/channels/CHANNEL/variable?variable=A&value=" .. turn) end
  return wrk.format("GET", "/ari/channels")
end
"""
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


class Nobody:
    """Takes the events of an application."""

    def send(self, payload: bytes) -> None:
        """Drop one."""


def write_configuration(folder: str) -> None:
    """A server of the REST interface alone."""
    for name, text in CONFIGURATION.items():
        Path(folder, name).write_text(text)


async def serve_channels(port_pipe: int, count: int) -> None:
    """The server process of `list`: a whole server with so many channels, two for each Local one."""
    with tempfile.TemporaryDirectory() as folder:
        write_configuration(folder)
        server = Server(load(Path(folder), {"XDG_STATE_HOME": folder}))
        await server.start()
        server.applications.register("bench", Nobody())
        for _ in range(count // 2):
            order = SocketRequest("POST", "/channels/create", "endpoint=Local/1@default&app=bench", None, b"")
            answer = server.api.handle(order)
            if inspect.isawaitable(answer):
                answer = await answer
            assert answer.status == 200, answer
        assert len(server.channels) == count, f"{len(server.channels)} channels"
        (some, *_) = server.channels
        os.write(port_pipe, f"{server.http.addresses[0].port} {some.id}".encode())
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()
        os._exit(0)  # a thousand goodbyes are not measured


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bench_get(loop_name: str, seconds: int) -> None:
    """The cheapest operation."""
    with served(loop_name, serve) as (pid, port):
        count, used = wrk(pid, seconds, f"http://127.0.0.1:{port}/ari/asterisk/ping")
    print(f"GET on {loop_name}: {used / count * 1e6:.2f} µs of CPU each, {count / seconds:.0f} a second")


def bench_list(loop_name: str, seconds: int, channels: int) -> None:
    """The list of all channels."""
    with served(loop_name, lambda pipe: serve_channels(pipe, channels)) as (pid, place):
        port, channel = place.split()
        count, used = wrk(pid, seconds, f"http://127.0.0.1:{port}/ari/channels")
        print(f"GET of {channels} channels on {loop_name}: {used / count * 1e6:.0f} µs of CPU each")
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(CHANGE_AND_LIST.replace("CHANNEL", channel))
            script.flush()
            count, used = wrk(pid, seconds, f"http://127.0.0.1:{port}/", "-s", script.name)
        print(f"  with a change of one before it: {used / (count / 2) * 1e6:.0f} µs of CPU for both")


@contextlib.contextmanager
def served(loop_name: str, server: Callable[[int], Coroutine[Any, Any, None]]) -> Iterator[tuple[int, str]]:
    """A server process, and what it says of itself when it is ready."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        run(loop_name, server(writer))
        os._exit(0)
    os.close(writer)
    try:
        yield pid, os.read(reader, 200).decode()
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        os.close(reader)


def wrk(pid: int, seconds: int, url: str, *options: str) -> tuple[int, float]:
    """Requests that wrk made over 16 connections, and CPU seconds of the server process for them."""
    program = shutil.which("wrk")
    if program is None:
        sys.exit("wrk is not installed")
    credentials = base64.b64encode(b"asterisk:asterisk").decode()
    command = [program, "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: Basic {credentials}", *options, url]
    before = cpu_seconds(pid)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    match = re.search(r"(\d+) requests in", output)
    if match is None or "Non-2xx" in output:
        sys.exit(output)
    return int(match[1]), used


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
    parser.add_argument("what", choices=("get", "list", "fanout", "all"), nargs="?", default="all")
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    options = parser.parse_args()
    if options.what in ("get", "all"):
        bench_get(options.loop, options.seconds)
    if options.what in ("list", "all"):
        bench_list(options.loop, options.seconds, options.channels)
    if options.what in ("fanout", "all"):
        print(f"events on {options.loop}:")
        for burst in (1, 10):
            for joined in (False, True):
                run(options.loop, fanout(options.seconds, joined, 100, burst))


if __name__ == "__main__":
    main()
