"""Any action with any headers: a reply each, no failure of ours, and the next action is answered."""

from __future__ import annotations

import random

from arietta.manager.declared import ACTIONS
from arietta.server import Server

from .conftest import Connect

HEADERS = sorted({name.strip("[]") for one in ACTIONS.values() for name, _ in one.headers} | {"ActionID", "Nothing"})
VALUES = (
    "", "1", "-1", "0", "99999999999999999999", "²", "on", "/(/", "/./", "PJSIP/alice", "Local/1200@default", "default",
    "s", "1200", "${SHELL(id)}", "SHELL(id)", "CALLERID(num)", "a=b,c=d", "=", ",", "x" * 500,
    "\\", '"', "\x00\x1b\x7f",
    "é\u2028\ud7ff", "manager.conf", "../..", "reload", "6001@default", "pjsip:alice", "MD5", "true", "in", "all",
)  # fmt: skip
WITHOUT = {"logoff", "login", "waitevent", "reload", "moduleload"}


async def test_any_action_with_any_headers(server: Server, connect: Connect, caplog) -> None:  # type: ignore[no-untyped-def]
    chance = random.Random(7)
    client = await connect(Events="off")
    names = [one.name for key, one in sorted(ACTIONS.items()) if key not in WITHOUT]
    for _ in range(600):
        name = chance.choice(names)
        lines = [f"{chance.choice(HEADERS)}: {chance.choice(VALUES)}" for _ in range(chance.randrange(12))]
        own = [header.strip("[]") for header, _ in ACTIONS[name.lower()].headers]
        lines += [f"{header}: {chance.choice(VALUES)}" for header in own if chance.random() < 0.8]
        lines = [line for line in lines if not line.startswith(("ActionID", "Timeout"))]
        reply = await client.ask(name, *lines)
        assert reply["Response"] in ("Success", "Error")
        assert "Internal error" not in reply.get("Message", ""), (name, lines, caplog.text[-2000:])
        client.blocks.clear()
    for channel in server.channels:
        channel.request_hangup()
    assert "failed and is hung up" not in caplog.text
