"""Calls come and go over a lossy network for as long as is asked for: nothing grows.

ARIETTA_SOAK_SECONDS says how long; half an hour before a release.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from arietta.media.choosing import make_engine
from arietta.media.engine import (
    DigitOut,
    EngineSettings,
    Files,
    MediaEngine,
    Music,
    PlayEnd,
    RecordEnd,
    RtpPort,
    RtpSettings,
    Side,
)
from arietta.media.native import why_not
from arietta.rtp import RtpPacket

SECONDS = float(os.environ.get("ARIETTA_SOAK_SECONDS", "12"))
CALLS = 25
"""At a time, of two legs each."""
LOSS = 0.05
MOST_GROWTH_KB = 6 * 1024
"""From the first quarter to the end, both without calls: what malloc keeps for itself varies by a few MB."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(SECONDS * 2 + 60)]


@dataclass
class Phone(asyncio.DatagramProtocol):
    """Sends a packet each 20 ms unless it gets lost, and counts those that come."""

    random: Random
    server: tuple[str, int] = ("", 0)
    received: int = 0
    sequence: int = field(default=0)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.received += 1

    def send(self) -> None:
        self.sequence += 1
        if self.random.random() >= LOSS:
            payload = self.random.randbytes(160)
            packet = RtpPacket(0, self.sequence & 0xFFFF, 160 * self.sequence & 0xFFFFFFFF, 77, payload)
            self.transport.sendto(bytes(packet), self.server)


@dataclass
class Size:
    """What must not grow."""

    kb: int
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> Size:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE") // 1024, len(os.listdir("/proc/self/fd")), threading.active_count()
        )


class Soak:
    """Calls on an engine until a time, and what was seen of them."""

    def __init__(self, engine: MediaEngine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.random = Random(1)
        self.calls = 0
        self.unheard = 0

    async def run(self, until: float) -> None:
        await asyncio.gather(*(self._callers(until) for _ in range(CALLS)))

    async def _callers(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self.call()

    async def call(self) -> None:
        """Two phones in a bridge that is snooped on and recorded; one is played to, and presses keys."""
        self.calls += 1
        number, random = self.calls, self.random
        ends: list[asyncio.Future[PlayEnd | RecordEnd]] = []

        def end() -> Callable[[PlayEnd | RecordEnd], None]:
            ends.append(asyncio.get_running_loop().create_future())
            return ends[-1].set_result

        async with contextlib.AsyncExitStack() as stack:
            legs = [await self._leg(stack) for _ in range(2)]
            mixer = self.engine.open_mixer()
            stack.callback(mixer.close)
            for port, _ in legs:
                port.link(mixer)
            port = legs[0][0]
            if number % 2:
                snoop = self.engine.open_snoop(port, spy=Side.BOTH, whisper=Side.NONE, on_event=lambda event: None)
                stack.callback(snoop.close)
                snoop.record(str(self.folder / f"{number % 50}"), "wav", on_end=end())
            if number % 3 == 0:
                port.record(str(self.folder / f"{number % 50} too"), "wav", on_end=end())
            port.play(Files((str(self.folder / "words.ulaw"),)), on_end=end())
            legs[1][0].generate(Music())
            legs[1][0].send_digits([DigitOut("5")])
            for _ in range(random.randrange(20, 150)):
                for _, phone in legs:
                    phone.send()
                await asyncio.sleep(0.02)
            self.unheard += sum(phone.received == 0 for _, phone in legs)
        await asyncio.wait_for(asyncio.gather(*ends), 30)

    async def _leg(self, stack: contextlib.AsyncExitStack) -> tuple[RtpPort, Phone]:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(
            lambda: Phone(Random(self.calls)), local_addr=("127.0.0.1", 0)
        )
        stack.callback(transport.close)
        port = self.engine.open_rtp(bind="127.0.0.1", on_event=lambda event: None)
        stack.callback(port.close)
        phone.server = ("127.0.0.1", port.local_port)
        port.configure(RtpSettings(phone.address, "ulaw", 0, {0: "ulaw"}, telephone_event_pt=101))
        return port, phone


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_nothing_grows_while_calls_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "words.ulaw").write_bytes(Random(2).randbytes(8000))
    asyncio.run(_soak(tmp_path))


async def _soak(folder: Path) -> None:
    settings = EngineSettings(rtp_start=47000, rtp_end=48999, music={"default": (str(folder / "words.ulaw"),)})
    engine, _ = make_engine(settings, "native")
    loop = asyncio.get_running_loop()
    engine.start(loop)
    try:
        soak = Soak(engine, folder)
        began = loop.time()
        await soak.run(began + SECONDS / 4)
        before = Size.now()
        await soak.run(began + SECONDS)
        after = Size.now()
        statistics = engine.stats()
        print(f"{soak.calls} calls, {statistics}, {before}, {after}")
        assert (statistics.ports, statistics.mixers, statistics.active_ports) == (0, 0, 0)
        assert (after.descriptors, after.threads) == (before.descriptors, before.threads)
        assert after.kb - before.kb < MOST_GROWTH_KB
        assert soak.unheard == 0
        assert statistics.send_errors == 0
        assert statistics.packets_received > SECONDS * CALLS * 2 * 50 * (1 - LOSS) / 4
    finally:
        engine.stop()
