"""The manager interface over TLS, on a real socket."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

from arietta.config.tree import load
from arietta.server import Server

from .talking import ManagerClient

CERTIFICATE = Path(__file__).parent.parent / "http" / "data" / "localhost.pem"
MANAGER = f"""[general]
enabled = yes
bindaddr = 127.0.0.1
port = {{plain}}
tlsenable = yes
tlsbindaddr = 127.0.0.1:{{secure}}
tlscertfile = {CERTIFICATE}
[admin]
secret = s3cr3t-words
read = all
write = all
"""


def free_ports() -> dict[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return {"plain": one.getsockname()[1], "secure": other.getsockname()[1]}


def test_a_session_over_tls(tmp_path: Path) -> None:
    ports = free_ports()

    async def story() -> None:
        server = Server(load(tmp_path, {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}))
        await server.start()
        try:
            trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
            client = await ManagerClient.open(port=ports["secure"], ssl=trusting, server_hostname="localhost")
            assert client.banner.startswith("Asterisk Call Manager/")
            assert (await client.log_in())["Response"] == "Success"
            security = await client.event("SuccessfulAuth")
            assert security["RemoteAddress"].startswith("IPV4/TLS/127.0.0.1/")
            assert (await client.ask("Ping"))["Ping"] == "Pong"
            await client.ask("Logoff")
            await client.gone()
        finally:
            await server.stop(0.0)

    (tmp_path / "manager.conf").write_text(MANAGER.format(**ports))
    asyncio.run(story())


def test_without_another_word_tls_is_on_port_5039(tmp_path: Path) -> None:
    from arietta.server.manager import DEFAULT_TLS_PORT

    assert DEFAULT_TLS_PORT == 5039
