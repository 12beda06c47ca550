"""What the sockets of RTP are told by the settings: classes of traffic, checksums."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from arietta.media.choosing import make_engine
from arietta.media.engine import EngineSettings, MediaEngine, RtpPort, RtpSettings

from .virtual import World

pytestmark = pytest.mark.usefixtures("each_engine")

NO_CHECK = 11
EXPEDITED = 46 << 2


def sockets_of(port: RtpPort) -> Iterator[socket.socket]:
    """The sockets of this process that are bound to the port's pair."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                if one.type == socket.SOCK_DGRAM and one.getsockname()[1] in (port.local_port, port.local_port + 1):
                    yield one


def with_port(settings: EngineSettings, bind: str, look: Callable[[RtpPort], None]) -> None:
    async def run() -> None:
        engine: MediaEngine
        engine, _ = make_engine(settings, World.engine)
        engine.start(asyncio.get_running_loop())
        try:
            look(engine.open_rtp(bind=bind, on_event=lambda event: None))
        finally:
            engine.stop()

    asyncio.run(run())


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1"])
def test_packets_are_of_the_class_of_traffic_that_was_asked_for(bind: str) -> None:
    level, option = (socket.IPPROTO_IP, socket.IP_TOS) if bind != "::1" else (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)

    def look(port: RtpPort) -> None:
        for tos, cos in ((EXPEDITED, 7), (EXPEDITED, 5), (0, 0)):
            port.configure(RtpSettings((bind, 9), "ulaw", 0, {0: "ulaw"}, tos=tos, cos=cos))
            seen = [
                (one.getsockopt(level, option), one.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY))
                for one in sockets_of(port)
            ]
            assert len(seen) == 2
            assert cos == 7 or seen == [(tos, cos)] * 2  # which not everybody may have

    with_port(EngineSettings(rtp_start=42000, rtp_end=42999), bind, look)


@pytest.mark.parametrize(
    ("bind", "checksums", "expected"), [("127.0.0.1", True, 0), ("127.0.0.1", False, 1), ("::1", False, 0)]
)
def test_checksums_are_left_out_where_that_is_allowed(bind: str, checksums: bool, expected: int) -> None:
    def look(port: RtpPort) -> None:
        seen = [one.getsockopt(socket.SOL_SOCKET, NO_CHECK) for one in sockets_of(port)]
        assert seen == [expected] * 2

    with_port(EngineSettings(rtp_start=42000, rtp_end=42999, checksums=checksums), bind, look)
