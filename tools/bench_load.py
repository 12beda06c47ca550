"""Prove that a server carries many registrations and calls at the same time on one core, without a failure.

    python tools/bench_load.py [--phones 10000] [--refresh 60] [--rate 100] [--seconds 120] [--server-core 0]

A server process on one core, its phones and its program on another. Every phone refreshes its registration in turn and
is challenged each time (two REGISTERs); then calls come in as well, are answered by the dialplan and hung up by the
program on StasisStart. A REGISTER or call that is not through in `PATIENCE_S` is a failure. CPU is that of the server's
process, all threads, user and system.
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
from collections import Counter
from hashlib import md5
from pathlib import Path
from typing import Any

import uvloop

from arietta.client import Client

HTTP_PORT, SIP_PORT = 18189, 15170
SERVER = ("127.0.0.1", SIP_PORT)
TRUNK = "127.0.0.2"
PATIENCE_S = 5.0
PASSWORD = "a-well-kept-secret"
FILES = {
    "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={HTTP_PORT}\n",
    "ari.conf": "[general]\nenabled=yes\n[asterisk]\ntype=user\npassword=asterisk\n",
    "rtp.conf": "[general]\nrtpstart=20000\nrtpend=29999\n",
    "logger.conf": "[general]\n[logfiles]\nconsole => warning,error\n",
    "extensions.conf": "[default]\nexten => stasis,1,Answer()\n same => n,Stasis(bench)\n same => n,Hangup()\n",
}
TRUNK_SECTIONS = f"""
[udp]
type=transport
protocol=udp
bind={SERVER[0]}:{SERVER[1]}
[trunk]
type=endpoint
context=default
allow=ulaw
[trunk]
type=identify
endpoint=trunk
match={TRUNK}
"""
PHONE_SECTIONS = """
[{name}]
type=endpoint
context=default
allow=ulaw
auth={name}
aors={name}
[{name}]
type=auth
username={name}
password={password}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
"""
SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


class Load(asyncio.DatagramProtocol):
    """One socket of the load: what is sent by it, and what for each Call-ID comes back."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Queue[str]] = {}
        self.carrier: Any = None
        self.host, self.port = "", 0

    def connection_made(self, transport: Any) -> None:
        self.carrier = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.host, self.port = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        text = data.decode()
        queue = self.waiting.get(field(text, "Call-ID"))
        if queue is not None:
            queue.put_nowait(text)

    def send(self, text: str) -> None:
        """One message to the server."""
        self.carrier.sendto(text.encode(), SERVER)


class Tally:
    """What came of one kind of work."""

    def __init__(self) -> None:
        self.done = 0
        self.failures: Counter[str] = Counter()
        self.times: list[float] = []

    def __str__(self) -> str:
        times = sorted(self.times) or [0.0]
        p50, p99 = statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3
        failed = f"{self.failures.total()} failures {dict(self.failures) or ''}".strip()
        return f"{self.done} done, {failed}; {p50:.1f} ms median, {p99:.1f} ms 99th percentile"


def field(text: str, name: str) -> str:
    """The value of a header field."""
    begin = text.find(f"\r\n{name}: ")
    return text[begin + len(name) + 4 : text.find("\r\n", begin + 2)] if begin >= 0 else ""


async def register(load: Load, number: int, turn: int, tally: Tally) -> None:
    """Refresh the registration of one phone."""
    name, call_id = f"p{number}", f"r{number}@{load.host}"
    queue = load.waiting[call_id] = asyncio.Queue()
    credentials, began = "", time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            for attempt in (1, 2):
                load.send(
                    f"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {load.host}:{load.port};rport;"
                    f"branch=z9hG4bK{number}x{turn}x{attempt}\r\nMax-Forwards: 70\r\n"
                    f"From: <sip:{name}@127.0.0.1>;tag={number}t\r\nTo: <sip:{name}@127.0.0.1>\r\n"
                    f"Call-ID: {call_id}\r\nCSeq: {2 * turn + attempt} REGISTER\r\n"
                    f"Contact: <sip:{name}@{load.host}:{load.port};p={number}>\r\nExpires: 120\r\nUser-Agent: bench\r\n"
                    f"{credentials}Content-Length: 0\r\n\r\n"
                )
                answer = await queue.get()
                if answer.startswith("SIP/2.0 200"):
                    tally.done += 1
                    tally.times.append(time.perf_counter() - began)
                    return
                nonce = answer.partition('nonce="')[2].partition('"')[0]
                proof = digest(
                    f"{digest(f'{name}:asterisk:{PASSWORD}')}:{nonce}:00000001:c:auth:{digest('REGISTER:sip:a')}"
                )
                credentials = (
                    f'Authorization: Digest username="{name}", realm="asterisk", nonce="{nonce}", uri="sip:a", '
                    f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\r\n'
                )
        tally.failures[answer.partition("\r\n")[0]] += 1
    except TimeoutError:
        tally.failures["no answer"] += 1
    finally:
        del load.waiting[call_id]


def digest(text: str) -> str:
    """RFC 2617."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


async def call(load: Load, number: int, tally: Tally) -> None:
    """Call, be answered, be hung up."""
    call_id = f"c{number}@{load.host}"
    queue = load.waiting[call_id] = asyncio.Queue()
    body, began = SDP.format(host=load.host), time.perf_counter()
    head = (
        f"Max-Forwards: 70\r\nFrom: <sip:bench@{load.host}>;tag={number}c\r\nCall-ID: {call_id}\r\n"
        f"Contact: <sip:bench@{load.host}:{load.port}>\r\n"
    )
    via = f"Via: SIP/2.0/UDP {load.host}:{load.port};rport;branch=z9hG4bKc{number}"
    stage = "no answer to the INVITE"
    try:
        async with asyncio.timeout(PATIENCE_S):
            load.send(
                f"INVITE sip:stasis@127.0.0.1 SIP/2.0\r\n{via}\r\nTo: <sip:stasis@127.0.0.1>\r\n{head}"
                f"CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            )
            while not (answer := await queue.get()).startswith("SIP/2.0 2"):
                if not answer.startswith("SIP/2.0 1"):
                    tally.failures[answer.partition("\r\n")[0]] += 1
                    return
            tally.times.append(time.perf_counter() - began)
            stage = "no BYE"
            load.send(
                f"ACK sip:stasis@127.0.0.1:{SIP_PORT} SIP/2.0\r\n{via}a\r\nTo: {field(answer, 'To')}\r\n{head}"
                "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
            )
            while not (bye := await queue.get()).startswith("BYE "):
                pass
            fields = "".join(f"{name}: {field(bye, name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
            load.send(f"SIP/2.0 200 OK\r\n{fields}Content-Length: 0\r\n\r\n")
            tally.done += 1
    except TimeoutError:
        tally.failures[stage] += 1
    finally:
        del load.waiting[call_id]


async def at_rate(rate: float, seconds: float, work: Any, first: int = 0) -> None:
    """Begin `work(number)` so often, whatever comes of it; then wait for what is under way."""
    async with asyncio.TaskGroup() as tasks:
        began = time.perf_counter()
        for count in range(int(rate * seconds)):
            delay = began + count / rate - time.perf_counter()
            if delay > 0.001:
                await asyncio.sleep(delay)
            tasks.create_task(work(first + count))


async def hang_up_all(ari: Client) -> None:
    """The program: every channel is hung up as soon as it comes."""
    async with asyncio.TaskGroup() as tasks:
        async for event in ari.events("bench"):
            if type(event).__name__ == "StasisStart":
                tasks.create_task(ari.channels.hangup(channel_id=event.channel.id))  # type: ignore[attr-defined]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(pid: int, options: argparse.Namespace) -> bool:
    """Register all, refresh all, then calls besides; True without a failure."""
    loop = asyncio.get_running_loop()
    _, phones = await loop.create_datagram_endpoint(Load, local_addr=("127.0.0.1", 0))
    _, trunk = await loop.create_datagram_endpoint(Load, local_addr=(TRUNK, 0))
    turns: Counter[int] = Counter()

    def refresh(tally: Tally, rate: float, seconds: float) -> Any:
        async def one(number: int) -> None:
            turns[number] += 1
            await register(phones, number, turns[number], tally)

        async def each(count: int) -> None:
            await one(count % options.phones)

        return at_rate(rate, seconds, each)

    first, alone, beside, calls = Tally(), Tally(), Tally(), Tally()
    rate = options.phones / options.refresh
    fast = min(1000.0, options.phones / 2)
    await refresh(first, fast, options.phones / fast)
    print(f"{options.phones} phones register: {first}", flush=True)
    before = cpu_seconds(pid)
    await refresh(alone, rate, min(options.seconds, options.refresh))
    used = cpu_seconds(pid) - before
    each = used / max(1, alone.done)
    print(f"refreshed at {rate:.0f}/s: {alone}; {each * 1e6:.0f} µs of CPU each (two REGISTERs)", flush=True)
    async with Client(f"http://127.0.0.1:{HTTP_PORT}/ari", "asterisk", "asterisk") as ari:
        program = asyncio.create_task(hang_up_all(ari))
        await asyncio.sleep(1)
        before, began = cpu_seconds(pid), time.perf_counter()
        await asyncio.gather(
            refresh(beside, rate, options.seconds),
            at_rate(options.rate, options.seconds, lambda number: call(trunk, number, calls)),
        )
        used, took = cpu_seconds(pid) - before, time.perf_counter() - began
        program.cancel()
        await asyncio.gather(program, return_exceptions=True)
    print(f"refreshed beside calls: {beside}")
    print(f"calls at {options.rate:.0f}/s: {calls}")
    of_calls = (used - each * beside.done) / max(1, calls.done)
    print(f"{used / took * 100:.0f} % of a core; {of_calls * 1e3:.2f} ms of CPU a call besides the refreshing")
    return not any(tally.failures for tally in (first, alone, beside, calls))


def main() -> None:
    """Start the server, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--refresh", type=float, default=60.0, help="seconds between two registrations of a phone")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.load_core})
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text)
        phones = (PHONE_SECTIONS.format(name=f"p{n}", password=PASSWORD) for n in range(options.phones))
        Path(folder, "pjsip.conf").write_text(TRUNK_SECTIONS + "".join(phones))
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
            whole = uvloop.run(measure(server.pid, options))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    print("no failure" if whole else "FAILURES")
    raise SystemExit(0 if whole else 1)


if __name__ == "__main__":
    main()
