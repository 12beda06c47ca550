"""The console on a real server: what is shown and done, without a phone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arietta.cli.client import run_once
from arietta.cli.commands import Console, all_commands
from arietta.cli.control import SOCKET_NAME
from arietta.cli.run import with_console
from arietta.cli.server_switch import ServerSwitch
from arietta.cli.serving import Stop
from arietta.config.init import write_initial
from arietta.config.tree import load
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.functions.standard import standard_functions
from arietta.logs import Logs
from arietta.server import Server, added

from .test_demo import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    import socket

    http, sip = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    write_initial(tmp_path / "conf", http_port=http, sip_port=sip)
    with (tmp_path / "conf" / "extensions.conf").open("a") as dialplan:
        dialplan.write("\nexten => 9,1,Answer()\n same => n,Wait(60)\n")
    return tmp_path / "conf"


Say = Callable[[str], Awaitable[str]]


def on_a_server(folder: Path, logs: Logs, story: Callable[[Server, Stop, Say], Awaitable[None]]) -> None:
    """Run a story on a started server."""

    async def run() -> None:
        server = Server(load(folder, {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}))
        stop = Stop()
        console = Console(ServerSwitch(server, stop), logs, all_commands())

        async def say(line: str) -> str:
            reply = await console.commands.run(console, line)
            return reply.output

        await server.start()
        try:
            await story(server, stop, say)
        finally:
            await server.stop(0.0)

    asyncio.run(run())


@pytest.mark.real
def test_a_call_is_started_shown_and_ended(folder: Path, logs: Logs) -> None:
    async def story(server: Server, stop: Stop, say: Say) -> None:
        assert "0 active channels" in await say("core show channels")
        assert await say("channel originate Local/9@default extension 1000@default") == (
            "Calling Local/9@default as Local/9@default-00000000;1."
        )
        assert "2 active channels" in await say("core show channels count")
        assert "UniqueID" in await say("core show channel Local/9@default-00000000;1")
        assert await say("channel request hangup all") == "Requested hangup of 2 channels."
        await server.channels.all_gone()
        assert "0 active calls\n2 calls processed" in await say("core show calls")
        assert await say("channel originate Bogus/9 extension 1000") == "technology 'Bogus' is not known"
        assert await say("channel originate Local/9@default application Nope") == "application Nope does not exist"
        assert await say("channel originate Local/9@default extension 77") == "extension 77@default does not exist"

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_what_is_changed_has_changed(folder: Path, logs: Logs) -> None:
    async def story(server: Server, stop: Stop, say: Say) -> None:
        await say("channel originate Local/9@default extension 9@default")
        for _ in range(1000):  # until it is answered, which the redirection needs
            if " Up " in await say("core show channels"):
                break
            await asyncio.sleep(0.01)
        assert "successfully redirected" in await say("channel redirect Local/9@default-00000000;1 default,9,1")
        assert "no step 1 in 9@nowhere" in await say("channel redirect Local/9@default-00000000;1 nowhere,9,1")

        await say("core stop when convenient")
        assert server.channels.accepting
        await say("core stop gracefully")
        assert not server.channels.accepting
        assert "goes on" in await say("core abort shutdown")
        assert server.channels.accepting
        await say("channel request hangup all")
        await server.channels.all_gone()
        await asyncio.sleep(0)
        assert not stop.is_asked

        await say("dialplan set global TRUNK PJSIP/trunk")
        assert "TRUNK=PJSIP/trunk" in await say("dialplan show globals")
        await say("devstate change Custom:lamp ringing")
        assert "'Custom:lamp'  State: 'RINGING'" in await say("devstate list")
        assert "is no state of a device" in await say("devstate change Custom:lamp purple")
        await say("database put a b c")
        assert await say("database get a b") == "Value: c"
        assert await say("module unload app_echo") == "Unloaded app_echo.so"
        assert "is loaded already" in await say("module load app_dial")
        assert await say("module load app_echo") == "Loaded app_echo.so"
        assert await say("bridge destroy none") == "Bridge 'none' not found"
        assert await say("bridge kick none x") == "Bridge 'none' not found"
        assert "Class: default" in await say("moh show files")

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_every_show_command_answers(folder: Path, logs: Logs) -> None:
    async def story(server: Server, stop: Stop, say: Say) -> None:
        for command in all_commands():
            if "show" in command.words and command.least == 0:
                assert await say(command.name), command.name
        assert "Local" not in await say("pjsip show endpoints")
        assert "same => n" not in await say("dialplan show default")
        assert "3. Stasis(hello-world)" in await say("dialplan show 1000@default")
        assert "Hands the channel to an ARI application" in await say("core show application Stasis")
        assert "Enabled and Bound to 127.0.0.1" in await say("http show status")

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_a_reload_takes_the_new_files_or_leaves_all_as_it_was(folder: Path, logs: Logs) -> None:
    dialplan = folder / "extensions.conf"

    async def story(server: Server, stop: Stop, say: Say) -> None:
        dialplan.write_text("[default]\nexten => 5,1,NoOp()\n")
        assert (await say("dialplan reload")).startswith("Reloaded pbx_config.so.")
        assert "1. NoOp()" in await say("dialplan show 5@default")
        dialplan.write_text("[default]\n same => n,NoOp()\n")
        refused = await say("core reload")
        assert "the one in force stays" in refused
        assert "extensions.conf line 2" in refused
        assert "1. NoOp()" in await say("dialplan show 5@default")

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_a_graceful_stop_waits_for_the_last_call(folder: Path, logs: Logs) -> None:
    async def story(server: Server, stop: Stop, say: Say) -> None:
        await say("channel originate Local/9@default application Wait 60")
        assert "2 calls to go" in await say("core stop gracefully")
        asked = asyncio.ensure_future(stop.asked())
        assert not (await asyncio.wait((asked,), timeout=0))[0]
        await say("channel request hangup all")
        await asyncio.wait_for(asked, 5)

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_a_process_runs_answers_its_console_and_ends_on_sigterm(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    program = [sys.executable, "-c", "from arietta.cli import main; main()", "run", "-C", str(folder)]
    process = subprocess.Popen([*program, "--state-dir", str(state)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "is ready" in line)
        assert f"console {state}/run/arietta.ctl" in ready
        assert run_once(state / "run" / "arietta.ctl", "core show calls") == ("0 active calls\n0 calls processed", 0)
        second = subprocess.run([*program, "--state-dir", str(state)], capture_output=True, text=True, timeout=30)
        assert second.returncode == 1
        assert second.stderr == f"arietta: another Arietta is running on {state}/run/arietta.ctl\n"
        os.kill(process.pid, signal.SIGTERM)
        assert "the server stops" in process.stdout.read()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
    assert not (state / "run" / "arietta.ctl").exists()


@pytest.mark.real
def test_the_check_knows_what_the_server_adds_to_the_dialplan(folder: Path, logs: Logs) -> None:
    async def story(server: Server, stop: Stop, say: Say) -> None:
        applications = {application.name for application in server.dialplan.applications}
        functions = {function.name for function in server.dialplan.functions}
        assert applications - {one.name for one in standard_applications()} == {one.name for one in added.APPLICATIONS}
        assert functions - {one.name for one in standard_functions()} == {one.name for one in added.FUNCTIONS}

    on_a_server(folder, logs, story)


@pytest.mark.real
def test_actions_reach_the_console(folder: Path, logs: Logs) -> None:
    none = ("0 active calls\n0 calls processed", 0)

    async def run() -> None:
        state = folder.parent / "s"  # the path of a socket is short
        server, stop = Server(load(folder, {"HOME": str(folder), "XDG_STATE_HOME": str(state)})), Stop()
        async with with_console(server, logs, stop, 0.0):
            assert server.manager.domain.command_line is not None
            assert await server.manager.domain.command_line("core show calls") == none
            path = server.config.directories.run / SOCKET_NAME
            assert await asyncio.to_thread(run_once, path, "core show calls") == none

    asyncio.run(run())
