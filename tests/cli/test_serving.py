"""A server with its control socket and its signals."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from arietta.cli.client import run_once
from arietta.cli.control import ControlError
from arietta.cli.serving import Serving, Stop, run_loop
from arietta.config.conf import Problem
from arietta.logs import Logs

from .conftest import FakeSwitch


class FakeServer:
    """Remembers what it was told; its drain takes until `drained`."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.told: list[object] = []
        self.failure = failure
        self.drained = asyncio.Event()

    async def start(self) -> None:
        self.told.append("start")
        if self.failure is not None:
            raise self.failure

    async def stop(self, drain_seconds: float, *, restarts: bool = False) -> None:
        self.told.append(drain_seconds)
        if drain_seconds:
            await self.drained.wait()


def test_sigterm_ends_calls_within_the_deadline(tmp_path: Path, switch: FakeSwitch, logs: Logs) -> None:
    async def story() -> None:
        server = FakeServer()
        async with Serving(server, switch, logs, tmp_path / "ctl", Stop()) as stop:
            assert (await asyncio.to_thread(run_once, tmp_path / "ctl", "core show calls"))[1] == 0
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.asked()
            server.drained.set()
        assert server.told == ["start", 5.0]
        assert not (tmp_path / "ctl").exists()

    run_loop(story)


def test_a_second_sigint_ends_every_call_at_once(tmp_path: Path, switch: FakeSwitch, logs: Logs) -> None:
    async def story() -> None:
        server = FakeServer()
        async with Serving(server, switch, logs, tmp_path / "ctl", Stop()) as stop:
            os.kill(os.getpid(), signal.SIGINT)
            await stop.asked()
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
            switch.hung_up = server.drained.set
        assert server.told == ["start", 5.0]
        assert switch.done == [("hang up", f"1700000000.{number}") for number in (1, 2, 3)]

    run_loop(story)


def test_sighup_reads_the_configuration_again(tmp_path: Path, switch: FakeSwitch, logs: Logs) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def told(text: str) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        assert text in await heard.get()

    async def story() -> None:
        server = FakeServer()
        server.drained.set()
        logs.follow(lambda kind, level, line: heard.put_nowait(line))
        async with Serving(server, switch, logs, tmp_path / "ctl", Stop()):
            await told("read again: extensions.conf: 2 contexts")
            switch.broken = (Problem("http.conf", 7, "error", "bindport 99999 is outside 1..65535"),)
            await told("the one in force stays: http.conf line 7: bindport 99999 is outside 1..65535")
        assert switch.done == [("reload", None)]

    run_loop(story)


def test_a_second_server_opens_nothing(tmp_path: Path, switch: FakeSwitch, logs: Logs) -> None:
    async def story() -> None:
        first, second = FakeServer(), FakeServer()
        first.drained.set()
        async with Serving(first, switch, logs, tmp_path / "ctl", Stop()):
            with pytest.raises(ControlError, match="another Arietta is running"):
                await Serving(second, switch, logs, tmp_path / "ctl", Stop()).__aenter__()
        assert second.told == []

    run_loop(story)


def test_a_server_that_cannot_start_leaves_no_socket(tmp_path: Path, switch: FakeSwitch, logs: Logs) -> None:
    async def story() -> None:
        server = FakeServer(OSError(98, "Address already in use"))
        with pytest.raises(OSError, match="already in use"):
            await Serving(server, switch, logs, tmp_path / "ctl", Stop()).__aenter__()

    run_loop(story)
    assert not (tmp_path / "ctl").exists()
