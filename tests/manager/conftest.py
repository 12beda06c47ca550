"""A whole server with the manager interface, on virtual time and network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from arietta.server import Server
from arietta.testing import VirtualLoop
from journeys.conftest import FILES, alice, app, bob, server

from .talking import ManagerClient

__all__ = ["alice", "app", "bob", "server"]

MANAGER = """
[general]
enabled = yes
webenabled = yes
bindaddr = 127.0.0.1
[admin]
secret = s3cr3t-words
read = all
write = all
setvar = PBX=main
[reader]
secret = s3cr3t-words
read = call
write = reporting
[far]
secret = s3cr3t-words
deny = 0.0.0.0/0.0.0.0
permit = 192.0.2.0/24
[once]
secret = s3cr3t-words
allowmultiplelogin = no
"""

Connect = Callable[..., Awaitable[ManagerClient]]


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": MANAGER}


@pytest.fixture
def connect(server: Server, loop: VirtualLoop) -> Iterator[Connect]:
    """A coroutine function that opens a connection, and logs in with a user name; closed after the test."""
    clients: list[ManagerClient] = []

    async def open_client(name: str = "admin", **more: str) -> ManagerClient:
        client = await ManagerClient.open()
        clients.append(client)
        if name:
            assert (await client.log_in(name, **more))["Response"] == "Success"
        return client

    yield open_client
    for client in clients:
        client.close()
    loop.run(asyncio.sleep(1))
    assert not server.manager.hub.sessions
    assert not server.manager.listener.connections
