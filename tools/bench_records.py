"""Measure what records of calls (CDR) and the log of channels (CEL) cost a call: the same calls with and without.

    python tools/bench_records.py [--rate 100] [--seconds 10] [--rounds 3]

A server process on one core, its callers and its program on another; between two rounds the server reads its files
again. Each call is answered by the dialplan and hung up by the program on StasisStart. CPU is that of the server's
process, all threads, user and system, writing to the disk included.
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

import uvloop

from arietta.client import Client
from bench_load import FILES, HTTP_PORT, TRUNK, TRUNK_SECTIONS, Load, Tally, at_rate, call, cpu_seconds, hang_up_all

KINDS: dict[str, dict[str, str]] = {
    "nothing": {},
    "records of calls, a line of CSV each": {"cdr.conf": "[general]\nenable=yes\n[csv]\nnewcdrcolumns=yes\n"},
    "the log of channels, all events, a line of CSV each": {
        "cel.conf": "[general]\nenable=yes\napps=all,stasis,answer\nevents=ALL\n",
        "cel_custom.conf": "[mappings]\nMaster.csv => ${CSV_QUOTE(${eventtype})},${CSV_QUOTE(${eventtime})},"
        "${CSV_QUOTE(${CALLERID(num)})},${CSV_QUOTE(${CHANNEL(exten)})},${CSV_QUOTE(${CHANNEL(context)})},"
        "${CSV_QUOTE(${CHANNEL(channame)})},${CSV_QUOTE(${CHANNEL(appname)})},${CSV_QUOTE(${CHANNEL(uniqueid)})},"
        "${CSV_QUOTE(${CHANNEL(linkedid)})},${CSV_QUOTE(${BRIDGEPEER})},${CSV_QUOTE(${eventextra})}\n",
    },
}
NAMES = tuple(sorted({name for files in KINDS.values() for name in files}))


ARIETTA = Path(sys.executable).with_name("arietta")


def at(folder: Path) -> tuple[str | Path, ...]:
    """Which server is meant."""
    return "-C", folder, "--state-dir", folder / "state"


def install(folder: Path, kind: str) -> None:
    """Have the files of a kind in the folder, and those of no other."""
    for name in NAMES:
        text = KINDS[kind].get(name)
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(text)


async def measure(pid: int, folder: Path, options: argparse.Namespace) -> None:
    """Rounds of calls, with each kind in turn."""
    loop = asyncio.get_running_loop()
    _, trunk = await loop.create_datagram_endpoint(Load, local_addr=(TRUNK, 0))
    figures: dict[str, list[float]] = {kind: [] for kind in KINDS}
    async with Client(f"http://127.0.0.1:{HTTP_PORT}/ari", "asterisk", "asterisk") as ari:
        program = asyncio.create_task(hang_up_all(ari))
        await asyncio.sleep(1)
        for turn, kind in enumerate(["nothing", *KINDS] + [*KINDS] * (options.rounds - 1)):
            install(folder, kind)
            await asyncio.to_thread(subprocess.run, [ARIETTA, "console", *at(folder), "-x", "core reload"], check=True)
            await asyncio.sleep(0.5)
            tally = Tally()
            first = turn * int(options.rate * options.seconds)
            before = cpu_seconds(pid)
            await at_rate(options.rate, options.seconds, lambda number, t=tally: call(trunk, number, t), first)  # type: ignore[misc]
            await asyncio.sleep(0.5)
            cost = (cpu_seconds(pid) - before) / max(1, tally.done)
            if turn:  # the first round warms up
                figures[kind].append(cost)
            print(f"{kind}: {tally}; {cost * 1e3:.3f} ms of CPU a call", flush=True)
        program.cancel()
        await asyncio.gather(program, return_exceptions=True)
    without = statistics.median(figures["nothing"])
    for kind, costs in figures.items():
        print(
            f"{kind}: {statistics.median(costs) * 1e3:.3f} ms, {(statistics.median(costs) - without) * 1e6:.0f} µs more"
        )


def main() -> None:
    """Start the server, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.load_core})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in {**FILES, "pjsip.conf": TRUNK_SECTIONS}.items():
            (folder / file).write_text(text)
        server = subprocess.Popen(
            [ARIETTA, "run", "--drain", "1", *at(folder)],
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
            uvloop.run(measure(server.pid, folder, options))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


if __name__ == "__main__":
    main()
