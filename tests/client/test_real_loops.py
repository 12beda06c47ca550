"""The client on loops with real sockets: asyncio's own and uvloop, in the clear and with TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from arietta.client import CannotConnect, Client, program
from arietta.model import events

from .fake import FakeServer, answer
from .test_streams import created

CERTIFICATE = Path(__file__).parents[1] / "http" / "data" / "localhost.pem"
PONG = b'{"ping":"pong","timestamp":"2026-01-01T00:00:00.000+0000","asterisk_id":"x"}'


def answers(asked: Any) -> bytes:
    """Yes to everything."""
    return b"101" if "upgrade" in asked.fields else answer(200, PONG)


@pytest.mark.parametrize("is_secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_requests_and_events(name: str, is_secure: bool) -> None:
    factory = pytest.importorskip("uvloop").new_event_loop if name == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(talk(is_secure))


async def talk(is_secure: bool) -> None:
    """A ping, an event, and the end."""
    theirs = None
    if is_secure:
        theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        theirs.load_cert_chain(CERTIFICATE)
    server = await FakeServer(answers).start(tls=theirs)
    scheme, host = ("https", "localhost") if is_secure else ("http", "127.0.0.1")
    ours = ssl.create_default_context(cafile=str(CERTIFICATE)) if is_secure else None
    async with asyncio.timeout(10), Client(f"{scheme}://{host}:{server.port}/ari", "user", "password", tls=ours) as ari:
        assert (await ari.asterisk.ping()).ping == "pong"
        async with ari.events("app") as stream:
            (await server.socket()).send(created(1))
            event = await anext(stream)
            assert isinstance(event, events.ChannelVarset) and event.value == "1"
    if is_secure:
        async with Client(f"https://localhost:{server.port}/ari", "user", "password") as stranger:
            with pytest.raises(CannotConnect, match="certificate verify failed"):
                await stranger.asterisk.ping()
    await server.stop()


def test_a_program_says_why_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    async def serve(ari: Client, app: str) -> None:
        await ari.run(app)

    assert program(serve, "A test.", "app", ["--url", "http://127.0.0.1:1/ari"]) == 1
    assert "127.0.0.1:1: " in capsys.readouterr().err
    assert program(serve, "A test.", "app", ["--url", "nonsense"]) == 1
    with pytest.raises(SystemExit):
        program(serve, "A test.", "app", ["--help"])
    assert "A test." in capsys.readouterr().out
