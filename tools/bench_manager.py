"""Measure what manager events cost a call: the same calls with nobody listening, and with sessions that take all.

    python tools/bench_manager.py [--rate 100] [--seconds 10] [--rounds 3] [--sessions 1]

A server process on one core, its callers, its program and its manager clients on another. Each call is answered by the
dialplan and hung up by the program on StasisStart. CPU is that of the server's process, all threads, user and system.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from arietta.client import Client
from bench_load import FILES, HTTP_PORT, TRUNK, TRUNK_SECTIONS, Load, Tally, at_rate, call, cpu_seconds, hang_up_all

MANAGER_PORT = 15039
SECRET = "a-well-kept-secret"
MANAGER = (
    f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nport={MANAGER_PORT}\n[bench]\nsecret={SECRET}\nread=all\nwrite=all\n"
)


class Listener(asyncio.Protocol):
    """A client of the manager interface that logs in and counts what it is told."""

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0

    def connection_made(self, transport: Any) -> None:
        transport.write(f"Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        self.events += data.count(b"\nEvent: ") + data.startswith(b"Event: ")


async def measure(pid: int, options: argparse.Namespace) -> None:
    """Rounds of calls, in turn without and with manager sessions."""
    loop = asyncio.get_running_loop()
    _, trunk = await loop.create_datagram_endpoint(Load, local_addr=(TRUNK, 0))
    figures: dict[bool, list[float]] = {False: [], True: []}
    told = bytes_told = calls = 0
    async with Client(f"http://127.0.0.1:{HTTP_PORT}/ari", "asterisk", "asterisk") as ari:
        program = asyncio.create_task(hang_up_all(ari))
        await asyncio.sleep(1)
        for turn in range(2 * options.rounds + 1):
            listening = turn % 2 == 0
            pairs = [
                await loop.create_connection(Listener, "127.0.0.1", MANAGER_PORT)
                for _ in range(options.sessions if listening else 0)
            ]
            await asyncio.sleep(0.5)
            tally = Tally()
            first = turn * int(options.rate * options.seconds)
            before = cpu_seconds(pid)
            await at_rate(options.rate, options.seconds, lambda number, t=tally: call(trunk, number, t), first)  # type: ignore[misc]
            await asyncio.sleep(0.5)
            cost = (cpu_seconds(pid) - before) / max(1, tally.done)
            if turn:  # the first round warms up
                figures[listening].append(cost)
                if listening:
                    calls += tally.done
                    told += sum(listener.events for _, listener in pairs)
                    bytes_told += sum(listener.bytes for _, listener in pairs)
            print(f"{len(pairs)} sessions: {tally}; {cost * 1e3:.3f} ms of CPU a call", flush=True)
            for transport, _ in pairs:
                transport.close()
            await asyncio.sleep(0.5)
        program.cancel()
        await asyncio.gather(program, return_exceptions=True)
    without, with_them = statistics.median(figures[False]), statistics.median(figures[True])
    more_us, calls = (with_them - without) * 1e6, max(1, calls)
    print(f"a call: {without * 1e3:.3f} ms without, {with_them * 1e3:.3f} ms with {options.sessions} sessions")
    print(f"{more_us:.0f} µs for {told / calls:.1f} events of {bytes_told / calls:.0f} bytes together")


def main() -> None:
    """Start the server, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.load_core})
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**FILES, "manager.conf": MANAGER, "pjsip.conf": TRUNK_SECTIONS}.items():
            Path(folder, name).write_text(text)
        command = [Path(sys.executable).with_name("arietta"), "run", "--drain", "1"]
        server = subprocess.Popen(
            [*command, "-C", folder, "--state-dir", f"{folder}/state"],
            preexec_fn=lambda: os.sched_setaffinity(0, {options.server_core}),
        )
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", HTTP_PORT)) == 0:
                        break
                if server.poll() is not None:
                    raise SystemExit("the server did not start")
                time.sleep(0.1)
            uvloop.run(measure(server.pid, options))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


if __name__ == "__main__":
    main()
