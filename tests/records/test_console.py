"""What the console shows of the records, and does with them."""

from __future__ import annotations

import asyncio

from arietta.cli.commands import Console, all_commands
from arietta.cli.server_switch import ServerSwitch
from arietta.server import Server
from arietta.testing import Phone

from .conftest import CDR


async def _never(*_: object) -> None:
    raise AssertionError


async def say(server: Server, line: str) -> str:
    commands = all_commands()
    reply = await commands.run(Console(ServerSwitch(server, _never), server.logs, commands), line)
    return reply.output


async def test_the_console_shows_records(server: Server, alice: Phone, bob: Phone) -> None:
    status = await say(server, "cdr show status")
    assert "Logging:                    Enabled" in status
    assert status.endswith("    csv")
    call = await alice.invite("1100")
    (await bob.ringing()).answer()
    await call.answered()
    await asyncio.sleep(3)
    lines = (await say(server, "cdr show active")).splitlines()
    assert lines[1].split()[2:] == ["Dial", "3", "3", "ANSWERED"]
    assert "No channel nobody" in await say(server, "cdr show active nobody")
    assert await say(server, "cdr set debug on") == "CDR debugging enabled"
    assert "neither on nor off" in await say(server, "cdr set debug perhaps")
    log = (await say(server, "cel show status")).splitlines()
    assert log[0] == "CEL Logging: Enabled"
    assert "CEL Tracking Application: dial" in log
    await call.hang_up()


async def test_the_console_submits_a_batch(server: Server, alice: Phone) -> None:
    (server.config.directory / "cdr.conf").write_text(CDR.replace("[csv]", "batch=yes\n[csv]"))
    server.reload(("cdr",))
    call = await alice.invite("1300")
    await call.answered()
    await call.hang_up()
    await asyncio.sleep(1)
    assert "Current batch size:         1 record" in await say(server, "cdr show status")
    assert await say(server, "cdr submit") == "Submitted 1 record to the backends."
