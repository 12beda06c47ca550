"""The prompt of `arietta console`: history, completion by the server, and what the server tells meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console as Terminal
from rich.text import Text

from arietta.cli.client import ControlClient
from arietta.cli.control import ControlError
from arietta.cli.options import state_home

PROMPT = "arietta*CLI> "
LEAVING = ("exit", "quit")
FOLLOW_LEVEL = 100  # the level of the server decides what is told at all
STYLES = {
    "warning": "bold red",
    "error": "red",
    "notice": "yellow",
    "debug": "cyan",
    "dtmf": "green",
    "security": "magenta",
    "lost": "bold magenta",
}


def interact(path: Path, *, follows: bool = True, times: bool = False) -> int:
    """Talk to the server behind `path` until the user leaves (0) or the server goes (1).

    With `follows` its lines are shown meanwhile, with `times` the time before each that has none.
    """
    return asyncio.run(_interact(path, follows=follows, times=times))


async def _interact(path: Path, *, follows: bool, times: bool) -> int:
    terminal = Terminal(highlight=False, soft_wrap=True)

    def told(kind: str, line: str) -> None:
        moment = time.strftime("[%b %e %H:%M:%S] ") if times and not line.startswith("[") else ""
        terminal.print(painted(kind, f"{moment}{line}"))

    client = await ControlClient.open(path, told)
    try:
        if not sys.stdin.isatty():
            return await _from_pipe(client, terminal)
        return await _from_keyboard(client, terminal, path, follows=follows)
    finally:
        await client.close()


async def _from_pipe(client: ControlClient, terminal: Terminal) -> int:
    """Carry out the lines of standard input; the worst status is the exit code."""
    worst = 0
    for line in await asyncio.to_thread(sys.stdin.readlines):
        command = line.strip()
        if command in LEAVING:
            break
        if command:
            output, status = await client.command(command)
            if output:
                terminal.print(Text(output))
            worst = max(worst, status)
    return worst


async def _from_keyboard(client: ControlClient, terminal: Terminal, path: Path, *, follows: bool = True) -> int:
    output, _ = await client.command("core show version")
    terminal.print(Text(f"{output}\nConnected to {path}. Tab completes, Ctrl-D leaves, 'help' lists the commands."))
    if follows:
        await client.follow(FOLLOW_LEVEL)
    session: PromptSession[str] = PromptSession(
        PROMPT, history=FileHistory(str(history_file())), completer=ServerCompleter(client), complete_while_typing=False
    )
    with patch_stdout(raw=True):
        while True:
            line = None if client.gone.is_set() else await _next_line(session, client)
            if line is None:
                if client.gone.is_set():
                    terminal.print(Text("The server is gone.", STYLES["lost"]))
                    return 1
                return 0
            command = line.strip()
            if command in LEAVING:
                return 0
            if not command:
                continue
            try:
                output, status = await client.command(command)
            except ControlError as refusal:
                terminal.print(Text(f"{str(refusal).capitalize()}.", STYLES["lost"]))
                return 1
            if output:
                terminal.print(Text(output, STYLES["error"] if status else ""))


async def _next_line(session: PromptSession[str], client: ControlClient) -> str | None:
    """The next line; None when the user leaves or the server goes. Ctrl-C drops what was typed."""

    async def watch() -> None:
        await client.gone.wait()
        if session.app.is_running:
            session.app.exit(exception=EOFError())

    watching = asyncio.ensure_future(watch())
    try:
        # In this task and not in one of its own: what leaves a task as KeyboardInterrupt ends the event loop.
        return await session.prompt_async()
    except KeyboardInterrupt:
        return ""
    except EOFError:
        return None
    finally:
        watching.cancel()


class ServerCompleter(Completer):
    """Asks the server what the word under the cursor can become."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Nothing: completions come from the server, which answers in its own time."""
        return ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """The completions of the text before the cursor; a blank follows the only one."""
        text = document.text_before_cursor.lstrip()
        begun = "" if not text or text[-1].isspace() else text.split()[-1]
        with contextlib.suppress(ControlError):
            words = await self._client.complete(text)
            for word in words:
                yield Completion(word if len(words) > 1 else f"{word} ", start_position=-len(begun))


def painted(kind: str, line: str) -> Text:
    """A line of the server in the colour of its kind."""
    text = Text(line, STYLES.get(kind, ""))
    if kind == "verbose":
        text.highlight_regex(r"^\s*(--|==|>)", "dim")
        text.highlight_regex(r"\[[^\]]+@[^\]]+\]", "cyan")
        text.highlight_regex(r'"[^"]*"|\'[^\']*\'', "green")
    return text


def history_file() -> Path:
    """The file that keeps what was typed, for its owner alone."""
    folder = state_home()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "console_history"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path
