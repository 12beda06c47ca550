"""Both engines on threads of their own with real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from arietta.media.choosing import make_engine
from arietta.media.engine import (
    EngineClosed,
    EngineSettings,
    Files,
    MediaEngine,
    MediaStarted,
    PlayEnd,
    PlayEndReason,
    RecordEnd,
    RtpSettings,
)
from arietta.rtp import RtpPacket

from .virtual import World


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "::"])
def test_a_file_is_played_and_recorded_over_loopback(tmp_path: Path, bind: str) -> None:
    words = bytes(range(256)) * 5  # 160 ms
    (tmp_path / "words.ulaw").write_bytes(words)
    family = socket.AF_INET6 if bind == "::1" else socket.AF_INET
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with socket.socket(family, socket.SOCK_DGRAM) as phone:
        phone.bind(("::1" if bind == "::1" else "127.0.0.1", 0))
        phone.settimeout(5)
        descriptors = len(os.listdir("/proc/self/fd"))
        end = asyncio.run(_call(tmp_path, bind, phone, words))
        assert os.path.getsize(end.path) == 8 * end.duration_ms > 0
        assert len(os.listdir("/proc/self/fd")) == descriptors


async def _call(folder: Path, bind: str, phone: socket.socket, words: bytes) -> RecordEnd:
    engine: MediaEngine
    engine, _ = make_engine(EngineSettings(rtp_start=42000, rtp_end=42999), World.engine)
    with pytest.raises(EngineClosed):
        engine.open_rtp(bind=bind, on_event=lambda event: None)
    loop = asyncio.get_running_loop()
    engine.start(loop)
    try:
        started: asyncio.Future[object] = loop.create_future()
        played: asyncio.Future[PlayEnd] = loop.create_future()
        recorded: asyncio.Future[RecordEnd] = loop.create_future()
        port = engine.open_rtp(bind=bind, on_event=lambda e: started.done() or started.set_result(e))
        address = phone.getsockname()[:2]
        port.configure(RtpSettings(address, "ulaw", 0, {0: "ulaw"}))
        server = ("::1" if bind == "::1" else "127.0.0.1", port.local_port)
        for n in range(8):
            phone.sendto(bytes(RtpPacket(0, n, 160 * n, 1, bytes([n]) * 160)), server)
        assert await asyncio.wait_for(started, 5) == MediaStarted()
        recorder = port.record(str(folder / "said"), "ulaw", on_end=recorded.set_result)
        port.play(Files((str(folder / "words.ulaw"),)), on_end=played.set_result)
        assert (await asyncio.wait_for(played, 5)).reason is PlayEndReason.DONE
        recorder.stop()
        end = await asyncio.wait_for(recorded, 5)
        assert b"".join(RtpPacket.parse(phone.recv(2048)).payload for _ in range(8)) == words
        statistics = port.statistics()
        assert (statistics.txcount, statistics.rxcount) == (8, 8)
        assert engine.stats().send_errors == 0
        return end
    finally:
        engine.stop()
