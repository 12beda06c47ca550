"""The prompt, typed at as a user does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console as Terminal

from arietta.cli.client import ControlClient
from arietta.cli.commands import Console
from arietta.cli.control import ControlServer
from arietta.cli.interactive import ServerCompleter, _from_keyboard, _from_pipe, history_file, painted
from arietta.logs import Follower


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed


def type_at_prompt(
    path: Path, console: Console, keyboard: PipeInput, keys: str, followed: asyncio.Event | None = None
) -> tuple[int, str]:
    """Type the keys; the exit code and what was shown. The server goes once it is `followed`."""
    shown = StringIO()

    async def story() -> int:
        server = ControlServer(path, console)
        await server.start()
        terminal = Terminal(file=shown, soft_wrap=True)
        client = await ControlClient.open(path, lambda kind, line: terminal.print(painted(kind, line)))
        try:
            keyboard.send_text(keys)
            talking = asyncio.ensure_future(_from_keyboard(client, terminal, path))
            if followed is not None:
                await followed.wait()
                await server.stop()
            return await talking
        finally:
            await client.close()
            await server.stop()

    return asyncio.run(story()), shown.getvalue()


def test_commands_are_answered_and_remembered(tmp_path: Path, console: Console, keyboard: PipeInput) -> None:
    code, shown = type_at_prompt(tmp_path / "ctl", console, keyboard, "core show calls\rbogus\r\r\x04")
    assert code == 0
    assert "Tab completes, Ctrl-D leaves" in shown
    assert "2 active calls" in shown
    assert "No such command 'bogus'" in shown
    assert "+core show calls" in history_file().read_text()


def test_exit_leaves_and_ctrl_c_only_drops_the_line(tmp_path: Path, console: Console, keyboard: PipeInput) -> None:
    code, shown = type_at_prompt(tmp_path / "ctl", console, keyboard, "core st\x03exit\r")
    assert code == 0
    assert "core st" not in shown


def test_the_end_of_the_server_is_told(
    tmp_path: Path, console: Console, keyboard: PipeInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = asyncio.Event()
    follow = console.logs.follow

    def follow_and_tell(follower: Follower) -> Callable[[], None]:
        followed.set()
        return follow(follower)

    monkeypatch.setattr(console.logs, "follow", follow_and_tell)
    code, shown = type_at_prompt(tmp_path / "ctl", console, keyboard, "", followed)
    assert code == 1
    assert shown.endswith("The server is gone.\n")


def test_the_server_completes(tmp_path: Path, console: Console) -> None:
    async def story() -> None:
        server = ControlServer(tmp_path / "ctl", console)
        await server.start()
        client = await ControlClient.open(tmp_path / "ctl", lambda kind, line: None)
        completer = ServerCompleter(client)

        async def complete(text: str) -> list[tuple[str, int]]:
            found = completer.get_completions_async(Document(text), CompleteEvent())
            return [(completion.text, completion.start_position) async for completion in found]

        assert await complete("core sh") == [("show ", -2)]
        assert await complete("core show app") == [("application", -3), ("applications", -3)]
        assert ("channels", 0) in await complete("core show ")
        await server.stop()
        await client.gone.wait()
        assert await complete("core sh") == []
        await client.close()

    asyncio.run(story())


def test_lines_of_standard_input_are_commands(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("core show calls\n\nbogus\nexit\ncore stop now\n"))
    shown = StringIO()

    async def story() -> int:
        server = ControlServer(tmp_path / "ctl", console)
        await server.start()
        client = await ControlClient.open(tmp_path / "ctl", lambda kind, line: None)
        try:
            return await _from_pipe(client, Terminal(file=shown, soft_wrap=True))
        finally:
            await client.close()
            await server.stop()

    assert asyncio.run(story()) == 1
    assert shown.getvalue().startswith("2 active calls\n7 calls processed\nNo such command 'bogus'")
    assert console.switch.done == []  # type: ignore[attr-defined]


def test_lines_have_the_colour_of_their_kind() -> None:
    assert painted("error", "it broke").style == "red"
    spans = painted("verbose", '    -- Executing [1000@default:1] NoOp("PJSIP/1-0", "") in new stack').spans
    assert {str(span.style) for span in spans} == {"dim", "cyan", "green"}
