"""The control socket: who may talk on it, and what is said."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from arietta.cli import control
from arietta.cli.client import ControlClient, run_once
from arietta.cli.commands import Console
from arietta.cli.control import ControlError, ControlServer, connect
from arietta.verbose import verbose


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "arietta.ctl"


@asynccontextmanager
async def serving(path: Path, console: Console) -> AsyncIterator[ControlServer]:
    server = ControlServer(path, console)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def say(path: Path, *lines: bytes) -> list[dict[str, object]]:
    """Write raw lines, and read one answer for each."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.writelines(lines)
        return [json.loads(await reader.readline()) for _ in lines]
    finally:
        writer.close()


def test_a_command_and_its_answer(path: Path, console: Console) -> None:
    async def story() -> None:
        async with serving(path, console):
            assert await asyncio.to_thread(run_once, path, "core show calls") == (
                "2 active calls\n7 calls processed",
                0,
            )
            output, status = await asyncio.to_thread(run_once, path, "bogus")
            assert output.startswith("No such command 'bogus'")
            assert status == 1

    asyncio.run(story())


def test_only_the_owner_may_open_it(path: Path, console: Console) -> None:
    async def story() -> None:
        async with serving(path, console):
            assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700

    asyncio.run(story())


def test_a_peer_of_another_user_is_refused(
    path: Path, console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "_is_ours", lambda writer: False)

    async def story() -> None:
        async with serving(path, console):
            with pytest.raises(ControlError, match=r"closed the connection|broke"):
                await asyncio.to_thread(run_once, path, "core show calls")

    asyncio.run(story())
    assert "is refused" in caplog.text


def test_the_peer_is_known_by_its_credentials(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()

    class Writer:
        def get_extra_info(self, name: str) -> socket.socket:
            assert name == "socket"
            return ours

    with ours, theirs:
        assert control._is_ours(Writer())  # type: ignore[arg-type]
        if os.geteuid() != 0:  # root is let in whoever owns the server
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
            assert not control._is_ours(Writer())  # type: ignore[arg-type]


def test_a_socket_of_a_dead_server_is_replaced_and_removed_at_the_end(path: Path, console: Console) -> None:
    path.parent.mkdir()
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()

    async def story() -> None:
        async with serving(path, console):
            assert (await asyncio.to_thread(run_once, path, "core show calls"))[1] == 0

    asyncio.run(story())
    assert not path.exists()


def test_a_second_server_is_refused_and_harms_nothing(path: Path, console: Console) -> None:
    async def story() -> None:
        async with serving(path, console):
            second = ControlServer(path, console)
            with pytest.raises(ControlError, match=f"another Arietta is running on {path}"):
                second.claim()
            await second.stop()
            assert (await asyncio.to_thread(run_once, path, "core show calls"))[1] == 0

    asyncio.run(story())


def test_a_server_does_not_remove_the_socket_of_its_successor(path: Path, console: Console) -> None:
    async def story() -> None:
        first = ControlServer(path, console)
        first.claim()
        os.unlink(path)
        async with serving(path, console):
            await first.stop()
            assert (await asyncio.to_thread(run_once, path, "core show calls"))[1] == 0

    asyncio.run(story())


def test_what_is_no_socket_is_left_alone(path: Path, console: Console) -> None:
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ControlError, match="is in the way: it is not a socket"):
        ControlServer(path, console).claim()
    assert path.read_text() == "precious"


def test_a_folder_that_everybody_writes_to_is_refused(path: Path, console: Console) -> None:
    path.parent.mkdir()
    (path.parent / "somebody-else's").touch()
    path.parent.chmod(0o777)
    with pytest.raises(ControlError, match="can be written by everybody"):
        ControlServer(path, console).claim()


def test_a_path_too_long_for_the_system_is_refused(tmp_path: Path, console: Console) -> None:
    path = tmp_path / ("x" * 120) / "arietta.ctl"
    with pytest.raises(ControlError, match=r"bytes, the limit is 107: name a shorter astrundir"):
        ControlServer(path, console).claim()


def test_nobody_answers(path: Path) -> None:
    with pytest.raises(ControlError, match="no server is running: there is no control socket"):
        connect(path)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match="no server is running: nobody answers"):
        connect(path)


def test_what_is_no_request_is_answered_with_the_reason(path: Path, console: Console) -> None:
    async def story() -> None:
        async with serving(path, console):
            answers = await say(path, b"no json\n", b"{}\n", b'{"command":7}\n', b'{"order":"x"}\n', b"\xff\n", b"[]\n")
            assert all(answer["status"] == 1 for answer in answers)
            assert all("not a request" in str(answer["output"]) for answer in answers)
            assert "has none of command" in str(answers[1]["output"])

    asyncio.run(story())


def test_a_request_beyond_the_limit_ends_the_connection(path: Path, console: Console) -> None:
    async def story() -> None:
        async with serving(path, console):
            (answer,) = await say(path, b"x" * 70_000 + b"\n")
            assert answer == {"output": "a request is longer than 65536 bytes", "status": 1}
            assert (await asyncio.to_thread(run_once, path, "core show calls"))[1] == 0

    asyncio.run(story())


def test_a_failure_of_ours_is_told_without_its_traceback(
    path: Path, console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(console.switch), "channels", lambda self: 1 / 0)

    async def story() -> None:
        async with serving(path, console):
            (answer,) = await say(path, b'{"command":"core show calls"}\n')
            assert answer == {"output": "The command failed; the server's log tells why.", "status": 1}

    asyncio.run(story())
    assert "ZeroDivisionError" in caplog.text


def test_a_console_completes_and_follows(path: Path, console: Console) -> None:
    async def story() -> None:
        heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        async with serving(path, console):
            client = await ControlClient.open(path, lambda kind, line: heard.put_nowait((kind, line)))
            assert await client.complete("core sh") == ["show"]
            verbose(3, "before anybody follows")
            await client.follow(3)
            verbose(3, "Executing [1000@default:1] NoOp()")
            verbose(2, "Bridged")
            assert await heard.get() == ("verbose", "    -- Executing [1000@default:1] NoOp()")
            assert await heard.get() == ("verbose", "  == Bridged")
            logging.getLogger("arietta.sip").warning("odd, password=hunter2")
            kind, line = await heard.get()
            assert kind == "warning"
            assert line.endswith("arietta.sip: odd, password=***")
            await client.follow(2)
            verbose(3, "too deep")
            verbose(1, "plain")
            assert await heard.get() == ("verbose", "plain")
            await client.follow(None)
            verbose(1, "nobody hears")
            assert (await client.command("core show calls"))[1] == 0
            assert heard.empty()
            await client.close()

    asyncio.run(story())


def test_a_slow_console_loses_lines_and_is_told_how_many(path: Path, console: Console) -> None:
    async def story() -> None:
        heard: list[tuple[str, str]] = []
        lost, last = asyncio.Event(), asyncio.Event()

        def told(kind: str, line: str) -> None:
            heard.append((kind, line))
            if kind == "lost":
                lost.set()
            if line == "last":
                last.set()

        async with serving(path, console):
            client = await ControlClient.open(path, told)
            await client.follow(1)
            for number in range(control.MAX_LINES_WAITING + 12):  # the console gets no turn to read meanwhile
                verbose(1, str(number))
            await lost.wait()
            assert heard[-1] == ("lost", "12 lines were lost: this console was too slow")
            verbose(1, "last")
            await last.wait()
            await client.close()
        assert [line for kind, line in heard if kind == "verbose"] == [
            *map(str, range(control.MAX_LINES_WAITING)),
            "last",
        ]

    asyncio.run(story())


def test_a_console_learns_that_the_server_is_gone(path: Path, console: Console) -> None:
    async def story() -> None:
        server = ControlServer(path, console)
        await server.start()
        client = await ControlClient.open(path, lambda kind, line: None)
        await client.follow(1)
        await server.stop()
        await client.gone.wait()
        with pytest.raises(ControlError, match="the server is gone"):
            await client.command("core show calls")
        await client.close()

    asyncio.run(story())
